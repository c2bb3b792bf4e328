"""What a process tells of its work, by OTLP, to Prometheus and in its log; and that it names no person."""

import asyncio
import json
import logging
import re
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from chassis.bus import Bus
from chassis.embedded.ports import free_port
from chassis.settings import Settings
from chassis.telemetry import LAST_EXPORT, Telemetry, continuing, traceparent
from quanyutong.registry.v1 import assemblies_pb2, persons_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.__main__ import TARGETS
from tests.embedded.outside import value
from tests.harness import Platform, Process, refused, until

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACED = ("traceparent", f"00-{TRACE}-{SPAN}-01")
PERSON = "隐姓埋名者"


@dataclass
class Collector(
    trace_service_pb2_grpc.TraceServiceServicer,
    metrics_service_pb2_grpc.MetricsServiceServicer,
    logs_service_pb2_grpc.LogsServiceServicer,
):
    """Takes what it is sent."""

    spans: list[Any] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)
    logs: list[Any] = field(default_factory=list)

    async def Export(self, request: Any, _: Any) -> Any:
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            self.spans += [s for of in request.resource_spans for scope in of.scope_spans for s in scope.spans]
            return trace_service_pb2.ExportTraceServiceResponse()
        if isinstance(request, metrics_service_pb2.ExportMetricsServiceRequest):
            self.metrics += [m for of in request.resource_metrics for scope in of.scope_metrics for m in scope.metrics]
            return metrics_service_pb2.ExportMetricsServiceResponse()
        self.logs += [r for of in request.resource_logs for scope in of.scope_logs for r in scope.log_records]
        return logs_service_pb2.ExportLogsServiceResponse()

    def text(self) -> str:
        return "\n".join(MessageToJson(each, ensure_ascii=False) for each in (*self.spans, *self.metrics, *self.logs))


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[tuple[Collector, str]]:
    collector, server = Collector(), grpc.aio.server()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    logs_service_pb2_grpc.add_LogsServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield collector, f"http://127.0.0.1:{port}"
    await server.stop(None)


@asynccontextmanager
async def watched(city: Platform, folder: Path, endpoint: str) -> AsyncIterator[Process]:
    """One more process of the registry, whose every call is traced."""
    environment = city.environment | {
        "QYT_REGISTRY_LISTEN": "127.0.0.1:0",
        "QYT_LOG_LEVEL": "debug",
        "QYT_TRACE_SHARE": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_METRIC_EXPORT_INTERVAL": "300",
    }
    environment |= {f"OTEL_{kind}_SCHEDULE_DELAY": "100" for kind in ("BSP", "BLRP")}
    process = await Process.start("watched", ["services", "serve", "--target=registry"], environment, folder)
    try:
        yield process
    finally:
        await process.leashed.stop()


async def test_everything_is_exported_and_no_person(
    city: Platform, collector: tuple[Collector, str], tmp_path: Path
) -> None:
    found, endpoint = collector
    district = await city.fresh_district()
    async with watched(city, tmp_path, endpoint) as process:
        async with grpc.aio.insecure_channel(process.said["services"][0]) as channel:
            await work(RegistryServiceStub(channel), city.metadata(["clerk", "viewer"], district))
            metrics = await asyncio.to_thread(get, f"http://{process.said['metrics']}/metrics")
        await until(lambda: has(found.spans, 3))
        await until(lambda: has(found.metrics, 1))
    spans_say_what_happened(found.spans)
    assert {metric.name for metric in found.metrics} >= {"qyt_call_duration"}
    counted = re.findall(r'qyt_call_duration_seconds_count\{method="(\w+)".*,reason="(\w+)"', metrics)
    assert set(counted) == {("CreateAssembly", "OK"), ("CreatePerson", "OK"), ("CreatePerson", "FIELD_INVALID")}
    assert "qyt_audit_unsealed_seconds{" not in metrics  # another process leads, and seals
    logs_are_those_of_the_process(found.logs, process.log)
    everything = found.text() + metrics + process.log.read_text()
    assert all(personal not in everything for personal in (PERSON, "tester", "eyJ"))
    await event_belongs_to_the_trace(city, district)


