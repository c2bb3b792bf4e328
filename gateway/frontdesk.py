"""The gateway's own small gRPC server: health and reflection of the whole platform, and the reading of REST bodies.

Envoy is its only client. It listens on the loopback interface and knows nothing
that is not public: anyone may ask how the services are and what they look like.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from chassis.embedded.ports import free_port
from gateway import authorization
from gateway.health import Health
from gateway.reading import Reader
from gateway.upstream import Upstream, methods

HEALTH = "grpc.health.v1.Health"
# Version 1 and its alpha have the same messages; tools ask for either.
REFLECTION = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
# grpcio would let a second process listen on the same port, unseen.
OPTIONS = [("grpc.so_reuseport", 0)]
PORT_ATTEMPTS = 5


@dataclass(frozen=True)
class Frontdesk:
    """Where it listens, which services it serves to callers, and its health."""

    address: str
    services: tuple[str, ...]
    health: Health


def served(*, reflected: bool) -> tuple[str, ...]:
    """The services that callers reach without a token."""
    return (HEALTH, *REFLECTION) if reflected else (HEALTH,)


@asynccontextmanager
async def frontdesk(
    upstreams: Sequence[Upstream], *, reflected: bool, listen: str | None = None
) -> AsyncIterator[Frontdesk]:
    """Runs the server, at `listen` (host:port) or on a free port of the loopback interface."""
    async with Health.over(upstreams) as health:
        server, address = _bound(upstreams, health, listen, reflected=reflected)
        await server.start()
        try:
            yield Frontdesk(address, served(reflected=reflected), health)
        finally:
            await server.stop(grace=None)


def _bound(
    upstreams: Sequence[Upstream], health: Health, listen: str | None, *, reflected: bool
) -> tuple[grpc.aio.Server, str]:
    for attempt in range(1, PORT_ATTEMPTS + 1):
        server = grpc.aio.server(options=OPTIONS)
        _add_services(server, upstreams, health, reflected=reflected)
        address = listen or f"127.0.0.1:{free_port()}"
        try:
            server.add_insecure_port(address)
        except RuntimeError:
            if listen or attempt == PORT_ATTEMPTS:
                raise
        else:
            return server, address
    raise AssertionError("unreachable")


def _add_services(server: grpc.aio.Server, upstreams: Sequence[Upstream], health: Health, *, reflected: bool) -> None:
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    handlers = [_reading(upstreams)]
    if reflected:
        handlers += _reflecting(upstreams)
    server.add_generic_rpc_handlers(handlers)


def _reading(upstreams: Sequence[Upstream]) -> grpc.GenericRpcHandler:
    reader = Reader(method for _, method in methods(upstreams))

    async def check(request: Any, _: grpc.aio.ServicerContext[Any, Any]) -> Any:
        return reader.check(request)

    handler = grpc.unary_unary_rpc_method_handler(
        check,
        request_deserializer=authorization.CheckRequest.FromString,
        response_serializer=authorization.CheckResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(authorization.SERVICE, {"Check": handler})


def _reflecting(upstreams: Sequence[Upstream]) -> list[grpc.GenericRpcHandler]:
    names = sorted(service.full_name for upstream in upstreams for service in upstream.services)
    answer = reflection.ReflectionServicer([*names, HEALTH, REFLECTION[1]]).ServerReflectionInfo
    handler = grpc.stream_stream_rpc_method_handler(
        answer,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return [grpc.method_handlers_generic_handler(version, {"ServerReflectionInfo": handler}) for version in REFLECTION]
