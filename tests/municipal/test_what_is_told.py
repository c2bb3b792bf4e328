"""What each service counts of a small district, beside what was done there through its API."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chassis import clock
from chassis.wire import date_message
from quanyutong.registry.v1 import mandates_pb2
from tests.ballots.polling import motion, polling_of
from tests.conftest import Platforms, fresh_tenant
from tests.contract.acts import record
from tests.contract.office import STATION, Office, in_days
from tests.feedback.hearing import Hearing
from tests.harness import until
from tests.meetings.secretariat import Secretariat
from tests.municipal.hall import CityHall

# Of which kind the meetings of the tests are.
KIND = "ASSEMBLY"


@pytest.fixture
async def office(platforms: Platforms) -> AsyncIterator[Office]:
    async with fresh_tenant(platforms, "all-direct") as tenant:
        yield Office(tenant)


async def tells(office: Office, **wanted: dict[str, int]) -> None:
    """Waits until the district's figures of these kinds in this month are exactly these, by facet."""
    for kind, values in wanted.items():

        async def told(kind: str = kind, values: dict[str, int] = values) -> bool:
            return await counted(office, kind) == values

        await until(told)


async def counted(office: Office, kind: str) -> dict[str, int]:
    found = await CityHall(office.tenant).figures(kind, clock.today())
    return {facet: figure.value for (_, _, facet), figure in found.items()}


async def test_the_registry_tells_bodies_seats_stations_and_acts(office: Office) -> None:
    unit = await office.unit()
    term = await office.term(await office.assembly(unit))
    mandates = [await office.active(term) for _ in range(3)]
    await office.suspend(mandates[0])
    await office.end(mandates[1])
    house = await office.station(unit)
    await office.station(unit, STATION, belongs_to=house)
    await record(office, mandates[2], day=in_days(0), unit=unit)
    # The one who was suspended sits no more, and neither does the one whose mandate ended.
    await tells(
        office,
        DELEGATES={"SUBDISTRICT_ASSEMBLY/RESIDENT": 1},
        ASSEMBLIES={"SUBDISTRICT_ASSEMBLY": 1},
        UNITS={"SUBDISTRICT": 1},
        STATIONS={"HOUSE": 1, "STATION": 1},
        ACTIVITIES={"INSPECTION": 1},
        PERSON_TIMES={"INSPECTION": 1},
    )


async def test_what_stands_is_told_of_every_month_in_which_it_did(office: Office) -> None:
    term = await office.term(await office.assembly())
    begun = in_days(-70)
    mandate = await office.vetted(term)
    await office.call(
        "ConfirmMandate",
        mandates_pb2.ConfirmMandateRequest(name=mandate, active_from=date_message(begun)),
    )
    await tells(office, DELEGATES={"SUBDISTRICT_ASSEMBLY/RESIDENT": 1})
    hall = CityHall(office.tenant)
    before = (begun.replace(day=1) - timedelta(days=1)).replace(day=1)
    assert await hall.figures("DELEGATES", before) == {}
    assert {figure.value for figure in (await hall.figures("DELEGATES", begun)).values()} == {1}


async def test_the_meetings_service_tells_what_was_held_and_who_came(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting, _ = await secretariat.ready(3, 2)
    await secretariat.do("Convene", meeting)
    await secretariat.do("Adjourn", meeting)
    await tells(office, MEETINGS_HELD={KIND: 1}, SEATS_EXPECTED={KIND: 3}, SEATS_PRESENT={KIND: 2})


async def test_the_ballots_service_tells_polls_when_they_are_over(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(3)
    await polling.papers(vote)
    # Something else that makes the service count, while the poll is open.
    await polling.draft(vote.meeting, motion())
    await tells(office, POLLS={}, ELECTORATE={})
    await polling.do_poll("StartVoting", vote.poll)
    await polling.do_poll("Close", vote.poll)
    three = {"ELECTRONIC": 3}
    await tells(office, POLLS={"ELECTRONIC/CLOSED": 1}, ELECTORATE=three, PAPERS=three, BALLOTS={})


async def test_the_feedback_service_tells_opinions_and_proposals_by_where_they_stand(office: Office) -> None:
    hearing = Hearing(office.tenant)
    term = await office.term(await office.assembly())
    mandate = await office.active(term)
    first = (await hearing.opinion()).name
    await hearing.answered(content="公园缺少座椅")
    await hearing.merge_opinions(first, (await hearing.opinion("滨江路路灯不亮很久了")).name)
    await hearing.answered_proposal(mandate)
    await tells(
        office,
        OPINIONS={"RECEIVED": 1, "ANSWERED": 1, "MERGED": 1},
        OPINIONS_ANSWERED={"": 1},
        OPINIONS_BY_CHANNEL={"ONLINE": 3},
        PROPOSALS={"ANSWERED": 1},
        PROPOSALS_ANSWERED={"": 1},
        UNDERTAKER={"ASSIGNED/区交通局": 1, "ANSWERED/区交通局": 1, "DUE/区交通局": 1, "ON_TIME/区交通局": 1},
    )


async def test_what_is_withdrawn_is_told_no_more(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = (await hearing.opinion()).name
    await tells(office, OPINIONS={"RECEIVED": 1})
    await hearing.handle("Acknowledge", name)
    await tells(office, OPINIONS={"ACKNOWLEDGED": 1})
