"""How the services behind the gateway are: grpc.health.v1, each question passed on to those it is about."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.upstream import Upstream

# The gateway's own name, for probes that must not fail when a service does.
GATEWAY = "quanyutong.gateway"
PATIENCE = 1.0
WATCH_INTERVAL = 1.0
CHANNEL_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    # A service that comes back is to be seen at once, not after a backoff of two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
Context = grpc.aio.ServicerContext[Any, Any]
Status = health_pb2.HealthCheckResponse
Stubs = Sequence[Any]


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """A service is SERVING when one of its processes says so; the empty name asks for all services together."""

    def __init__(self, upstreams: Iterable[tuple[Upstream, Stubs]]) -> None:
        pairs = list(upstreams)
        self._processes = [stubs for _, stubs in pairs]
        self._of_service = {service.full_name: stubs for upstream, stubs in pairs for service in upstream.services}
        self._leaving = False

    @classmethod
    @asynccontextmanager
    async def over(cls, upstreams: Sequence[Upstream]) -> AsyncIterator[Self]:
        """With one channel to each process, closed at the end."""
        async with AsyncExitStack() as open_channels:

            async def stub(address: str) -> Any:
                channel = grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
                return health_pb2_grpc.HealthStub(await open_channels.enter_async_context(channel))

            yield cls([(up, [await stub(address) for address in up.addresses]) for up in upstreams])

    def leave(self) -> None:
        """From now on nothing is SERVING: the gateway is about to stop."""
        self._leaving = True

    async def Check(self, request: Any, context: Context) -> Any:
        status = await self._status(request.service)
        if status == Status.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service!r} here")
        return Status(status=status)

    async def Watch(self, request: Any, context: Context) -> AsyncIterator[Any]:
        told = None
        while True:
            if (status := await self._status(request.service)) != told:
                told = status
                yield Status(status=status)
            await asyncio.sleep(WATCH_INTERVAL)

    async def _status(self, service: str) -> int:
        if self._leaving:
            return int(Status.NOT_SERVING)
        if service == GATEWAY:
            return int(Status.SERVING)
        if service and service not in self._of_service:
            return int(Status.SERVICE_UNKNOWN)
        asked = [self._of_service[service]] if service else self._processes
        serving = await asyncio.gather(*(_any_serving(stubs, service) for stubs in asked))
        return int(Status.SERVING if all(serving) else Status.NOT_SERVING)


async def _any_serving(stubs: Stubs, service: str) -> bool:
    return any(await asyncio.gather(*(_serving(stub, service) for stub in stubs)))


async def _serving(stub: Any, service: str) -> bool:
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.status == Status.SERVING)
