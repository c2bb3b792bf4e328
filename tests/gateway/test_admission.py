"""Who gets in: tokens, districts, and that nothing but a token decides."""

import asyncio
import itertools
import re
import time
from dataclasses import replace
from typing import Any

import grpc
import jwt
import pytest

from chassis.directory import District
from tests.gateway.backend import Probes, probe_pb2
from tests.gateway.gate import DAZU, FULING, WANZHOU, Claims, Gate, Signer, eventually, reason_of, refused, rest_status

UNAUTHENTICATED, DENIED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED
REQUEST = probe_pb2.GetProbeRequest(name="probes/1")


async def refused_both_ways(gate: Gate, probe: Any, metadata: tuple[tuple[str, str], ...]) -> tuple[Any, str]:
    """The refusal of the same call as gRPC and as REST, which have to be one."""
    code, reason = await refused(probe.GetProbe(REQUEST, metadata=metadata))
    async with gate.rest() as rest:
        del rest.headers["authorization"]
        response = await rest.get("/v1/probes/1", headers=dict(metadata))
    assert reason_of(rest_status(response)) == reason
    assert response.status_code == {UNAUTHENTICATED: 401, DENIED: 403}[code]
    return code, reason


async def test_no_token(gate: Gate, probe: Any, probes: Probes) -> None:
    assert await refused_both_ways(gate, probe, ()) == (UNAUTHENTICATED, "TOKEN_MISSING")
    assert not probes.calls


async def test_no_token_in_the_query(gate: Gate) -> None:
    """Where access logs of others would keep it."""
    async with gate.rest() as rest:
        del rest.headers["authorization"]
        response = await rest.get(f"/v1/probes/1?access_token={gate.signer.token()}")
    assert reason_of(rest_status(response)) == "TOKEN_MISSING"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic YTpi", "bearer"])
async def test_another_scheme_is_no_token(gate: Gate, probe: Any, authorization: str) -> None:
    metadata = (("authorization", authorization),)
    assert await refused_both_ways(gate, probe, metadata) == (UNAUTHENTICATED, "TOKEN_MISSING")


async def test_scheme_in_small_letters(gate: Gate, probe: Any) -> None:
    await probe.GetProbe(REQUEST, metadata=(("authorization", f"bearer {gate.signer.token()}"),))


async def test_expired(gate: Gate, probe: Any) -> None:
    metadata = gate.signer.bearer(exp=int(time.time()) - 5)
    assert await refused_both_ways(gate, probe, metadata) == (UNAUTHENTICATED, "TOKEN_EXPIRED")


async def test_verified_token_is_refused_once_it_expires(gate: Gate, probe: Any) -> None:
    """Verified tokens are remembered, but not beyond their expiry."""
    metadata = gate.signer.bearer(exp=int(time.time()) + 2)
    await probe.GetProbe(REQUEST, metadata=metadata)

    async def expired() -> bool:
        try:
            await probe.GetProbe(REQUEST, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return error.code() == UNAUTHENTICATED
        return False

    await eventually(expired)


@pytest.mark.parametrize(
    "claims",
    [{"iss": "somebody"}, {"aud": "something"}, {"aud": None}, {"exp": None}, {"nbf": int(time.time()) + 3600}],
    ids=str,
)
async def test_claims_that_do_not_hold_here(gate: Gate, probe: Any, claims: Claims) -> None:
    metadata = gate.signer.bearer(**claims)
    assert await refused_both_ways(gate, probe, metadata) == (UNAUTHENTICATED, "TOKEN_INVALID")


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "…"])
async def test_what_is_no_token(gate: Gate, probe: Any, token: str) -> None:
    metadata = (("authorization", f"Bearer {token}".encode("ascii", "replace").decode()),)
    assert await refused_both_ways(gate, probe, metadata) == (UNAUTHENTICATED, "TOKEN_INVALID")


async def test_token_of_another_key(gate: Gate, probe: Any, tmp_path: Any) -> None:
    metadata = Signer(tmp_path / "other.json").bearer()
    assert await refused_both_ways(gate, probe, metadata) == (UNAUTHENTICATED, "TOKEN_INVALID")


async def test_unsigned_token(gate: Gate, probe: Any) -> None:
    claims = jwt.decode(gate.signer.token(), options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", algorithm="none")
    metadata = (("authorization", f"Bearer {unsigned}"),)
    assert await refused_both_ways(gate, probe, metadata) == (UNAUTHENTICATED, "TOKEN_INVALID")


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"district": 500101},
        {"district": ["500101"]},
        {"district": {"code": "500101"}},
        {"district": True},
        {"district": ""},
        {"district": "50010"},
        {"district": "5001011"},
        {"district": "500101\n"},
        {"district": "500101|500102"},
        {"district": "５００１０１"},
        {"district": ".*"},
        {"district": "500101", "scope": "municipal"},
        {"district": "500101", "scope": "district"},
        {"district": "500101", "scope": ["municipal"]},
        {"district": None},
        {"scope": None},
        {"scope": "Municipal"},
        {"scope": ["municipal"]},
        {"scope": True},
        {"scope": {"municipal": True}},
        {"district": ["500101"], "scope": "municipal"},
        {"district": "", "scope": "municipal"},
        {"district": 0, "scope": "municipal"},
    ],
    ids=str,
)
async def test_token_that_is_neither_of_one_district_nor_municipal(
    gate: Gate, probe: Any, probes: Probes, kind: Claims
) -> None:
    metadata = gate.signer.bearer_of(kind)
    assert await refused_both_ways(gate, probe, metadata) == (UNAUTHENTICATED, "TOKEN_INVALID")
    assert not probes.calls


