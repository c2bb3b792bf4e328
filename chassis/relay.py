"""The relay: takes committed events from the outbox to the bus.

A row that is there is not delivered; delivery deletes it. A crash between the
bus's ack and the delete sends an event twice, under the same id, and the
inboxes of its consumers apply it once.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

import asyncpg

from chassis.bus import Bus
from chassis.duties import Connect
from chassis.manifest import Event

BATCH = 500
# Another process may have committed an event: look again after this time (seconds).
LOOK_AGAIN = 0.25
NEXT = """SELECT id, event_id, district, type, aggregate, payload, traceparent, occurred_at
          FROM outbox ORDER BY id LIMIT $1"""
DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"


class Relay:
    """The relay of one service. `wake` is set when this process has committed an event."""

    def __init__(self, bus: Bus, wake: asyncio.Event) -> None:
        self._bus = bus
        self._wake = wake
        self._runs = False
        self._nothing_left = asyncio.Event()

    async def run(self, connect: Connect) -> None:
        """Until a server fails, which its caller handles."""
        await self._bus.available()
        async with connect() as connection:
            self._runs = True
            try:
                await self._relay(connection)
            finally:
                self._runs = False

    async def finish(self) -> None:
        """Returns when everything committed so far is delivered; at once where another process delivers."""
        if self._runs:
            self._nothing_left.clear()
            self._wake.set()
            await self._nothing_left.wait()

    async def _relay(self, connection: asyncpg.Connection) -> None:
        while True:
            self._wake.clear()
            if rows := await connection.fetch(NEXT, BATCH):
                await self._deliver(connection, rows)
                continue
            if not self._wake.is_set():
                self._nothing_left.set()
            await self._wait()

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN):
                await self._wake.wait()

    async def _deliver(self, connection: asyncpg.Connection, rows: Iterable[asyncpg.Record]) -> None:
        """Aggregates side by side, the events of one in their order: after a failure none of its later ones goes."""
        lanes: dict[tuple[str, str], list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            lanes[row["district"], row["aggregate"]].append(row)
        delivered: list[int] = []
        outcomes = await asyncio.gather(
            *(self._send(lane, delivered) for lane in lanes.values()), return_exceptions=True
        )
        if delivered:
            await connection.execute(DELETE, delivered)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _send(self, lane: list[asyncpg.Record], delivered: list[int]) -> None:
        for row in lane:
            event = Event(UUID(str(row["event_id"])), row["district"], row["type"], row["aggregate"])
            await self._bus.publish(event, row["payload"], row["occurred_at"], row["traceparent"])
            delivered.append(row["id"])
