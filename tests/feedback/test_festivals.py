"""Deadlines across Spring Festival and National Day, with the working days that make up for them."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from chassis.rules import Rulebook
from quanyutong.feedback.v1 import handling_pb2 as handling
from quanyutong.feedback.v1 import opinions_pb2 as pb
from quanyutong.feedback.v1 import proposals_pb2 as proposals
from services.feedback.deadlines import counted, resumed, working_days_left
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import on
from tests.feedback.desk import Desk, open_desk
from tests.harness import refused

TIME_IS_OVER = "ERROR_REASON_TIME_IS_OVER"
# 2025: holidays from 28 January to 4 February, made up on Sunday 26 January and Saturday 8 February; from 1 to 8
# October, made up on Sunday 28 September and Saturday 11 October. 2026: from 15 to 23 February, made up on Saturday 14
# and Saturday 28 February.
ENDS = [
    ("opinion_answer", "2025-01-24", "2025-02-10"),
    ("opinion_answer", "2025-09-25", "2025-10-11"),
    ("opinion_answer", "2025-09-30", "2025-10-16"),
    ("opinion_answer", "2026-02-13", "2026-03-02"),
    ("opinion_answer", "2026-02-14", "2026-03-03"),  # a Saturday on which everybody works
    ("opinion_answer", "2026-02-17", "2026-03-03"),  # New Year's Day of the lunar calendar
    ("opinion_returned", "2026-02-14", "2026-02-25"),
    ("opinion_judged", "2026-02-13", "2026-03-05"),
    ("opinion_escalated", "2025-09-30", "2025-10-11"),
    ("proposal_returned", "2026-02-13", "2026-03-02"),
    ("proposal_answer", "2025-11-14", "2026-02-14"),
    ("proposal_answer", "2025-11-15", "2026-02-24"),  # it would end on a holiday
    ("proposal_answer", "2025-11-30", "2026-02-28"),
    ("proposal_answer", "2023-11-29", "2024-02-29"),
    ("proposal_answer", "2023-11-30", "2024-02-29"),
    ("proposal_answer", "2025-10-31", "2026-02-02"),  # it would end on a Saturday
    ("proposal_answer_extended", "2025-08-31", "2026-02-28"),
    ("proposal_answer_extended", "2025-04-01", "2025-10-09"),
    ("proposal_answer_again", "2026-01-31", "2026-02-28"),
    ("proposal_answer_again", "2026-01-17", "2026-02-24"),
    ("proposal_co_answer", "2025-09-01", "2025-10-09"),
]
PAUSES = [  # acknowledged, paused, resumed, the last day then
    ("2026-02-13", "2026-02-13", "2026-02-24", "2026-03-04"),
    ("2026-02-13", "2026-02-14", "2026-02-20", "2026-03-02"),  # nothing is lost by a pause in holidays
    ("2026-02-13", "2026-02-14", "2026-02-28", "2026-03-09"),
    ("2025-09-25", "2025-09-28", "2025-10-05", "2025-10-14"),
    ("2026-02-13", "2026-03-02", "2026-03-10", "2026-03-10"),  # none was left, and none is given
]


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.fixture
async def desk(platforms: Platforms, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    async with fresh_tenant(platforms, "all-direct") as tenant, open_desk(tenant, monkeypatch) as desk:
        yield desk


@pytest.mark.parametrize(("rule", "start", "end"), ENDS)
def test_the_last_day(rule: str, start: str, end: str) -> None:
    assert counted(Rulebook.on(day(start)), rule, day(start)).day == day(end)


@pytest.mark.parametrize(("begun", "paused", "gone_on", "end"), PAUSES)
def test_a_pause_keeps_what_is_left(begun: str, paused: str, gone_on: str, end: str) -> None:
    due = counted(Rulebook.on(day(begun)), "opinion_answer", day(begun)).day
    assert resumed(day(gone_on), working_days_left(day(paused), due)) == day(end)


async def test_opinions_by_the_api(desk: Desk) -> None:
    """The same days through the service, for what has each of the rules."""
    for rule, start, end in ENDS:
        desk.day = day(start)
        if rule == "opinion_answer":
            name = await desk.acknowledged()
        elif rule == "opinion_judged":
            name = await desk.answered()
        else:
            continue
        assert (await desk.shown(name)).due_date == on(end), (rule, start)
    for begun, paused, gone_on, end in PAUSES:
        desk.day = day(begun)
        name = await desk.routed()
        desk.day = day(paused)
        await desk.handle("Pause", name, reason="等待专家论证", consent="提出人同意")
        desk.day = day(gone_on)
        assert (await desk.handle("Resume", name)).due_date == on(end), (begun, paused)


async def test_returned_on_the_last_day_and_not_after_it(desk: Desk) -> None:
    for last, fits in (("2026-02-25", True), ("2026-02-26", False)):
        desk.day = day("2026-02-14")
        name = await desk.routed()
        await desk.step_was_today(name)
        desk.day = day(last)
        returning = desk.handle("Return", name, reason="属区城管局职责")
        if fits:
            assert (await returning).state == pb.OPINION_STATE_RETURNED
        else:
            assert await refused(returning) == TIME_IS_OVER


async def steps_on(desk: Desk, name: str, *days: str) -> dict[str, str]:
    """What the round brings about, by the day on which it does."""
    found, known = {}, len(await verbs(desk, name))
    for each in days:
        desk.day = day(each)
        await desk.look()
        for verb in (await verbs(desk, name))[known:]:
            found[verb] = each
            known += 1
    return found


async def verbs(desk: Desk, name: str) -> list[str]:
    if name.startswith("opinions/"):
        return await desk.steps(name)
    return [step.verb for step in await desk.proposal_steps(name)]


async def test_warned_overdue_and_escalated_around_spring_festival(desk: Desk) -> None:
    desk.day = day("2026-02-13")
    name = await desk.routed()
    assert await steps_on(desk, name, "2026-02-26", "2026-02-27", "2026-03-02") == {"warn": "2026-02-27"}
    assert await desk.listed(overdue=True) == []
    desk.day = day("2026-03-03")
    assert await desk.listed(overdue=True) == [name]
    assert await steps_on(desk, name, "2026-03-04", "2026-03-05", "2026-03-06") == {"escalate": "2026-03-06"}
    assert await desk.listed(escalated=True) == [name]


async def test_national_day_is_no_delay(desk: Desk) -> None:
    desk.day = day("2025-09-22")
    name = await desk.routed()
    assert (await desk.shown(name)).due_date == on("2025-09-30")
    days = ("2025-09-26", "2025-09-28", "2025-10-01", "2025-10-08", "2025-10-10", "2025-10-11", "2025-10-12")
    assert await steps_on(desk, name, *days) == {"warn": "2025-09-28", "escalate": "2025-10-12"}


async def test_a_review_may_be_on_any_day_that_comes(desk: Desk) -> None:
    desk.day = day("2026-02-13")
    for review, warned, late in (
        ("2026-02-17", "2026-02-13", "2026-02-18"),  # a holiday: the warning comes before it
        ("2026-02-28", "2026-02-26", "2026-03-01"),
    ):
        desk.day = day("2026-02-13")
        name = await desk.routed()
        put_off = await desk.handle("Defer", name, reason="列入明年计划", review_date=on(review))
        assert put_off.due_date == on(review)
        assert await steps_on(desk, name, "2026-02-13", "2026-02-25", "2026-02-26") == {"warn": warned}
        desk.day = day(review)
        assert name not in await desk.listed(overdue=True)
        desk.day = day(late)
        assert name in await desk.listed(overdue=True)
    desk.day = day("2026-03-02")
    begun = await desk.handle("Start", name)
    assert begun.due_date == on("2026-03-11")


async def test_an_answer_is_closed_when_its_working_days_are_over(desk: Desk) -> None:
    desk.day = day("2026-02-13")
    name = await desk.answered()
    closing = handling.CloseOpinionRequest(name=name)
    desk.day = day("2026-03-05")
    assert await refused(desk.hear("CloseOpinion", closing)) == "ERROR_REASON_JUDGEMENT_AWAITED"
    assert await steps_on(desk, name, "2026-03-05", "2026-03-06") == {"close": "2026-03-06"}


async def test_proposals_by_the_api(desk: Desk) -> None:
    mandate = await desk.active(await desk.term())
    for rule, start, end in ENDS:
        if not rule.startswith("proposal_"):
            continue
        desk.day = day(start)
        assert await last_day(desk, mandate, rule) == on(end), (rule, start)


async def last_day(desk: Desk, mandate: str, rule: str) -> Any:
    name = await desk.assigned_proposal(mandate)
    if rule == "proposal_returned":
        return on((await last_return(desk, name)).isoformat())
    if rule == "proposal_answer_extended":
        return (await desk.step("Extend", name, reason="涉及规划调整", consent="代表工委同意")).due_date
    if rule == "proposal_answer_again":
        await desk.step("Answer", name, content="将列入计划", outcome=proposals.OUTCOME_CLASS_C)
        judged = await desk.step("Judge", name, mandate=mandate, judgement=pb.JUDGEMENT_DISSATISFIED)
        return judged.due_date
    found = await desk.hear("GetProposal", proposals.GetProposalRequest(name=name))
    return found.undertakers[1].co_due_date if rule == "proposal_co_answer" else found.due_date


async def last_return(desk: Desk, name: str) -> date:
    """The day before the first one on which it can no longer be returned."""
    desk.day = day("2026-03-03")
    assert await refused(desk.step("Return", name, reason="属市级事权")) == TIME_IS_OVER
    desk.day = day("2026-03-02")
    assert (await desk.step("Return", name, reason="属市级事权")).state == proposals.PROPOSAL_STATE_RETURNED
    return desk.day


async def test_a_proposal_whose_time_would_end_on_a_holiday(desk: Desk) -> None:
    mandate = await desk.active(await desk.term())
    desk.day = day("2025-11-15")
    name, late = [await desk.assigned_proposal(mandate) for _ in range(2)]
    days = ("2026-02-02", "2026-02-03", "2026-02-24")
    assert await steps_on(desk, name, *days) == {"warn": "2026-02-03"}
    answered = await desk.step("Answer", name, content="已列入计划", outcome=proposals.OUTCOME_CLASS_B)
    assert answered.answers[0].on_time
    assert await steps_on(desk, late, "2026-02-25", "2026-03-02", "2026-03-03") == {"escalate": "2026-03-03"}
    assert not (await desk.step("Answer", late, content="迟", outcome=proposals.OUTCOME_CLASS_B)).answers[0].on_time