@pytest.mark.parametrize(
    "kind", [{"district": WANZHOU, "scope": None}, {"district": None, "scope": "municipal"}], ids=str
)
async def test_null_is_as_good_as_absent(gate: Gate, probe: Any, kind: Claims) -> None:
    await probe.GetProbe(REQUEST, metadata=gate.signer.bearer_of(kind))


async def test_municipal_token(gate: Gate, probe: Any) -> None:
    await probe.GetProbe(REQUEST, metadata=gate.signer.bearer(None))


async def test_unknown_district(gate: Gate, probe: Any, probes: Probes) -> None:
    metadata = gate.signer.bearer("500199")
    assert await refused_both_ways(gate, probe, metadata) == (DENIED, "DISTRICT_UNKNOWN")
    assert not probes.calls


async def test_suspended_district(gate: Gate, probe: Any, probes: Probes) -> None:
    assert await refused_both_ways(gate, probe, gate.signer.bearer(DAZU)) == (DENIED, "DISTRICT_SUSPENDED")
    assert not probes.calls


def spellings(name: str) -> list[str]:
    return [name, name.upper(), name.title(), name.replace("-", "_")]


FORGED = [
    ("x-qyt-district", WANZHOU),
    ("x-qyt-district", FULING),
    ("x-qyt-scope", "municipal"),
    ("x-qyt-anything", "1"),
    ("x-district", WANZHOU),
    ("x-jwt-payload", "e30"),
    ("x-envoy-original-path", "/grpc.health.v1.Health/Check"),
    ("x-envoy-internal", "true"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-client-cert", f"URI=urn:quanyutong:district:{WANZHOU}"),
]


async def raw(gate: Gate, *headers: tuple[str, str]) -> bytes:
    """A REST call whose header names go over the wire exactly as they are."""
    host, _, port = gate.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = ["GET /v1/probes/1 HTTP/1.1", f"host: {gate.address}"]
    lines += [f"{name}: {value}" for name, value in headers]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
    writer.close()
    await writer.wait_closed()
    return head + body


@pytest.mark.parametrize(("name", "value"), FORGED, ids=str)
async def test_no_header_opens_the_gateway(gate: Gate, probes: Probes, name: str, value: str) -> None:
    for district, reason in (("500199", "DISTRICT_UNKNOWN"), (DAZU, "DISTRICT_SUSPENDED"), (None, "TOKEN_MISSING")):
        for spelling, times in itertools.product(spellings(name), (1, 2)):
            token = gate.signer.bearer(district) if district else ()
            answer = await raw(gate, *token, *[(spelling, value)] * times)
            assert reason.encode() in answer, (spelling, answer)
    assert not probes.calls


@pytest.mark.parametrize("name", [" x-qyt-scope", "x-qyt-scope ", "\tx-qyt-scope", "x-qyt-scope\0"])
async def test_no_malformed_header_opens_the_gateway(gate: Gate, probes: Probes, name: str) -> None:
    answer = await raw(gate, *gate.signer.bearer(DAZU), (name, "municipal"))
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 403"))
    assert not probes.calls


@pytest.mark.parametrize("name", ["x-qyt-district", "X-QYT-District", "x-qyt-scope", "X-Qyt-Anything", "x-envoy-x"])
async def test_reserved_headers_reach_no_service(gate: Gate, probes: Probes, name: str) -> None:
    assert b"200 OK" in await raw(gate, *gate.signer.bearer(), (name, FULING), (name, "municipal"))
    assert name.lower() not in dict(probes.metadata)


async def test_suspended_and_resumed_while_calls_run(gate: Gate, probe: Any) -> None:
    """On one connection, with a stream that goes on."""
    district = District("500103", "渝中区")
    gate.directory.put(district)
    metadata = gate.signer.bearer(district.code)

    async def admitted() -> bool:
        try:
            await probe.GetProbe(REQUEST, metadata=metadata)
        except grpc.aio.AioRpcError:
            return False
        return True

    await eventually(admitted)
    stream = probe.EchoProbes(metadata=gate.signer.bearer())
    await stream.write(probe_pb2.Probe(name="before"))
    assert (await stream.read()).name == "before"

    gate.directory.put(replace(district, suspended=True))
    began = time.monotonic()

    async def shut_out() -> bool:
        return not await admitted()

    await eventually(shut_out)
    assert time.monotonic() - began < 5
    assert await refused(probe.GetProbe(REQUEST, metadata=metadata)) == (DENIED, "DISTRICT_SUSPENDED")
    await stream.write(probe_pb2.Probe(name="after"))
    assert (await stream.read()).name == "after"

    gate.directory.put(district)
    await eventually(admitted)
    await stream.write(probe_pb2.Probe(name="still"))
    assert (await stream.read()).name == "still"
    stream.cancel()
