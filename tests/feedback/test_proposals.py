"""A proposal is answered to each who signed it, in its time, and shown as they allow."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from google.type.date_pb2 import Date
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chassis import clock, development
from chassis.rules import Duration
from chassis.working_days import add_working_days, next_working_day
from quanyutong.feedback.v1 import opinions_pb2
from quanyutong.feedback.v1 import proposals_pb2 as pb
from quanyutong.registry.v1 import activities_pb2
from services.feedback import proposal_path as path
from services.feedback.domain import Refused
from tests.contract.office import in_days, on
from tests.feedback.hearing import POLICE, ROADS, Hearing
from tests.harness import refused, until

TODAY = clock.today()
SATISFIED, DISSATISFIED = opinions_pb2.JUDGEMENT_SATISFIED, opinions_pb2.JUDGEMENT_DISSATISFIED
CLASS_A = pb.OUTCOME_CLASS_A


def months(count: int, start: date = TODAY) -> Date:
    return on(next_working_day(Duration(length=count, unit="months").end(start)))


async def signatories(hearing: Hearing, count: int = 2) -> list[str]:
    term = await hearing.term()
    return [await hearing.active(term) for _ in range(count)]


async def test_from_two_signatories_to_an_answer_that_satisfies_both(hearing: Hearing) -> None:
    first, second = await signatories(hearing)
    proposal = await hearing.proposal(first, second)
    assert (proposal.state, proposal.number) == (pb.PROPOSAL_STATE_SUBMITTED, 0)
    assert [(await hearing.step("Register", proposal.name)).number] == [1]
    await hearing.step("Examine", proposal.name)
    undertakers = [opinions_pb2.Undertaker(display_name=ROADS, lead=True), opinions_pb2.Undertaker(display_name=POLICE)]
    assigned = await hearing.step("Assign", proposal.name, undertakers=undertakers)
    assert (assigned.due_date, assigned.undertakers[1].co_due_date) == (months(3), months(1))
    helped = await hearing.step("CoAnswer", proposal.name, undertaker=POLICE, content="可设港湾式站台")
    assert helped.undertakers[1].co_answer == "可设港湾式站台"
    answered = await hearing.step("Answer", proposal.name, content="已增开", outcome=CLASS_A)
    assert (answered.answers[0].undertaker, answered.answers[0].on_time) == (ROADS, True)
    once = await hearing.step("Judge", proposal.name, mandate=first, judgement=SATISFIED)
    assert once.state == pb.PROPOSAL_STATE_ANSWERED
    closed = await hearing.step("Judge", proposal.name, mandate=second, judgement=SATISFIED)
    assert (closed.state, len(closed.answers[0].judgements)) == (pb.PROPOSAL_STATE_CLOSED, 2)

    async def recorded() -> bool:
        acts = await hearing.call("ListActivities", activities_pb2.ListActivitiesRequest(mandate=second))
        return [(each.kind, each.source, each.delegates) for each in acts.activities] == [
            (activities_pb2.ACTIVITY_KIND_PROPOSAL_RAISED, proposal.name, 2)
        ]

    await until(recorded)


async def test_one_handed_in_before_is_of_its_day_and_has_a_number_of_that_year(hearing: Hearing) -> None:
    mandate, day, unit = await hearing.delegate(), in_days(-200), await hearing.unit(2)
    proposal = await hearing.proposal(mandate, submit_date=on(day), unit=unit)
    assert proposal.submit_date == on(day)
    assert (await hearing.proposal(mandate)).submit_date == on(TODAY)
    assert (await hearing.step("Register", proposal.name)).number == 1
    for year, found in ((day.year, 1), (day.year - 1, 0)):
        listed = await hearing.hear("ListDelegateProposals", pb.ListDelegateProposalsRequest(year=year, unit=unit))
        assert len(listed.proposals) == found

    async def recorded() -> bool:
        acts = await hearing.call("ListActivities", activities_pb2.ListActivitiesRequest(mandate=mandate))
        return {(each.day.year, each.day.month, each.day.day) for each in acts.activities} == {
            (each.year, each.month, each.day) for each in (day, TODAY)
        }

    await until(recorded)
    ahead = pb.CreateProposalRequest(proposal=hearing.written(mandate, submit_date=on(in_days(1))))
    assert await refused(hearing.hear("CreateProposal", ahead)) == "ERROR_REASON_DAY_REFUSED"


async def test_a_dissatisfied_signatory_is_answered_again_within_a_month(hearing: Hearing) -> None:
    first, second = await signatories(hearing)
    name = await hearing.answered_proposal(first, second)
    again = await hearing.step("Judge", name, mandate=second, judgement=DISSATISFIED, reason="没有时间表")
    assert (again.state, again.reopenings, again.due_date) == (pb.PROPOSAL_STATE_REOPENED, 1, months(1))
    await hearing.step("Answer", name, content="九月开通", outcome=CLASS_A)
    for mandate in (first, second):
        last = await hearing.step("Judge", name, mandate=mandate, judgement=SATISFIED)
    assert (last.state, len(last.answers)) == (pb.PROPOSAL_STATE_CLOSED, 2)


async def test_the_time_is_extended_once_to_six_months(hearing: Hearing) -> None:
    name = await hearing.assigned_proposal(*await signatories(hearing, 1))
    extended = await hearing.step("Extend", name, reason="涉及规划调整", consent="代表工委同意")
    assert (extended.extended, extended.due_date) == (True, months(6))
    again = hearing.step("Extend", name, reason="再延", consent="同意")
    assert await refused(again) == "ERROR_REASON_PROPOSAL_EXTENDED"


async def test_returned_within_seven_working_days_only(hearing: Hearing) -> None:
    (mandate,) = await signatories(hearing, 1)
    name = await hearing.assigned_proposal(mandate)
    assert (await hearing.step("Return", name, reason="属市级事权")).state == pb.PROPOSAL_STATE_RETURNED
    late = await hearing.assigned_proposal(mandate)
    await hearing.elapse(late, (add_working_days(TODAY, 7) - TODAY).days + 15)
    assert await refused(hearing.step("Return", late, reason="迟")) == "ERROR_REASON_TIME_IS_OVER"


@pytest.mark.parametrize(
    ("disclosure", "seen"),
    [
        (pb.DISCLOSURE_TITLE, (False, 0)),
        (pb.DISCLOSURE_TEXT, (True, 0)),
        (pb.DISCLOSURE_TEXT_AND_ANSWER, (True, 1)),
    ],
)
async def test_others_see_what_the_signatories_allow(hearing: Hearing, disclosure: Any, seen: tuple[bool, int]) -> None:
    term = await hearing.term()
    person = await hearing.eligible(term)
    name = await hearing.answered_proposal(await hearing.active(term, person), disclosure=disclosure)
    token = development.token(hearing.tenant.platform.settings, person, ["delegate"], hearing.district)
    get, request = hearing.tenant.feedback.GetProposal, pb.GetProposalRequest(name=name)
    own = await get(request, metadata=[("authorization", f"Bearer {token}")])
    assert (bool(own.content), len(own.answers), bool(own.undertakers[1].co_answer)) == (True, 1, True)
    other = await hearing.hear("GetProposal", request, "delegate")
    assert other.title
    assert (bool(other.content), len(other.answers)) == seen
    assert bool(other.undertakers[1].co_answer) == bool(other.answers)


async def test_an_undertaker_is_evaluated_by_numbers_with_their_parts(hearing: Hearing) -> None:
    (mandate,) = await signatories(hearing, 1)
    solved, again, late = [await hearing.assigned_proposal(mandate) for _ in range(3)]
    await hearing.elapse(late, 100)
    for name, grades in ((solved, [SATISFIED]), (again, [DISSATISFIED, DISSATISFIED])):
        for grade in grades:
            await hearing.step(
                "Answer", name, content="答复", outcome=CLASS_A if name == solved else pb.OUTCOME_CLASS_C
            )
            await hearing.step("Judge", name, mandate=mandate, judgement=grade)
    key = await hearing.step("Supervise", late, supervisor="区人大常委会副主任")
    period = {"from_date": on(date(2020, 1, 1)), "to_date": on(date(2100, 1, 1))}
    found = await hearing.hear("EvaluateUndertaker", pb.EvaluateUndertakerRequest(undertaker=ROADS, **period))
    parts = [(share.part, share.whole) for share in (found.on_time, found.satisfaction, found.class_a)]
    assert (found.assigned, parts) == (3, [(2, 3), (1, 3), (1, 2)])
    assert (found.dissatisfied_again.part, found.dissatisfied_again.whole) == (1, 1)
    asking = pb.ListDelegateProposalsRequest
    for asked in (asking(overdue=True), asking(key=True), asking(due_by=on(TODAY), undertaker=ROADS)):
        listed = await hearing.hear("ListDelegateProposals", asked)
        assert [each.name for each in listed.proposals] == [key.name]
    nobody = await hearing.hear("EvaluateUndertaker", pb.EvaluateUndertakerRequest(undertaker="无", **period))
    assert (nobody.assigned, nobody.on_time.whole) == (0, 0)


class Life(RuleBasedStateMachine):
    """A proposal of three, whatever is tried with it."""

    SIGNED = tuple(UUID(int=number) for number in range(3))

    def __init__(self) -> None:
        super().__init__()
        self.state, self.judged = "submitted", dict[UUID, str]()
        self.taken: list[str] = []

    @rule(verb=st.sampled_from(sorted(set(path.PATH) - {"judge", "accept", "reject"})))
    def tried(self, verb: str) -> None:
        before = self.state
        try:
            self.state = path.next_state(verb, before)
        except Refused:
            assert before not in path.PATH[verb][0]
            return
        self.taken.append(verb)
        if verb == "answer":
            self.judged = {}

    @rule(who=st.integers(0, 3), grade=st.sampled_from(["satisfied", "basically_satisfied", "dissatisfied"]))
    def judges(self, who: int, grade: str) -> None:
        mandate = UUID(int=who)
        try:
            path.next_state("judge", self.state)
            path.check_signatory(mandate, self.SIGNED, self.judged)
        except Refused:
            assert self.state != "answered" or who == 3 or mandate in self.judged
            return
        self.judged[mandate] = grade
        verb = path.step_of(self.judged, self.SIGNED)
        self.state = path.next_state(verb, self.state)
        self.taken.append(verb)

    @invariant()
    def what_is_closed_satisfied_everybody(self) -> None:
        if self.state == "closed":
            assert set(self.judged) == set(self.SIGNED)
            assert "dissatisfied" not in self.judged.values()

    @invariant()
    def whoever_is_dissatisfied_is_answered_again(self) -> None:
        if "dissatisfied" in self.judged.values():
            assert self.state == "reopened"

    @invariant()
    def what_is_answered_was_examined(self) -> None:
        if "answer" in self.taken:
            assert self.taken.index("register") < self.taken.index("file") < self.taken.index("assign")


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
