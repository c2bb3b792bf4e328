"""Subscriptions (订阅): a district's own systems follow what happens in it, in all services.

Who was cut off comes back with the cursor of the last message that it dealt with, and misses nothing. Nothing is kept
here for a subscriber, so that one that stays away costs nothing.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import grpc

from chassis import auth, ending, tenancy
from chassis.bus import NatsError, event_of
from chassis.errors import Refusal
from chassis.following import PositionLost, Seen, check_kept, ends, followed
from chassis.peers import Peers
from chassis.vault import Vault
from chassis.wire import timestamp
from quanyutong.registry.v1 import subscriptions_pb2 as pb
from services.registry import cursors
from services.registry.domain import Refused
from services.registry.subscribable import SUBSCRIBABLE

Context = grpc.aio.ServicerContext[Any, Any]
HEARTBEAT = 15.0
# Seconds between two looks whether the process ends or the token expires while nothing happens.
INTERVAL = 1.0
# Lines of one district to one process.
MOST = 8


class Subscribing:
    _vault: Vault
    _peers: Peers
    _lines: Counter[str]

    async def WatchEvents(self, request: pb.WatchEventsRequest, _: Context) -> AsyncIterator[pb.WatchEventsResponse]:
        district, types = tenancy.district(), chosen(request.types)
        with self._line(district):
            try:
                positions = await self._positions(request, district)
                async for response in self._responses(district, types, positions):
                    yield response
            except PositionLost:
                raise Refused("EVENT_CURSOR_TOO_OLD") from None
            except (NatsError, ConnectionError):
                raise Refusal("SERVICE_UNAVAILABLE") from None

    @contextmanager
    def _line(self, district: str) -> Iterator[None]:
        if self._lines[district] >= MOST:
            raise Refused("TOO_MANY_SUBSCRIBERS", most=MOST)
        self._lines[district] += 1
        try:
            yield
        finally:
            self._lines[district] -= 1
            if not self._lines[district]:
                del self._lines[district]

    async def _positions(self, request: pb.WatchEventsRequest, district: str) -> dict[str, int]:
        """How far the subscriber is, in the streams of all types: it may choose others the next time."""
        bus = self._peers.bus
        if request.cursor:
            positions = cursors.read(self._vault, district, request.cursor)
            await check_kept(bus, positions)
            return positions
        last = await ends(bus, SUBSCRIBABLE)
        return dict.fromkeys(last, 0) if request.from_start else last

    async def _responses(
        self, district: str, types: Collection[str], positions: dict[str, int]
    ) -> AsyncIterator[pb.WatchEventsResponse]:
        yield self._response(district, positions)
        spoken = time.monotonic()
        async with followed(self._peers.bus, district, types, positions) as events:
            while True:
                if seen := await events.next(INTERVAL):
                    positions[seen.stream] = seen.number
                else:
                    await ending.pause(0)
                if seen or time.monotonic() - spoken >= HEARTBEAT:
                    spoken = time.monotonic()
                    yield self._response(district, positions, seen)
                if auth.caller.get().expires <= time.time():
                    raise Refusal("TOKEN_EXPIRED")

    def _response(
        self, district: str, positions: Mapping[str, int], seen: Seen | None = None
    ) -> pb.WatchEventsResponse:
        cursor = cursors.written(self._vault, district, positions)
        return pb.WatchEventsResponse(cursor=cursor, event=_message(seen) if seen else None)


def chosen(types: Collection[str]) -> Collection[str]:
    """Raises Refused EVENT_TYPE_REFUSED."""
    if unknown := sorted(set(types) - SUBSCRIBABLE):
        raise Refused("EVENT_TYPE_REFUSED", type=unknown[0])
    return set(types) or SUBSCRIBABLE


def _message(seen: Seen) -> pb.DistrictEvent:
    headers = seen.message.headers or {}
    event = event_of(headers)
    return pb.DistrictEvent(
        id=str(event.id),
        source=headers["ce-source"],
        type=event.type,
        subject=event.aggregate,
        time=timestamp(datetime.fromisoformat(headers["ce-time"])),
        data=seen.message.data,
    )
