"""A service behind the gateway."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from gateway.configuration import GatewayConfigInvalid


@dataclass(frozen=True)
class Upstream:
    """Where a service is (`host:port` for each of its processes) and which gRPC services it serves."""

    name: str
    addresses: tuple[str, ...]
    services: tuple[ServiceDescriptor, ...]


def split_address(address: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port` in two. Raises GatewayConfigInvalid when it is neither."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise GatewayConfigInvalid(f"{address!r} is not host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def methods(upstreams: Iterable[Upstream]) -> Iterator[tuple[Upstream, MethodDescriptor]]:
    """Every RPC with the upstream that serves it."""
    for upstream in upstreams:
        for service in upstream.services:
            for method in service.methods:
                yield upstream, method
