"""Voting in the browser: the page makes keys and marks, this hands on what it sends, and can read none of it.

A paper is taken as the delegate who has logged in. The ballot comes without a cookie to another address, and is cast
with the token of the district's ballot box. Nothing in that call leads to a person; neither leaves a line in a log.
"""

import json
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from chassis import development
from chassis.settings import Settings, SettingsInvalid
from gateway.console.backend import Refused
from gateway.console.page import Console, Page, Wrong, language_of, named
from gateway.console.words import Speech

PAPER_PATH, BOX_PATH = "/console/ballot-paper/", "/ballot-box/"
# Neither of them stands in a log.
UNLOGGED = (PAPER_PATH, BOX_PATH)
LIFETIME = 3600.0


class Boxes:
    """The tokens of the districts' ballot boxes: the operator's, in development our own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[str, tuple[float, str]] = {}
        self._given()

    def token(self, district: str) -> str | None:
        """None where votes in the browser are not set up for the district."""
        if self._settings.console_box_tokens is not None:
            return self._given().get(district)
        if self._settings.environment != "development" or self._settings.jwks:
            return None
        made, token = self._made.get(district, (0.0, ""))
        if time.monotonic() > made + LIFETIME / 2 or not token:
            token = development.token(self._settings, "console-ballot-box", ["ballot_box"], district, LIFETIME)
            self._made[district] = (time.monotonic(), token)
        return token

    def _given(self) -> dict[str, str]:
        """Read each time: tokens expire, and their file is written anew. Raises SettingsInvalid."""
        if self._settings.console_box_tokens is None:
            return {}
        given = self._settings.console_box_tokens.get_secret_value()
        try:
            tokens = json.loads(given if given.lstrip().startswith("{") else Path(given).read_text())
        except (OSError, ValueError):
            raise SettingsInvalid("QYT_CONSOLE_BOX_TOKENS: neither JSON nor a file of it") from None
        if not isinstance(tokens, dict) or not all(isinstance(token, str) for token in tokens.values()):
            raise SettingsInvalid("QYT_CONSOLE_BOX_TOKENS: not an object of district codes and tokens")
        return tokens


async def page_of_vote(page: Page) -> Response:
    """The page on which a delegate votes."""
    name = named(page, "polls")
    entitlement = await page.ask("ballots.GetEntitlement", name=name)
    if not entitlement.box.terms:
        raise Wrong(409, page.say("表决尚未开始，或采用纸质投票。", "The poll is not open, or is held on paper."))
    boxes: Boxes = page.request.app.state.boxes
    if boxes.token(page.district) is None:
        text = page.say(
            "本区县未开通网页投票，请使用代表客户端。", "This district has no votes in the browser: use the client."
        )
        raise Wrong(409, text)
    return page.show(
        "vote.html",
        title=page.say("投票", "Vote"),
        poll=await page.ask("ballots.GetPoll", name=name),
        entitlement=entitlement,
        paper_address=f"{PAPER_PATH}{page.district}/{page.request.path_params['id']}",
        box_address=f"{BOX_PATH}{page.district}",
        voter=page.session.caller.subject,
    )


async def take_paper(page: Page) -> Response:
    """The blind signature of what the page made. The same again gets the same answer."""
    if page.request.headers.get("x-csrf") != page.session.csrf:
        raise Wrong(403, page.say("页面已失效，请刷新。", "The page is out of date: load it again."))
    content = await _json(page.request, page.speech)
    try:
        answer = await page.ask(
            "ballots.TakePaper", name=named(page, "polls"), blinded_message=_raw(content, "blinded", page.speech)
        )
    except Refused as refused:
        return _refused(refused)
    return JSONResponse({"blind_signature": b64encode(answer.blind_signature).decode()})


async def cast(request: Request) -> Response:
    """Casts a ballot for nobody in particular. No cookie is read, and nothing of the call is kept."""
    console: Console = request.app.state.console
    boxes: Boxes = request.app.state.boxes
    speech = Speech(language_of(request))
    district = str(request.path_params["code"])
    token = boxes.token(district) if district in console.directory.entries else None
    if token is None:
        text = speech.say("本区县未开通网页投票。", "This district has no votes in the browser.")
        return JSONResponse({"error": text, "reason": ""}, 404)
    metadata = [("authorization", f"Bearer {token}"), ("accept-language", speech.say("zh-CN", "en"))]
    try:
        content = await _json(request, speech)
        fields = {"name": str(content.get("box", "")), "ballot": _raw(content, "ballot", speech)}
        answer = await console.backend.ask("ballots.CastBallot", metadata, fields)
    except Refused as refused:
        return _refused(refused)
    except Wrong as wrong:
        return JSONResponse({"error": wrong.text, "reason": ""}, wrong.status)
    return JSONResponse({"signature": b64encode(answer.signature).decode()})


async def board(page: Page) -> Response:
    """The published board of a box, byte for byte."""
    name = f"{named(page, 'polls')}/boxes/{page.request.path_params['box']}"
    parts = page.follow("ballots.GetBoard", name=name)
    first = await anext(parts)

    async def content() -> AsyncIterator[bytes]:
        yield first.data
        async for part in parts:
            yield part.data

    disposition = (
        f'attachment; filename="board-{page.request.path_params["id"]}-{page.request.path_params["box"]}.json"'
    )
    return StreamingResponse(content(), media_type="application/json", headers={"content-disposition": disposition})


async def verification(page: Page) -> Response:
    """The page that checks a board, in the browser."""
    name = named(page, "polls")
    poll = await page.ask("ballots.GetPoll", name=name)
    return page.show(
        "verify.html",
        title=page.say("验证公示", "Check the board"),
        poll=poll,
        boxes=[(box.name.rpartition("/")[2], box.display_name) for box in poll.boxes],
        voter=page.session.caller.subject,
    )


async def _json(request: Request, speech: Speech) -> dict[str, Any]:
    try:
        content = json.loads(await request.body())
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Wrong(400, speech.say("请求不是 JSON 对象。", "The request is no JSON object."))
    return content


def _raw(content: dict[str, Any], name: str, speech: Speech) -> bytes:
    try:
        return b64decode(content[name], validate=True)
    except (KeyError, TypeError, ValueError):
        raise Wrong(400, speech.say(f"{name} 不是 base64。", f"{name} is not base64.")) from None


def _refused(refused: Refused) -> Response:
    return JSONResponse({"error": refused.text, "reason": refused.reason}, refused.status)
