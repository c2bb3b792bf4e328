"""All database policy: how a transaction begins, for whom, in which database, and what is written with it.

A transaction acts for the district of its task, set inside it and gone with
it; without one there is no transaction. It is in the district's own database
where there is one, else in the pool, with its events and its answer beside it. Reading and writing are different
types, so that a function which changes something cannot be handed a reader.

SQLAlchemy Core says what is asked, asyncpg asks it: its own engine would cost
three times as much a statement.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from google.protobuf.message import Message
from sqlalchemy import URL, Table

from chassis import actor, idempotency, tenancy
from chassis.errors import Refusal
from chassis.sql import Asked, Sql, changing, sql_of
from chassis.telemetry import traceparent

# The tenant is set in a statement of its own: folded into the query that it protects, visibility would depend on
# the plan. One message carries both, and a district is six digits, checked below, so it can stand in the text. So can
# the actor, which is in base64.
BEGIN_READING = "BEGIN READ ONLY; SELECT set_config('app.district', '{district}', true)"
BEGIN_WRITING = (
    "BEGIN READ WRITE; SELECT set_config('app.district', '{district}', true), set_config('app.actor', '{actor}', true)"
)
RECALL = "SELECT digest, answer FROM recall($1, $2)"
REMEMBER = "INSERT INTO idempotency (district, subject, request_id, digest, answer) VALUES ($1, $2, $3, $4, $5)"
PUBLISH = "INSERT INTO outbox (district, type, aggregate, payload, traceparent) VALUES ($1, $2, $3, $4, $5)"
NOTE = "SELECT note_audit($1, $2)"
NO_DISTRICT = ""
DISTRICT = re.compile("[0-9]{6}")
# Seconds that a call waits for a connection of the pool, and for a new one to be made.
WAIT = 5.0
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


class Row(asyncpg.Record):  # type: ignore[misc]
    """A row; its columns are attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class ReadTx:
    """A transaction that changes nothing."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.district = tenancy.district()
        if self.district != NO_DISTRICT and not DISTRICT.fullmatch(self.district):
            raise tenancy.NoTenant(f"{self.district!r} is not a district's code")

    @property
    def beginning(self) -> str:
        """What begins it."""
        return BEGIN_READING.format(district=self.district)

    async def all(self, asked: Asked, **values: Any) -> Sequence[Row]:
        sql = sql_of(asked)
        rows: Sequence[Row] = await self._connection.fetch(sql.text, *sql.arguments(values))
        return rows

    async def grouped(self, asked: Asked, by: str, **values: Any) -> Mapping[Any, list[Row]]:
        """The rows in their order, by what one of their columns says; no rows under what none of them says."""
        groups: defaultdict[Any, list[Row]] = defaultdict(list)
        for row in await self.all(asked, **values):
            groups[row[by]].append(row)
        return groups

    async def first(self, asked: Asked, **values: Any) -> Row | None:
        sql = sql_of(asked)
        row: Row | None = await self._connection.fetchrow(sql.text, *sql.arguments(values))
        return row

    async def one(self, asked: Asked, **values: Any) -> Row:
        """The row of a statement that always has one."""
        row = await self.first(asked, **values)
        if row is None:
            raise LookupError("a statement that always has a row gave none")
        return row


class WriteTx(ReadTx):
    """A transaction that changes something, and what goes with it: its events and its answer."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        super().__init__(connection)
        self._events: list[tuple[str, str, str, bytes, str]] = []
        self._notes: list[tuple[str, str]] = []
        self._answer: Message | None = None
        self._request = idempotency.current()

    @property
    def beginning(self) -> str:
        request_id = self._request.request_id if self._request else ""
        return BEGIN_WRITING.format(district=self.district, actor=actor.encoded(request_id))

    async def execute(self, asked: Asked, **values: Any) -> None:
        sql = sql_of(asked)
        await self._connection.execute(sql.text, *sql.arguments(values))

    async def change(self, table: Table, row: Row, **changes: Any) -> Row:
        """The row with these values, in its next revision."""
        values = {**changes, "revision": row.revision + 1}
        return await self.one(changing(table, tuple(values)), key=row.id, **values)

    async def each(self, sql: Sql, rows: Iterable[Mapping[str, Any]]) -> Sequence[Row]:
        """Runs the statement for every row, in one go, and returns what each gave, in their order."""
        given: Sequence[Row] = await self._connection.fetchmany(sql.text, [sql.arguments(row) for row in rows])
        return given

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """What is refused inside leaves nothing behind, no event either, and the transaction can go on."""
        events, notes = len(self._events), len(self._notes)
        await self._connection.execute("SAVEPOINT attempt")
        try:
            yield
        except Exception:
            await self._connection.execute("ROLLBACK TO SAVEPOINT attempt")
            del self._events[events:], self._notes[notes:]
            raise
        await self._connection.execute("RELEASE SAVEPOINT attempt")

    def publish(self, message: Message, aggregate: str) -> None:
        """Tells the other services, once this transaction is committed. Events of one aggregate keep their order."""
        kind = message.DESCRIPTOR.full_name
        self._events.append((self.district, kind, aggregate, message.SerializeToString(), traceparent()))

    def note(self, action: str, resource: str) -> None:
        """Records an act that changes no row, such as reading a secret: a verb, and the name of what it was done to."""
        self._notes.append((action, resource))

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
        stored = await self._connection.fetchrow(RECALL, self._request.subject, self._request.request_id)
        if stored:
            if stored.digest not in self._request.digests:
                raise Refusal("REQUEST_ID_REUSED")
            raise idempotency.Replayed(stored.answer)

    async def flush(self, answers: bool = True) -> None:
        """Writes notes, events and, unless another transaction of the call does, its answer: last before the commit."""
        if self._notes:
            await self._connection.executemany(NOTE, self._notes)
        if self._events:
            await self._connection.executemany(PUBLISH, self._events)
        if answers and (request := self._request) is not None:
            if self._answer is None:
                raise RuntimeError("a mutation with a request_id ended without tx.reply()")
            answer = self._answer.SerializeToString()
            key = (self.district, request.subject, request.request_id)
            await self._connection.execute(REMEMBER, *key, request.digest, answer)


