"""The other services of the platform, as a service calls them: with its caller's own token, outside any transaction.

Services know each other by their events. A call is the exception, for what must
not travel in events, such as a person's name: the peer then judges by itself
whether the caller may know it.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from chassis import client
from chassis.errors import Refusal
from chassis.settings import Settings

if TYPE_CHECKING:  # it knows what a manifest is, which knows what peers are
    from chassis.bus import Bus

FORWARDED = ("authorization", "x-district", "traceparent")
Metadata = tuple[tuple[str, str], ...]


class Peers:
    """Channels to other services, made when they are needed; `here` are those of this process. And their events."""

    def __init__(self, settings: Settings, bus: "Bus | None" = None) -> None:
        self._settings = settings
        self._bus = bus
        self._here: Mapping[str, str] = {}
        self._channels: dict[str, grpc.aio.Channel] = {}

    @property
    def bus(self) -> "Bus":
        """Where their events are. Raises Refusal SERVICE_UNAVAILABLE while it is away."""
        if self._bus is None or not self._bus.connected:
            raise Refusal("SERVICE_UNAVAILABLE")
        return self._bus

    def are_here(self, services: Iterable[str], address: str) -> None:
        self._here = dict.fromkeys(services, address)

    def channel(self, name: str, service: ServiceDescriptor) -> grpc.aio.Channel:
        """Raises Refusal SERVICE_UNAVAILABLE where nobody said where the peer is."""
        if name not in self._channels:
            address = self._here.get(name) or self._settings.for_service(name).address
            if not address:
                raise Refusal("SERVICE_UNAVAILABLE")
            self._channels[name] = client.channel(address.split(",")[0], [service])
        return self._channels[name]

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()


def as_caller(context: grpc.aio.ServicerContext[Any, Any]) -> Metadata:
    """What a call on behalf of this one's caller carries."""
    return tuple((key, str(value)) for key, value in context.invocation_metadata() or () if key in FORWARDED)
