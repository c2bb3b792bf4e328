"""All database policy: how a transaction begins, for whom, and what is written with it.

A transaction acts for the district of its task, set inside it and gone with
it; without one there is no transaction. Reading and writing are different
types, so that a function which changes something cannot be handed a reader.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from google.protobuf.message import Message
from sqlalchemy import URL, Connection, Executable, event, text
from sqlalchemy.engine import Result, Row
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chassis import idempotency, tenancy
from chassis.errors import Refusal
from chassis.telemetry import traceparent

SET_DISTRICT = "SELECT set_config('app.district', $1, true)"
# The lock makes two identical requests at the same moment run one after the other, so that the
# second one finds the answer of the first instead of stumbling over its effect.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:subject || :request_id, 0))")
RECALL = text("SELECT digest, answer FROM idempotency WHERE subject = :subject AND request_id = :request_id")
REMEMBER = text(
    """INSERT INTO idempotency (district, subject, request_id, digest, answer)
       VALUES (:district, :subject, :request_id, :digest, :answer)"""
)
PUBLISH = text(
    """INSERT INTO outbox (district, type, aggregate, payload, traceparent)
       VALUES (:district, :type, :aggregate, :payload, :traceparent)"""
)
NO_DISTRICT = ""
Reply = TypeVar("Reply", bound=Message)
SQLSTATES = {
    "40001": "CONCURRENT_CHANGE",
    "40P01": "CONCURRENT_CHANGE",
    "55P03": "CONCURRENT_CHANGE",
    "57014": "DEADLINE_PASSED",
    "22021": "REQUEST_UNREADABLE",
    "22P05": "REQUEST_UNREADABLE",
    "53300": "SERVICE_UNAVAILABLE",
    "57P01": "SERVICE_UNAVAILABLE",
    "57P02": "SERVICE_UNAVAILABLE",
    "57P03": "SERVICE_UNAVAILABLE",
    "25006": "SERVICE_UNAVAILABLE",  # a standby: the primary is elsewhere now
}


class ReadTx:
    """A transaction that changes nothing."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.district = tenancy.district()

    async def execute(self, statement: Executable, parameters: Any = None) -> Result[Any]:
        return await self._connection.execute(statement, parameters)

    async def all(self, statement: Executable, parameters: Any = None) -> Sequence[Row[Any]]:
        return (await self.execute(statement, parameters)).all()

    async def first(self, statement: Executable, parameters: Any = None) -> Row[Any] | None:
        return (await self.execute(statement, parameters)).first()

    async def one(self, statement: Executable, parameters: Any = None) -> Row[Any]:
        return (await self.execute(statement, parameters)).one()


class WriteTx(ReadTx):
    """A transaction that changes something, and what goes with it: its events and its answer."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._events: list[dict[str, object]] = []
        self._answer: Message | None = None
        self._request = idempotency.current()

    def publish(self, message: Message, aggregate: str) -> None:
        """Tells the other services, once this transaction is committed. Events of one aggregate keep their order."""
        self._events.append(
            {
                "district": self.district,
                "type": message.DESCRIPTOR.full_name,
                "aggregate": aggregate,
                "payload": message.SerializeToString(),
                "traceparent": traceparent(),
            }
        )

    def reply(self, message: Reply) -> Reply:
        """The answer of the call, kept so that a repeated request gets the same one."""
        self._answer = message
        return message

    @property
    def publishes(self) -> bool:
        return bool(self._events)

    async def recall(self) -> None:
        """Raises Replayed when this request was answered before, Refusal REQUEST_ID_REUSED when it was another."""
        if self._request is None:
            return
        key = {"subject": self._request.subject, "request_id": self._request.request_id}
        await self.execute(LOCK, key)
        if stored := await self.first(RECALL, key):
            if stored.digest != self._request.digest:
                raise Refusal("REQUEST_ID_REUSED")
            raise idempotency.Replayed(stored.answer)

    async def flush(self) -> None:
        """Writes events and answer, as the last thing before the commit."""
        if self._events:
            await self.execute(PUBLISH, self._events)
        if self._request is not None:
            if self._answer is None:
                raise RuntimeError("a mutation with a request_id ended without tx.reply()")
            answer = {"district": self.district, "answer": self._answer.SerializeToString()}
            await self.execute(REMEMBER, answer | dataclasses.asdict(self._request))


class Database:
    """The database of one service, seen by one of its roles."""

    def __init__(self, url: URL, schema: str, pool_size: int, statement_timeout: float) -> None:
        self.url = url
        self._engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            hide_parameters=True,
            connect_args={
                "timeout": 5,
                "server_settings": {
                    "search_path": f"{schema}, public",
                    "statement_timeout": str(int(statement_timeout * 1000)),
                    "idle_in_transaction_session_timeout": str(int(statement_timeout * 2000)),
                    "application_name": f"qyt-{schema}",
                    "timezone": "UTC",
                },
            },
        )
        event.listen(self._engine.sync_engine, "begin", _set_district)
        # Set after a commit with events, for the relay in this process.
        self.published = asyncio.Event()
        self._reading = self._engine.execution_options(postgresql_readonly=True)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        async with self._reading.begin() as connection:
            yield ReadTx(connection)

    @asynccontextmanager
    async def read_city(self) -> AsyncIterator[ReadTx]:
        """City-wide tables only: acting for no district, it sees no row of any."""
        with tenancy.acting_for(NO_DISTRICT):
            async with self.read() as tx:
                yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTx]:
        """Commits when the block ends well, with its events and its answer; else nothing has happened."""
        async with self._engine.begin() as connection:
            tx = WriteTx(connection)
            await tx.recall()
            yield tx
            await tx.flush()
        if tx.publishes:
            self.published.set()

    async def close(self) -> None:
        await self._engine.dispose()


def _set_district(connection: Connection) -> None:
    # A statement of its own: folded into the query that it protects, visibility would depend on the plan.
    connection.exec_driver_sql(SET_DISTRICT, (tenancy.district(),))


def fault_of(error: BaseException) -> str | None:
    """The declared reason of a fault that is nobody's mistake; None for anything else."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return "SERVICE_UNAVAILABLE"
        state = getattr(error.orig, "sqlstate", None) or ""
        return SQLSTATES.get(state) or ("SERVICE_UNAVAILABLE" if state.startswith("08") else None)
    if isinstance(error, asyncpg.PostgresError):
        return SQLSTATES.get(error.sqlstate or "")
    if isinstance(error, PoolTimeout | ConnectionError | asyncpg.InterfaceError | TimeoutError | OSError):
        return "SERVICE_UNAVAILABLE"
    return None


def violated(error: IntegrityError) -> str:
    """The name of the constraint that refused; a store turns those it knows into refusals."""
    return str(getattr(error.orig.__cause__, "constraint_name", "")) if error.orig else ""
