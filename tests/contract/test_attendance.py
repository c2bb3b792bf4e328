"""Who attends a subdistrict assembly, and on what."""

from collections.abc import Sequence
from typing import Any

import pytest

from quanyutong.registry.v1 import attendance_pb2 as pb
from quanyutong.registry.v1 import mandates_pb2
from tests.contract.office import (
    DEPUTY,
    RESIDENT,
    TOWN,
    TOWNSHIP_CONGRESS,
    Office,
    Row,
    in_days,
    new_people,
    on,
)

PARTY, CPPCC = mandates_pb2.CAPACITY_PARTY_DELEGATE, mandates_pb2.CAPACITY_CPPCC_MEMBER
SIZE, DEPUTIES = "subdistrict_assembly.size_max@2015-01-01", "subdistrict_assembly.deputies_attend@2015-01-01"


class Place:
    """A subdistrict with an assembly, beside it another one, a town, and the district's congress."""

    def __init__(self, office: Office, unit: str, assembly: str) -> None:
        self.office = office
        self.unit = unit
        self.assembly = assembly

    async def holder(self, capacity: Any, terms: Sequence[str], days: int = -100, **fields: Any) -> str:
        """A person, living here unless told where, with a mandate in each of the terms."""
        known = {"birth_date": on("1980-06-01"), "residence": self.unit, "residence_since": on("2001-01-01")}
        person = await self.office.person(**(known | fields))
        for term in terms:
            await self.office.register(term, [Row(person=person, capacity=capacity)], in_days(days))
        return person

    async def attendees(self, days: int = 0, **filters: Any) -> dict[str, list[tuple[Any, bool, str]]]:
        """By person: capacity, whether by right, and version of the rule, of each ground."""
        request = pb.ListAttendeesRequest(parent=self.assembly, as_of=on(in_days(days)), **filters)
        answer = await self.office.call("ListAttendees", request)
        return {
            attendee.person: [(ground.capacity, ground.by_right, ground.rule_version) for ground in attendee.grounds]
            for attendee in answer.attendees
        }


@pytest.fixture
async def place(office: Office) -> Place:
    unit = await office.unit()
    return Place(office, unit, await office.assembly(unit))


async def test_nobody_yet(place: Place) -> None:
    assert await place.attendees() == {}


async def test_representatives_and_deputies_of_every_level(place: Place) -> None:
    office = place.office
    here, congress = await office.term(place.assembly), await office.term(await office.congress())
    town = await office.unit(3, TOWN)
    township = await office.term(await office.assembly(town, TOWNSHIP_CONGRESS))
    resident = await place.holder(RESIDENT, [here])
    of_district, of_town = await place.holder(DEPUTY, [congress]), await place.holder(DEPUTY, [township])
    await place.holder(DEPUTY, [congress], residence=town)
    await place.holder(DEPUTY, [congress], residence="")
    assert await place.attendees() == {
        resident: [(RESIDENT, False, SIZE)],
        of_district: [(DEPUTY, True, DEPUTIES)],
        of_town: [(DEPUTY, True, DEPUTIES)],
    }


async def test_a_deputy_who_is_a_representative_too_appears_once_with_both_grounds(place: Place) -> None:
    office = place.office
    here, congress = await office.term(place.assembly), await office.term(await office.congress())
    both = await place.holder(DEPUTY, [congress, here])
    assert await place.attendees() == {both: [(DEPUTY, False, SIZE), (DEPUTY, True, DEPUTIES)]}
    request = pb.ListAttendeesRequest(parent=place.assembly)
    (attendee,) = (await office.call("ListAttendees", request)).attendees
    held = await office.call("ListMandates", mandates_pb2.ListMandatesRequest(person=both))
    assert {ground.mandate for ground in attendee.grounds} == {mandate.name for mandate in held.mandates}


