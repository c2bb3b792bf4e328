"""Quorum at its edges, through the API: which share, of whom, on which day, and what becomes of it in session."""

from datetime import date, datetime, timedelta
from typing import Any

import grpc
import pytest

from chassis import clock
from chassis.wire import timestamp
from quanyutong.meetings.v1 import attendance_pb2 as pb
from quanyutong.meetings.v1 import meeting_pb2
from services.meetings.meetings import day_of
from tests.contract.office import CONGRESS, SUBDISTRICT_ASSEMBLY, TOWN, TOWNSHIP_CONGRESS, in_days, new_people
from tests.harness import facts, reason, refused, until
from tests.meetings.secretariat import Secretariat, morning

PREFIX = "ERROR_REASON_"
CONGRESS_SESSION, MID_YEAR, QUARTERLY, ASSEMBLY = (
    meeting_pb2.MEETING_KIND_CONGRESS_SESSION,
    meeting_pb2.MEETING_KIND_MID_YEAR,
    meeting_pb2.MEETING_KIND_QUARTERLY,
    meeting_pb2.MEETING_KIND_ASSEMBLY,
)
SPECIAL_REPORT = meeting_pb2.MEETING_FORM_SPECIAL_REPORT
MIDYEAR_QUORUM = "rules/midyear_meeting.quorum"


async def body_of(secretariat: Secretariat, kind: Any, seats: int) -> str:
    """A body of the kind with so many seats that are held for months."""
    unit = "" if kind == CONGRESS else await secretariat.unit(1, *([TOWN] if kind == TOWNSHIP_CONGRESS else []))
    term = await secretariat.term(await secretariat.assembly(unit, kind))
    if seats:
        people = new_people(seats, **secretariat.facts(term))
        await secretariat.register(term, people, day=in_days(-300))
    return term.partition("/terms/")[0]


async def ready(
    secretariat: Secretariat, body: str, kind: Any, seats: int, start: datetime | None = None
) -> tuple[str, list[str]]:
    form = {"form": SPECIAL_REPORT} if kind == MID_YEAR else {}
    meeting = (await secretariat.meeting(body, start or morning(), kind=kind, **form)).name
    return meeting, [attendee.mandate for attendee in await secretariat.called(meeting, seats)]


