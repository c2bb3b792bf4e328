"""A district takes over from another: what is in force is carried over, and the history stays where it was."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from chassis import clock
from quanyutong.common.v1 import audit_pb2
from quanyutong.registry.v1 import (
    assemblies_pb2,
    contacts_pb2,
    districts_pb2,
    events_pb2,
    mandates_pb2,
    oversight_pb2,
    persons_pb2,
    stations_pb2,
    units_pb2,
)
from quanyutong.registry.v1 import succession_pb2 as pb
from tests.contract import merged as made
from tests.contract.heard import heard
from tests.contract.identities import identity_number
from tests.contract.merged import PHONES, Merged
from tests.contract.office import Office, in_days, on
from tests.contract.test_secrets import find, reveal
from tests.harness import refused, until

ENDED, ACTIVE = mandates_pb2.MANDATE_STATE_ENDED, mandates_pb2.MANDATE_STATE_ACTIVE
SUSPENDED = mandates_pb2.MANDATE_STATE_SUSPENDED


@pytest.fixture
async def done(office: Office) -> tuple[Merged, pb.SucceedDistrictResponse]:
    merged = await made.settled(office)
    await merged.stop()
    return merged, await merged.succeed()


async def mandates(office: Office) -> dict[str, mandates_pb2.Mandate]:
    """By what they were."""
    answer = await office.call("ListMandates", mandates_pb2.ListMandatesRequest(page_size=500))
    return {mandate.predecessor: mandate for mandate in answer.mandates}


async def archived(merged: Merged, rpc: str, request: Any) -> Any:
    """As the city's overseer reads it in the district that ended."""
    metadata = merged.old.tenant.platform.metadata(["overseer", "viewer"], None, x_district=merged.old.district)

    async def answer() -> Any:
        return await getattr(merged.old.registry, rpc)(request, metadata=metadata)

    async def open_again() -> bool:
        try:
            return await refused(answer()) == ""
        except AssertionError:
            return True

    await until(open_again)
    return await answer()


async def test_what_is_in_force_is_carried_over(done: tuple[Merged, pb.SucceedDistrictResponse]) -> None:
    merged, outcome = done
    assert outcome.carried_over == pb.CarriedOver(
        units=2,
        assemblies=2,
        terms=2,
        persons=6,
        persons_joined=2,
        mandates=5,
        stations=2,
        rota_entries=1,
        contacts=1,
        oversight_groups=1,
    )
    left = {each.mandate: each.reason for each in outcome.left}
    names = merged.names
    assert left == {names["pending"]: pb.LEFT_REASON_PENDING, names["both_mandate"]: pb.LEFT_REASON_SEATED}
    district = outcome.district
    assert (district.successor, district.valid_to) == (f"districts/{merged.new.district}", on(clock.today()))
    assert not district.suspended


async def test_units_and_assemblies_are_there_under_new_codes(done: tuple[Merged, pb.SucceedDistrictResponse]) -> None:
    merged, _ = done
    units = (await merged.new.call("ListUnits", units_pb2.ListUnitsRequest())).units
    assert {unit.name: unit.predecessor for unit in units} == {
        merged.code(n, merged.new): f"districts/{merged.old.district}/{merged.code(n)}" for n in (1, 2)
    }
    assert {unit.kind for unit in units} == {units_pb2.UNIT_KIND_SUBDISTRICT, units_pb2.UNIT_KIND_TOWN}
    of_unit = assemblies_pb2.ListAssembliesRequest(unit=merged.code(1, merged.new))
    (assembly,) = (await merged.new.call("ListAssemblies", of_unit)).assemblies
    assert assembly.predecessor == merged.heir("assembly")
    (term,) = (await merged.new.call("ListTerms", assemblies_pb2.ListTermsRequest(parent=assembly.name))).terms
    assert (term.number, term.start_date, term.end_date) == (1, on(in_days(-700)), on(in_days(700)))


async def test_mandates_are_in_force_from_the_day_on(done: tuple[Merged, pb.SucceedDistrictResponse]) -> None:
    merged, _ = done
    there, today = await mandates(merged.new), on(clock.today())
    resident = there[merged.heir("resident_mandate")]
    assert (resident.state, resident.active_from, resident.held_since) == (ACTIVE, today, on(in_days(-300)))
    assert resident.capacity == mandates_pb2.CAPACITY_RESIDENT
    assert there[merged.heir("suspended_mandate")].state == SUSPENDED
    for who in ("deputy", "joined"):
        assert there[merged.heir(f"{who}_mandate")].term == merged.names["new_term"]
    assert merged.heir("both_mandate") not in there
    assert merged.heir("ended_mandate") not in there
    assert there[merged.heir("joined_mandate")].person == merged.names["joined_there"]
    reinstated = await merged.new.reinstate(there[merged.heir("suspended_mandate")].name)
    assert reinstated.state == ACTIVE


