"""Residents' opinions by their states, one of them with its path, and what a clerk does with it."""

from typing import Any

from starlette.responses import Response

from gateway.console.backend import enum
from gateway.console.district import units
from gateway.console.page import ROWS, Page, Wrong, named, refused_before

STATES = enum("feedback.v1.OpinionState")
CATEGORIES = enum("feedback.v1.OpinionCategory")
# What a clerk does next, and in which states it is offered.
STEPS = {
    "acknowledge": ("feedback.AcknowledgeOpinion", ("RECEIVED",)),
    "route": ("feedback.RouteOpinion", ("ACKNOWLEDGED", "RETURNED", "REOPENED")),
    "start": ("feedback.StartOpinion", ("ROUTED", "DEFERRED", "REOPENED")),
    "answer": ("feedback.AnswerOpinion", ("ROUTED", "IN_PROGRESS", "DEFERRED", "REOPENED")),
    "close": ("feedback.CloseOpinion", ("ANSWERED",)),
}


async def several(page: Page) -> Response:
    """The district's opinions, and how many there are in each state that is asked for."""
    answer = await page.ask(
        "feedback.ListOpinions",
        state=page.asked_value("state", STATES),
        category=page.asked_value("category", CATEGORIES),
        overdue=page.asked("overdue") == "yes",
        page_size=ROWS,
        page_token=page.asked("page"),
    )
    return page.show(
        "opinions.html",
        title=page.say("群众意见", "Residents' opinions"),
        opinions=answer.opinions,
        units=await units(page),
        more=answer.next_page_token,
        states=STATES,
        categories=CATEGORIES,
    )


async def one(page: Page) -> Response:
    """An opinion, its answers and its path."""
    name = named(page, "opinions")
    opinion = await page.ask("feedback.GetOpinion", name=name)
    state = STATES.values_by_number[opinion.state].name.removeprefix("OPINION_STATE_")
    steps = await page.everything("feedback.ListOpinionSteps", "steps", parent=name)
    return page.show(
        "opinion.html",
        title=page.say("群众意见", "A resident's opinion"),
        opinion=opinion,
        unit=(await units(page)).get(opinion.unit, opinion.unit),
        path=steps,
        steps=[step for step, (_, states) in STEPS.items() if page.has_role("clerk") and state in states],
        **refused_before(page),
    )


async def step(page: Page, given: dict[str, str]) -> Response:
    """The next step of an opinion."""
    chosen = given.get("step", "")
    if chosen not in STEPS:
        raise Wrong(400, page.say("没有这一步。", "There is no such step."))
    fields: dict[str, Any] = {
        "name": named(page, "opinions"),
        "etag": given.get("etag", ""),
        "request_id": given.get("request_id", ""),
    }
    if chosen == "route" and given.get("undertaker"):
        fields["undertakers"] = [{"display_name": given["undertaker"], "lead": True}]
    if chosen == "answer":
        fields |= {"content": given.get("content", ""), "undertaker": given.get("undertaker", "")}
    await page.ask(STEPS[chosen][0], **fields)
    return page.go(page.request.url.path)