async def missing(secretariat: Secretariat, meeting: str, **fields: Any) -> int:
    """How many are missing where it cannot be convened."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await secretariat.do("Convene", meeting, **fields)
    assert reason(refusal.value) == f"{PREFIX}QUORUM_MISSING"
    return int(facts(refusal.value)["missing"])


@pytest.mark.parametrize(
    ("body", "kind", "seats", "needed"),
    [
        pytest.param(CONGRESS, MID_YEAR, 6, 3, id="exactly half of a mid-year meeting"),
        pytest.param(CONGRESS, MID_YEAR, 7, 4, id="half of an odd number"),
        pytest.param(TOWNSHIP_CONGRESS, QUARTERLY, 4, 2, id="exactly half of a quarterly meeting"),
        pytest.param(CONGRESS, CONGRESS_SESSION, 9, 6, id="exactly two thirds of a session"),
        pytest.param(TOWNSHIP_CONGRESS, CONGRESS_SESSION, 7, 5, id="two thirds of seven"),
        pytest.param(SUBDISTRICT_ASSEMBLY, ASSEMBLY, 4, 3, id="more than half of an even number"),
        pytest.param(SUBDISTRICT_ASSEMBLY, ASSEMBLY, 5, 3, id="more than half of an odd number"),
        pytest.param(SUBDISTRICT_ASSEMBLY, ASSEMBLY, 1, 1, id="the only one"),
    ],
)
async def test_the_last_one_counts(secretariat: Secretariat, body: Any, kind: Any, seats: int, needed: int) -> None:
    """Nobody and one too few are not enough; then one more comes, and in the end everybody."""
    meeting, mandates = await ready(secretariat, await body_of(secretariat, body, seats), kind, seats)
    assert await missing(secretariat, meeting) == needed
    if needed > 1:
        await secretariat.enter(meeting, *mandates[: needed - 1])
        assert await missing(secretariat, meeting) == 1
    await secretariat.enter(meeting, mandates[needed - 1])
    found = await secretariat.quorum(meeting)
    assert (found.expected, found.present, found.needed, found.met) == (seats, needed, needed, True)
    await secretariat.do("Convene", meeting)
    await secretariat.enter(meeting, *mandates)
    found = await secretariat.quorum(meeting)
    assert (found.expected, found.present, found.needed, found.missing) == (seats, seats, needed, 0)


async def test_where_nobody_has_a_seat_nobody_is_enough(secretariat: Secretariat) -> None:
    meeting, _ = await ready(secretariat, await body_of(secretariat, SUBDISTRICT_ASSEMBLY, 0), ASSEMBLY, 0)
    found = await secretariat.quorum(meeting)
    assert (found.expected, found.present, found.needed, found.met) == (0, 0, 1, False)
    observer = await secretariat.meet(
        "AddObserver", pb.AddObserverRequest(parent=meeting, display_name="区人大办 李某")
    )
    await secretariat.enter(meeting, observer.name)
    assert await missing(secretariat, meeting) == 1


async def test_a_mandate_is_on_the_roll_until_the_day_before_it_ends(secretariat: Secretariat) -> None:
    """`active_to` is the first day on which it is no longer in force."""
    body = await body_of(secretariat, SUBDISTRICT_ASSEMBLY, 3)
    today, mandates = await ready(secretariat, body, ASSEMBLY, 3)
    yesterday, _ = await ready(secretariat, body, ASSEMBLY, 3, morning(-1))
    await secretariat.end(mandates[0], in_days(0))
    await secretariat.called(today, 2)
    await secretariat.called(yesterday, 3)
    assert [(await secretariat.quorum(each)).needed for each in (today, yesterday)] == [2, 2]
    await secretariat.enter(today, *mandates[1:])
    await secretariat.do("Convene", today)
    assert (await secretariat.quorum(today)).expected == 2


async def test_a_mandate_that_is_suspended_on_the_day_is_not_on_the_roll(secretariat: Secretariat) -> None:
    body = await body_of(secretariat, SUBDISTRICT_ASSEMBLY, 3)
    today, mandates = await ready(secretariat, body, ASSEMBLY, 3)
    yesterday, _ = await ready(secretariat, body, ASSEMBLY, 3, morning(-1))
    await secretariat.suspend(mandates[0], in_days(0))
    assert {each.mandate for each in await secretariat.called(today, 2)} == set(mandates[1:])
    await secretariat.called(yesterday, 3)
    assert await refused(secretariat.enter(today, mandates[0])) == f"{PREFIX}ATTENDEE_NOT_FOUND"
    await secretariat.reinstate(mandates[0], in_days(0))
    await secretariat.called(today, 3)


async def test_suspended_reinstated_and_suspended_again_on_one_day(secretariat: Secretariat) -> None:
    body = await body_of(secretariat, SUBDISTRICT_ASSEMBLY, 2)
    today, mandates = await ready(secretariat, body, ASSEMBLY, 2)
    await secretariat.suspend(mandates[0], in_days(0))
    await secretariat.reinstate(mandates[0], in_days(0))
    await secretariat.suspend(mandates[0], in_days(0))
    await secretariat.called(today, 1)


async def test_until_it_is_convened_the_day_on_which_it_begins_counts_and_then_the_day_itself(
    secretariat: Secretariat,
) -> None:
    """The meeting began late, on the next day; a mandate ended with the first one."""
    meeting, mandates = await ready(
        secretariat, await body_of(secretariat, SUBDISTRICT_ASSEMBLY, 4), ASSEMBLY, 4, morning(-1)
    )
    await secretariat.enter(meeting, *mandates[:2], check_in_time=timestamp(morning(-1)))
    await secretariat.end(mandates[3], in_days(0))
    await until(lambda: heard_of_the_end(secretariat, meeting))
    found = await secretariat.quorum(meeting)
    assert (found.expected, found.needed, found.met) == (4, 3, False)
    assert await missing(secretariat, meeting, convene_time=timestamp(morning(-1) + timedelta(hours=1))) == 1
    await secretariat.do("Convene", meeting)
    found = await secretariat.quorum(meeting)
    assert (found.expected, found.needed, found.met) == (3, 2, True)


async def heard_of_the_end(secretariat: Secretariat, meeting: str) -> bool:
    query = "SELECT count(*) FROM meetings.mandate WHERE district = $1 AND active_to IS NOT NULL"
    return bool(await secretariat.count(query, secretariat.district))


async def test_what_is_lost_in_session_is_shown_and_so_is_that_it_is_there_again(secretariat: Secretariat) -> None:
    meeting, mandates = await ready(secretariat, await body_of(secretariat, CONGRESS, 4), MID_YEAR, 4)
    await secretariat.enter(meeting, *mandates[:2])
    await secretariat.do("Convene", meeting)
    lost = await leave(secretariat, meeting, mandates[0])
    later = await leave(secretariat, meeting, mandates[1])
    found = await secretariat.quorum(meeting)
    assert (found.missing, found.lost_time) == (2, lost.leave_time)
    await secretariat.enter(meeting, mandates[2])
    assert (await secretariat.quorum(meeting)).lost_time == lost.leave_time
    await secretariat.enter(meeting, mandates[1])
    found = await secretariat.quorum(meeting)
    assert (found.met, found.HasField("lost_time")) == (True, False)
    again = await leave(secretariat, meeting, mandates[1])
    assert later.leave_time.ToDatetime() < again.leave_time.ToDatetime()
    assert (await secretariat.quorum(meeting)).lost_time == again.leave_time
    await secretariat.do("Adjourn", meeting)
    assert (await secretariat.quorum(meeting)).lost_time == again.leave_time


async def leave(secretariat: Secretariat, meeting: str, mandate: str) -> pb.Attendee:
    request = pb.LeaveMeetingRequest(name=meeting, attendee=mandate)
    left: pb.Attendee = await secretariat.meet("LeaveMeeting", request)
    return left


async def test_a_meeting_that_was_postponed_takes_the_rules_of_its_new_day(secretariat: Secretariat) -> None:
    """The district's own quorum holds from today on; the meeting was to be before that, and is today."""
    body = await body_of(secretariat, CONGRESS, 6)
    meeting, mandates = await ready(secretariat, body, MID_YEAR, 6, morning(-2))
    await secretariat.override(">=2/3", clock.today(), MIDYEAR_QUORUM)
    await until(lambda: heard_of_the_rule(secretariat))
    assert (await secretariat.quorum(meeting)).needed == 3
    await secretariat.do("Postpone", meeting, reason="防汛")
    times = {"start_time": timestamp(morning()), "end_time": timestamp(morning(1))}
    await secretariat.do("Reschedule", meeting, reason="汛情解除", **times)
    found = await secretariat.quorum(meeting)
    assert (found.needed, found.rule_version) == (4, "midyear_meeting.quorum@2005-01-01+r1")
    await secretariat.enter(meeting, *mandates[:3])
    assert await missing(secretariat, meeting) == 1
    await secretariat.enter(meeting, mandates[3])
    await secretariat.do("Convene", meeting)
    assert (await secretariat.quorum(meeting)).rule_version == found.rule_version


async def heard_of_the_rule(secretariat: Secretariat) -> bool:
    query = "SELECT count(*) FROM meetings.rule_override WHERE district = $1"
    return bool(await secretariat.count(query, secretariat.district))


def test_days_of_chongqing() -> None:
    """A meeting late in the evening of UTC is on the next day."""
    assert day_of(clock.beginning(date(2026, 7, 20))) == date(2026, 7, 20)
    assert day_of(clock.beginning(date(2026, 7, 20)) - timedelta(seconds=1)) == date(2026, 7, 19)
