"""The events of one district, read from the streams as they come: for its own systems, not for a service.

A service has a consumer that NATS keeps; a follower has none. It says itself how far it is in each stream, so that
nothing has to be kept for one that never comes back.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from chassis.bus import ABANDONED, Bus, stream_of
from chassis.manifest import package_of, subject_of
from chassis.tasks import beside

# Events that are read ahead of who follows, and seconds of one question to the server.
AHEAD = 100
LONG_POLL = 5.0
# How far one is: the number of the last event of each stream that was seen.
Positions = Mapping[str, int]


class PositionLost(Exception):
    """A stream no longer has what came after a position."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as it came, and where it stands."""

    stream: str
    number: int
    message: Msg


async def ends(bus: Bus, types: Collection[str]) -> dict[str, int]:
    """The positions of one who has seen everything by now."""
    return {stream: (await bus.js.stream_info(stream)).state.last_seq for stream in sorted(_streams(types))}


async def check_kept(bus: Bus, positions: Positions) -> None:
    """Raises PositionLost where events between a position and what is kept are gone."""
    for stream, position in positions.items():
        if (await bus.js.stream_info(stream)).state.first_seq > position + 1:
            raise PositionLost(stream)


class Events:
    """Events as they come, those of one stream in their order."""

    def __init__(self) -> None:
        self._found: asyncio.Queue[Seen | Exception] = asyncio.Queue(AHEAD)

    async def next(self, within: float) -> Seen | None:
        """None where no event came in so many seconds. Raises what reading failed with."""
        try:
            async with asyncio.timeout(within):
                found = await self._found.get()
        except TimeoutError:
            return None
        if isinstance(found, Exception):
            raise found
        return found

    async def read(self, bus: Bus, stream: str, subjects: list[str], position: int) -> None:
        """Reads a stream until it fails."""
        try:
            async for seen in _each(bus, stream, subjects, position):
                await self._found.put(seen)
        except Exception as fault:  # of whatever kind: it is raised where the events are asked for
            await self._found.put(fault)


@asynccontextmanager
async def followed(bus: Bus, district: str, types: Collection[str], positions: Positions) -> AsyncIterator[Events]:
    """Events of these types after these positions."""
    found = Events()
    works = [
        found.read(bus, stream, [subject_of(each, district) for each in of], positions.get(stream, 0))
        for stream, of in _streams(types).items()
    ]
    async with beside(*works):
        yield found


def _streams(types: Collection[str]) -> dict[str, list[str]]:
    streams: dict[str, list[str]] = {}
    for each in sorted(types):
        streams.setdefault(stream_of(package_of(each)), []).append(each)
    return streams


async def _each(bus: Bus, stream: str, subjects: list[str], position: int) -> AsyncIterator[Seen]:
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=position + 1,
        filter_subjects=subjects,
        inactive_threshold=ABANDONED,
        mem_storage=True,
    )
    info = await bus.js.add_consumer(stream, config)
    subscription = await bus.js.pull_subscribe_bind(info.name, stream)
    try:
        while True:
            try:
                messages = await subscription.fetch(AHEAD, timeout=LONG_POLL)
            except TimeoutError:
                continue
            for message in messages:
                yield Seen(stream, message.metadata.sequence.stream, message)
    finally:
        await subscription.unsubscribe()
