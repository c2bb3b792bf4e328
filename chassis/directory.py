"""The directory of districts, as every process sees it: who exists, who is suspended, which limits.

The registry owns it and publishes each entry as the event DistrictChanged; a
process keeps the latest entry of every district in memory. A district that is
not in it does not exist: the directory fails closed.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy

from chassis import clock
from chassis.bus import LATEST_ONLY, Bus, stream_of
from chassis.manifest import subject_of
from chassis.wire import read_date
from quanyutong.common.v1.events_pb2 import DistrictChanged

# Seconds for the entries of all districts to arrive.
FILLED_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class District:
    """One entry. `calls_per_second` and `calls_in_flight` are 0 where the platform's default holds."""

    code: str
    name: str
    suspended: bool = False
    calls_per_second: int = 0
    calls_in_flight: int = 0
    valid_from: date = date.min
    valid_to: date = date.max


class Directory:
    """The districts of today, and a way to wait for the next change."""

    def __init__(self, entries: Iterable[District] = ()) -> None:
        self._all = {entry.code: entry for entry in entries}
        self._day = date.min
        self._today: dict[str, District] = {}
        self._changed = asyncio.Event()

    @property
    def entries(self) -> Mapping[str, District]:
        if (day := clock.today()) != self._day:
            self._day = day
            self._today = {e.code: e for e in self._all.values() if e.valid_from <= day < e.valid_to}
        return self._today

    def begun(self, code: str) -> District | None:
        """The entry of a district that is there, or was: what it left can still be read."""
        entry = self._all.get(code)
        return entry if entry and entry.valid_from <= clock.today() else None

    @property
    def codes(self) -> Sequence[str]:
        """Of every district that there is, was or will be."""
        return list(self._all)

    def put(self, entry: District) -> None:
        if self._all.get(entry.code) == entry:
            return
        self._all[entry.code] = entry
        self._day = date.min
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Returns after the next change of an entry."""
        await self._changed.wait()


async def followed(bus: Bus) -> Directory:
    """The directory, filled when it is handed out, and kept up to date for as long as the bus is open."""
    directory = Directory()
    await bus.each_time(lambda: _follow(bus, directory))
    return directory


async def _follow(bus: Bus, directory: Directory) -> None:
    """Returns when every entry of this moment is in the directory; later changes follow by themselves."""
    received = 0
    more = asyncio.Event()

    async def receive(message: Msg) -> None:
        nonlocal received
        directory.put(_entry(DistrictChanged.FromString(message.data)))
        received += 1
        more.set()

    # An ordered consumer notices a gap, and begins again where it was.
    subscription = await bus.js.subscribe(
        subject_of(DistrictChanged.DESCRIPTOR.full_name),
        stream=stream_of(LATEST_ONLY),
        cb=receive,
        ordered_consumer=True,
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
    )
    info = await subscription.consumer_info()
    there = (info.num_pending or 0) + (info.delivered.consumer_seq if info.delivered else 0)
    async with asyncio.timeout(FILLED_WITHIN):
        while received < there:
            more.clear()
            await more.wait()


def _entry(event: DistrictChanged) -> District:
    return District(
        code=event.code,
        name=event.display_name,
        suspended=event.suspended,
        calls_per_second=event.calls_per_second,
        calls_in_flight=event.calls_in_flight,
        valid_from=read_date(event, "valid_from") or date.min,
        valid_to=read_date(event, "valid_to") or date.max,
    )
