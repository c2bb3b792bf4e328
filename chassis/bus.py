"""The bus: streams on NATS JetStream, and events as CloudEvents 1.0 in NATS messages.

One stream for each package of events. The package `common` holds state rather
than history: of each district's subject only the latest message is kept.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import nats
from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RawStreamMsg, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

from chassis.faults import OperatorFault
from chassis.manifest import Event, package_of, subject_of

log = logging.getLogger(__name__)
ACK_WITHIN = 5.0
DEAD = "QYT_DEAD"
REPLAY = "QYT_REPLAY"
LATEST_ONLY = "common"
NatsError = errors.Error


class Bus:
    """A connection that survives the server's absence: calls fail meanwhile and succeed again after."""

    def __init__(self, client: Client, replicas: int) -> None:
        self.client = client
        self.js: JetStreamContext = client.jetstream(timeout=ACK_WITHIN)
        self._replicas = replicas

    @classmethod
    async def connect(cls, url: str, name: str, replicas: int = 1) -> Self:
        """Raises OSError or nats.errors.Error when nothing answers within some seconds."""
        client = await nats.connect(
            url,
            name=name,
            connect_timeout=5,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.25,
            ping_interval=10,
            error_cb=_log_fault,
            disconnected_cb=_log_disconnected,
            reconnected_cb=_log_reconnected,
            # While the server is away nothing is buffered: a publish fails, and its outbox row stays.
            pending_size=0,
        )
        return cls(client, replicas)

    @property
    def connected(self) -> bool:
        return self.client.is_connected

    async def close(self) -> None:
        await self.client.close()

    async def ensure_streams(self, packages: set[str]) -> None:
        """Makes or updates the streams of these packages, and those of dead letters."""
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
        for number in range(state.first_seq, state.last_seq + 1):
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


class DeadLetterUnknown(OperatorFault):
    """No dead letter has this number."""


def _letter(message: RawStreamMsg) -> DeadLetter:
    _, consumer, subject = (message.subject or "").split(".", 2)
    return DeadLetter(message.seq or 0, consumer, subject, (message.headers or {}).get("qyt-fault", ""))


def stream_of(package: str) -> str:
    return f"QYT_{package.upper()}"


def event_of(headers: Mapping[str, str]) -> Event:
    """The event that a message carries. Raises KeyError or ValueError when it carries none."""
    return Event(UUID(headers["ce-id"]), headers["ce-district"], headers["ce-type"], headers["ce-subject"])


async def _log_fault(error: Exception) -> None:
    log.warning("bus fault", extra={"kind": type(error).__name__})


async def _log_disconnected() -> None:
    log.warning("bus disconnected")


async def _log_reconnected() -> None:
    log.info("bus reconnected")
