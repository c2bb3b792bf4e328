"""Watching a meeting: whole at first, then each change, and nothing lost by a cut."""

from typing import Any

import grpc
import pytest

from quanyutong.meetings.v1 import attendance_pb2, meeting_pb2, watch_pb2
from tests.contract.office import NOBODY
from tests.harness import reason
from tests.meetings.secretariat import Secretariat


def watch(secretariat: Secretariat, meeting: str, after: str = "") -> Any:
    request = watch_pb2.WatchMeetingRequest(name=meeting, after=after)
    return secretariat.tenant.meetings.WatchMeeting(request, metadata=secretariat.tenant.metadata(), timeout=60)


async def test_a_screen_sees_each_change_and_the_end(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(3, 2)
    call = watch(secretariat, meeting)
    first = await call.read()
    assert (first.phase, first.quorum.present, first.quorum.met) == (meeting_pb2.PHASE_PREPARATION, 2, True)
    await secretariat.do("Convene", meeting)
    assert (await call.read()).phase == meeting_pb2.PHASE_CONVENED
    leave = attendance_pb2.LeaveMeetingRequest(name=meeting, attendee=mandates[0])
    left = await secretariat.meet("LeaveMeeting", leave)
    lost = await call.read()
    assert (lost.quorum.missing, lost.quorum.lost_time) == (1, left.leave_time)
    await secretariat.do("Adjourn", meeting)
    await call.read()
    await secretariat.do("Close", meeting)
    assert (await call.read()).phase == meeting_pb2.PHASE_CLOSED
    assert await call.read() is grpc.aio.EOF


async def test_after_a_cut_what_was_missed_comes_at_once(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(3, 1)
    call = watch(secretariat, meeting)
    seen = (await call.read()).revision
    call.cancel()
    await secretariat.enter(meeting, mandates[1])
    again = watch(secretariat, meeting, seen)
    state = await again.read()
    assert (state.quorum.present, state.revision != seen) == (2, True)
    again.cancel()
    # Nothing was missed this time: the first that comes is the next change.
    third = watch(secretariat, meeting, state.revision)
    await secretariat.enter(meeting, mandates[2])
    assert (await third.read()).quorum.present == 3
    third.cancel()


async def test_a_meeting_that_is_not_there(secretariat: Secretariat) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await watch(secretariat, f"meetings/{NOBODY}").read()
    assert reason(refusal.value) == "ERROR_REASON_MEETING_NOT_FOUND"
