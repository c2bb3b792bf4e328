"""An opinion is handled, answered and judged in its time, and everybody sees the same state."""

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.working_days import add_working_days
from quanyutong.feedback.v1 import handling_pb2 as handling
from quanyutong.feedback.v1 import opinions_pb2 as pb
from tests.contract.office import on
from tests.feedback.hearing import POLICE, ROADS, UNDERTAKERS, Hearing
from tests.harness import refused

TODAY = clock.today()
SATISFIED, DISSATISFIED = pb.JUDGEMENT_SATISFIED, pb.JUDGEMENT_DISSATISFIED


def route(category: Any, *names: str, unit: str = "") -> handling.CreateRouteRequest:
    undertakers = [pb.Undertaker(display_name=name, lead=place == 0) for place, name in enumerate(names)]
    return handling.CreateRouteRequest(route=handling.Route(category=category, unit=unit, undertakers=undertakers))


async def test_from_the_reception_to_a_satisfied_asker(hearing: Hearing) -> None:
    name = await hearing.acknowledged()
    shown = await hearing.shown(name)
    assert (shown.state, shown.due_date) == (pb.OPINION_STATE_ACKNOWLEDGED, on(add_working_days(TODAY, 7)))
    await hearing.hear("CreateRoute", route(pb.OPINION_CATEGORY_TRANSPORT, ROADS, POLICE))
    routed = await hearing.handle("Route", name)
    assert list(routed.undertakers) == UNDERTAKERS
    await hearing.handle("Start", name)
    answered = await hearing.handle("Answer", name, content="已更换路灯", undertaker=POLICE)
    assert (answered.answers[0].undertaker, answered.due_date) == (POLICE, on(add_working_days(TODAY, 10)))
    judged = await hearing.handle("Judge", name, judgement=SATISFIED)
    assert (judged.state, judged.answers[0].judgement) == (pb.OPINION_STATE_CLOSED, SATISFIED)
    assert not judged.HasField("due_date")
    assert await hearing.steps(name) == ["receive", "acknowledge", "route", "start", "answer", "accept"]
    assert await hearing.listed(undertaker=POLICE) == [name]
    assert list(judged.rule_versions) == [
        f"stations_and_voice.{rule}@2015-01-01" for rule in ("opinion_acknowledged", "opinion_answer", "opinion_judged")
    ]


async def test_a_dissatisfied_asker_is_answered_again(hearing: Hearing) -> None:
    name = await hearing.answered()
    again = await hearing.handle("Judge", name, judgement=DISSATISFIED, reason="仍不亮")
    assert (again.state, again.reopenings, again.reason) == (pb.OPINION_STATE_REOPENED, 1, "仍不亮")
    assert again.due_date == on(add_working_days(TODAY, 7))
    await hearing.handle("Answer", name, content="已重新接线")
    closed = await hearing.handle("Judge", name, judgement=pb.JUDGEMENT_BASICALLY_SATISFIED)
    grades = [each.judgement for each in closed.answers]
    assert grades == [DISSATISFIED, pb.JUDGEMENT_BASICALLY_SATISFIED]


async def test_the_units_own_route_goes_first(hearing: Hearing) -> None:
    unit = await hearing.unit()
    await hearing.hear("CreateRoute", route(pb.OPINION_CATEGORY_TRANSPORT, ROADS))
    await hearing.hear("CreateRoute", route(pb.OPINION_CATEGORY_TRANSPORT, POLICE, unit=unit))
    leads = {}
    for of in (unit, ""):
        name = await hearing.acknowledged(unit=of)
        leads[of] = (await hearing.handle("Route", name)).undertakers[0].display_name
    assert leads == {unit: POLICE, "": ROADS}


async def test_put_off_with_a_reason_and_a_day_and_begun_again(hearing: Hearing) -> None:
    name, day = await hearing.routed(), TODAY + timedelta(90)
    put_off = await hearing.handle("Defer", name, reason="列入明年计划", review_date=on(day))
    assert (put_off.state, put_off.due_date, put_off.reason) == (pb.OPINION_STATE_DEFERRED, on(day), "列入明年计划")
    begun = await hearing.handle("Start", name)
    assert (begun.state, begun.due_date) == (pb.OPINION_STATE_IN_PROGRESS, on(add_working_days(TODAY, 7)))


async def test_returned_in_time_only(hearing: Hearing) -> None:
    returned = await hearing.handle("Return", await hearing.routed(), reason="属区城管局职责")
    assert (returned.state, list(returned.undertakers)) == (pb.OPINION_STATE_RETURNED, [])
    late = await hearing.routed()
    await hearing.elapse(late, 20)
    assert await refused(hearing.handle("Return", late, reason="迟")) == "ERROR_REASON_TIME_IS_OVER"


async def test_a_pause_keeps_the_days_that_are_left(hearing: Hearing) -> None:
    name = await hearing.routed()
    before = (await hearing.shown(name)).due_date
    paused = await hearing.handle("Pause", name, reason="待专家论证", consent="提出人电话同意")
    assert (paused.paused, paused.HasField("due_date")) == (True, False)
    assert await refused(hearing.handle("Answer", name, content="答")) == "ERROR_REASON_OPINION_PAUSED"
    assert (await hearing.handle("Resume", name)).due_date == before


async def test_who_is_late_is_warned_first_and_goes_to_the_standing_committee_then(hearing: Hearing) -> None:
    name, other = await hearing.routed(), await hearing.routed()
    await hearing.look()
    assert await hearing.steps(name) == ["receive", "acknowledge", "route"]
    days = (add_working_days(TODAY, 7) - TODAY).days
    await hearing.elapse(name, days)
    for _ in range(2):
        await hearing.look()
    assert await hearing.steps(name) == ["receive", "acknowledge", "route", "warn"]
    await hearing.elapse(name, 14)
    assert await hearing.listed(overdue=True) == [name]
    for _ in range(2):
        await hearing.look()
    assert (await hearing.steps(name)).count("escalate") == 1
    assert await hearing.listed(escalated=True) == [name]
    assert not (await hearing.shown(other)).overdue


async def test_an_answer_that_nobody_judges_is_closed_by_itself(hearing: Hearing) -> None:
    name, early = await hearing.answered(), await hearing.answered()
    assert await refused(hearing.handle("Close", early)) == "ERROR_REASON_JUDGEMENT_AWAITED"
    await hearing.elapse(name, 40)
    await hearing.look()
    assert [(await hearing.shown(each)).state for each in (name, early)] == [
        pb.OPINION_STATE_CLOSED,
        pb.OPINION_STATE_ANSWERED,
    ]


@pytest.mark.parametrize("verb", ["Start", "Close", "Resume"])
async def test_a_step_that_does_not_fit_leaves_no_trace(hearing: Hearing, verb: str) -> None:
    name = (await hearing.opinion()).name
    before = await hearing.shown(name)
    assert await refused(hearing.handle(verb, name)) == "ERROR_REASON_OPINION_STATE_REFUSED"
    assert (await hearing.shown(name), await hearing.steps(name)) == (before, ["receive"])
