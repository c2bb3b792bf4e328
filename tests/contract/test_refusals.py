"""Every reason of the registry's errors.proto is reached, with the code that it declares."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest

from chassis.errors import PREFIX, STATUS_CODES, Catalogue
from quanyutong.registry.v1 import (
    activities_pb2,
    assemblies_pb2,
    attendance_pb2,
    contacts_pb2,
    districts_pb2,
    errors_pb2,
    imports_pb2,
    mandates_pb2,
    oversight_pb2,
    performance_pb2,
    persons_pb2,
    rules_pb2,
    secrets_pb2,
    stations_pb2,
    units_pb2,
)
from tests.contract import merged as merging
from tests.contract.acts import MEETING, PAPER, delegates, entry, performance, record, record_all, totals, withdraw
from tests.contract.identities import identity_number
from tests.contract.merged import Merged
from tests.contract.office import (
    INDUSTRY,
    NOBODY,
    RESIDENT,
    STATION,
    TOWNSHIP_CONGRESS,
    Office,
    Row,
    in_days,
    new_people,
    on,
)
from tests.contract.test_importing import importing, streaming
from tests.harness import reason

CATALOGUE = Catalogue(errors_pb2.ErrorReason.DESCRIPTOR)
REASONS = [name.removeprefix(PREFIX) for name, number in errors_pb2.ErrorReason.items() if number]
Scenario = Callable[[Office], Awaitable[Any]]
# Reason -> calls whose last one is refused with it.
SCENARIOS: dict[str, list[Scenario]] = {}


def refused_with(reason: str) -> Callable[[Scenario], Scenario]:
    def register(scenario: Scenario) -> Scenario:
        SCENARIOS.setdefault(reason, []).append(scenario)
        return scenario

    return register


@refused_with("DISTRICT_NOT_FOUND")
async def district_that_is_not_there(office: Office) -> None:
    await office.call("GetDistrict", districts_pb2.GetDistrictRequest(name="districts/599999"))


@refused_with("DISTRICT_NOT_FOUND")
async def suspension_of_a_district_that_is_not_there(office: Office) -> None:
    await office.operate(
        "SuspendDistrict", districts_pb2.SuspendDistrictRequest(name="districts/599999", reason="合同到期")
    )


@refused_with("DISTRICT_EXISTS")
async def district_twice(office: Office) -> None:
    district = districts_pb2.District(name="districts/500102", display_name="涪陵区")
    await office.operate("CreateDistrict", districts_pb2.CreateDistrictRequest(district=district))


@refused_with("DISTRICT_STATE_REFUSED")
async def resuming_what_is_not_suspended(office: Office) -> None:
    await office.operate("ResumeDistrict", districts_pb2.ResumeDistrictRequest(name=f"districts/{office.district}"))


@refused_with("UNIT_NOT_FOUND")
async def unit_of_another_district(office: Office) -> None:
    await office.call("GetUnit", units_pb2.GetUnitRequest(name="units/500102001"))


@refused_with("UNIT_NOT_FOUND")
async def assembly_of_another_districts_unit(office: Office) -> None:
    await office.assembly("units/500102001")


@refused_with("UNIT_NOT_FOUND")
async def person_of_another_districts_unit(office: Office) -> None:
    await office.person(residence="units/500102001")


@refused_with("UNIT_NOT_FOUND")
async def person_moving_to_another_districts_unit(office: Office) -> None:
    given = persons_pb2.Person(name=await office.person(), display_name="王小明", residence="units/500102001")
    request = persons_pb2.UpdatePersonRequest(person=given)
    request.update_mask.paths.append("residence")
    await office.call("UpdatePerson", request)


@refused_with("UNIT_EXISTS")
async def unit_twice(office: Office) -> None:
    await office.unit()
    await office.unit()


@refused_with("UNIT_OF_OTHER_DISTRICT")
async def unit_with_another_districts_code(office: Office) -> None:
    unit = units_pb2.Unit(name="units/500102999", display_name="试验街道", kind=units_pb2.UNIT_KIND_SUBDISTRICT)
    await office.call("CreateUnit", units_pb2.CreateUnitRequest(unit=unit))


@refused_with("RULE_NOT_FOUND")
async def override_of_no_rule(office: Office) -> None:
    await office.override("1", rule="rules/congress.nothing")


@refused_with("RULE_NOT_FOUND")
async def term_before_the_rule_on_its_length(office: Office) -> None:
    await office.open_term(await office.assembly(), start="2014-12-31")


@refused_with("RULE_FIXED")
async def override_of_what_is_the_same_in_the_city(office: Office) -> None:
    await office.override(">=1/2", rule="rules/congress.session_quorum")


@refused_with("RULE_VALUE_INVALID")
async def override_out_of_bounds(office: Office) -> None:
    await office.override("101")


@refused_with("RULE_DATE_REFUSED")
async def override_of_yesterday(office: Office) -> None:
    await office.override("50", in_days(-1))


@refused_with("RULE_NOT_OVERRIDDEN")
async def restoring_the_platforms_value(office: Office) -> None:
    request = rules_pb2.RestoreRuleRequest(
        name="rules/subdistrict_assembly.size_max", effective_date=on(in_days(0)), decision="决定"
    )
    await office.call("RestoreRule", request)


@refused_with("ASSEMBLY_NOT_FOUND")
async def assembly_that_is_not_there(office: Office) -> None:
    await office.call("GetAssembly", assemblies_pb2.GetAssemblyRequest(name=f"assemblies/{NOBODY}"))


@refused_with("ASSEMBLY_NOT_FOUND")
async def terms_of_no_assembly(office: Office) -> None:
    await office.call("ListTerms", assemblies_pb2.ListTermsRequest(parent=f"assemblies/{NOBODY}"))


@refused_with("ASSEMBLY_NOT_FOUND")
async def term_of_no_assembly(office: Office) -> None:
    await office.open_term(f"assemblies/{NOBODY}")


@refused_with("ASSEMBLY_EXISTS")
async def second_assembly_of_a_unit(office: Office) -> None:
    unit = await office.unit()
    await office.assembly(unit)
    await office.assembly(unit)


@refused_with("ASSEMBLY_UNIT_REFUSED")
async def congress_of_a_subdistrict(office: Office) -> None:
    await office.assembly(await office.unit(), TOWNSHIP_CONGRESS)


@refused_with("ASSEMBLY_UNIT_REFUSED")
async def subdistrict_assembly_of_no_subdistrict(office: Office) -> None:
    await office.assembly("")


@refused_with("TERM_NOT_FOUND")
async def term_that_is_not_there(office: Office) -> None:
    await office.call("GetTerm", assemblies_pb2.GetTermRequest(name=f"{await office.assembly()}/terms/9"))


@refused_with("TERM_NOT_FOUND")
async def recommendation_for_no_term(office: Office) -> None:
    await office.recommended(f"assemblies/{NOBODY}/terms/1")


@refused_with("TERM_NOT_FOUND")
async def registration_for_no_term(office: Office) -> None:
    await office.register(f"assemblies/{NOBODY}/terms/1", new_people(1))


@refused_with("TERM_EXISTS")
async def term_with_a_number_that_is_taken(office: Office) -> None:
    assembly = await office.assembly()
    await office.open_term(assembly, 1, "2016-01-01")
    await office.open_term(assembly, 1, "2024-01-01")


@refused_with("TERM_DATES_REFUSED")
async def term_of_no_day(office: Office) -> None:
    await office.open_term(await office.assembly(), start=in_days(0), end=in_days(0))


@refused_with("TERM_OVERLAPS")
async def term_within_another(office: Office) -> None:
    assembly = await office.assembly()
    await office.open_term(assembly, 1, "2024-01-01")
    await office.open_term(assembly, 2, "2025-01-01")


@refused_with("PERSON_NOT_FOUND")
async def person_who_is_not_there(office: Office) -> None:
    await office.call("GetPerson", persons_pb2.GetPersonRequest(name=f"persons/{NOBODY}"))


@refused_with("PERSON_NOT_FOUND")
async def recommendation_of_nobody(office: Office) -> None:
    await office.recommended(await office.term(), f"persons/{NOBODY}")


@refused_with("MANDATE_NOT_FOUND")
async def mandate_that_is_not_there(office: Office) -> None:
    await office.call("GetMandate", mandates_pb2.GetMandateRequest(name=f"mandates/{NOBODY}"))


@refused_with("MANDATE_NOT_FOUND")
async def confirmation_of_nothing(office: Office) -> None:
    await office.confirm(f"mandates/{NOBODY}")


@refused_with("MANDATE_EXISTS")
async def recommendation_twice(office: Office) -> None:
    term, person = await office.term(), await office.person()
    await office.recommended(term, person)
    await office.recommended(term, person)


@refused_with("MANDATE_STATE_REFUSED")
async def confirmation_without_vetting(office: Office) -> None:
    await office.confirm(await office.recommended(await office.term()))


@refused_with("MANDATE_DATE_REFUSED")
async def confirmation_for_tomorrow(office: Office) -> None:
    await office.confirm(await office.vetted(await office.term()), in_days(1))


@refused_with("MANDATE_DATE_REFUSED")
async def confirmation_before_the_term(office: Office) -> None:
    await office.confirm(await office.vetted(await office.term()), in_days(-701))


@refused_with("ASSEMBLY_FULL")
async def one_seat_too_many(office: Office) -> None:
    await office.register(await office.term(), new_people(101))


@refused_with("ROWS_REFUSED")
async def row_with_nobody(office: Office) -> None:
    await office.register(await office.term(), [Row(person=f"persons/{NOBODY}", capacity=RESIDENT)])


@refused_with("STREAM_OUT_OF_ORDER")
async def stream_of_nothing(office: Office) -> None:
    await office.stream([])


@refused_with("PERSON_FACT_MISSING")
async def vetting_without_a_birth_date(office: Office) -> None:
    term = await office.term(await office.congress())
    await office.vetted(term, await office.person())


@refused_with("PERSON_FACT_MISSING")
async def vetting_of_a_stay_without_beginning(office: Office) -> None:
    term = await office.term()
    await office.vetted(term, await office.eligible(term, residence_since=None))


@refused_with("PERSON_NOT_ELIGIBLE")
async def vetting_of_a_foreigner(office: Office) -> None:
    term = await office.term(await office.congress())
    await office.vetted(term, await office.eligible(term, nationality="MN"))


@refused_with("PERSON_NOT_ELIGIBLE")
async def confirmation_for_a_day_before_the_person_came(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term, residence_since=on(in_days(-400)))
    await office.confirm(await office.vetted(term, person), in_days(-300))


@refused_with("MANDATE_OVERLAPS")
async def confirmation_for_days_on_which_the_person_sat(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term)
    await office.end(await office.active(term, person, in_days(-20)), in_days(-10))
    await office.active(term, person, in_days(-11))


@refused_with("TERM_OVER")
async def recommendation_for_a_term_that_is_over(office: Office) -> None:
    term = await office.open_term(await office.assembly(), start=in_days(-9), end=in_days(0))
    await office.recommended(term.name)


@refused_with("TERM_OVER")
async def confirmation_in_a_term_that_is_over(office: Office) -> None:
    term = await office.term()
    name = await office.vetted(term)
    await office.over(term)
    await office.confirm(name, in_days(-1))


@refused_with("TERM_NOT_OVER")
async def change_of_term_on_its_last_day(office: Office) -> None:
    term = await office.open_term(await office.assembly(), start=in_days(-9), end=in_days(1))
    await office.change_term(term.name, 2, in_days(1))


@refused_with("TERM_NOT_OVER")
async def expiry_within_the_term(office: Office) -> None:
    name = await office.active(await office.term())
    await office.end(name, reason=mandates_pb2.END_REASON_EXPIRY)


@refused_with("TERM_OVERLAPS")
async def next_term_that_begins_before_the_end(office: Office) -> None:
    term = await office.open_term(await office.assembly(), start=in_days(-9), end=in_days(0))
    await office.change_term(term.name, 2, in_days(-1))


@refused_with("VACANCY_REFUSED")
async def filling_the_seat_of_somebody_who_sits(office: Office) -> None:
    term = await office.term()
    await office.recommended(term, fills=await office.active(term))


@refused_with("VACANCY_FILLED")
async def filling_a_vacancy_twice(office: Office) -> None:
    term = await office.term()
    left = await office.end(await office.active(term))
    await office.recommended(term, fills=left.name)
    await office.recommended(term, fills=left.name)


@refused_with("VACANCIES_STAY_OPEN")
async def filling_a_vacancy_against_the_rule(office: Office) -> None:
    term = await office.term()
    await office.override("false", rule="rules/subdistrict_assembly.vacancy_filled")
    left = await office.end(await office.active(term))
    await office.recommended(term, fills=left.name)


@refused_with("COMPOSITION_REFUSED")
async def more_men_than_leave_room_for_half_of_women(office: Office) -> None:
    term = await office.term()
    await office.override("2")
    enforce = rules_pb2.ENFORCEMENT_ENFORCE
    await office.override(">=1/2", rule="rules/subdistrict_assembly.women_share", enforcement=enforce)
    for _ in range(2):
        await office.active(term, await office.eligible(term, gender=persons_pb2.GENDER_MALE))


@refused_with("RULE_VALUE_INVALID")
async def enforcing_what_is_not_judged(office: Office) -> None:
    enforce = rules_pb2.ENFORCEMENT_ENFORCE
    await office.override("2", rule="rules/subdistrict_assembly.meetings_a_year", enforcement=enforce)


@refused_with("STATION_NOT_FOUND")
async def station_that_is_not_there(office: Office) -> None:
    await office.call("GetStation", stations_pb2.GetStationRequest(name=f"stations/{NOBODY}"))


@refused_with("STATION_NOT_FOUND")
async def station_of_no_house(office: Office) -> None:
    await office.station(kind=STATION, belongs_to=f"stations/{NOBODY}")


@refused_with("STATION_NOT_FOUND")
async def rota_of_no_station(office: Office) -> None:
    await office.assigned(f"stations/{NOBODY}", await office.delegate())


@refused_with("STATION_PARENT_REFUSED")
async def house_below_a_house(office: Office) -> None:
    unit = await office.unit()
    await office.station(unit, belongs_to=await office.station(unit))


@refused_with("STATION_CLOSED")
async def closing_twice(office: Office) -> None:
    house = await office.station()
    await office.close_station(house)
    await office.close_station(house)


@refused_with("STATION_CLOSED")
async def rota_of_a_closed_station(office: Office) -> None:
    house = await office.station(await office.unit(2))
    await office.close_station(house)
    await office.assigned(house, await office.delegate(), in_days(-5))


@refused_with("STATION_IN_USE")
async def closing_under_what_belongs_to_it(office: Office) -> None:
    unit = await office.unit()
    house = await office.station(unit)
    await office.station(unit, STATION, belongs_to=house)
    await office.close_station(house)


@refused_with("DUTY_NOT_FOUND")
async def release_from_no_rota(office: Office) -> None:
    await office.release(f"rotaEntries/{NOBODY}")


@refused_with("DUTY_NOT_FOUND")
async def end_of_no_contact(office: Office) -> None:
    await office.call("EndContact", contacts_pb2.EndContactRequest(name=f"contacts/{NOBODY}"))


@refused_with("DUTY_NOT_FOUND")
async def oversight_group_that_is_not_there(office: Office) -> None:
    request = oversight_pb2.GetOversightGroupRequest(name=f"oversightGroups/{NOBODY}")
    await office.call("GetOversightGroup", request)


@refused_with("DUTY_NOT_FOUND")
async def leader_who_is_no_member(office: Office) -> None:
    term = await office.term()
    await office.lead(await office.oversight_group(term), await office.delegate(term))


@refused_with("DUTY_NOT_FOUND")
async def leaving_without_having_joined(office: Office) -> None:
    term = await office.term()
    await office.leave(await office.oversight_group(term), await office.delegate(term))


@refused_with("DUTY_EXISTS")
async def assignment_twice(office: Office) -> None:
    house, delegate = await office.station(await office.unit(2)), await office.delegate()
    await office.assigned(house, delegate)
    await office.assigned(house, delegate)


@refused_with("DUTY_EXISTS")
async def oversight_group_twice(office: Office) -> None:
    term = await office.term()
    await office.oversight_group(term)
    await office.oversight_group(term)


@refused_with("DUTY_DATE_REFUSED")
async def assignment_before_the_mandate(office: Office) -> None:
    await office.assigned(await office.station(await office.unit(2)), await office.delegate(), in_days(-301))


@refused_with("DUTY_DATE_REFUSED")
async def closing_before_the_opening(office: Office) -> None:
    await office.close_station(await office.station(), in_days(-401))


@refused_with("MANDATE_NOT_ACTIVE")
async def contact_of_a_candidate(office: Office) -> None:
    await office.contact(await office.vetted(await office.term()), person=await office.person())


@refused_with("MANDATE_NOT_FOUND")
async def contact_of_nobody(office: Office) -> None:
    await office.contact(f"mandates/{NOBODY}", person=await office.person())


@refused_with("PERSON_NOT_FOUND")
async def contact_with_nobody(office: Office) -> None:
    await office.contact(await office.delegate(), person=f"persons/{NOBODY}")


@refused_with("UNIT_NOT_FOUND")
async def contact_with_a_group_of_another_district(office: Office) -> None:
    group = contacts_pb2.ResidentGroup(unit="units/500102001", description="第3网格")
    await office.contact(await office.delegate(), group=group)


@refused_with("UNIT_NOT_FOUND")
async def station_in_another_district(office: Office) -> None:
    await office.station("units/500102001")


@refused_with("TERM_NOT_FOUND")
async def oversight_group_of_no_term(office: Office) -> None:
    await office.oversight_group(f"assemblies/{NOBODY}/terms/1")


@refused_with("SUBDISTRICT_ASSEMBLY_NEEDED")
async def oversight_group_of_a_congress(office: Office) -> None:
    await office.oversight_group(await office.term(await office.congress()))


@refused_with("SUBDISTRICT_ASSEMBLY_NEEDED")
async def attendees_of_a_congress(office: Office) -> None:
    await office.call("ListAttendees", attendance_pb2.ListAttendeesRequest(parent=await office.congress()))


@refused_with("ASSEMBLY_NOT_FOUND")
async def attendees_of_no_assembly(office: Office) -> None:
    await office.call("ListAttendees", attendance_pb2.ListAttendeesRequest(parent=f"assemblies/{NOBODY}"))


@refused_with("RULE_NOT_FOUND")
async def attendees_before_the_rules(office: Office) -> None:
    request = attendance_pb2.ListAttendeesRequest(parent=await office.assembly(), as_of=on("2014-12-31"))
    await office.call("ListAttendees", request)


@refused_with("OVERSIGHT_GROUPS_COMPLETE")
async def more_groups_than_the_district_has(office: Office) -> None:
    await office.override("0", rule="rules/subdistrict_assembly.oversight_groups")
    await office.oversight_group(await office.term(), INDUSTRY, in_days(0))


@refused_with("ACTIVITY_NOT_FOUND")
async def activity_that_is_not_there(office: Office) -> None:
    await office.call("GetActivity", activities_pb2.GetActivityRequest(name=f"activities/{NOBODY}"))


@refused_with("ACTIVITY_NOT_FOUND")
async def withdrawal_of_nothing(office: Office) -> None:
    await withdraw(office, f"activities/{NOBODY}")


@refused_with("ACTIVITY_DATE_REFUSED")
async def act_of_tomorrow(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, day=in_days(1))


@refused_with("MANDATE_NOT_IN_FORCE")
async def act_of_one_who_is_only_recommended(office: Office) -> None:
    await record(office, await office.recommended(await office.term()))


@refused_with("MANDATE_NOT_FOUND")
async def act_of_nobody(office: Office) -> None:
    await record(office, f"mandates/{NOBODY}")


@refused_with("MANDATE_NOT_FOUND")
async def performance_of_nobody(office: Office) -> None:
    await performance(office, f"mandates/{NOBODY}")


@refused_with("UNIT_NOT_FOUND")
async def act_in_another_districts_unit(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, unit="units/500102001")


@refused_with("PAPER_BY_POLL_ALONE")
async def ballot_paper_by_hand(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, kind=PAPER)


@refused_with("PEOPLE_RECEIVED_REFUSED")
async def people_received_by_an_inspection(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, people_received=1)


@refused_with("ACTIVITY_EXISTS")
async def act_of_the_same_source_twice(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, source=MEETING)
    await record(office, mandate, source=MEETING)


@refused_with("ACTIVITY_WITHDRAWN")
async def withdrawal_twice(office: Office) -> None:
    (mandate,) = await delegates(office)
    recorded = await record(office, mandate)
    await withdraw(office, recorded.name)
    await withdraw(office, recorded.name)


@refused_with("ROWS_REFUSED")
async def acts_of_nobody(office: Office) -> None:
    await record_all(office, entry(f"mandates/{NOBODY}"))


@refused_with("PERIOD_REFUSED")
async def period_of_no_day(office: Office) -> None:
    await totals(office, start_date=on(in_days(0)), end_date=on(in_days(0)))


@refused_with("TERM_NOT_FOUND")
async def file_of_no_term(office: Office) -> None:
    request = performance_pb2.ExportPerformanceRequest(term=f"assemblies/{NOBODY}/terms/1")
    metadata = office.tenant.metadata("administrator")
    async for _ in office.registry.ExportPerformance(request, metadata=metadata):
        pass


@refused_with("IMPORT_REFUSED")
async def import_of_nobody(office: Office) -> None:
    await importing(office, await office.term(), [imports_pb2.ImportRow()])


@refused_with("IMPORT_OUT_OF_ORDER")
async def import_of_nothing(office: Office) -> None:
    await streaming(office, [])


def test_every_reason_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(REASONS)


@refused_with("IDENTITY_NUMBER_INVALID")
async def identity_number_of_no_day(office: Office) -> None:
    await office.person(identity_number="500102198013010016")


@refused_with("IDENTITY_DISAGREES")
async def identity_number_of_another_day(office: Office) -> None:
    await office.person(identity_number=identity_number(), birth_date=on("1999-09-09"))


@refused_with("IDENTITY_TAKEN")
async def identity_number_of_another(office: Office) -> None:
    number = identity_number()
    await office.person(identity_number=number)
    await office.person(identity_number=number)


@refused_with("IDENTITY_NOT_FOUND")
async def identity_number_of_nobody(office: Office) -> None:
    await office.call("FindPerson", secrets_pb2.FindPersonRequest(identity_number=identity_number()))


@refused_with("PHONE_INVALID")
async def phone_of_another_country(office: Office) -> None:
    await office.person(phone="+1 202 555 0123")


@refused_with("PERSON_MERGED")
async def recommending_an_entry_that_was_merged(office: Office) -> None:
    keep, merged = await office.person(), await office.person()
    await office.merge(keep, merged)
    await office.recommended(await office.term(), merged)


@refused_with("PERSONS_DIFFER")
async def merging_two_human_beings(office: Office) -> None:
    people = [await office.person(identity_number=identity_number()) for _ in range(2)]
    await office.merge(*people)


@refused_with("MERGE_DOUBLES")
async def merging_two_who_sit_in_one_term(office: Office) -> None:
    term, people = await office.term(), [await office.person() for _ in range(2)]
    for person in people:
        await office.recommended(term, person)
    await office.merge(*people)


@refused_with("MERGE_WITH_ITSELF")
async def merging_an_entry_with_itself(office: Office) -> None:
    person = await office.person()
    await office.merge(person, person)


@refused_with("SUCCESSION_OF_ITSELF")
async def taking_over_from_itself(office: Office) -> None:
    await Merged(office, office).succeed(units=[])


@refused_with("DISTRICT_NOT_FOUND")
async def taking_over_from_nobody(office: Office) -> None:
    await Merged(office, office).succeed(name="districts/599999")


@refused_with("DISTRICT_NOT_FOUND")
async def being_taken_over_by_nobody(office: Office) -> None:
    await Merged(office, office).succeed(successor="districts/599999")


@refused_with("SUCCESSOR_REFUSED")
async def being_taken_over_by_a_suspended_district(office: Office) -> None:
    merged = await merging.two(office)
    await merging.suspend(merged.new)
    await merged.succeed(validate_only=True)


@refused_with("SUCCESSION_DATE_REFUSED")
async def succession_on_a_day_to_come(office: Office) -> None:
    merged = await merging.two(office)
    await merged.stop()
    await merged.succeed(effective_date=on(in_days(1)))


@refused_with("SUCCESSION_DATE_REFUSED")
async def succession_before_an_act_of_duty(office: Office) -> None:
    merged = await merging.two(office)
    (delegate,) = await delegates(merged.old, term=await merged.old.term(await merged.old.assembly(merged.code(1))))
    await record(merged.old, delegate, day=in_days(-5))
    await merged.succeed(validate_only=True, effective_date=on(in_days(-5)))


@refused_with("SUCCESSION_UNITS_REFUSED")
async def succession_with_a_unit_forgotten(office: Office) -> None:
    merged = await merging.two(office)
    await merged.succeed(validate_only=True, units=merged.request().units[:1])


@refused_with("DISTRICT_SUCCEEDED")
async def succession_by_two_others(office: Office) -> None:
    merged = await merging.two(office)
    await merged.stop()
    await merged.succeed()
    other = await merging.beside(office)
    await Merged(merged.old, other).succeed()


@refused_with("SUCCESSOR_WITHOUT_TERM")
async def deputies_without_a_congress_to_sit_in(office: Office) -> None:
    merged = await merging.two(office)
    await merged.old.delegate(await merged.old.term(await merged.old.congress()))
    await merged.succeed(validate_only=True)


@refused_with("SUCCESSION_NEEDS_SUSPENSION")
async def succession_of_a_district_that_is_called(office: Office) -> None:
    await (await merging.two(office)).succeed()


@refused_with("SUCCESSION_DIFFERS")
async def succession_done_again_with_other_codes(office: Office) -> None:
    merged = await merging.two(office)
    await merged.stop()
    await merged.succeed()
    await merged.succeed(units=[])


@pytest.mark.parametrize(
    ("expected", "scenario"),
    [pytest.param(name, one, id=f"{name}-{one.__name__}") for name, ones in SCENARIOS.items() for one in ones],
)
async def test_refused(office: Office, expected: str, scenario: Scenario) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await scenario(office)
    meaning = CATALOGUE[expected]
    assert (reason(refusal.value), refusal.value.code()) == (meaning.name, STATUS_CODES[meaning.code])
