"""A proposal in time: its steps, the warning before its last day, and the standing committee after it."""

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.rules import Duration
from chassis.working_days import add_working_days, next_working_day
from quanyutong.feedback.v1 import events_pb2, opinions_pb2
from quanyutong.feedback.v1 import proposals_pb2 as pb
from tests.contract.heard import heard
from tests.contract.office import on
from tests.feedback.hearing import ROADS, Hearing

TODAY = clock.today()
LAST, AGAIN = (next_working_day(Duration(length=count, unit="months").end(TODAY)) for count in (3, 1))
FIVE_LATER = add_working_days(LAST, 5)
DISSATISFIED = opinions_pb2.JUDGEMENT_DISSATISFIED


async def assigned(hearing: Hearing, **fields: Any) -> str:
    return await hearing.assigned_proposal(await hearing.active(await hearing.term()), **fields)


async def verbs(hearing: Hearing, name: str) -> list[str]:
    return [step.verb for step in await hearing.proposal_steps(name)]


async def listed(hearing: Hearing, **filters: Any) -> list[str]:
    found = await hearing.hear("ListDelegateProposals", pb.ListDelegateProposalsRequest(**filters))
    return [each.name for each in found.proposals]


async def test_every_step_is_told_with_who_and_why(hearing: Hearing) -> None:
    name = await assigned(hearing)
    await hearing.step("Extend", name, reason="涉及规划调整", consent="代表工委同意")
    steps = await hearing.proposal_steps(name)
    assert [step.verb for step in steps] == ["submit", "register", "file", "assign", "extend"]
    assert (steps[-1].state, steps[-1].note) == (pb.PROPOSAL_STATE_ASSIGNED, "涉及规划调整（代表工委同意）")
    assert {step.subject for step in steps} == {"tester"}


@pytest.mark.parametrize(("disclosure", "noted"), [(pb.DISCLOSURE_TEXT, False), (pb.DISCLOSURE_TEXT_AND_ANSWER, True)])
async def test_others_read_the_notes_where_the_answer_is_disclosed(
    hearing: Hearing, disclosure: Any, noted: bool
) -> None:
    name = await assigned(hearing, disclosure=disclosure)
    steps = await hearing.proposal_steps(name, "delegate")
    assert [step.verb for step in steps] == ["submit", "register", "file", "assign"]
    assert any(ROADS in step.note for step in steps) == noted


async def test_warned_before_the_last_day_and_before_the_committee_after_it(hearing: Hearing) -> None:
    name = await assigned(hearing)
    await hearing.step("Supervise", name, supervisor="区人大常委会副主任")
    early = LAST - timedelta(30)
    for day, taken in ((early, ["supervise"]), (LAST, ["supervise", "warn"]), (FIVE_LATER, ["supervise", "warn"])):
        for _ in range(2):
            await hearing.look(day)
        assert (await verbs(hearing, name))[4:] == taken
    assert await listed(hearing, escalated=True) == []
    for _ in range(2):
        await hearing.look(add_working_days(LAST, 6))
    assert (await verbs(hearing, name))[4:] == ["supervise", "warn", "escalate"]
    assert await listed(hearing, escalated=True) == [name]
    found = await hearing.hear("GetProposal", pb.GetProposalRequest(name=name))
    assert found.HasField("escalate_time")
    told: dict[str, Any] = {"proposal": name, "due_date": on(LAST), "key": True}
    assert await heard(hearing, events_pb2.ProposalDueSoon, 1) == [events_pb2.ProposalDueSoon(**told)]
    assert await heard(hearing, events_pb2.ProposalEscalated, 1) == [events_pb2.ProposalEscalated(**told)]


async def test_another_last_day_can_be_overdue_again(hearing: Hearing) -> None:
    mandate = await hearing.active(await hearing.term())
    name = await hearing.assigned_proposal(mandate)
    await hearing.look(add_working_days(LAST, 6))
    await hearing.step("Answer", name, content="将列入计划", outcome=pb.OUTCOME_CLASS_C)
    await hearing.look(add_working_days(LAST, 60))  # what is answered waits for its signatories, and no day is over
    assert await listed(hearing, escalated=True) == [name]
    again = await hearing.step("Judge", name, mandate=mandate, judgement=DISSATISFIED)
    assert not again.HasField("escalate_time")
    await hearing.look(add_working_days(AGAIN, 6))
    assert (await verbs(hearing, name))[4:] == ["warn", "escalate", "answer", "reject", "warn", "escalate"]
    told = await heard(hearing, events_pb2.ProposalEscalated, 2)
    assert [(each.due_date, each.key) for each in told] == [(on(LAST), False), (on(AGAIN), False)]


async def test_what_is_assigned_anew_begins_anew(hearing: Hearing) -> None:
    name = await assigned(hearing)
    await hearing.look(LAST)
    await hearing.step("Return", name, reason="属市级事权")
    await hearing.look(add_working_days(LAST, 20))  # nobody has it, so nobody is late
    assert (await verbs(hearing, name))[4:] == ["warn", "return"]
    await hearing.step("Assign", name, undertakers=[opinions_pb2.Undertaker(display_name=ROADS, lead=True)])
    await hearing.look(LAST)
    assert (await verbs(hearing, name))[4:] == ["warn", "return", "assign", "warn"]
