"""The bus: streams on NATS JetStream, and events as CloudEvents 1.0 in NATS messages.

One stream for each package of events. The package `common` holds state rather
than history: of each district's subject only the latest message is kept.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import nats
from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RawStreamMsg,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, BadRequestError, NotFoundError

from chassis.faults import OperatorFault
from chassis.manifest import Event, package_of, subject_of
from chassis.tasks import ended

log = logging.getLogger(__name__)
# The first with the reset of a consumer, without which events would come out of order after a crash.
VERSION = (2, 14)
ACK_WITHIN = 5.0
# Seconds between two tries to connect again.
AGAIN = 0.25
# Seconds between two looks at whether the connection is still there.
LOOK_AGAIN = 0.5
# Seconds after which the server forgets who reads a stream and does not come back.
ABANDONED = 60.0
DEAD = "QYT_DEAD"
REPLAY = "QYT_REPLAY"
LATEST_ONLY = "common"
NatsError = errors.Error
Beginning = Callable[[], Awaitable[None]]


class Bus:
    """A connection that survives the server's absence: calls fail meanwhile and succeed again after.

    Each connection is a client of its own. The library's way, one client that
    reconnects, leaves waiting what will never be answered, and can stop trying.
    """

    def __init__(self, url: str, name: str, replicas: int) -> None:
        self._url = url
        self._name = name
        self._replicas = replicas
        self._client: Client
        self.js: JetStreamContext
        self._beginnings: list[Beginning] = []
        self._there = asyncio.Event()
        self._lost = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, url: str, name: str, replicas: int = 1) -> Self:
        """Raises OSError, nats.errors.Error or BusUnsuitable when nothing of use answers within some seconds."""
        bus = cls(url, name, replicas)
        await bus._open()
        bus._keeper = asyncio.create_task(bus._keep())
        return bus

    @property
    def connected(self) -> bool:
        return self._there.is_set()

    async def available(self) -> None:
        """Returns when there is a connection."""
        await self._there.wait()

    async def present(self, _: object = None) -> None:
        """A duty beside those that use the bus: fails with ConnectionResetError as soon as the connection is lost."""
        await self.available()
        await self._lost.wait()
        raise ConnectionResetError("the connection to the bus is lost")

    async def each_time(self, begin: Beginning) -> None:
        """Does something now, and again whenever there is a new connection, which is of use only if it succeeds."""
        self._beginnings.append(begin)
        await begin()

    async def close(self) -> None:
        if self._keeper is not None:
            await ended([self._keeper])
        with contextlib.suppress(OSError, RuntimeError):  # of a connection that breaks in this moment
            await self._client.close()

    async def _keep(self) -> None:
        """Replaces a lost connection. Never ends by itself."""
        while True:
            await self._until_lost()
            log.warning("bus disconnected")
            while self._lost.is_set():
                await asyncio.sleep(AGAIN)
                try:
                    await self._open()
                except Exception as error:  # whatever it is, the next try may succeed
                    log.debug("bus away", extra={"kind": type(error).__name__})
            log.info("bus reconnected")

    async def _until_lost(self) -> None:
        """The library tells, but not always: on uvloop it can fail itself while it closes."""
        while self._client.is_connected and not self._lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN):
                    await self._lost.wait()
        self._there.clear()
        self._lost.set()

    async def _open(self) -> None:
        lost = asyncio.Event()

        async def closed() -> None:
            lost.set()
            if self._lost is lost:
                self._there.clear()

        self._client = await nats.connect(
            self._url,
            name=self._name,
            connect_timeout=5,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0.1,
            ping_interval=10,
            error_cb=self._log_fault,
            closed_cb=closed,
        )
        self.js = self._client.jetstream(timeout=ACK_WITHIN)
        try:
            _check_version(self._client)
            for begin in self._beginnings:
                await begin()
        except BaseException:
            await self._client.close()
            raise
        self._lost = lost
        if not lost.is_set():
            self._there.set()

    async def _log_fault(self, error: Exception) -> None:
        """While the server is away, that is known."""
        log.log(logging.WARNING if self.connected else logging.DEBUG, "bus fault", extra={"kind": type(error).__name__})

    async def ensure_streams(self, packages: set[str]) -> None:
        """Makes or updates the streams of these packages, and those of dead letters; also after a server lost them."""
        await self.each_time(lambda: self._ensure_all(packages))

    async def _ensure_all(self, packages: set[str]) -> None:
        for package in sorted(packages | {LATEST_ONLY}):
            latest = 1 if package == LATEST_ONLY else -1
            await self._ensure(stream_of(package), f"qyt.*.{package}.*", max_msgs_per_subject=latest)
        await self._ensure(DEAD, "qyt-dead.>")
        await self._ensure(REPLAY, "qyt-replay.>", retention=RetentionPolicy.WORK_QUEUE)

    async def _ensure(self, stream: str, subject: str, **more: Any) -> None:
        config = StreamConfig(
            name=stream,
            subjects=[subject],
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            num_replicas=self._replicas,
            duplicate_window=120,
            **more,
        )
        try:
            await self.js.add_stream(config)
        except BadRequestError:  # it exists with another configuration
            await self.js.update_stream(config)

    async def publish(self, event: Event, payload: bytes, occurred: datetime, traceparent: str) -> None:
        """Returns when the stream has it. Repeating it within two minutes stores it once."""
        headers = {
            "Nats-Msg-Id": str(event.id),
            "content-type": "application/protobuf",
            "ce-specversion": "1.0",
            "ce-id": str(event.id),
            "ce-source": f"/quanyutong/{package_of(event.type)}",
            "ce-type": event.type,
            "ce-subject": event.aggregate,
            "ce-time": occurred.isoformat(),
            "ce-district": event.district,
        }
        if traceparent:
            headers["traceparent"] = traceparent
        await self.js.publish(subject_of(event.type, event.district), payload, headers=headers)

    async def kept(self, event: str, district: str, since: datetime) -> list[bytes]:
        """What its stream has of an event of a district, the oldest first."""
        subscription = await self.js.subscribe(
            subject_of(event, district),
            stream=stream_of(package_of(event)),
            ordered_consumer=True,
            deliver_policy=DeliverPolicy.BY_START_TIME,
            config=ConsumerConfig(opt_start_time=since),
        )
        try:
            info = await subscription.consumer_info()
            there = (info.num_pending or 0) + (info.delivered.consumer_seq if info.delivered else 0)
            return [(await subscription.next_msg(ACK_WITHIN)).data for _ in range(there)]
        finally:
            await subscription.unsubscribe()

    async def each(self, event: str, batch: int = 1000) -> AsyncIterator[Sequence[Msg]]:
        """What its stream has of an event of all districts by now, in order and some at a time."""
        stream = stream_of(package_of(event))
        config = ConsumerConfig(
            ack_policy=AckPolicy.NONE, filter_subject=subject_of(event), inactive_threshold=ABANDONED, mem_storage=True
        )
        info = await self.js.add_consumer(stream, config)
        subscription = await self.js.pull_subscribe_bind(info.name, stream)
        left = info.num_pending or 0
        try:
            while left > 0:
                messages = await subscription.fetch(min(batch, left), timeout=ACK_WITHIN)
                left -= len(messages)
                yield messages
        finally:
            await subscription.unsubscribe()
            await self.js.delete_consumer(stream, info.name)

    async def has_heard(self, service: str, stream: str, district: str = "") -> bool:
        """Whether a service, or its consumer for a district in a silo, has applied all that the stream has by now."""
        try:
            last = (await self.js.stream_info(stream)).state.last_seq
            consumer = await self.js.consumer_info(stream, durable_of(service, stream, district))
        except NotFoundError:  # the service has never run here
            return False
        applied = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
        return applied >= last or not (consumer.num_pending or consumer.num_ack_pending)

    async def rewind(self, stream: str, consumer: str) -> None:
        """Has a consumer begin again with the first message that it has not acknowledged, at once and in order.

        Without it, what a process took and did not acknowledge comes back half a minute later, after what followed it.
        """
        answer = await self._client.request(f"$JS.API.CONSUMER.RESET.{stream}.{consumer}", timeout=ACK_WITHIN)
        if error := json.loads(answer.data).get("error"):
            raise APIError.from_error(error)

    async def bury(self, consumer: str, message: Msg, fault: str) -> None:
        """To the dead letters. `fault` is the kind of fault; the text of an exception may name people."""
        headers = {**(message.headers or {}), "qyt-fault": fault}
        headers.pop("Nats-Msg-Id", None)
        subject = message.subject.removeprefix(f"qyt-replay.{consumer}.")
        await self.js.publish(f"qyt-dead.{consumer}.{subject}", message.data, headers=headers)

    async def dead_letters(self, limit: int | None = None) -> "list[DeadLetter]":
        """The oldest first."""
        state = (await self.js.stream_info(DEAD)).state
        letters: list[DeadLetter] = []
        for number in range(max(state.first_seq, 1), state.last_seq + 1):  # 0 where there has never been one
            if limit is not None and len(letters) == limit:
                break
            try:
                letters.append(_letter(await self.js.get_msg(DEAD, number)))
            except NotFoundError:
                continue  # replayed before
        return letters

    async def replay(self, number: int) -> None:
        """Gives a dead letter back to the consumer that failed on it. Raises DeadLetterUnknown."""
        try:
            message = await self.js.get_msg(DEAD, number)
        except NotFoundError:
            raise DeadLetterUnknown(f"there is no dead letter {number}; `qyt dlq list` shows them") from None
        letter = _letter(message)
        # An id of its own: should the delete below be lost, a second replay is stored once.
        headers = {**(message.headers or {}), "Nats-Msg-Id": f"replay-{number}"}
        headers.pop("qyt-fault", None)
        await self.js.publish(f"qyt-replay.{letter.consumer}.{letter.subject}", message.data or b"", headers=headers)
        await self.js.delete_msg(DEAD, number)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a consumer could not apply."""

    number: int
    consumer: str
    subject: str
    fault: str


class BusUnsuitable(OperatorFault):
    """The server that answers is not one that the platform can use."""


class DeadLetterUnknown(OperatorFault):
    """No dead letter has this number."""


def _letter(message: RawStreamMsg) -> DeadLetter:
    _, consumer, subject = (message.subject or "").split(".", 2)
    return DeadLetter(message.seq or 0, consumer, subject, (message.headers or {}).get("qyt-fault", ""))


def stream_of(package: str) -> str:
    return f"QYT_{package.upper()}"


def durable_of(service: str, stream: str, district: str = "") -> str:
    """The consumer of a service, and of its district that has a silo."""
    return f"{service}-{stream}-{district}" if district else f"{service}-{stream}"


def event_of(headers: Mapping[str, str]) -> Event:
    """The event that a message carries. Raises KeyError or ValueError when it carries none."""
    return Event(UUID(headers["ce-id"]), headers["ce-district"], headers["ce-type"], headers["ce-subject"])


def _check_version(client: Client) -> None:
    found = client.connected_server_version
    if (found.major, found.minor) < VERSION:
        needed = ".".join(map(str, VERSION))
        raise BusUnsuitable(f"NATS {needed} or later is needed; this server is {found.major}.{found.minor}")
