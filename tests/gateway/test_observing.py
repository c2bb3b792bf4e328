"""What the gateway leaves behind of a call, and what it must not."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from chassis.embedded.ports import free_port
from gateway.observing import WITHHELD
from gateway.serve import TRACES
from tests.gateway.backend import Probes, probe_pb2
from tests.gateway.gate import WANZHOU, Gate, eventually, running, stub

REQUEST = probe_pb2.GetProbeRequest(name="probes/1")
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def lines(gate: Gate) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gate.log.splitlines() if line.startswith("{")]


async def test_a_line_for_each_call(gate: Gate) -> None:
    async with gate.rest() as rest:
        await rest.get("/v1/probes/4711?padding=4712")
        await rest.get("/v1/nothing/4711")
    (served, refused) = await eventually(lambda: len(lines(gate)) >= 2 and lines(gate)[-2:])
    assert served["path"] == "/quanyutong.probe.v1.ProbeService/GetProbe"
    assert (served["district"], served["http_status"], served["upstream"]) == (WANZHOU, 200, "probe")
    assert (refused["http_status"], refused["path"]) == (404, "/v1/nothing/4711")


async def test_nothing_personal_in_the_log(gate: Gate, probe: Any) -> None:
    token = gate.signer.token(sub="somebody-in-person")
    before = len(lines(gate))
    await probe.GetProbe(REQUEST, metadata=(("authorization", f"Bearer {token}"), ("x-secret", "whisper")))
    async with gate.rest() as rest:
        await rest.get("/v1/probes/1?padding=3&access_token=hidden")
    await eventually(lambda: len(lines(gate)) >= before + 2)
    for secret in (token, token.rpartition(".")[2], "somebody-in-person", "whisper", "hidden", "padding", "127.0.0.1"):
        assert secret not in "".join(json.dumps(line) for line in lines(gate)), secret


async def test_no_warning_in_ordinary_life(tmp_path: Path) -> None:
    """An operator who reads the log finds only what is wrong."""
    async with running(tmp_path) as gate, stub(gate) as probe:
        await probe.GetProbe(REQUEST, metadata=gate.signer.bearer())
        assert [line for line in gate.log.splitlines() if not line.startswith("{")] == []


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the spans that are sent to it."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    async def Export(self, request: Any, _: Any) -> Any:
        self.spans += [
            span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
        ]
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    collector, server, address = Collector(), grpc.aio.server(), f"127.0.0.1:{free_port()}"
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    server.add_insecure_port(address)
    await server.start()
    monkeypatch.setenv(TRACES, f"http://{address}")
    yield collector
    await server.stop(None)


async def test_spans(tmp_path: Path, collector: Collector) -> None:
    async with running(tmp_path, trace_share=0) as gate, stub(gate) as probe, gate.rest() as rest:
        await probe.GetProbe(REQUEST, metadata=(*gate.signer.bearer(), ("traceparent", PARENT)))
        passed_on = str(dict(gate.backend.probes.metadata)["traceparent"])
        headers = {"traceparent": PARENT, "user-agent": "telling"}
        await rest.get("/v1/probes/1?access_token=hidden", headers=headers)
        (first, second, *_) = await eventually(lambda: len(collector.spans) >= 2 and collector.spans)
    assert first.name == "/quanyutong.probe.v1.ProbeService/GetProbe"
    assert first.trace_id.hex() == PARENT.split("-")[1] == passed_on.split("-")[1]
    assert first.span_id.hex() == passed_on.split("-")[2]
    attributes = {each.key: each.value.string_value for span in (first, second) for each in span.attributes}
    assert {attributes[name] for name in ("peer.address", "user_agent")} == {WITHHELD}
    said = first.SerializeToString() + second.SerializeToString()
    for secret in (b"Bearer", gate.signer.token().partition(".")[0].encode(), b"hidden", b"telling"):
        assert secret not in said, secret


async def test_without_a_collector_a_trace_passes_as_it_came(gate: Gate, probe: Any, probes: Probes) -> None:
    await probe.GetProbe(REQUEST, metadata=(*gate.signer.bearer(), ("traceparent", PARENT)))
    assert dict(probes.metadata)["traceparent"] == PARENT


async def test_log_is_kept_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.keeper.LARGEST_LOG", 2000)
    async with running(tmp_path) as gate, stub(gate) as probe:
        older = gate.settings.state / "gateway" / "envoy.log.1"
        await asyncio.gather(*(probe.GetProbe(REQUEST, metadata=gate.signer.bearer()) for _ in range(20)))
        await eventually(older.exists)
        await probe.GetProbe(REQUEST, metadata=gate.signer.bearer())
        await eventually(lambda: gate.log)
        assert older.read_text().startswith("{")
