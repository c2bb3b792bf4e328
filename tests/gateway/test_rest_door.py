"""The same RPCs as JSON over HTTP, and everything that REST can get wrong."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from gateway import reading, routes
from tests.gateway.backend import Probes, fault
from tests.gateway.gate import Gate, reason_of, rest_status, running

UNREADABLE = "REQUEST_UNREADABLE"


@pytest_asyncio.fixture(loop_scope="session")
async def rest(gate: Gate) -> AsyncIterator[httpx.AsyncClient]:
    async with gate.rest() as client:
        yield client


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, reason_of(rest_status(response))


async def test_answer_is_proto3_json(rest: httpx.AsyncClient) -> None:
    response = await rest.get("/v1/probes/7")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "name": "probes/7",
        "displayName": "全过程人民民主",
        "weight": str(2**40),
        "mood": "MOOD_CALM",
    }


async def test_query_fills_fields(rest: httpx.AsyncClient) -> None:
    assert len((await rest.get("/v1/probes/7?padding=3000")).json()["displayName"]) > 1000


async def test_body_fills_one_field_and_query_the_others(rest: httpx.AsyncClient) -> None:
    sent = {"name": "probes/8", "display_name": "名", "labels": ["一", "二"], "createTime": "2026-03-01T00:00:00Z"}
    response = await rest.post("/v1/probes?requestId=3", json=sent)
    assert response.json() == {
        "name": "probes/8",
        "displayName": "名",
        "createTime": "2026-03-01T00:00:00Z",
        "labels": ["一", "二"],
    }


async def test_verb_with_the_whole_message_as_body(rest: httpx.AsyncClient) -> None:
    assert (await rest.post("/v1/probes/9:poke", json={"strength": 5})).json() == {"name": "probes/9", "weight": "5"}


async def test_stream_is_an_array(rest: httpx.AsyncClient) -> None:
    response = await rest.get("/v1/probes:watch?count=3")
    assert [probe["name"] for probe in response.json()] == ["probes/0", "probes/1", "probes/2"]


async def test_refusal_of_a_service_keeps_its_details(rest: httpx.AsyncClient) -> None:
    response = await rest.get("/v1/probes/faulty")
    assert response.status_code == 400
    assert rest_status(response) == fault()
    assert response.json()["details"][0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"


@pytest.mark.parametrize(
    "body",
    [
        {"strenght": 5},
        {"strength": "much"},
        {"strength": 2**40},
        {"name": {"nested": 1}},
        ["strength", 5],
        "strength",
        7,
    ],
    ids=str,
)
async def test_body_that_is_not_the_message_is_refused(rest: httpx.AsyncClient, probes: Probes, body: object) -> None:
    assert refusal(await rest.post("/v1/probes/9:poke", json=body)) == (400, UNREADABLE)
    assert not probes.calls


@pytest.mark.parametrize(
    "body", [b"{", b'{"strength":', b"\xff\xfe", b"[" * 100_000, b'{"strength":1,"strength":2}', b"{} {}"], ids=repr
)
async def test_malformed_json_is_refused(rest: httpx.AsyncClient, probes: Probes, body: bytes) -> None:
    assert refusal(await rest.post("/v1/probes/9:poke", content=body)) == (400, UNREADABLE)
    assert not probes.calls


async def test_the_refusal_says_which_field(rest: httpx.AsyncClient) -> None:
    response = await rest.post("/v1/probes", json={"displayNme": "x"})
    assert "displayNme" in response.json()["details"][0]["metadata"]["fault"]


@pytest.mark.parametrize("path", ["/v1/probes/7?pading=1", "/v1/probes/7?padding=much", "/v1/probes?probe.name=x"])
async def test_unknown_or_unreadable_query_is_refused(rest: httpx.AsyncClient, probes: Probes, path: str) -> None:
    method = "POST" if path.startswith("/v1/probes?") else "GET"
    response = await rest.request(method, path, json={"name": "y"} if method == "POST" else None)
    assert refusal(response) == (400, UNREADABLE)
    assert not probes.calls


async def test_body_of_the_largest_size_passes(rest: httpx.AsyncClient) -> None:
    empty = len(json.dumps({"displayName": ""}))
    body = json.dumps({"displayName": "x" * (reading.LARGEST_BODY - empty)}).encode()
    assert len(body) == reading.LARGEST_BODY
    assert (await rest.post("/v1/probes", content=body)).status_code == 200


@pytest.mark.parametrize("announced", [True, False])
async def test_larger_body_is_refused(rest: httpx.AsyncClient, probes: Probes, announced: bool) -> None:
    body = b'{"displayName":"' + b"x" * reading.LARGEST_BODY + b'"}'

    async def pieces() -> AsyncIterator[bytes]:
        for begin in range(0, len(body), 65536):
            yield body[begin : begin + 65536]

    response = await rest.post("/v1/probes", content=body if announced else pieces())
    assert refusal(response) == (413, "REQUEST_TOO_LARGE")
    assert not probes.calls


async def test_answer_larger_than_a_request_may_be(rest: httpx.AsyncClient) -> None:
    response = await rest.get("/v1/probes/7?padding=3500000")
    assert len(response.content) > 3_000_000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/probes/7"),
        ("GET", "/v1/probes/7:poke"),
        ("POST", "/v1/probes/7:unknown"),
        ("GET", "/v1/probes/7/parts"),
        ("POST", "/quanyutong.probe.v1.ProbeService/Nothing"),
        ("POST", "/envoy.service.auth.v3.Authorization/Check"),
    ],
)
@pytest.mark.parametrize("with_token", [True, False])
async def test_unknown_path(gate: Gate, rest: httpx.AsyncClient, method: str, path: str, with_token: bool) -> None:
    response = await rest.request(method, path, headers={} if with_token else {"authorization": ""})
    assert refusal(response) == (404, "METHOD_UNKNOWN")


async def test_json_to_a_grpc_path(rest: httpx.AsyncClient, probes: Probes) -> None:
    response = await rest.post("/quanyutong.probe.v1.ProbeService/GetProbe", json={"name": "probes/7"})
    assert refusal(response) == (404, "METHOD_UNKNOWN")
    assert not probes.calls


async def test_grpc_to_a_rest_path(rest: httpx.AsyncClient, probes: Probes) -> None:
    response = await rest.get("/v1/probes/7", headers={"content-type": "application/grpc"})
    assert response.headers["grpc-status"] == "12"
    assert not probes.calls


async def test_empty_body_is_the_empty_message(rest: httpx.AsyncClient) -> None:
    assert (await rest.post("/v1/probes/9:poke")).json() == {"name": "probes/9"}


async def test_body_where_none_belongs_is_refused(rest: httpx.AsyncClient, probes: Probes) -> None:
    assert (await rest.post("/v1/probes/7:nudge?strength=3")).json() == {"name": "probes/7", "weight": "3"}
    assert (await rest.post("/v1/probes/7:nudge", json={})).json() == {"name": "probes/7"}
    probes.forget()
    response = await rest.post("/v1/probes/7:nudge", json={"strength": 3})
    assert refusal(response) == (400, UNREADABLE)
    assert not probes.calls


@pytest.mark.parametrize(
    ("accepted", "begins"),
    [(None, "没有这个接口"), ("zh-CN,zh;q=0.9,en;q=0.8", "没有"), ("en-GB,en;q=0.9", "There is no"), ("EN", "There")],
)
async def test_language_of_the_message(rest: httpx.AsyncClient, accepted: str | None, begins: str) -> None:
    response = await rest.get("/nothing", headers={"accept-language": accepted} if accepted else {})
    assert response.json()["message"].startswith(begins)
    assert [detail["locale"] for detail in response.json()["details"][1:]] == ["zh-CN", "en"]


async def test_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "REST_TIMEOUT", "0.2s")
    async with running(tmp_path) as gate, gate.rest() as rest:
        assert refusal(await rest.get("/v1/probes/slow")) == (504, "DEADLINE_PASSED")


async def test_connect_is_no_way_in(gate: Gate) -> None:
    async with gate.rest() as rest:
        response = await rest.get("/v1/probes/7", headers={"upgrade": "websocket", "connection": "upgrade"})
    assert refusal(response)[1] == UNREADABLE
