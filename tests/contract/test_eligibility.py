"""Eligibility is judged at vetting and again at confirmation, by the rules of the day in Chongqing."""

from collections.abc import Awaitable
from datetime import date
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from chassis import clock
from quanyutong.registry.v1 import mandates_pb2, persons_pb2
from tests.contract.office import DEPUTY, RESIDENT, Office, Row, in_days, mask, on
from tests.harness import refused

MISSING, UNFIT = "ERROR_REASON_PERSON_FACT_MISSING", "ERROR_REASON_PERSON_NOT_ELIGIBLE"
PARTY_DELEGATES = "rules/subdistrict_assembly.party_delegates_attend"


def years_ago(years: int) -> date:
    today = clock.today()
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # 29 February
        return today.replace(year=today.year - years, day=28)


async def facts_of(call: Awaitable[object]) -> dict[str, str]:
    """What the refusal says, for machines."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    found = error_details_pb2.ErrorInfo()
    trailers = dict(refusal.value.trailing_metadata() or ())
    for detail in status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details:
        if detail.Unpack(found):
            return {"reason": found.reason, **found.metadata}
    raise AssertionError("a refusal without its reason")


async def correct(office: Office, person: str, **fields: Any) -> None:
    given = persons_pb2.Person(name=person, display_name="王小明", **fields)
    request = persons_pb2.UpdatePersonRequest(person=given, update_mask=mask(*fields))
    await office.call("UpdatePerson", request)


async def test_a_refusal_says_rule_version_and_both_values(office: Office) -> None:
    term = await office.term()
    young = await office.recommended(term, await office.eligible(term, birth_date=on(in_days(-17 * 365))))
    assert await facts_of(office.vet(young)) == {
        "reason": UNFIT,
        "rule": "rules/subdistrict_assembly.age_min",
        "version": "subdistrict_assembly.age_min@2015-01-01",
        "required": "18",
        "found": "16",
    }
    unknown = await office.recommended(term, await office.eligible(term, birth_date=None))
    assert await facts_of(office.vet(unknown)) == {
        "reason": MISSING,
        "field": "birth_date",
        "version": "subdistrict_assembly.age_min@2015-01-01",
        "required": "18",
    }


async def test_what_is_missing_is_completed_and_the_vetting_goes_on(office: Office) -> None:
    term = await office.term()
    person = await office.person()
    name = await office.recommended(term, person)
    unit = office.facts(term)["residence"]
    for fields in ({"birth_date": on("1990-01-01")}, {"workplace": unit}, {"workplace_since": on("2020-01-01")}):
        assert await refused(office.vet(name)) == MISSING
        await correct(office, person, **fields)
    await office.vet(name)


async def test_on_the_eighteenth_birthday_and_a_full_year_after_coming(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term, birth_date=on(years_ago(18)), residence_since=on(years_ago(1)))
    confirmed = await office.confirm(await office.vetted(term, person))
    assert list(confirmed.judged_by) == [
        f"subdistrict_assembly.{rule}@2015-01-01"
        for rule in ("nationality", "age_min", "residence_min", "mandates_per_person", "size_max")
    ]


async def test_confirmation_judges_again_and_by_its_own_day(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term, birth_date=on(years_ago(18)))
    name = await office.vetted(term, person)
    assert await refused(office.confirm(name, in_days(-1))) == UNFIT
    await correct(office, person, nationality="MN")
    assert await refused(office.confirm(name)) == UNFIT
    await correct(office, person, nationality="CN")
    await office.confirm(name)


async def test_who_works_there_and_lives_elsewhere(office: Office) -> None:
    term, elsewhere = await office.term(), await office.unit(7)
    there = office.facts(term)["residence"]
    newcomer = await office.eligible(term, residence=elsewhere, workplace=there, workplace_since=on(in_days(-300)))
    assert await refused(office.vetted(term, newcomer)) == UNFIT
    worker = await office.eligible(term, residence=elsewhere, workplace=there, workplace_since=on(years_ago(1)))
    await office.active(term, worker)


async def test_deputies_attend_by_right_and_party_delegates_where_the_district_says_so(office: Office) -> None:
    term = await office.term()
    since = on(in_days(-30))
    await office.vetted(term, await office.eligible(term, residence_since=since), DEPUTY)
    assert await refused(office.vetted(term, await office.eligible(term, residence_since=since), RESIDENT)) == UNFIT
    delegate = mandates_pb2.CAPACITY_PARTY_DELEGATE
    assert await refused(office.vetted(term, await office.eligible(term, residence_since=since), delegate)) == UNFIT
    await office.override("true", rule=PARTY_DELEGATES)
    await office.vetted(term, await office.eligible(term, residence_since=since), delegate)
    away = await office.eligible(term, residence=await office.unit(7))
    assert await refused(office.vetted(term, away, DEPUTY)) == UNFIT


async def test_a_congress_asks_for_age_and_nationality_alone(office: Office) -> None:
    term = await office.term(await office.congress())
    confirmed = await office.confirm(await office.vetted(term, await office.person(birth_date=on(years_ago(18)))))
    assert list(confirmed.judged_by) == [
        f"congress.{rule}@2005-01-01" for rule in ("nationality", "age_min", "mandates_per_person")
    ]


async def test_a_term_to_come_is_judged_as_of_its_first_day(office: Office) -> None:
    """Nobody can sit in it earlier, and who sits until then may be recommended for it."""
    present = await office.term()
    person = await office.eligible(present, birth_date=on(in_days(-18 * 365)))
    assert await refused(office.vetted(present, person)) == UNFIT
    sitting = await office.eligible(present)
    await office.active(present, sitting)
    later = (await office.open_term(present.partition("/terms/")[0], 2, in_days(700), in_days(1400))).name
    for who in (person, sitting):
        await office.vetted(later, who)


async def test_registration_judges_what_it_is_given_and_no_more(office: Office) -> None:
    term = await office.term()
    here, elsewhere = office.facts(term)["residence"], await office.unit(7)
    silent = persons_pb2.Person(display_name="无资料")
    partly = persons_pb2.Person(display_name="部分资料", residence=here)
    answer = await office.register(term, [Row(new_person=one, capacity=RESIDENT) for one in (silent, partly)])
    assert answer.registered == 2
    judged_by = [
        [version.partition("@")[0] for version in (await office.read(name)).judged_by] for name in answer.mandates
    ]
    always = ["subdistrict_assembly.mandates_per_person", "subdistrict_assembly.size_max"]
    assert judged_by == [["subdistrict_assembly.nationality", *always]] * 2
    child = persons_pb2.Person(display_name="未成年", birth_date=on(in_days(-6000)))
    away = persons_pb2.Person(display_name="外地", residence=elsewhere, residence_since=on("2001-01-01"))
    known = await office.person(nationality="MN")
    rows = [Row(new_person=one, capacity=RESIDENT) for one in (silent, child, away)]
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await office.register(term, [*rows, Row(person=known, capacity=RESIDENT)])
    named = error_details_pb2.BadRequest()
    trailers = dict(refusal.value.trailing_metadata() or ())
    for detail in status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details:
        detail.Unpack(named)
    assert [violation.field for violation in named.field_violations] == [
        "rows[1].new_person.birth_date",
        "rows[2].new_person.residence",
        "rows[3].person",
    ]