async def test_persons_are_found_by_number_and_reached(done: tuple[Merged, pb.SucceedDistrictResponse]) -> None:
    merged, _ = done
    resident = await find(merged.new, merged.numbers["resident"])
    assert resident.predecessor == merged.heir("resident")
    assert resident.residence == merged.code(1, merged.new)
    assert (await reveal(merged.new, resident.name)).phone == PHONES[0]
    for who, phone in (("both", PHONES[2]), ("joined", PHONES[1])):
        found = await find(merged.new, merged.numbers[who])
        assert (found.name, found.predecessor) == (merged.names[f"{who}_there"], merged.heir(who))
        assert (await reveal(merged.new, found.name)).phone == phone
    again = persons_pb2.Person(display_name="又一条", identity_number=merged.numbers["resident"])
    call = merged.new.call("CreatePerson", persons_pb2.CreatePersonRequest(person=again))
    assert await refused(call) == "ERROR_REASON_IDENTITY_TAKEN"
    assert await merged.new.person(identity_number=identity_number())


async def test_posts_go_on(done: tuple[Merged, pb.SucceedDistrictResponse]) -> None:
    merged, _ = done
    new, seats = merged.new, await mandates(merged.new)
    delegate = seats[merged.heir("resident_mandate")].name
    stations = (await new.call("ListStations", stations_pb2.ListStationsRequest())).stations
    of_old = {station.predecessor: station for station in stations}
    assert of_old[merged.heir("station")].belongs_to == of_old[merged.heir("house")].name
    (entry,) = (await new.call("ListRotaEntries", stations_pb2.ListRotaEntriesRequest())).rota_entries
    assert (entry.mandate, entry.station) == (delegate, of_old[merged.heir("station")].name)
    assert (entry.start_date, entry.end_date) == (on(clock.today()), on(in_days(30)))
    (contact,) = (await new.call("ListContacts", contacts_pb2.ListContactsRequest())).contacts
    person = await new.call("GetPerson", persons_pb2.GetPersonRequest(name=contact.person))
    assert (contact.mandate, person.predecessor) == (delegate, merged.heir("contacted"))
    (group,) = (await new.call("ListOversightGroups", oversight_pb2.ListOversightGroupsRequest())).oversight_groups
    assert [(member.mandate, member.leader) for member in group.members] == [(delegate, True)]


async def test_what_ended_keeps_its_history_for_the_city(done: tuple[Merged, pb.SucceedDistrictResponse]) -> None:
    merged, _ = done
    read = mandates_pb2.GetMandateRequest(name=merged.names["resident_mandate"])
    mandate = await archived(merged, "GetMandate", read)
    assert (mandate.state, mandate.end_reason) == (ENDED, mandates_pb2.END_REASON_SUCCESSION)
    assert (mandate.active_from, mandate.active_to) == (on(in_days(-300)), on(clock.today()))
    heir = (await mandates(merged.new))[merged.heir("resident_mandate")]
    assert mandate.successor == f"districts/{merged.new.district}/{heir.name}"
    seated = await archived(merged, "GetMandate", mandates_pb2.GetMandateRequest(name=merged.names["both_mandate"]))
    assert (seated.state, seated.successor) == (ENDED, "")
    pending = await archived(merged, "GetMandate", mandates_pb2.GetMandateRequest(name=merged.names["pending"]))
    assert pending.state == mandates_pb2.MANDATE_STATE_RECOMMENDED
    station = await archived(merged, "GetStation", stations_pb2.GetStationRequest(name=merged.names["station"]))
    assert (station.end_date, station.close_reason) == (on(clock.today()), merged.request().decision)
    before = units_pb2.ListUnitsRequest(as_of=on(in_days(-1)))
    assert len((await archived(merged, "ListUnits", before)).units) == 2
    assert not (await archived(merged, "ListUnits", units_pb2.ListUnitsRequest())).units


async def test_its_own_calls_are_over(done: tuple[Merged, pb.SucceedDistrictResponse]) -> None:
    merged, _ = done
    await archived(merged, "ListUnits", units_pb2.ListUnitsRequest())
    call = merged.old.call("ListUnits", units_pb2.ListUnitsRequest())
    assert await refused(call) == "ERROR_REASON_DISTRICT_UNKNOWN"
    city = merged.old.tenant.platform.metadata(["clerk"], None, x_district=merged.old.district)
    entry = persons_pb2.CreatePersonRequest(person=persons_pb2.Person(display_name="后来者"))
    writing = merged.old.registry.CreatePerson(entry, metadata=city)
    assert await refused(writing) == "ERROR_REASON_READ_ONLY_CALLER"
    days = (clock.today(), in_days(-1))
    assert [merged.request().name in await listed(merged.new, day) for day in days] == [False, True]


async def listed(office: Office, day: date) -> set[str]:
    """The districts of a day, of which the tests make more than a page holds."""
    request, names = districts_pb2.ListDistrictsRequest(page_size=500, as_of=on(day)), set()
    while True:
        page = await office.operate("ListDistricts", request)
        names |= {entry.name for entry in page.districts}
        if not page.next_page_token:
            return names
        request.page_token = page.next_page_token


