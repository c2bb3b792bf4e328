"""Copies of meetings and their rolls: whatever order their events come in, and however often."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from chassis import tenancy
from chassis.database import Database
from chassis.manifest import Event
from chassis.merges import kept_person
from chassis.migrations import runtime_url
from chassis.wire import timestamp
from quanyutong.meetings.v1 import events_pb2 as meetings
from quanyutong.meetings.v1 import meeting_pb2
from quanyutong.registry.v1 import events_pb2 as registry
from services.ballots import roster
from services.ballots.events import CONSUMES
from tests.harness import Platform

BODY = f"assemblies/{UUID(int=7)}"
NOON = timestamp(datetime(2026, 7, 20, 4, tzinfo=UTC))


@pytest.fixture
async def database(city: Platform) -> AsyncIterator[Database]:
    settings = city.settings.model_copy(update={"database_url": SecretStr(city.postgres.url)})
    made = Database(runtime_url(settings, "ballots"), "ballots", 2, 30)
    with tenancy.acting_for(await city.fresh_district()):
        yield made
    await made.close()


def told(meeting: str, seats: dict[str, str], kept: str) -> list[object]:
    """All that is told of a meeting in its life; one of its people was entered twice and is merged."""
    kind = meeting_pb2.MEETING_KIND_ASSEMBLY
    roll = [meetings.Seat(mandate=mandate, person=person) for mandate, person in seats.items()]
    mandate, person = next(iter(seats.items()))
    return [
        meetings.MeetingConvened(
            meeting=meeting, body=BODY, kind=kind, convene_time=NOON, expected=2, present=2, needed=2, roll=roll
        ),
        meetings.AttendanceRecorded(meeting=meeting, body=BODY, kind=kind, mandate=mandate, person=person),
        registry.PersonMerged(keep=kept, merged=person),
        meetings.MeetingHeld(meeting=meeting, body=BODY, kind=kind, convene_time=NOON),
    ]


async def test_events_in_any_order_and_twice(database: Database) -> None:
    kept = f"persons/{uuid4()}"
    for order in permutations(range(4)):
        meeting = f"meetings/{uuid4()}"
        seats = {f"mandates/{uuid4()}": f"persons/{uuid4()}" for _ in range(2)}
        events = told(meeting, seats, kept)
        async with database.write() as tx:
            for place in (*order, *order):
                event = events[place]
                await CONSUMES[type(event)](tx, event, Event(uuid4(), tx.district, "", ""))  # type: ignore[index]
            row = await roster.load_meeting(tx, meeting)
            roll = await roster.roll_of(tx, row.id)
        assert (row.phase, row.body, row.expected, row.needed) == ("summary", BODY, 2, 2)
        (first, _), (second, other) = seats.items()
        found = {f"mandates/{each.mandate}": (f"persons/{each.person}", each.attended) for each in roll}
        assert found == {first: (kept, True), second: (other, False)}


async def test_merges_in_any_order_and_twice_lead_to_the_entry_that_is_kept_now(database: Database) -> None:
    for order in permutations(range(3)):
        chain = [uuid4() for _ in range(4)]
        async with database.write() as tx:
            for place in (*order, *order):
                event = registry.PersonMerged(merged=f"persons/{chain[place]}", keep=f"persons/{chain[place + 1]}")
                await roster.person_merged(tx, event, Event(uuid4(), tx.district, "", ""))
            assert {await kept_person(tx, key) for key in chain} == {chain[-1]}
