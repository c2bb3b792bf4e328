"""Polls: their states, the turnout while they run, the result, and what a clerk or scrutineer does with one."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from gateway.console.backend import Refused, enum
from gateway.console.district import bodies
from gateway.console.page import ROWS, Page, Wrong, named, refused_before

STATES = enum("ballots.v1.PollState")
# What is offered in which state, and to whom.
STEPS = {
    "open": ("ballots.OpenPoll", "POLL_STATE_DRAFTED", "clerk"),
    "start": ("ballots.StartVoting", "POLL_STATE_OPEN", "clerk"),
    "close": ("ballots.ClosePoll", "POLL_STATE_VOTING", "clerk"),
    "certify": ("ballots.CertifyPoll", "POLL_STATE_CLOSED", "scrutineer"),
    "announce": ("ballots.AnnouncePoll", "POLL_STATE_CERTIFIED", "clerk"),
}
RUNNING = ("POLL_STATE_OPEN", "POLL_STATE_VOTING")


async def several(page: Page) -> Response:
    """The district's polls."""
    answer = await page.ask(
        "ballots.ListPolls",
        state=page.asked_value("state", STATES),
        page_size=ROWS,
        page_token=page.asked("page"),
    )
    return page.show(
        "polls.html",
        title=page.say("表决", "Polls"),
        polls=answer.polls,
        bodies=await bodies(page),
        more=answer.next_page_token,
        states=STATES,
    )


async def one(page: Page) -> Response:
    """A poll. While it runs only the turnout is known; the result once it is announced, for scrutineers once closed."""
    name = named(page, "polls")
    poll = await page.ask("ballots.GetPoll", name=name)
    state = STATES.values_by_number[poll.state].name
    result = None
    if state in ("POLL_STATE_CLOSED", "POLL_STATE_CERTIFIED", "POLL_STATE_ANNOUNCED"):
        result = await page.attempt("ballots.GetResult", name=name)
    return page.show(
        "poll.html",
        title=poll.title,
        poll=poll,
        body=(await bodies(page)).get(poll.body, poll.body),
        state=state,
        turnout=None if state == "POLL_STATE_DRAFTED" else await page.attempt("ballots.GetTurnout", name=name),
        running=state in RUNNING,
        result=result,
        steps=[step for step, (_, when, role) in STEPS.items() if when == state and page.has_role(role)],
        votes=page.has_role("delegate") and state in RUNNING,
        **refused_before(page),
    )


async def step(page: Page, given: dict[str, str]) -> Response:
    """The next step of a poll."""
    chosen = given.get("step", "")
    if chosen not in STEPS:
        raise Wrong(400, page.say("没有这一步。", "There is no such step."))
    name = named(page, "polls")
    fields: dict[str, Any] = {"name": name, "request_id": given.get("request_id", "")}
    if chosen == "certify":
        fields |= _seen(page, given)
    if chosen == "open":
        fields["reason"] = given.get("reason", "")
    await page.ask(STEPS[chosen][0], **fields)
    return page.go(page.request.url.path)


def _seen(page: Page, given: dict[str, str]) -> dict[str, Any]:
    """What a scrutineer has counted: typed, not taken from the screen. Raises Wrong."""
    counts: dict[str, dict[str, Any]] = {}
    try:
        for field, text in given.items():
            kind, _, question = field.partition(":")
            if kind in ("valid", "blank") and question:
                counts.setdefault(question, {"question": question})[kind] = int(text)
        return {"papers": int(given["papers"]), "ballots": int(given["ballots"]), "counts": list(counts.values())}
    except (KeyError, ValueError):
        raise Wrong(400, page.say("请填写每一个数。", "Fill in each of the numbers.")) from None


async def live(page: Page) -> Response:
    """Server-sent events: the turnout anew after each change, until the poll is closed or the login ends."""
    changes = page.follow("ballots.WatchTurnout", name=named(page, "polls"))
    return StreamingResponse(
        _told(page, changes), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )


async def _told(page: Page, changes: AsyncIterator[Any]) -> AsyncIterator[str]:
    state = None
    try:
        async for change in changes:
            turnout = change.turnout
            content = {
                "state": page.speech.value(STATES, turnout.state),
                "electorate": turnout.electorate,
                "papers": turnout.papers,
                "ballots": turnout.ballots,
                "over": state is not None and state != turnout.state,
            }
            state = turnout.state
            yield f"data: {json.dumps(content, ensure_ascii=False)}\n\n"
            if page.session.caller.expires < time.time():
                return
    except Refused as refused:
        yield f"event: refused\ndata: {json.dumps(refused.text, ensure_ascii=False)}\n\n"
