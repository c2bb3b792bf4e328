"""gRPC-web, as a browser speaks it: messages in frames, the trailers in a last frame of their own."""

import base64
import struct
from collections.abc import Iterator

import httpx
import pytest
from google.rpc import status_pb2

from tests.gateway.backend import Probes, fault, probe_pb2
from tests.gateway.gate import Gate, reason_of

PATH = "/quanyutong.probe.v1.ProbeService/"
BINARY, TEXT = "application/grpc-web+proto", "application/grpc-web-text+proto"
TRAILERS = 0x80


def framed(message: bytes) -> bytes:
    return b"\x00" + struct.pack(">I", len(message)) + message


def frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    while body:
        kind, length = struct.unpack(">BI", body[:5])
        yield kind, body[5 : 5 + length]
        body = body[5 + length :]


def trailers_of(response: httpx.Response) -> dict[str, str]:
    """From the last frame, or from the headers when there is nothing else."""
    found = {key: value for key, value in response.headers.items() if key.startswith("grpc-")}
    for kind, content in frames(decoded(response)):
        if kind == TRAILERS:
            lines = content.decode().strip().splitlines()
            found |= {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return found


def decoded(response: httpx.Response) -> bytes:
    if "text" not in response.headers["content-type"]:
        return response.content
    return b"".join(base64.b64decode(part + "=") for part in response.text.split("=") if part)


def status_of(response: httpx.Response) -> status_pb2.Status:
    details = trailers_of(response)["grpc-status-details-bin"]
    return status_pb2.Status.FromString(base64.b64decode(details + "=" * (-len(details) % 4)))


async def call(
    gate: Gate, method: str, message: bytes, kind: str = BINARY, *, token: bool = True, **headers: str
) -> httpx.Response:
    content = framed(message)
    async with gate.rest() as client:
        if not token:
            del client.headers["authorization"]
        return await client.post(
            PATH + method,
            content=base64.b64encode(content) if kind == TEXT else content,
            headers={"content-type": kind, "accept": kind, "x-grpc-web": "1", **headers},
        )


@pytest.mark.parametrize("kind", [BINARY, TEXT])
async def test_unary(gate: Gate, kind: str) -> None:
    response = await call(gate, "GetProbe", probe_pb2.GetProbeRequest(name="probes/7").SerializeToString(), kind)
    assert response.status_code == 200
    assert response.headers["content-type"] == kind
    (answer,) = [content for kind, content in frames(decoded(response)) if kind != TRAILERS]
    assert probe_pb2.Probe.FromString(answer).display_name == "全过程人民民主"
    assert trailers_of(response)["grpc-status"] == "0"


async def test_server_stream(gate: Gate) -> None:
    response = await call(gate, "WatchProbes", probe_pb2.WatchProbesRequest(count=3).SerializeToString())
    answers = [content for kind, content in frames(response.content) if kind != TRAILERS]
    assert [probe_pb2.Probe.FromString(answer).name for answer in answers] == ["probes/0", "probes/1", "probes/2"]


async def test_refusal_of_a_service(gate: Gate) -> None:
    response = await call(gate, "GetProbe", probe_pb2.GetProbeRequest(name="probes/faulty").SerializeToString())
    assert trailers_of(response)["grpc-status"] == "9"
    assert status_of(response) == fault()


@pytest.mark.parametrize("kind", [BINARY, TEXT])
async def test_refusal_of_the_gateway(gate: Gate, probes: Probes, kind: str) -> None:
    response = await call(gate, "GetProbe", b"", kind, token=False)
    assert response.status_code == 200
    assert trailers_of(response)["grpc-status"] == "16"
    assert reason_of(status_of(response)) == "TOKEN_MISSING"
    assert not probes.calls


async def test_unknown_method(gate: Gate) -> None:
    response = await call(gate, "Nothing", b"")
    assert trailers_of(response)["grpc-status"] == "12"
    assert reason_of(status_of(response)) == "METHOD_UNKNOWN"


async def test_deadline(gate: Gate) -> None:
    message = probe_pb2.GetProbeRequest(name="probes/slow").SerializeToString()
    response = await call(gate, "GetProbe", message, **{"grpc-timeout": "200m"})  # type: ignore[arg-type]
    # Envoy's clock or the service's, whichever is first; gRPC's own answer in a service has no details.
    assert trailers_of(response)["grpc-status"] == "4"