async def test_how_long_records_wait_for_their_seal(city: Platform) -> None:
    """The process that seals says so, for each service."""
    (process,) = city.processes.values()

    async def shown() -> bool:
        page = await asyncio.to_thread(get, f"http://{process.said['metrics']}/metrics")
        found = re.findall(r'qyt_audit_unsealed_seconds\{.*service="(\w+)".*\} [0-9.e-]+', page)
        return sorted(found) == sorted(name for name, manifest in TARGETS.items() if manifest.seals)

    await until(shown)


async def work(stub: Any, metadata: list[tuple[str, str]]) -> None:
    """A call that its caller traces and that is announced, one that it does not trace, and one that is refused."""
    kind = assemblies_pb2.ASSEMBLY_KIND_DISTRICT_CONGRESS
    assembly = assemblies_pb2.Assembly(kind=kind, display_name=PERSON)
    await stub.CreateAssembly(assemblies_pb2.CreateAssemblyRequest(assembly=assembly), metadata=[*metadata, TRACED])
    person = persons_pb2.Person(display_name=PERSON)
    await stub.CreatePerson(persons_pb2.CreatePersonRequest(person=person, request_id=str(uuid4())), metadata=metadata)
    wrong = persons_pb2.Person(display_name=PERSON * 1000, nationality=PERSON)
    call = stub.CreatePerson(persons_pb2.CreatePersonRequest(person=wrong), metadata=metadata)
    assert await refused(call) == "ERROR_REASON_FIELD_INVALID"


def spans_say_what_happened(spans: list[Any]) -> None:
    told = {
        (span.name.rpartition("/")[2], {a.key: a.value.string_value for a in span.attributes}.get("quanyutong.reason"))
        for span in spans
    }
    assert told == {("CreateAssembly", None), ("CreatePerson", None), ("CreatePerson", "FIELD_INVALID")}
    (traced,) = (span for span in spans if span.name.endswith("CreateAssembly"))
    assert (traced.trace_id.hex(), traced.parent_span_id.hex()) == (TRACE, SPAN)
    assert sum(span.trace_id == traced.trace_id for span in spans) == 1


def logs_are_those_of_the_process(exported: list[Any], log: Path) -> None:
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith('{"time"')]
    assert all({"time", "level", "logger", "event"} <= line.keys() for line in lines)
    written = {line["event"] for line in lines}
    bodies = {record.body.string_value: record for record in exported}
    assert bodies.keys() <= written
    # The last of all: what waits at the end is sent.
    assert bodies["stopping"].severity_text == "INFO"


async def event_belongs_to_the_trace(city: Platform, district: str) -> None:
    """The event carries the trace of the call that it comes from, to whoever consumes it."""
    bus = await Bus.connect(city.nats.url, "test")
    try:
        await until(lambda: city_has_delivered(city))
        event = await bus.js.get_last_msg("QYT_REGISTRY", f"qyt.{district}.registry.assembly_created")
        assert (event.headers or {})["traceparent"].split("-")[1] == TRACE
    finally:
        await bus.close()


async def city_has_delivered(city: Platform) -> bool:
    return await value(city.postgres.url, "SELECT count(*) FROM registry.outbox") == 0


async def has(things: list[Any], number: int) -> bool:
    return len(things) >= number


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own process
        return str(answer.read().decode())


def test_what_a_consumer_publishes_belongs_to_the_trace_of_what_it_consumed() -> None:
    with continuing({"traceparent": TRACED[1]}):
        assert traceparent() == TRACED[1]
    with continuing({}):
        assert traceparent() == ""
    assert traceparent() == ""


def test_collector_that_is_away_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    telemetry = Telemetry(Settings(trace_share=1), "test")
    assert telemetry.tracer
    telemetry.tracer.start_span("work").end()
    logging.getLogger("chassis").warning("work")
    started = time.monotonic()
    telemetry.close()
    assert time.monotonic() - started < LAST_EXPORT + 1
