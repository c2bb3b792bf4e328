"""All database policy: how a transaction begins, for whom, and what is written with it.

A transaction acts for the district of its task, set inside it and gone with
it; without one there is no transaction. Reading and writing are different
types, so that a function which changes something cannot be handed a reader.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from google.protobuf.message import Message
from sqlalchemy import URL, Executable
from sqlalchemy.engine import Result, Row
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chassis import idempotency, tenancy
from chassis.errors import Refusal
from chassis.telemetry import traceparent

# The tenant is set in a statement of its own: folded into the query that it protects, visibility would depend on
# the plan. One message carries both, and a district is six digits, checked below, so it can stand in the text.
BEGIN = "BEGIN READ {mode}; SELECT set_config('app.district', '{district}', true)"
RECALL = "SELECT digest, answer FROM recall($1, $2)"
REMEMBER = "INSERT INTO idempotency (district, subject, request_id, digest, answer) VALUES ($1, $2, $3, $4, $5)"
PUBLISH = "INSERT INTO outbox (district, type, aggregate, payload, traceparent) VALUES ($1, $2, $3, $4, $5)"
NO_DISTRICT = ""
DISTRICT = re.compile("[0-9]{6}")
Reply = TypeVar("Reply", bound=Message)
Tx = TypeVar("Tx", bound="ReadTx")
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
        self._driver = driver_of(connection)
        self.district = tenancy.district()

    async def execute(self, statement: Executable, parameters: Any = None) -> Result[Any]:
        return await self._connection.execute(statement, parameters)

    async def all(self, statement: Executable, parameters: Any = None) -> Sequence[Row[Any]]:
        return (await self.execute(statement, parameters)).all()

    async def first(self, statement: Executable, parameters: Any = None) -> Row[Any] | None:
        return (await self.execute(statement, parameters)).first()

    async def one(self, statement: Executable, parameters: Any = None) -> Row[Any]:
        return (await self.execute(statement, parameters)).one()

    async def begin(self, mode: str) -> None:
        if self.district != NO_DISTRICT and not DISTRICT.fullmatch(self.district):
            raise tenancy.NoTenant(f"{self.district!r} is not a district's code")
        await self._driver.execute(BEGIN.format(mode=mode, district=self.district))

    async def commit(self) -> None:
        await self._driver.execute("COMMIT")

    async def give_back(self, roll_back: bool = False) -> None:
        """To the pool, without a transaction; a connection that cannot even roll back is thrown away."""
        try:
            if roll_back:
                await self._driver.execute("ROLLBACK")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await self._connection.invalidate()
        finally:
            await self._connection.close()


def driver_of(connection: AsyncConnection) -> Any:
    """asyncpg's own connection: for the fixed statements of this module, at a third of the cost of Core."""
    checked_out = connection.sync_connection
    assert checked_out is not None  # noqa: S101 - `connect` has been awaited
    return checked_out.connection.driver_connection


class WriteTx(ReadTx):
    """A transaction that changes something, and what goes with it: its events and its answer."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._events: list[tuple[str, str, str, bytes, str]] = []
        self._answer: Message | None = None
        self._request = idempotency.current()

    def publish(self, message: Message, aggregate: str) -> None:
        """Tells the other services, once this transaction is committed. Events of one aggregate keep their order."""
        kind = message.DESCRIPTOR.full_name
        self._events.append((self.district, kind, aggregate, message.SerializeToString(), traceparent()))

    def reply(self, message: Reply) -> Reply:
        """The answer of the call, kept so that a repeated request gets the same one."""
        self._answer = message
        return message

    @property
    def publishes(self) -> bool:
        return bool(self._events)

    async def recall(self) -> None:
        """Raises Replayed when this request was answered before, Refusal REQUEST_ID_REUSED when it was another.

        Two identical requests at the same moment run one after the other, so that
        the second finds the answer of the first instead of stumbling over its effect.
        """
        if self._request is None:
            return
        stored = await self._driver.fetchrow(RECALL, self._request.subject, self._request.request_id)
        if stored:
            if stored["digest"] != self._request.digest:
                raise Refusal("REQUEST_ID_REUSED")
            raise idempotency.Replayed(stored["answer"])

    async def flush(self) -> None:
        """Writes events and answer, as the last thing before the commit."""
        if self._events:
            await self._driver.executemany(PUBLISH, self._events)
        if (request := self._request) is not None:
            if self._answer is None:
                raise RuntimeError("a mutation with a request_id ended without tx.reply()")
            answer = self._answer.SerializeToString()
            await self._driver.execute(
                REMEMBER, self.district, request.subject, request.request_id, request.digest, answer
            )


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
            # Transactions are begun and ended below, in one message each; the library would take two to begin.
            isolation_level="AUTOCOMMIT",
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
        # Set after a commit with events, for the relay in this process.
        self.published = asyncio.Event()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        async with self._transaction(ReadTx, "ONLY") as tx:
            yield tx

    @asynccontextmanager
    async def read_city(self) -> AsyncIterator[ReadTx]:
        """City-wide tables only: acting for no district, it sees no row of any."""
        with tenancy.acting_for(NO_DISTRICT):
            async with self.read() as tx:
                yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTx]:
        """Commits when the block ends well, with its events and its answer; else nothing has happened."""
        async with self._transaction(WriteTx, "WRITE") as tx:
            await tx.recall()
            yield tx
            await tx.flush()
        if tx.publishes:
            self.published.set()

    @asynccontextmanager
    async def _transaction(self, kind: type[Tx], mode: str) -> AsyncIterator[Tx]:
        tx = kind(await self._check_out())
        try:
            await tx.begin(mode)
            yield tx
            await tx.commit()
        except BaseException:
            # Shielded: a call that is cancelled still gives its connection back without a transaction.
            await asyncio.shield(tx.give_back(roll_back=True))
            raise
        await tx.give_back()

    async def _check_out(self) -> AsyncConnection:
        """A connection that was open a moment ago: after a restart of the server, calls do not pay for its pool."""
        while True:
            connection = await self._engine.connect()
            if not driver_of(connection).is_closed():
                return connection
            await connection.invalidate()
            await connection.close()

    async def close(self) -> None:
        await self._engine.dispose()


def fault_of(error: BaseException) -> str | None:
    """The declared reason of a fault that is nobody's mistake; None for anything else."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return "SERVICE_UNAVAILABLE"
        return _reason_of(getattr(error.orig, "sqlstate", None))
    if isinstance(error, asyncpg.PostgresError):
        return _reason_of(error.sqlstate)
    if isinstance(error, PoolTimeout | ConnectionError | asyncpg.InterfaceError | TimeoutError | OSError):
        return "SERVICE_UNAVAILABLE"
    return None


def _reason_of(sqlstate: str | None) -> str | None:
    connection_lost = (sqlstate or "").startswith("08")
    return "SERVICE_UNAVAILABLE" if connection_lost else SQLSTATES.get(sqlstate or "")


def violated(error: IntegrityError) -> str:
    """The name of the constraint that refused; a store turns those it knows into refusals."""
    return str(getattr(error.orig.__cause__, "constraint_name", "")) if error.orig else ""