async def test_both_tell_what_came_of_it(done: tuple[Merged, pb.SucceedDistrictResponse]) -> None:
    merged, _ = done
    ended = await heard(merged.old, events_pb2.MandateEnded, 7)
    by_succession = [event for event in ended if event.reason == mandates_pb2.END_REASON_SUCCESSION]
    assert len(by_succession) == 6
    # The first one is of the delegate who sat there before.
    confirmed = await heard(merged.new, events_pb2.MandateConfirmed, 6)
    assert {event.mandate for event in confirmed[1:]} == {
        mandate.name for was, mandate in (await mandates(merged.new)).items() if was
    }
    assert len(await heard(merged.new, events_pb2.AssemblyCreated, 3)) == 3
    assert len(await heard(merged.new, events_pb2.TermOpened, 3)) == 3
    assert len(await heard(merged.new, events_pb2.StationOpened, 2)) == 2
    assert len(await heard(merged.new, events_pb2.MandateSuspended, 1)) == 1
    for office in (merged.old, merged.new):
        (told,) = await heard(office, events_pb2.DistrictSucceeded, 1)
        assert (told.predecessor, told.successor) == (merged.request().name, merged.request().successor)


async def test_both_record_who_did_it(done: tuple[Merged, pb.SucceedDistrictResponse]) -> None:
    merged, _ = done
    wanted = audit_pb2.ListAuditRequest(resource="succession")
    (record,) = (await merged.new.call("ListAudit", wanted)).audit_records
    assert (record.subject, record.rpc.rpartition("/")[2]) == ("tester", "SucceedDistrict")
    metadata = merged.old.tenant.platform.metadata(["administrator"], None, x_district=merged.old.district)
    await archived(merged, "ListUnits", units_pb2.ListUnitsRequest())
    (record,) = (await merged.old.registry.ListAudit(wanted, metadata=metadata)).audit_records
    assert (record.subject, record.rpc.rpartition("/")[2]) == ("tester", "SucceedDistrict")


async def test_done_again_it_answers_the_same(done: tuple[Merged, pb.SucceedDistrictResponse]) -> None:
    merged, outcome = done
    before = await mandates(merged.new)
    assert await merged.succeed() == outcome
    assert await mandates(merged.new) == before


async def test_a_rehearsal_answers_the_same_and_changes_nothing(office: Office) -> None:
    merged = await made.settled(office)
    rehearsed = await merged.succeed(validate_only=True, request_id=str(uuid4()))
    later = await merged.succeed(validate_only=True, effective_date=on(in_days(20)))
    assert later.carried_over == rehearsed.carried_over
    assert set(await mandates(merged.new)) == {""}
    assert len(await mandates(merged.old)) == 1
    await merged.stop()
    outcome = await merged.succeed()
    assert (rehearsed.carried_over, rehearsed.left) == (outcome.carried_over, outcome.left)
    assert not rehearsed.district.successor


async def test_a_district_with_nothing_in_it_is_succeeded_too(office: Office) -> None:
    merged = await made.two(office)
    await merged.stop()
    assert (await merged.succeed()).carried_over == pb.CarriedOver(units=2)


async def test_a_deputys_duties_last_as_long_as_the_term_of_the_successor(office: Office) -> None:
    merged = await made.settled(office)
    deputy = merged.names["deputy_mandate"]
    for mandate in (deputy, merged.names["both_mandate"]):
        await merged.old.assigned(merged.names["house"], mandate, in_days(-9))
    await merged.stop()
    await merged.succeed()
    heir = (await mandates(office))[merged.heir("deputy_mandate")].name
    listed = stations_pb2.ListRotaEntriesRequest(mandate=heir)
    (entry,) = (await office.call("ListRotaEntries", listed)).rota_entries
    assert (entry.start_date, entry.end_date) == (on(clock.today()), on(in_days(500)))
    assert len((await office.call("ListRotaEntries", stations_pb2.ListRotaEntriesRequest())).rota_entries) == 2
    told = [each for each in await heard(merged.old, events_pb2.RotaChanged, 7) if each.mandate == deputy]
    assert [each.end_date for each in told] == [on(in_days(700)), on(clock.today())]


async def test_who_awaits_a_seat_there_is_left_behind(office: Office) -> None:
    merged = await made.settled(office)
    await office.recommended(merged.names["new_term"], merged.names["joined_there"])
    left = {each.mandate: each.reason for each in (await merged.succeed(validate_only=True)).left}
    assert left[merged.names["joined_mandate"]] == pb.LEFT_REASON_SEATED


async def test_nothing_ends_by_succession_otherwise(office: Office) -> None:
    ending = office.end(await office.active(await office.term()), reason=mandates_pb2.END_REASON_SUCCESSION)
    assert await refused(ending) == "ERROR_REASON_FIELD_INVALID"
