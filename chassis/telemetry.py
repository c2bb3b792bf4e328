"""Traces, metrics and logs. By OTLP when OTEL_EXPORTER_OTLP_ENDPOINT is set; metrics by Prometheus always.

Nothing here names a person: no subject, no address, no field of a request.
"""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import context, propagate, trace
from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Histogram, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode

from chassis.rpc import Rpc
from chassis.settings import Settings

SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
# Seconds for what waits to be sent when the process ends: a collector that is away must not hold it.
LAST_EXPORT = 3.0
# What a log record has of itself; everything else in it was given as `extra` and is shown.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@dataclass(slots=True)
class Measured:
    """The outcome of a call: the reason of its refusal, or OK."""

    reason: str = "OK"


class Telemetry:
    """The instruments of one process."""

    def __init__(self, settings: Settings, target: str) -> None:
        resource = Resource.create({"service.name": f"quanyutong-{target}", "service.namespace": "quanyutong"})
        self._exporting = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
        readers: list[MetricReader] = [PrometheusMetricReader()]
        self._tracers = None
        self._log_handler: logging.Handler | None = None
        self._closing: list[Callable[[], object]] = []
        if self._exporting:
            # Imported here: they take a second that a process without an endpoint need not spend.
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

            readers.append(PeriodicExportingMetricReader(OTLPMetricExporter()))
            self._tracers = TracerProvider(
                ParentBased(TraceIdRatioBased(settings.trace_share)), resource, shutdown_on_exit=False
            )
            self._tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
            self._closing.append(self._tracers.shutdown)
            self._export_logs(resource)
        self._meters = MeterProvider(
            readers,
            resource,
            shutdown_on_exit=False,
            views=[View(instrument_type=Histogram, aggregation=ExplicitBucketHistogramAggregation(SECONDS))],
        )
        self._closing.append(self._meters.shutdown)
        self.meter = self._meters.get_meter("quanyutong")
        self.tracer = self._tracers.get_tracer("quanyutong") if self._tracers else None
        self._seconds = self.meter.create_histogram(
            "qyt_call_duration", "s", "Time of a call in a service, by method and reason (OK when it succeeded)."
        )

    def _export_logs(self, resource: Resource) -> None:
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

        loggers = LoggerProvider(resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        self._closing.append(loggers.shutdown)
        self._log_handler = _Exported(loggers.get_logger("quanyutong"))
        logging.getLogger().addHandler(self._log_handler)

    @contextmanager
    def call(self, rpc: Rpc, metadata: Mapping[str, str]) -> Iterator[Measured]:
        """Measures one call, and traces it when its caller or the sampler says so; one of a secret ballot never."""
        measured = Measured()
        started = time.perf_counter()
        try:
            if self.tracer is None or rpc.traceless:
                yield measured
            else:
                with self._span(rpc, metadata, measured):
                    yield measured
        finally:
            self._seconds.record(
                time.perf_counter() - started,
                {"service": rpc.service, "method": rpc.method, "reason": measured.reason},
            )

    @contextmanager
    def _span(self, rpc: Rpc, metadata: Mapping[str, str], measured: Measured) -> Iterator[None]:
        assert self.tracer is not None  # noqa: S101 - the only caller has just looked
        parent = propagate.extract(metadata)
        name = rpc.path.removeprefix("/")
        with self.tracer.start_as_current_span(name, parent, SpanKind.SERVER, record_exception=False) as span:
            span.set_attributes({"rpc.system": "grpc", "rpc.service": rpc.service, "rpc.method": rpc.method})
            try:
                yield
            finally:
                if measured.reason != "OK":
                    span.set_attribute("quanyutong.reason", measured.reason)
                    span.set_status(Status(StatusCode.ERROR, measured.reason))

    def gauge(self, name: str, unit: str, description: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Shows the numbers that `read` gives at the moment, each under its key as the attribute `service`."""

        def observe(_: CallbackOptions) -> list[Observation]:
            return [Observation(number, {"service": key}) for key, number in read().items()]

        self.meter.create_observable_gauge(name, [observe], unit, description)

    def close(self) -> None:
        """Sends what is waiting, as far as the collector takes it within LAST_EXPORT."""
        if self._log_handler:
            logging.getLogger().removeHandler(self._log_handler)
        threads = [threading.Thread(target=close, daemon=True) for close in self._closing]
        for thread in threads:
            thread.start()
        end = time.monotonic() + LAST_EXPORT
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))


@contextmanager
def continuing(headers: Mapping[str, str]) -> Iterator[None]:
    """What is logged and published inside belongs to the trace that the headers name, if they name one."""
    token = context.attach(propagate.extract(headers))
    try:
        yield
    finally:
        context.detach(token)


def traceparent() -> str:
    """The W3C trace context of the current span; empty outside one."""
    if not trace.get_current_span().get_span_context().is_valid:
        return ""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent", "")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= _given(record)
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace"] = trace.format_trace_id(span.trace_id)
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class _Exported(logging.Handler):
    """Sends by OTLP what the log says, and no more."""

    def __init__(self, logger: Logger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("opentelemetry", "grpc")):
            return  # An export that fails would export that it failed.
        facts = {
            name: value if isinstance(value, str | int | float) else str(value)
            for name, value in _given(record).items()
        }
        if record.exc_info:
            facts["stack"] = logging.Formatter().formatException(record.exc_info)
        self._logger.emit(
            timestamp=int(record.created * 1e9),
            severity_number=_SEVERITY.get(record.levelno, SeverityNumber.UNSPECIFIED),
            severity_text=record.levelname,
            body=record.getMessage(),
            attributes={"logger": record.name, **facts},
        )


_SEVERITY = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


def _given(record: logging.LogRecord) -> dict[str, object]:
    """What the one who logged gave as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}


def log_to_stderr(level: str) -> None:
    """One JSON object a line, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("opentelemetry", "grpc", "asyncio", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
