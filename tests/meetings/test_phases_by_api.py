"""The phases of a meeting through the API: whatever is tried in whatever order, what happens is what the model says.

Each example is a meeting of its own, of one assembly, so that its delegates are in force all the while.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chassis.wire import timestamp
from quanyutong.meetings.v1 import attendance_pb2, meeting_pb2
from tests.harness import refused
from tests.meetings.secretariat import Secretariat, in_hours, morning

SEATS, NEEDED = 3, 2
PREPARATION, CONVENED, SUMMARY, CLOSED, POSTPONED, CANCELLED = (
    meeting_pb2.PHASE_PREPARATION,
    meeting_pb2.PHASE_CONVENED,
    meeting_pb2.PHASE_SUMMARY,
    meeting_pb2.PHASE_CLOSED,
    meeting_pb2.PHASE_POSTPONED,
    meeting_pb2.PHASE_CANCELLED,
)
REFUSED, ABSENT, TOO_FEW = "PHASE_REFUSED", "NOT_PRESENT", "QUORUM_MISSING"
MINUTES = count(1)
Seats = st.integers(0, SEATS - 1)
Run = Callable[[Awaitable[Any]], Any]


class Phases(RuleBasedStateMachine):
    """A meeting, and what a clerk expects of it."""

    def __init__(self, secretariat: Secretariat, run: Run, body: str, mandates: list[str]) -> None:
        super().__init__()
        self.secretariat, self.run, self.body, self.mandates = secretariat, run, body, mandates
        self.phase = PREPARATION
        self.present: set[int] = set()
        self.frozen, self.day = False, 0

    @initialize(early=st.sets(Seats))
    def entered(self, early: set[int]) -> None:
        """Some are there from the beginning, so that few steps lead far."""
        start = morning() + timedelta(minutes=next(MINUTES))
        planned = self.secretariat.planned(self.body, start, end_time=timestamp(morning(1)))
        request = meeting_pb2.CreateMeetingRequest(meeting=planned, overlap_reason="同日多次试验")
        self.meeting = self.run(self.secretariat.meet("CreateMeeting", request)).name
        self.tried(self.invite(), "")
        for seat in early:
            self.checks_in(seat)

    def tried(self, call: Awaitable[Any], expected: str) -> bool:
        """Whether it was done; by the model it is exactly where no reason is expected."""
        if expected:
            assert self.run(refused(call)) == f"ERROR_REASON_{expected}"
        else:
            self.run(call)
        return not expected

    def move(self, verb: str, leads: Mapping[Any, Any], also: str = "", **fields: Any) -> None:
        """A verb, from these phases to those; `also` is why it is refused even there."""
        expected = REFUSED if self.phase not in leads else also
        if self.tried(self.secretariat.do(verb, self.meeting, **fields), expected):
            self.phase = leads[self.phase]

    def invite(self) -> Awaitable[Any]:
        return self.secretariat.meet("InviteDelegates", attendance_pb2.InviteDelegatesRequest(name=self.meeting))

    def attend(self, rpc: str, seat: int) -> Awaitable[Any]:
        request = getattr(attendance_pb2, f"{rpc}Request")(name=self.meeting, attendee=self.mandates[seat])
        return self.secretariat.meet(rpc, request)

    @rule()
    def invites(self) -> None:
        self.tried(self.invite(), "" if self.phase == PREPARATION else REFUSED)

    @rule(seat=Seats)
    def checks_in(self, seat: int) -> None:
        open_ = self.phase in (PREPARATION, CONVENED)
        if self.tried(self.attend("CheckIn", seat), "" if open_ else REFUSED):
            self.present.add(seat)

    @rule(seat=Seats)
    def leaves(self, seat: int) -> None:
        open_ = self.phase in (PREPARATION, CONVENED)
        here = "" if seat in self.present else ABSENT
        if self.tried(self.attend("LeaveMeeting", seat), here if open_ else REFUSED):
            self.present.remove(seat)

    @rule()
    def convenes(self) -> None:
        self.move("Convene", {PREPARATION: CONVENED}, "" if len(self.present) >= NEEDED else TOO_FEW)
        self.frozen |= self.phase == CONVENED

    # Enough of them come now and then, so that what follows is reached too.
    @precondition(lambda self: self.phase == PREPARATION)
    @rule()
    def all_come_and_it_is_convened(self) -> None:
        for seat in range(SEATS):
            self.checks_in(seat)
        self.convenes()

    @rule()
    def adjourns(self) -> None:
        self.move("Adjourn", {CONVENED: SUMMARY})

    @rule()
    def closes(self) -> None:
        self.move("Close", {SUMMARY: CLOSED})

    @rule()
    def postpones(self) -> None:
        self.move("Postpone", {PREPARATION: POSTPONED}, reason="防汛")
        if self.phase == POSTPONED:
            self.present.clear()

    @rule()
    def cancels(self) -> None:
        self.move("Cancel", dict.fromkeys((PREPARATION, POSTPONED), CANCELLED), reason="防汛")

    @rule(day=st.sampled_from([0, -1]))
    def reschedules(self, day: int) -> None:
        times: dict[str, Any] = {"start_time": timestamp(morning(day)), "end_time": timestamp(morning(day + 1))}
        leads = dict.fromkeys((PREPARATION, POSTPONED), PREPARATION)
        if self.phase in leads and day != self.day:
            self.present.clear()
            self.day = day
        self.move("Reschedule", leads, reason="改期", overlap_reason="同日多次试验", **times)

    @invariant()
    def it_is_as_expected(self) -> None:
        if not hasattr(self, "meeting"):
            return
        assert self.run(self.secretariat.found(self.meeting)).phase == self.phase
        quorum = self.run(self.secretariat.quorum(self.meeting))
        assert (quorum.expected, quorum.needed, quorum.present) == (SEATS, NEEDED, len(self.present))
        assert (quorum.met, quorum.frozen) == (len(self.present) >= NEEDED, self.frozen)
        assert quorum.HasField("lost_time") == (self.frozen and not quorum.met)


async def test_phases(secretariat: Secretariat) -> None:
    body = await secretariat.assembly_of(SEATS)
    meeting = (await secretariat.meeting(body, in_hours(24), display_name="名册")).name
    mandates = [attendee.mandate for attendee in await secretariat.called(meeting, SEATS)]
    loop = asyncio.get_running_loop()

    def run(call: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(_awaited(call), loop).result(60)

    # The machine is synchronous, so it runs in a thread, and its calls in the loop that has the channels.
    bounds = settings(
        max_examples=20, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    machine: Any = partial(Phases, secretariat, run, body, mandates)
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=bounds)


async def _awaited(call: Awaitable[Any]) -> Any:
    return await call
