"""A service behind the gateway that does what a test tells it to, and remembers what reached it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis.embedded.ports import free_port
from tests.probe.stubs import compiled

probe_pb2, probe_pb2_grpc = compiled()
SERVICE = probe_pb2.DESCRIPTOR.services_by_name["ProbeService"]
Context = grpc.aio.ServicerContext[Any, Any]

LEAD = (("x-probe-lead", "first"), ("x-probe-lead-bin", b"\x00\xff"))
TRAIL = (("x-probe-trail", "last"), ("x-probe-trail-bin", b"\xff\x00"))


def fault() -> status_pb2.Status:
    """A refusal with everything that a refusal may have."""
    status = status_pb2.Status(code=9, message="会议尚未召开 100%")
    status.details.add().Pack(
        error_details_pb2.ErrorInfo(reason="MEETING_NOT_OPEN", domain="meetings.quanyutong", metadata={"meeting": "7"})
    )
    status.details.add().Pack(error_details_pb2.LocalizedMessage(locale="en", message="The meeting is not open."))
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="probe.name", description="must be set")
    status.details.add().Pack(bad)
    return status


class Probes(probe_pb2_grpc.ProbeServiceServicer):  # type: ignore[misc, name-defined] # compiled for the tests
    """Answers by the name in the request, and fails first as often as `failures` says."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As if nothing had been called yet."""
        self.calls: Counter[str] = Counter()
        self.metadata: list[tuple[str, str | bytes]] = []
        self.deadline: float | None = None
        self.failures = 0
        self.cancelled = asyncio.Event()

    async def GetProbe(self, request: Any, context: Context) -> Any:
        await self._arrived("GetProbe", context)
        if request.name == "probes/slow":
            await self._until_cancelled()
        if request.name == "probes/faulty":
            await self._refuse(context)
        if request.name == "probes/leading":
            await context.send_initial_metadata(LEAD)
            context.set_trailing_metadata(TRAIL)
        text = "全过程人民民主" + "民" * (request.padding // 3)
        return probe_pb2.Probe(name=request.name, display_name=text, weight=2**40, mood="MOOD_CALM")

    async def CreateProbe(self, request: Any, context: Context) -> Any:
        await self._arrived("CreateProbe", context)
        return request.probe

    async def PokeProbe(self, request: Any, context: Context) -> Any:
        await self._arrived("PokeProbe", context)
        return probe_pb2.Probe(name=request.name, weight=request.strength)

    async def WatchProbes(self, request: Any, context: Context) -> AsyncIterator[Any]:
        await self._arrived("WatchProbes", context)
        for number in range(request.count or 1):
            yield probe_pb2.Probe(name=f"probes/{number}")
        if not request.count:
            await self._until_cancelled()

    async def CollectProbes(self, requests: AsyncIterator[Any], context: Context) -> Any:
        await self._arrived("CollectProbes", context)
        return probe_pb2.CollectProbesResponse(display_names=[probe.display_name async for probe in requests])

    async def EchoProbes(self, requests: AsyncIterator[Any], context: Context) -> AsyncIterator[Any]:
        await self._arrived("EchoProbes", context)
        async for probe in requests:
            yield probe

    async def _arrived(self, method: str, context: Context) -> None:
        self.calls[method] += 1
        self.metadata = [(key, value) for key, value in context.invocation_metadata() or ()]
        self.deadline = context.time_remaining()
        if self.failures:
            self.failures -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")

    async def _until_cancelled(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()

    @staticmethod
    async def _refuse(context: Context) -> None:
        status = fault()
        details = (("grpc-status-details-bin", status.SerializeToString()),)
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, status.message, details)


class Backend:
    """The process of the service: started and stopped on one port, as often as a test likes."""

    def __init__(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.probes = Probes()
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        probe_pb2_grpc.add_ProbeServiceServicer_to_server(self.probes, self._server)
        state = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(state, self._server)
        await state.set(SERVICE.full_name, health_pb2.HealthCheckResponse.SERVING)
        self._server.add_insecure_port(self.address)
        await self._server.start()

    async def stop(self) -> None:
        """At once, calls under way included."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None