@pytest.mark.parametrize(
    ("capacity", "rule"),
    [(PARTY, "party_delegates_attend"), (CPPCC, "cppcc_members_attend")],
    ids=["party delegates", "CPPCC members"],
)
async def test_where_the_district_says_so(place: Place, capacity: Any, rule: str) -> None:
    office = place.office
    elsewhere = await office.unit(2)
    term = await office.term(await office.assembly(elsewhere))
    person = await place.holder(capacity, [term], workplace=elsewhere, workplace_since=on("2001-01-01"))
    assert await place.attendees() == {}
    await office.override("true", rule=f"rules/subdistrict_assembly.{rule}")
    version = f"subdistrict_assembly.{rule}@2015-01-01+r1"
    assert await place.attendees() == {person: [(capacity, True, version)]}
    # What the district said today does not hold for the days before.
    assert await place.attendees(-1) == {}


async def test_residents_of_another_assembly_have_no_right_here(place: Place) -> None:
    elsewhere = await place.office.unit(2)
    term = await place.office.term(await place.office.assembly(elsewhere))
    await place.holder(RESIDENT, [term], workplace=elsewhere, workplace_since=on("2001-01-01"))
    assert await place.attendees() == {}


async def test_who_works_here_attends_like_who_lives_here(place: Place) -> None:
    office = place.office
    town, congress = await office.unit(3, TOWN), await office.term(await office.congress())
    works, lives_and_works = [
        await place.holder(DEPUTY, [congress], residence=residence, workplace=place.unit)
        for residence in (town, place.unit)
    ]
    await place.holder(DEPUTY, [congress], residence=town, workplace=town)
    by_right = [(DEPUTY, True, DEPUTIES)]
    assert await place.attendees() == {works: by_right, lives_and_works: by_right}


async def test_who_is_suspended_does_not_attend(place: Place) -> None:
    office = place.office
    here, congress = await office.term(place.assembly), await office.term(await office.congress())
    deputy, both = await place.holder(DEPUTY, [congress]), await place.holder(DEPUTY, [congress, here])
    for person in (deputy, both):
        held = await office.call("ListMandates", mandates_pb2.ListMandatesRequest(person=person))
        await office.suspend(held.mandates[0].name)
    assert await place.attendees() == {both: [(DEPUTY, False, SIZE)]}
    assert set(await place.attendees(-1)) == {deputy, both}


async def test_attendees_of_a_day(place: Place) -> None:
    office = place.office
    here, congress = await office.term(place.assembly), await office.term(await office.congress())
    representative = await place.holder(RESIDENT, [here], -50)
    deputy = await place.holder(DEPUTY, [congress], -20)
    listed = await office.call("ListMandates", mandates_pb2.ListMandatesRequest(person=representative))
    request = mandates_pb2.EndMandateRequest(
        name=listed.mandates[0].name, reason=mandates_pb2.END_REASON_MOVED, active_to=on(in_days(-10))
    )
    await office.call("EndMandate", request)
    by_day = {days: set(await place.attendees(days)) for days in (-51, -50, -20, -11, -10)}
    both = {representative, deputy}
    assert by_day == {-51: set(), -50: {representative}, -20: both, -11: both, -10: {deputy}}


async def test_list_narrows_by_capacity_and_right(place: Place) -> None:
    office = place.office
    here, congress = await office.term(place.assembly), await office.term(await office.congress())
    resident = await place.holder(RESIDENT, [here])
    deputy, both = await place.holder(DEPUTY, [congress]), await place.holder(DEPUTY, [congress, here])
    assert set(await place.attendees()) == {resident, deputy, both}
    assert set(await place.attendees(capacities=[DEPUTY])) == {deputy, both}
    assert set(await place.attendees(capacities=[RESIDENT])) == {resident}
    by_right = await place.attendees(by_right=True)
    assert set(by_right) == {deputy, both}
    assert len(by_right[both]) == 2


async def test_recommendations_do_not_attend(place: Place) -> None:
    office = place.office
    term = await office.term(place.assembly)
    await office.vetted(term)
    await office.register(term, new_people(3, **office.facts(term)), in_days(-1))
    assert len(await place.attendees()) == 3
