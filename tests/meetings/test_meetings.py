"""Meetings, from preparation to their end, and what they book."""

from datetime import timedelta

import asyncpg
import pytest

from chassis.wire import timestamp
from quanyutong.meetings.v1 import meeting_pb2 as pb
from tests.harness import refused, until
from tests.meetings.secretariat import Secretariat, in_hours

PREFIX = "ERROR_REASON_"


async def booked(secretariat: Secretariat, meeting: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(secretariat.tenant.platform.postgres.url)
    try:
        await connection.execute("SELECT set_config('app.district', $1, false)", secretariat.district)
        return list(await connection.fetch("SELECT * FROM meetings.booking WHERE meeting = $1", meeting.split("/")[1]))
    finally:
        await connection.close()


async def test_a_meeting_from_its_preparation_to_its_end(secretariat: Secretariat) -> None:
    body = await secretariat.assembly_of(1)
    made = await secretariat.meeting(body, in_hours(-2))
    assert (made.phase, made.number, made.term) == (pb.PHASE_PREPARATION, 1, f"{body}/terms/1")
    (delegate,) = await secretariat.called(made.name, 1)
    await secretariat.enter(made.name, delegate.mandate, check_in_time=timestamp(in_hours(-1.5)))
    convened = await secretariat.do("Convene", made.name, convene_time=timestamp(in_hours(-1)))
    assert convened.phase == pb.PHASE_CONVENED
    assert (await secretariat.do("Adjourn", made.name)).phase == pb.PHASE_SUMMARY
    closed = await secretariat.do("Close", made.name)
    assert closed.phase == pb.PHASE_CLOSED
    assert await secretariat.meet("GetMeeting", pb.GetMeetingRequest(name=made.name)) == closed


async def test_numbers_follow_each_other_in_a_term(secretariat: Secretariat) -> None:
    body = await secretariat.assembly_of(0)
    numbers = [(await secretariat.meeting(body, in_hours(24 * day))).number for day in (1, 2, 3)]
    assert numbers == [1, 2, 3]


@pytest.mark.parametrize("verb", ["Postpone", "Cancel"])
async def test_what_is_withdrawn_books_nothing(secretariat: Secretariat, verb: str) -> None:
    body, venue = await secretariat.assembly_of(1), await secretariat.venue()
    first = await secretariat.meeting(body, in_hours(24), venue=venue)
    await secretariat.do(verb, first.name, reason="防汛")
    assert await booked(secretariat, first.name) == []
    await secretariat.meeting(body, in_hours(24), venue=venue)


async def test_a_postponed_meeting_finds_a_new_day(secretariat: Secretariat) -> None:
    body, venue = await secretariat.assembly_of(0), await secretariat.venue()
    first = await secretariat.meeting(body, in_hours(24))
    await secretariat.do("Postpone", first.name, reason="防汛")
    start = in_hours(72)
    times = {"start_time": timestamp(start), "end_time": timestamp(start + timedelta(hours=2))}
    again = await secretariat.do("Reschedule", first.name, reason="汛情解除", venue=venue, **times)
    assert (again.phase, again.venue, again.sequence) == (pb.PHASE_PREPARATION, venue, 2)
    assert len(await booked(secretariat, first.name)) == 1


async def test_a_venue_holds_one_meeting_at_a_time(secretariat: Secretariat) -> None:
    first, second, venue = *[await secretariat.assembly_of(0)], await other(secretariat), await secretariat.venue()
    taken = await secretariat.meeting(first, in_hours(24), venue=venue)
    await secretariat.meeting(second, in_hours(27), venue=venue)
    request = pb.CreateMeetingRequest(meeting=secretariat.planned(second, in_hours(25), venue=venue, number=9))
    assert await refused(secretariat.meet("CreateMeeting", request)) == f"{PREFIX}VENUE_BOOKED"
    request.overlap_reason = "分会场"
    assert (await secretariat.meet("CreateMeeting", request)).overlap_reason == "分会场"
    assert taken.name


async def test_delegates_are_at_one_meeting_at_a_time(secretariat: Secretariat) -> None:
    body = await secretariat.assembly_of(2)
    first = await secretariat.meeting(body, in_hours(24))

    async def heard() -> bool:
        await secretariat.do("Reschedule", first.name, reason="名册更新", **_times(first))
        return len(await booked(secretariat, first.name)) == 2

    await until(heard)
    request = pb.CreateMeetingRequest(meeting=secretariat.planned(body, in_hours(25)))
    assert await refused(secretariat.meet("CreateMeeting", request)) == f"{PREFIX}DELEGATES_BOOKED"


async def other(secretariat: Secretariat) -> str:
    assembly = await secretariat.assembly(await secretariat.unit(7))
    await secretariat.term(assembly)
    return assembly


def _times(meeting: pb.Meeting) -> dict[str, object]:
    return {"start_time": meeting.start_time, "end_time": meeting.end_time}
