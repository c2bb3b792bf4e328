"""Text of every kind is stored and shown to the byte, or refused with a reason and nothing is kept of it."""

import json
import unicodedata
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest

from quanyutong.feedback.v1 import intakes_pb2 as intakes
from quanyutong.feedback.v1 import opinions_pb2 as pb
from quanyutong.feedback.v1 import proposals_pb2 as proposals
from tests.feedback.hearing import Hearing
from tests.harness import refused, until

JSON = {"content-type": "application/json"}
INVALID, TOO_LARGE = "ERROR_REASON_FIELD_INVALID", "ERROR_REASON_REQUEST_TOO_LARGE"
TEXTS = {
    "nothing": "",
    "blanks": " \u3000\n\u00a0",
    "nothing to be seen": "\u200b\u2060\ufeff\u202e",
    "lines": "第一条：路灯\n第二条：井盖\n",
    "the longest at an address": "路" * 1000,
    "the longest": "长" * 5000,
    "one more": "长" * 5001,
    "100 KB": "字" * 34_000,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈👍🏽",
    "right to left": "\u200fمرحبا\u202e倒\u202c",
    "combining": "e\u0301 é \u212b Å" + "a\u0300" * 200,
    "rare characters": "𠮷野家㐂𱁬",
    "not characters": "一\ufeff\ufffe\uffff\U0010ffff",
    "nul": "路\x00灯",
    "escape": "\x1b[31m红\x07",
    "tab and return": "甲\t乙\r\n",
    "c1": "\u0085\u009f路",
    "sql": "'; DROP TABLE feedback.opinion; --",
    "html": "<script>alert('1')</script><img src=x onerror=alert(1)>&amp;",
    "template": "{unit} %s ${jndi:ldap://x} {{7*7}}",
    "json": '{"content": "\\u0000"}',
}


def kept(text: str, most: int) -> bool:
    """Whether the contract takes it: something to be seen, in lines, without control characters, and not too long."""
    kinds = {unicodedata.category(letter) for letter in text.replace("\n", "")}
    return "Cc" not in kinds and any(kind not in ("Cf", "Zl", "Zp", "Zs") for kind in kinds) and len(text) <= most


async def given(text: str, most: int, call: Awaitable[Any]) -> Any:
    """What the call answers; None where it is refused, as it has to be."""
    if kept(text, most):
        return await call
    assert await refused(call) == INVALID, ascii(text[:40])
    return None


async def test_opinions_and_their_answers(hearing: Hearing) -> None:
    entered = {}
    for text in TEXTS.values():
        if told := await given(text, 5000, hearing.opinion(text)):
            entered[told.name] = text
            await hearing.handle("Acknowledge", told.name)
            await hearing.handle("Route", told.name, undertakers=[pb.Undertaker(display_name="区交通局", lead=True)])
            answered = await given(text, 5000, hearing.handle("Answer", told.name, content=text))
            asked = intakes.GetStatusRequest(district=hearing.district, code=told.receipt)
            status = await hearing.anonymously("GetStatus", asked)
            assert [each.content for each in (*answered.answers, *status.answers)] == [text, text]
    listed = await hearing.hear("ListOpinions", pb.ListOpinionsRequest(page_size=100))
    assert {each.name: each.content for each in listed.opinions} == entered
    assert len(entered) == sum(kept(text, 5000) for text in TEXTS.values())
    for name, text in entered.items():
        assert (await hearing.shown(name)).content == text
        assert (await by_rest(hearing, "GET", f"/v1/{name}")).json()["content"] == text


async def test_proposals(hearing: Hearing) -> None:
    mandate = await hearing.active(await hearing.term())
    await hearing.proposal(mandate, title="听到为止")
    found = {}
    for text in TEXTS.values():
        written = proposals.CreateProposalRequest(proposal=hearing.written(mandate, content=text))
        if told := await given(text, 20_000, hearing.hear("CreateProposal", written)):
            found[told.name] = text
    for name, text in found.items():
        assert (await by_rest(hearing, "GET", f"/v1/{name}")).json()["content"] == text


async def test_at_an_address_as_a_telephone_sends_it(hearing: Hearing) -> None:
    intake, said = await hearing.intake(), []
    for text in TEXTS.values():
        told = await by_rest(hearing, "POST", intake.address, json={"category": 1, "content": text})
        if kept(text, 1000):
            assert told.status_code == httpx.codes.OK, told.text
            said.append(text)
        else:
            # The gateway lets nothing in that is larger than anything that may be said.
            assert why(told) == (TOO_LARGE if len(text) > 30_000 else INVALID), ascii(text[:40])
    listed = await hearing.hear("ListOpinions", pb.ListOpinionsRequest(page_size=100))
    assert sorted(each.content for each in listed.opinions) == sorted(said)


@pytest.mark.parametrize("content", [r'"\ud83d"', r'"\udc00\ud83d"', '"\\u000', "1", '["路灯"]', '"\udcff"'])
async def test_what_is_no_text_is_refused(hearing: Hearing, content: str) -> None:
    intake = await hearing.intake()
    body = f'{{"category": 1, "content": {content}}}'.encode(errors="surrogateescape")
    told = await by_rest(hearing, "POST", intake.address, content=body)
    assert told.status_code == httpx.codes.BAD_REQUEST, told.text
    assert why(told).startswith("ERROR_REASON_")
    assert await hearing.listed() == []


async def by_rest(hearing: Hearing, verb: str, path: str, **content: Any) -> httpx.Response:
    """Through the gateway, as soon as it lets more in; with a token where the path is no secret address."""
    platform = hearing.tenant.platform
    headers = {} if "intakes" in path else dict(platform.metadata(["clerk"], hearing.district))
    async with httpx.AsyncClient(base_url=platform.gateway, trust_env=False) as client:

        async def let_in() -> Any:
            told = await client.request(verb, path, headers={**JSON, **headers}, **content)
            return None if told.status_code == httpx.codes.TOO_MANY_REQUESTS else told

        return await until(let_in)


def why(told: httpx.Response) -> str:
    return str(next(each["reason"] for each in json.loads(told.text)["details"] if "reason" in each))