class Connections:
    """Those to one database, made when they are needed."""

    def __init__(self, url: URL, schema: str, pool_size: int, statement_timeout: float) -> None:
        self.pool = asyncpg.create_pool(
            url.set(drivername="postgresql").render_as_string(hide_password=False),
            min_size=0,
            max_size=pool_size,
            reset=_nothing_left,
            record_class=Row,
            timeout=WAIT,
            server_settings={
                "search_path": f"{schema}, public",
                "statement_timeout": str(int(statement_timeout * 1000)),
                "idle_in_transaction_session_timeout": str(int(statement_timeout * 2000)),
                "application_name": f"qyt-{schema}",
                "timezone": "UTC",
            },
        )
        # Set after a commit with events, for the relay of this database in this process.
        self.published = asyncio.Event()

    async def acquire(self) -> asyncpg.Connection:
        await self.pool  # made at its first use, by then a no-op
        async with asyncio.timeout(WAIT):  # the pool's own time limit costs a task
            return await self.pool.acquire()

    async def undo(self, connection: asyncpg.Connection) -> None:
        """Rolls back; a connection that cannot even do that, in time, is thrown away."""
        try:
            await connection.execute("ROLLBACK", timeout=WAIT)
        except Exception:  # whatever it is, the next call must not get this connection
            connection.terminate()
        finally:
            await self.pool.release(connection)

    async def close(self) -> None:
        """Waits for transactions under way, for some seconds."""
        try:
            async with asyncio.timeout(WAIT):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()
        except asyncpg.InterfaceError:
            return  # never used


class Database:
    """The rows of one service, seen by one of its roles: in the pool, and of some districts in silos."""

    def __init__(
        self,
        url: URL,
        schema: str,
        pool_size: int,
        statement_timeout: float,
        silos: Mapping[URL, Iterable[str]] | None = None,
    ) -> None:
        self.schema = schema
        self._shared = Connections(url, schema, pool_size, statement_timeout)
        self._silos: dict[str, Connections] = {}
        for silo, districts in (silos or {}).items():
            self._silos |= dict.fromkeys(districts, Connections(silo, schema, pool_size, statement_timeout))

    @property
    def apart(self) -> Set[str]:
        """The districts that are not in the pool."""
        return self._silos.keys()

    def place_of(self, district: str) -> Connections:
        return self._silos.get(district, self._shared)

    def read(self) -> AbstractAsyncContextManager[ReadTx]:
        return self._transaction(self.place_of(tenancy.district()), ReadTx)

    @asynccontextmanager
    async def read_city(self) -> AsyncIterator[ReadTx]:
        """City-wide tables only: acting for no district, it sees no row of any."""
        with tenancy.acting_for(NO_DISTRICT):
            async with self._transaction(self._shared, ReadTx) as tx:
                yield tx

    def write(self) -> AbstractAsyncContextManager[WriteTx]:
        """Commits when the block ends well, with its events and its answer; else nothing has happened."""
        return self._writing(self.place_of(tenancy.district()))

    def write_part(self) -> AbstractAsyncContextManager[WriteTx]:
        """One of several transactions of a call: with its events, and without the answer, which another one keeps."""
        return self._writing(self.place_of(tenancy.district()), answers=False)

    def write_city(self) -> AbstractAsyncContextManager[WriteTx]:
        """The same for a district's entry in a city-wide table: those are in the pool, wherever its own rows are."""
        return self._writing(self._shared)

    def write_apart(self) -> AbstractAsyncContextManager[WriteTx]:
        """Beside `write_city`: what a silo needs of such an entry. It has neither events nor an answer."""
        return self._transaction(self.place_of(tenancy.district()), WriteTx)

    @asynccontextmanager
    async def _writing(self, place: Connections, answers: bool = True) -> AsyncIterator[WriteTx]:
        async with self._transaction(place, WriteTx) as tx:
            if answers:
                await tx.recall()
            yield tx
            await tx.flush(answers)
        if tx.publishes:
            place.published.set()

    @asynccontextmanager
    async def _transaction(self, place: Connections, kind: type[Tx]) -> AsyncIterator[Tx]:
        connection = await place.acquire()
        try:
            tx = kind(connection)
            await connection.execute(tx.beginning)
            yield tx
            if await connection.execute("COMMIT") != "COMMIT":
                raise RuntimeError("a statement had failed, so PostgreSQL rolled back instead")
        except BaseException:
            # Shielded, both together: a call that is cancelled, even twice, still gives back a connection without a
            # transaction, and not before it is without one.
            await asyncio.shield(place.undo(connection))
            raise
        await place.pool.release(connection)

    async def close(self) -> None:
        await asyncio.gather(*(place.close() for place in {self._shared, *self._silos.values()}))


async def _nothing_left(connection: asyncpg.Connection) -> None:
    """In place of asyncpg's reset, which asks the server: tenant and locks end with their transaction."""
    if connection.is_in_transaction():
        connection.terminate()


def fault_of(error: BaseException) -> str | None:
    """The declared reason of a fault that is nobody's mistake; None for anything else."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return "SERVICE_UNAVAILABLE" if state.startswith("08") else SQLSTATES.get(state)
    # asyncpg's internal error: a statement met the farewell of a server that is going down.
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError | TimeoutError | OSError):
        return "SERVICE_UNAVAILABLE"
    return None
