"""Attendance: the roll, who came and went, and the quorum that a meeting is convened by."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.wire import timestamp
from quanyutong.meetings.v1 import attendance_pb2 as pb
from quanyutong.meetings.v1 import meeting_pb2
from quanyutong.registry.v1 import activities_pb2
from tests.contract.office import in_days
from tests.harness import facts, reason, refused, until
from tests.meetings.secretariat import Secretariat, in_hours, in_person, morning, told_exactly

PREFIX = "ERROR_REASON_"


async def test_half_of_an_odd_number_is_convened_and_one_less_is_not(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(5, 2)
    with pytest.raises(grpc.aio.AioRpcError) as missing:
        await secretariat.do("Convene", meeting)
    assert reason(missing.value) == f"{PREFIX}QUORUM_MISSING"
    found = facts(missing.value)
    assert {key: found[key] for key in ("expected", "present", "needed", "missing")} == {
        "expected": "5",
        "present": "2",
        "needed": "3",
        "missing": "1",
    }
    assert found["version"].startswith("subdistrict_assembly.quorum@")
    await secretariat.enter(meeting, mandates[2])
    assert (await secretariat.do("Convene", meeting)).phase == meeting_pb2.PHASE_CONVENED


async def test_the_roll_has_names_and_answers(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(2, 0)
    assert [each.display_name for each in await secretariat.roll(meeting)] == ["王小明", "王小明"]
    await secretariat.meet("ConfirmAttendance", pb.ConfirmAttendanceRequest(name=meeting, mandate=mandates[0]))
    leave = pb.RequestLeaveRequest(name=meeting, mandate=mandates[1], reason="出差")
    assert (await secretariat.meet("RequestLeave", leave)).leave_reason == "出差"
    on_leave = await secretariat.roll(meeting, state=pb.ATTENDEE_STATE_ON_LEAVE)
    assert [each.mandate for each in on_leave] == [mandates[1]]
    await secretariat.enter(meeting, mandates[0])
    present = await secretariat.roll(meeting, presence=pb.PRESENCE_FILTER_PRESENT)
    assert [each.mandate for each in present] == [mandates[0]]
    assert len(await secretariat.roll(meeting, presence=pb.PRESENCE_FILTER_ABSENT)) == 1


async def test_what_is_frozen_stays_whatever_becomes_of_a_mandate(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(3, 2)
    before = await secretariat.quorum(meeting)
    assert (before.expected, before.needed, before.frozen) == (3, 2, False)
    await secretariat.do("Convene", meeting)
    await secretariat.end(mandates[2])
    after = await secretariat.quorum(meeting)
    assert (after.expected, after.present, after.needed, after.frozen) == (3, 2, 2, True)
    invite = pb.InviteDelegatesRequest(name=meeting)
    assert await refused(secretariat.meet("InviteDelegates", invite)) == f"{PREFIX}PHASE_REFUSED"


async def test_a_mandate_that_ends_on_the_day_does_not_count(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(3, 3)
    await secretariat.end(mandates[0], in_days(0))
    assert {each.mandate for each in await secretariat.called(meeting, 2)} == set(mandates[1:])
    assert (await secretariat.quorum(meeting)).present == 2


async def test_it_is_shown_when_the_quorum_is_lost(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(3, 2)
    await secretariat.do("Convene", meeting)
    left = await secretariat.meet("LeaveMeeting", pb.LeaveMeetingRequest(name=meeting, attendee=mandates[0]))
    found = await secretariat.quorum(meeting)
    assert (found.met, found.missing, found.lost_time) == (False, 1, left.leave_time)
    back = await secretariat.meet("CheckIn", pb.CheckInRequest(name=meeting, attendee=mandates[0]))
    assert (back.present, back.check_in_time) == (True, left.check_in_time)
    found = await secretariat.quorum(meeting)
    assert found.met
    assert not found.HasField("lost_time")


async def test_a_second_device_changes_nothing(secretariat: Secretariat) -> None:
    """Of a meeting in session, too: one movement, and one word to the registry."""
    meeting, mandates = await secretariat.ready(3, 2)
    await secretariat.do("Convene", meeting)
    request = pb.CheckInRequest(name=meeting, attendee=mandates[2])
    answers = await asyncio.gather(*(secretariat.meet("CheckIn", request) for _ in range(4)))
    assert all(answer == answers[0] for answer in answers)
    assert (await secretariat.quorum(meeting)).present == 3
    assert await secretariat.movements(meeting) == 3
    await until(partial(told_exactly, secretariat, 3))


async def test_a_delegate_checks_in_in_person_and_by_the_code(secretariat: Secretariat) -> None:
    meeting, _ = await secretariat.ready(2, 0)
    first, second = await secretariat.roll(meeting)
    code = await secretariat.meet("IssueCheckInCode", pb.IssueCheckInCodeRequest(name=meeting))
    assert code.svg.startswith("<svg")
    by_code = pb.CheckInRequest(name=meeting, code=code.code)
    assert (await in_person(secretariat, "CheckIn", by_code, first.person)).method == pb.CHECK_IN_METHOD_CODE
    plain = pb.CheckInRequest(name=meeting)
    assert (await in_person(secretariat, "CheckIn", plain, second.person)).method == pb.CHECK_IN_METHOD_DELEGATE
    other = pb.CheckInRequest(name=meeting, attendee=first.mandate)
    assert await refused(in_person(secretariat, "CheckIn", other, second.person)) == f"{PREFIX}ATTENDEE_REFUSED"
    stranger = in_person(secretariat, "CheckIn", plain, f"persons/{uuid4()}")
    assert await refused(stranger) == f"{PREFIX}ATTENDEE_NOT_FOUND"


async def test_observers_are_apart(secretariat: Secretariat) -> None:
    meeting, _ = await secretariat.ready(3, 2)
    await secretariat.do("Convene", meeting)
    add = pb.AddObserverRequest(parent=meeting, display_name="区政府办公室 李某")
    observer = await secretariat.meet("AddObserver", add)
    await secretariat.enter(meeting, observer.name)
    found = await secretariat.quorum(meeting)
    assert (found.expected, found.present) == (3, 2)
    assert len(await secretariat.roll(meeting)) == 4
    await secretariat.meet("RemoveObserver", pb.RemoveObserverRequest(name=observer.name))
    assert len(await secretariat.roll(meeting)) == 3


async def test_a_meeting_that_is_entered_afterwards(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(2, 0, in_hours(-72))
    times = {"check_in_time": timestamp(in_hours(-72)), "leave_time": timestamp(in_hours(-70))}
    (entered, _) = await secretariat.enter(meeting, *mandates, **times)
    assert (entered.check_in_time, entered.leave_time) == (times["check_in_time"], times["leave_time"])
    convene = secretariat.do("Convene", meeting, convene_time=timestamp(in_hours(-69)))
    assert await refused(convene) == f"{PREFIX}QUORUM_MISSING"
    done = await secretariat.do("Convene", meeting, convene_time=timestamp(in_hours(-71)))
    assert done.phase == meeting_pb2.PHASE_CONVENED


async def test_who_attended_stands_in_the_performance_record_once_convened(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(3, 2)
    request = activities_pb2.ListActivitiesRequest()
    assert not (await secretariat.call("ListActivities", request)).activities
    await secretariat.do("Convene", meeting)
    await secretariat.enter(meeting, mandates[2])

    async def recorded() -> bool:
        found = (await secretariat.call("ListActivities", request)).activities
        return [(each.source, each.delegates) for each in found] == [(meeting, 3)]

    await until(recorded)


async def test_who_left_before_it_is_entered_that_the_meeting_was_convened_attended_it(
    secretariat: Secretariat,
) -> None:
    meeting, mandates = await secretariat.ready(3, 0, in_hours(-72))
    stay = {"check_in_time": timestamp(in_hours(-72)), "leave_time": timestamp(in_hours(-70))}
    await secretariat.enter(meeting, *mandates[:2], **stay)
    early = {"check_in_time": timestamp(in_hours(-72)), "leave_time": timestamp(in_hours(-71.5))}
    await secretariat.enter(meeting, mandates[2], **early)
    await secretariat.do("Convene", meeting, convene_time=timestamp(in_hours(-71)))
    await secretariat.do("Adjourn", meeting, adjourn_time=timestamp(in_hours(-69.5)))
    assert await secretariat.attended(meeting, 2) == set(mandates[:2])


async def test_a_list_that_is_sent_twice_counts_once(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(1, 0, in_hours(-72))
    stay = {"check_in_time": timestamp(in_hours(-72)), "leave_time": timestamp(in_hours(-70))}
    first = await secretariat.enter(meeting, *mandates, **stay)
    assert await secretariat.enter(meeting, *mandates, **stay) == first
    assert await secretariat.movements(meeting) == 2


async def test_nobody_is_in_the_hall_twice_at_a_time(secretariat: Secretariat) -> None:
    """Who comes back does so after leaving, and leaves after coming back."""
    meeting, mandates = await secretariat.ready(1, 0, in_hours(-72))

    def entered(come: float, leave: float) -> Any:
        times = {"check_in_time": timestamp(in_hours(come)), "leave_time": timestamp(in_hours(leave))}
        return secretariat.enter(meeting, *mandates, **times)

    await entered(-72, -70)
    assert await refused(entered(-71, -69)) == f"{PREFIX}TIME_REFUSED"
    assert await refused(entered(-69, -70)) == f"{PREFIX}TIME_REFUSED"
    (again,) = await entered(-69, -68)
    assert not again.present
    assert await secretariat.movements(meeting) == 4


async def test_a_place_on_another_roll_is_none_on_this(secretariat: Secretariat) -> None:
    meeting, _ = await secretariat.ready(1, 0)
    (seat,) = await secretariat.roll(meeting)
    elsewhere = f"meetings/{uuid4()}/attendees/{seat.name.rpartition('/')[2]}"
    assert await refused(secretariat.enter(meeting, elsewhere)) == f"{PREFIX}ATTENDEE_NOT_FOUND"
    await secretariat.enter(meeting, seat.name)


@pytest.mark.parametrize("rpc", ["ConfirmAttendance", "RequestLeave", "CheckIn", "LeaveMeeting"])
async def test_a_delegate_acts_for_the_own_seat_alone(secretariat: Secretariat, rpc: str) -> None:
    meeting, _ = await secretariat.ready(2, 0)
    own, other = await secretariat.roll(meeting)
    if rpc == "LeaveMeeting":
        await secretariat.enter(meeting, own.mandate, other.mandate)
    field = "attendee" if rpc in ("CheckIn", "LeaveMeeting") else "mandate"
    more = {"reason": "出差"} if rpc == "RequestLeave" else {}
    request = getattr(pb, f"{rpc}Request")
    for name in (other.mandate, f"mandates/{uuid4()}"):
        call = in_person(secretariat, rpc, request(name=meeting, **{field: name}, **more), own.person)
        assert await refused(call) == f"{PREFIX}ATTENDEE_REFUSED"
    answer = await in_person(secretariat, rpc, request(name=meeting, **{field: own.mandate}, **more), own.person)
    assert answer.person == own.person


async def test_the_clerk_enters_as_the_clerk_also_with_a_code(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(1, 0)
    code = await secretariat.meet("IssueCheckInCode", pb.IssueCheckInCodeRequest(name=meeting))
    request = pb.CheckInRequest(name=meeting, attendee=mandates[0], code=code.code)
    assert (await secretariat.meet("CheckIn", request)).method == pb.CHECK_IN_METHOD_STAFF


async def test_the_code_of_another_meeting_opens_nothing(secretariat: Secretariat) -> None:
    meeting, _ = await secretariat.ready(1, 0)
    (seat,) = await secretariat.roll(meeting)
    other = await secretariat.meeting((await secretariat.found(meeting)).body, in_hours(48))
    code = await secretariat.meet("IssueCheckInCode", pb.IssueCheckInCodeRequest(name=other.name))
    request = pb.CheckInRequest(name=meeting, code=code.code)
    assert await refused(in_person(secretariat, "CheckIn", request, seat.person)) == f"{PREFIX}CODE_INVALID"


async def test_observers_come_and_go_and_are_told_of_nowhere(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(1, 1)
    observer = await secretariat.meet("AddObserver", pb.AddObserverRequest(parent=meeting, display_name="街道办 李某"))
    (entered,) = await secretariat.enter(meeting, observer.name)
    assert (entered.observer, entered.present, entered.mandate) == (True, True, "")
    await secretariat.do("Convene", meeting)
    left = await secretariat.meet("LeaveMeeting", pb.LeaveMeetingRequest(name=meeting, attendee=observer.name))
    assert not left.present
    await secretariat.meet("CheckIn", pb.CheckInRequest(name=meeting, attendee=observer.name))
    assert await secretariat.attended(meeting, 1) == set(mandates)
    await until(partial(told_exactly, secretariat, 1))


async def test_who_leaves_early_attended_and_who_comes_back_did_so_once(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(3, 3)
    await secretariat.do("Convene", meeting)
    for rpc, request in (("LeaveMeeting", pb.LeaveMeetingRequest), ("CheckIn", pb.CheckInRequest)):
        await secretariat.meet(rpc, request(name=meeting, attendee=mandates[0]))
    await secretariat.meet("LeaveMeeting", pb.LeaveMeetingRequest(name=meeting, attendee=mandates[1]))
    # Of the first it is told again, which changes nothing.
    await until(partial(told_exactly, secretariat, 4))
    assert await secretariat.attended(meeting, 3) == set(mandates)
    await secretariat.do("Adjourn", meeting)
    assert await secretariat.attended(meeting, 3) == set(mandates)


async def test_nobody_is_in_the_hall_before_the_day(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(1, 0, morning(1))
    plain = pb.CheckInRequest(name=meeting, attendee=mandates[0])
    assert await refused(secretariat.meet("CheckIn", plain)) == f"{PREFIX}TIME_REFUSED"
    assert await refused(secretariat.enter(meeting, mandates[0])) == f"{PREFIX}TIME_REFUSED"
    assert await secretariat.movements(meeting) == 0


@pytest.mark.parametrize("postponed", [True, False])
async def test_on_another_day_the_hall_is_empty_and_everybody_is_asked_anew(
    secretariat: Secretariat, postponed: bool
) -> None:
    """Who came in vain, and who was on leave for the day that it was to be."""
    meeting, mandates = await secretariat.ready(3, 2, morning(-1))
    leave = pb.RequestLeaveRequest(name=meeting, mandate=mandates[2], reason="出差")
    await secretariat.meet("RequestLeave", leave)
    if postponed:
        await secretariat.do("Postpone", meeting, reason="防汛")
        assert (await secretariat.quorum(meeting)).present == 0
    times = {"start_time": timestamp(morning()), "end_time": timestamp(morning(1))}
    await secretariat.do("Reschedule", meeting, reason="改期", **times)
    assert {(each.state, each.present, each.leave_reason) for each in await secretariat.roll(meeting)} == {
        (pb.ATTENDEE_STATE_INVITED, False, "")
    }
    assert await secretariat.movements(meeting) == 0
    assert await refused(secretariat.do("Convene", meeting)) == f"{PREFIX}QUORUM_MISSING"


async def test_a_meeting_that_begins_an_hour_later_keeps_who_is_there(secretariat: Secretariat) -> None:
    meeting, _ = await secretariat.ready(3, 2, morning())
    times = {"start_time": timestamp(morning() + timedelta(hours=1)), "end_time": timestamp(morning(1))}
    await secretariat.do("Reschedule", meeting, reason="等候报告人", **times)
    assert (await secretariat.quorum(meeting)).present == 2
