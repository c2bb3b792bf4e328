"""The consumer: applies events of other services, each once.

The inbox row and the effect stand in one transaction, the ack comes after its
commit. Neighbours of one kind and district share a transaction, so that a service
which has missed much catches up; where one of them fails, each gets its own. A
fault of a server is waited out; an event that fails by itself goes, after some
tries, to the dead letters, from where an operator replays it. The
districts of a silo have a consumer of their own: only they wait for its server.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from itertools import groupby

from google.protobuf.message import Message
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from sqlalchemy import text

from chassis import actor, tenancy
from chassis.bus import REPLAY, Bus, NatsError, durable_of, event_of, stream_of
from chassis.database import Database, WriteTx, fault_of
from chassis.duties import Connect
from chassis.manifest import Event, EventHandler, package_of, subject_of
from chassis.sql import Sql
from chassis.tasks import together
from chassis.telemetry import continuing

log = logging.getLogger(__name__)
BATCH = 100
LONG_POLL = 20.0
TRIES = 5
# Seconds before the next try of an event, and while a server is away.
BACKOFF = (0.05, 0.2, 0.5, 1.0)
AWAY = 0.5
# Faults that are not the event's: it is tried until they are over.
PASSING = ("SERVICE_UNAVAILABLE", "CONCURRENT_CHANGE")
RECEIVED = Sql(
    text(
        "INSERT INTO inbox (district, event_id) VALUES (:district, :event_id) ON CONFLICT DO NOTHING RETURNING event_id"
    )
)


class Consumer:
    """What one service consumes: the events of these districts, or of all that are in the pool."""

    def __init__(
        self,
        service: str,
        bus: Bus,
        database: Database,
        consumes: Mapping[type[Message], EventHandler],
        districts: Sequence[str] = (),
    ) -> None:
        self._service = service
        self._bus = bus
        self._database = database
        self._districts = districts
        self._handlers = {kind.DESCRIPTOR.full_name: (kind, handler) for kind, handler in consumes.items()}

    async def run(self, _: Connect) -> None:
        """Until a server fails, which its caller handles; by then nothing is acked that was not applied."""
        await self._bus.available()
        follows = [self._follow_events(district) for district in self._districts or ("*",)]
        if not self._districts:
            follows.append(self._follow(REPLAY, durable_of(self._service, REPLAY), [f"qyt-replay.{self._service}.>"]))
        await together(*follows)

    async def _follow_events(self, district: str) -> None:
        own = "" if district == "*" else district
        packages = sorted({package_of(event) for event in self._handlers})
        subjects = {
            stream_of(package): sorted(
                subject_of(event, district) for event in self._handlers if package_of(event) == package
            )
            for package in packages
        }
        await together(
            *(self._follow(stream, durable_of(self._service, stream, own), of) for stream, of in subjects.items())
        )

    async def _follow(self, stream: str, durable: str, subjects: Sequence[str]) -> None:
        config = ConsumerConfig(
            durable_name=durable,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=30,
            max_ack_pending=BATCH,
            filter_subjects=list(subjects),
        )
        await self._bus.js.add_consumer(stream, config)
        await self._bus.rewind(stream, durable)
        subscription = await self._bus.js.pull_subscribe_bind(durable, stream)
        try:
            while True:
                try:
                    messages = await subscription.fetch(BATCH, timeout=LONG_POLL)
                except TimeoutError:
                    continue
                # Each district's in their order; events of two districts have none between them.
                for _, neighbours in groupby(sorted(messages, key=_district), key=_district_and_kind):
                    await self._handle_all(list(neighbours))
        finally:
            with contextlib.suppress(NatsError):
                await subscription.unsubscribe()

    async def _handle_all(self, neighbours: Sequence[Msg]) -> None:
        if len(neighbours) > 1:
            try:
                await self._apply(neighbours)
            except Exception as error:  # each by itself shows which one is at fault, and what with
                log.debug("events one by one", extra={"kind": type(error).__name__})
            else:
                for message in neighbours:
                    await message.ack()
                return
        for message in neighbours:
            await self._handle(message)

    async def _handle(self, message: Msg) -> None:
        failures = 0
        while True:
            try:
                await self._apply([message])
                break
            except Exception as error:
                if fault_of(error) in PASSING:
                    await asyncio.sleep(AWAY)
                elif failures + 1 < TRIES:
                    await asyncio.sleep(BACKOFF[failures])
                    failures += 1
                else:
                    fault = type(error).__name__
                    await self._bus.bury(self._service, message, fault)
                    log.error("dead letter", extra={"consumer": self._service, "kind": fault})
                    break
                await message.in_progress()
        await message.ack()

    async def _apply(self, neighbours: Sequence[Msg]) -> None:
        event = event_of(neighbours[0].headers or {})
        if self._elsewhere(event, neighbours[0]):
            return
        with tenancy.acting_for(event.district), actor.applying(event.type):
            async with self._database.write() as tx:
                for message in neighbours:
                    with continuing(message.headers or {}):
                        await self._apply_one(tx, message)

    async def _apply_one(self, tx: WriteTx, message: Msg) -> None:
        event = event_of(message.headers or {})
        kind, handler = self._handlers[event.type]
        content = kind.FromString(message.data)
        if await _first_time(tx, event):
            await handler(tx, content, event)

    def _elsewhere(self, event: Event, message: Msg) -> bool:
        """Whether the consumer of a silo applies it: that of the pool is sent the events of all, and all replays."""
        return not self._districts and event.district in self._database.apart and message.subject.startswith("qyt.")


def _district(message: Msg) -> str:
    return (message.headers or {}).get("ce-district", "")


def _district_and_kind(message: Msg) -> tuple[str, str]:
    return _district(message), (message.headers or {}).get("ce-type", "")


async def _first_time(tx: WriteTx, event: Event) -> bool:
    return await tx.first(RECEIVED, district=event.district, event_id=event.id) is not None
