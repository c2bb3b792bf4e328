"""The states of opinions and proposals through the API: whatever is tried in whatever order, on whatever day, there is
one state, the timeline explains it, there is a last day exactly where something is awaited, and nothing follows an end.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import date, timedelta
from functools import partial
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from chassis.rules import Duration
from chassis.working_days import add_working_days, is_working_day, next_working_day
from quanyutong.feedback.v1 import handling_pb2 as handling
from quanyutong.feedback.v1 import intakes_pb2 as intakes
from quanyutong.feedback.v1 import opinions_pb2 as pb
from quanyutong.feedback.v1 import proposals_pb2 as proposals
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import on
from tests.feedback.desk import Desk, open_desk
from tests.feedback.handled import Handled, Leads, Run
from tests.feedback.hearing import POLICE, UNDERTAKERS

RECEIVED, ACKNOWLEDGED, ROUTED, RETURNED, IN_PROGRESS, DEFERRED, ANSWERED, REOPENED, CLOSED, DISMISSED = range(1, 11)
WITH_UNDERTAKERS = (ROUTED, IN_PROGRESS, DEFERRED, REOPENED)
STAYING = {state: state for state in (ROUTED, IN_PROGRESS, REOPENED)}
SATISFIED, DISSATISFIED = pb.JUDGEMENT_SATISFIED, pb.JUDGEMENT_DISSATISFIED


class Opinion(Handled):
    """An opinion, which may be paused."""

    leads: ClassVar[Leads] = {
        "Acknowledge": {RECEIVED: ACKNOWLEDGED},
        "Dismiss": dict.fromkeys((RECEIVED, ACKNOWLEDGED), DISMISSED),
        "Route": dict.fromkeys((ACKNOWLEDGED, RETURNED, REOPENED), ROUTED),
        "Return": {ROUTED: RETURNED},
        "Start": dict.fromkeys((ROUTED, DEFERRED, REOPENED), IN_PROGRESS),
        "Defer": dict.fromkeys((ROUTED, IN_PROGRESS, REOPENED), DEFERRED),
        "Answer": dict.fromkeys(WITH_UNDERTAKERS, ANSWERED),
        "Accept": {ANSWERED: CLOSED},
        "Reject": {ANSWERED: REOPENED},
        "Close": {ANSWERED: CLOSED},
        "Pause": STAYING,
        "Resume": STAYING | {DEFERRED: DEFERRED},
    }
    awaited = frozenset({ACKNOWLEDGED, RETURNED, *WITH_UNDERTAKERS})
    ending = frozenset({"Dismiss", "Accept", "Close"})
    warned_before, escalated_after = 2, 3
    state_refused = "OPINION_STATE_REFUSED"

    @initialize(far=st.integers(0, 6))
    def comes_in(self, far: int) -> None:
        """And has gone so far on its usual way."""
        entered = self.run(self.desk.opinion())
        self.name, self.code, self.state = entered.name, entered.receipt, RECEIVED
        self.timeline, self.reopenings = ["receive"], 0
        self.left: int | None = None
        self.routed = self.desk.day
        for verb in ("Acknowledge", "Route", "Start", "Answer", "Reject", "Route")[:far]:
            self.attempt(verb)

    def attempt(self, verb: str) -> None:
        before, fields = self.state, self.fields(verb)
        rpc = "Judge" if verb in ("Accept", "Reject") else verb
        if self.move(verb, self.desk.handle(rpc, self.name, **fields), verb.lower(), self.why_not(verb)):
            self.follows(verb, before)

    def fields(self, verb: str) -> dict[str, Any]:
        if verb == "Defer":
            return {"reason": "列入计划", "review_date": on(self.desk.day + timedelta(30))}
        given: dict[str, dict[str, Any]] = {
            "Dismiss": {"reason": "广告"},
            "Route": {"undertakers": UNDERTAKERS},
            "Return": {"reason": "不属职责范围"},
            "Answer": {"content": "已办"},
            "Accept": {"judgement": SATISFIED},
            "Reject": {"judgement": DISSATISFIED, "reason": "没有办好"},
            "Pause": {"reason": "等待论证", "consent": "提出人同意"},
        }
        return given.get(verb, {})

    def why_not(self, verb: str) -> str:
        if (self.left is None) == (verb == "Resume"):
            return "OPINION_NOT_PAUSED" if verb == "Resume" else "OPINION_PAUSED"
        too_late = verb == "Return" and self.desk.day > add_working_days(self.routed, 2)
        if too_late or (verb == "Pause" and self.overdue):
            return "TIME_IS_OVER"
        return "JUDGEMENT_AWAITED" if verb == "Close" and not self.overdue else ""

    def follows(self, verb: str, before: Any) -> None:
        days = {"Acknowledge": 7, "Answer": 10, "Reject": 7} | ({"Start": 7} if before == DEFERRED else {})
        if verb in days:
            self.begins(add_working_days(self.desk.day, days[verb]))
        if verb == "Reject" or (verb, before) == ("Start", DEFERRED):
            self.escalated = False
        self.reopenings += verb == "Reject"
        if verb == "Route":
            self.routed = self.desk.day
            self.run(self.desk.step_was_today(self.name))
        if verb == "Defer":
            self.begins(self.desk.day + timedelta(30))
        if verb in ("Dismiss", "Accept", "Close"):
            self.begins(None)
        if verb == "Pause" and self.due:
            days_left = (self.desk.day + timedelta(n + 1) for n in range((self.due - self.desk.day).days))
            self.left = sum(map(is_working_day, days_left))
            self.begins(None)
        if verb == "Resume" and self.left is not None:
            self.begins(add_working_days(self.desk.day, self.left))
            self.left = None

    def look(self) -> None:
        super().look()
        if self.state == ANSWERED and self.overdue:
            self.state = CLOSED
            self.timeline.append("close")
            self.begins(None)

    @invariant()
    def it_is_as_expected(self) -> None:
        if not self.name:
            return
        found = self.run(self.desk.shown(self.name))
        assert (found.state, found.paused, found.reopenings) == (self.state, self.left is not None, self.reopenings)
        assert found.HasField("due_date") == (self.left is None and self.state in {*self.awaited, ANSWERED})
        assert found.due_date == shown(self.due)
        assert (found.overdue, found.HasField("escalate_time")) == (self.overdue, self.escalated)
        asked = intakes.GetStatusRequest(district=self.desk.district, code=self.code)
        status = self.run(self.desk.anonymously("GetStatus", asked))
        assert (status.state, status.paused, status.due_date) == (found.state, found.paused, found.due_date)

    @invariant()
    def its_timeline_explains_it(self) -> None:
        if not self.name:
            return
        steps = self.run(self.desk.hear("ListOpinionSteps", handling.ListOpinionStepsRequest(parent=self.name))).steps
        assert [step.verb for step in steps] == self.timeline
        assert steps[-1].state == self.state


def shown(day: date | None) -> Any:
    return on(day) if day else pb.Opinion().due_date


SUBMITTED, REGISTERED, FILED, DECLINED, ASSIGNED, BACK, REPLIED, AGAIN, DONE, WITHDRAWN = range(1, 11)
SIGNED = 3


class Proposal(Handled):
    """A proposal of three, and one more who did not sign it."""

    leads: ClassVar[Leads] = {
        "Withdraw": dict.fromkeys((SUBMITTED, REGISTERED), WITHDRAWN),
        "Register": {SUBMITTED: REGISTERED},
        "Examine": {REGISTERED: FILED},
        "Decline": {REGISTERED: DECLINED},
        "Assign": dict.fromkeys((FILED, BACK), ASSIGNED),
        "Return": {ASSIGNED: BACK},
        "Extend": {ASSIGNED: ASSIGNED},
        "Supervise": {state: state for state in (REGISTERED, FILED, ASSIGNED, BACK, REPLIED, AGAIN)},
        "CoAnswer": {state: state for state in (ASSIGNED, AGAIN)},
        "Answer": dict.fromkeys((ASSIGNED, AGAIN), REPLIED),
    }
    awaited = frozenset({ASSIGNED, AGAIN})
    ending = frozenset({"Withdraw", "Decline"})
    warned_before, escalated_after = 10, 5
    state_refused = "PROPOSAL_STATE_REFUSED"
    steps: ClassVar[dict[str, str]] = {"Examine": "file", "CoAnswer": "co_answer"}

    def __init__(self, desk: Desk, run: Run, mandates: list[str]) -> None:
        super().__init__(desk, run)
        self.mandates = mandates

    @initialize(far=st.integers(0, 4))
    def handed_in(self, far: int) -> None:
        """And has gone so far on its usual way."""
        self.name, self.state = self.run(self.desk.proposal(*self.mandates[:SIGNED])).name, SUBMITTED
        self.timeline, self.extended, self.on_time = ["submit"], False, list[bool]()
        self.judged: dict[int, Any] = {}
        self.grades: list[dict[int, Any]] = []
        self.assigned = self.desk.day
        for verb in ("Register", "Examine", "Assign", "Answer")[:far]:
            self.attempt(verb)

    def attempt(self, verb: str) -> None:
        rpc = "Examine" if verb == "Decline" else verb
        call = self.desk.step(rpc, self.name, **self.fields(verb))
        if self.move(verb, call, self.steps.get(verb, verb.lower()), self.why_not(verb)):
            self.follows(verb)

    def fields(self, verb: str) -> dict[str, Any]:
        given: dict[str, dict[str, Any]] = {
            "Withdraw": {"reason": "撤回"},
            "Decline": {"decline_reason": "不属建议范围"},
            "Assign": {"undertakers": UNDERTAKERS},
            "Return": {"reason": "不属职责范围"},
            "Extend": {"reason": "复杂", "consent": "同意"},
            "Supervise": {"supervisor": "区人大常委会副主任"},
            "CoAnswer": {"undertaker": POLICE, "content": "会办意见"},
            "Answer": {"content": "答复", "outcome": proposals.OUTCOME_CLASS_B},
        }
        return given.get(verb, {})

    def why_not(self, verb: str) -> str:
        if verb == "Return" and self.desk.day > add_working_days(self.assigned, 7):
            return "TIME_IS_OVER"
        return "PROPOSAL_EXTENDED" if verb == "Extend" and self.extended else ""

    def follows(self, verb: str) -> None:
        if verb == "Assign":
            self.assigned, self.extended = self.desk.day, False
            self.anew(months(self.desk.day, 3))
        if verb == "Extend":
            self.extended = True
            self.anew(months(self.assigned, 6))
        if verb == "Answer":
            self.on_time.append(not self.overdue)
            self.judged = {}
            self.grades.append(self.judged)
        if verb in ("Return", "Answer"):
            self.begins(None)

    def anew(self, last: date) -> None:
        self.begins(last)
        self.escalated = False

    @rule(who=st.integers(0, SIGNED), grade=st.sampled_from([SATISFIED, SATISFIED, DISSATISFIED]))
    def judges(self, who: int, grade: Any) -> None:
        expected = "JUDGED_ALREADY" if who in self.judged else "SIGNATORY_REFUSED" if who == SIGNED else ""
        expected = expected if self.state == REPLIED else self.state_refused
        fields: dict[str, Any] = {"mandate": self.mandates[who], "judgement": grade}
        if not self.tried(self.desk.step("Judge", self.name, **fields), expected):
            return
        self.judged[who] = grade
        if grade == DISSATISFIED:
            self.state = AGAIN
            self.anew(months(self.desk.day, 1))
        elif len(self.judged) == SIGNED:
            self.state = DONE
        self.timeline.append({AGAIN: "reject", DONE: "accept"}.get(self.state, "judge"))

    @invariant()
    def it_is_as_expected(self) -> None:
        if not self.name:
            return
        found = self.run(self.desk.hear("GetProposal", proposals.GetProposalRequest(name=self.name)))
        assert (found.state, found.extended, found.overdue) == (self.state, self.extended, self.overdue)
        assert (found.HasField("due_date"), found.due_date) == (self.state in self.awaited, shown(self.due))
        assert found.HasField("escalate_time") == self.escalated
        assert [answer.on_time for answer in found.answers] == self.on_time
        assert [
            {self.mandates.index(each.mandate): each.judgement for each in a.judgements} for a in found.answers
        ] == (self.grades)
        assert found.reopenings == sum(DISSATISFIED in grades.values() for grades in self.grades)
        assert self.state != DONE or set(self.judged.values()) == {SATISFIED}

    @invariant()
    def its_timeline_explains_it(self) -> None:
        if not self.name:
            return
        steps = self.run(self.desk.proposal_steps(self.name))
        assert [step.verb for step in steps] == self.timeline
        assert steps[-1].state == self.state


def months(start: date, count: int) -> date:
    return next_working_day(Duration(length=count, unit="months").end(start))


@pytest.fixture
async def desk(platforms: Platforms, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    async with fresh_tenant(platforms, "all-direct") as tenant, open_desk(tenant, monkeypatch) as desk:
        yield desk


async def lived(machine: Any) -> None:
    """The machine is synchronous, so it runs in a thread, and its calls in the loop that has the channels."""
    loop = asyncio.get_running_loop()

    def run(call: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(_awaited(call), loop).result(60)

    bounds = settings(
        max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    made: Any = partial(machine, run)
    await asyncio.to_thread(run_state_machine_as_test, made, settings=bounds)


async def _awaited(call: Awaitable[Any]) -> Any:
    return await call


async def test_an_opinion(desk: Desk) -> None:
    await lived(partial(Opinion, desk))


async def test_a_proposal(desk: Desk) -> None:
    term = await desk.term()
    mandates = [await desk.active(term) for _ in range(SIGNED + 1)]
    await desk.proposal(*mandates)  # all of them were heard of
    await lived(lambda run: Proposal(desk, run, mandates))
