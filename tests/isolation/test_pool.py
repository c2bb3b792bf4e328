"""A connection that was used for one district carries nothing of it to the next: whatever happened in between."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import asyncpg
import grpc
import pytest
from pydantic import SecretStr
from sqlalchemy import func, insert, select, text

from chassis import tenancy
from chassis.database import Database
from chassis.embedded.ports import free_port
from chassis.errors import Refusal
from chassis.migrations import runtime_url
from quanyutong.registry.v1 import persons_pb2, units_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.registry.tables import person
from tests.conftest import Platforms
from tests.harness import Platform, Process, until

SCHEMA = "registry"
# Who the transaction acts for, and whose rows it sees.
WHO = select(
    func.current_setting("app.district").label("acting_for"),
    select(func.array_agg(person.c.district.distinct())).scalar_subquery().label("seen"),
)
SLEEP = select(func.pg_sleep(30))
FAULT = text("SELECT 1 / 0")


@pytest.fixture(scope="module")
async def districts(platforms: Platforms) -> list[str]:
    """Some districts, each with one person."""
    city = await platforms.get("all")
    codes = [await city.fresh_district() for _ in range(4)]
    database = opened(city, 1)
    for code in codes:
        with tenancy.acting_for(code):
            async with database.write() as tx:
                await tx.execute(insert(person).values(display_name=code))
    await database.close()
    return codes


def opened(city: Platform, connections: int, statement_timeout: float = 30) -> Database:
    settings = city.settings.model_copy(update={"database_url": SecretStr(city.postgres.url)})
    return Database(runtime_url(settings, SCHEMA), SCHEMA, connections, statement_timeout)


@pytest.fixture
async def single(city: Platform) -> AsyncIterator[Database]:
    """A pool of one connection, so that each transaction is sure to get the one of the transaction before."""
    database = opened(city, 1)
    yield database
    await database.close()


async def is_clean(database: Database) -> bool:
    """Whether the pool's next connection has no transaction, no tenant and no lock. Looks past the public interface:
    a transaction would set the tenant anew, and hide what is left.
    """
    async with database._shared.pool.acquire() as connection:
        assert not connection.is_in_transaction()
        left = await connection.fetchval("SELECT current_setting('app.district', true)")
        locks = await connection.fetchval(
            "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"
        )
    assert (left or "", locks) == ("", 0)
    return True


async def sees_own_alone(database: Database, code: str) -> None:
    with tenancy.acting_for(code):
        async with database.read() as tx:
            row = await tx.one(WHO)
    assert (row.acting_for, row.seen) == (code, [code])


async def test_interleaved_transactions_see_their_own(city: Platform, districts: list[str]) -> None:
    database = opened(city, 2)
    await asyncio.gather(*(sees_own_alone(database, code) for code in districts * 50))
    assert await is_clean(database)
    await database.close()


async def commits(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(insert(person).values(display_name=tx.district))


async def fails_in_the_database(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(insert(person).values(display_name="never"))
        await tx.execute(FAULT)


async def is_refused(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(insert(person).values(display_name="never"))
        raise Refusal("ETAG_MISMATCH")


async def writes_while_reading(database: Database) -> None:
    async with database.read() as tx:
        await tx.one(text("UPDATE person SET display_name = 'never' RETURNING id"))


async def loses_its_connection(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(insert(person).values(display_name="never"))
        await tx.execute(select(func.pg_terminate_backend(func.pg_backend_pid())))


async def goes_on_after_a_fault(database: Database) -> None:
    """A servicer that catches a fault of the database must not be able to commit after it."""
    async with database.write() as tx:
        await tx.execute(insert(person).values(display_name="never"))
        with contextlib.suppress(asyncpg.PostgresError):
            await tx.execute(FAULT)


ENDS: list[Callable[[Database], Awaitable[None]]] = [
    commits,
    fails_in_the_database,
    is_refused,
    writes_while_reading,
    loses_its_connection,
    goes_on_after_a_fault,
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_nothing_is_left_however_a_transaction_ends(
    single: Database, districts: list[str], end: Callable[[Database], Awaitable[None]]
) -> None:
    with tenancy.acting_for(districts[0]), contextlib.suppress(Exception):
        await end(single)
    assert await is_clean(single)
    for code in districts:
        await sees_own_alone(single, code)
    with tenancy.acting_for(districts[0]):
        async with single.read() as tx:
            assert await tx.all(select(person.c.id).where(person.c.display_name == "never")) == []


async def test_a_fault_that_was_passed_over_is_not_acknowledged(single: Database, districts: list[str]) -> None:
    """PostgreSQL answers COMMIT with ROLLBACK then, and says so only in passing."""
    with tenancy.acting_for(districts[0]), pytest.raises(RuntimeError):
        await goes_on_after_a_fault(single)


async def test_statement_that_takes_too_long(city: Platform, districts: list[str]) -> None:
    database = opened(city, 1, statement_timeout=0.05)
    with tenancy.acting_for(districts[0]), pytest.raises(asyncpg.QueryCanceledError):
        async with database.read() as tx:
            await tx.one(SLEEP)
    assert await is_clean(database)
    await sees_own_alone(database, districts[1])
    await database.close()


async def test_without_a_tenant_there_is_no_transaction_and_no_connection_is_lost(
    single: Database, districts: list[str]
) -> None:
    for _ in range(3):
        with pytest.raises(tenancy.NoTenant):
            async with single.read():
                pass
    for code in ("", "1", "9000011", "900001'", "９００００１"):
        with tenancy.acting_for(code), contextlib.suppress(tenancy.NoTenant):
            async with single.read() as tx:
                assert (await tx.one(WHO)).seen is None
    await sees_own_alone(single, districts[0])


async def sleeping(city: Platform) -> bool:
    connection = await asyncpg.connect(city.postgres.url)
    try:
        found = await connection.fetchval(
            """SELECT count(*) FROM pg_stat_activity
               WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()"""
        )
    finally:
        await connection.close()
    return bool(found)


@pytest.mark.parametrize("times", [1, 2])
async def test_cancelled_in_the_middle_of_a_statement(
    city: Platform, single: Database, districts: list[str], times: int
) -> None:
    async def call() -> None:
        with tenancy.acting_for(districts[0]):
            async with single.write() as tx:
                await tx.execute(insert(person).values(display_name="never"))
                await tx.one(SLEEP)

    task = asyncio.create_task(call())
    await until(lambda: sleeping(city))
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await is_clean(single)
    await sees_own_alone(single, districts[1])


async def test_cancelled_anywhere(single: Database, districts: list[str]) -> None:
    """At a moment of chance, from before there is a connection to after the commit."""
    chance = random.Random(20240123)

    async def call(code: str) -> None:
        with tenancy.acting_for(code), contextlib.suppress(TimeoutError, Refusal):
            async with asyncio.timeout(chance.uniform(0, 0.012)), single.write() as tx:
                row = await tx.one(WHO)
                assert (row.acting_for, row.seen) == (code, [code])
                await tx.execute(insert(person).values(display_name=code))

    for _ in range(40):
        await asyncio.gather(*(call(code) for code in districts))
        assert await is_clean(single)
    for code in districts:
        await sees_own_alone(single, code)


@pytest.fixture(scope="module")
async def crowded(platforms: Platforms, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a registry that serves everybody over a single connection."""
    city = await platforms.get("all")
    own = {"QYT_REGISTRY_LISTEN": f"127.0.0.1:{free_port()}", "QYT_DATABASE_POOL": "1"}
    process = await Process.start(
        "crowded",
        ["services", "serve", "--target=registry"],
        city.environment | own,
        tmp_path_factory.mktemp("crowded"),
    )
    yield str(process.said["services"][0])
    await process.leashed.stop()


class Crowd:
    """Callers of many districts at once, some of whom go away in the middle of a call."""

    def __init__(self, city: Platform, channel: grpc.aio.Channel) -> None:
        self._registry = RegistryServiceStub(channel)
        self._city = city
        self._chance = random.Random(20240123)
        self.entered: dict[str, set[str]] = {}

    async def call(self, code: str) -> None:
        metadata = self._city.metadata(["clerk"], code)
        kind = self._chance.randrange(4)
        if kind == 0:
            await self._enter(code, metadata)
        elif kind == 1:
            await self._leave(code, metadata)
        elif kind == 2:
            with contextlib.suppress(grpc.aio.AioRpcError):
                await self._registry.GetUnit(units_pb2.GetUnitRequest(name=f"units/{code}999"), metadata=metadata)
        else:
            await self.look(code)

    async def _enter(self, code: str, metadata: list[tuple[str, str]]) -> None:
        given = persons_pb2.Person(display_name=f"{code} {uuid4()}")
        request = persons_pb2.CreatePersonRequest(person=given, request_id=str(uuid4()))
        await self._registry.CreatePerson(request, metadata=metadata)
        self.entered.setdefault(code, set()).add(given.display_name)

    async def _leave(self, code: str, metadata: list[tuple[str, str]]) -> None:
        given = persons_pb2.Person(display_name=f"{code} left")
        call = self._registry.CreatePerson(persons_pb2.CreatePersonRequest(person=given), metadata=metadata)
        try:
            async with asyncio.timeout(self._chance.uniform(0, 0.02)):
                await call
        except TimeoutError:
            call.cancel()

    async def look(self, code: str) -> set[str]:
        """The names of the district's persons; each says its district itself."""
        request = persons_pb2.ListPersonsRequest(page_size=500)
        answer = await self._registry.ListPersons(request, metadata=self._city.metadata(["clerk"], code))
        names = {found.display_name for found in answer.persons}
        assert {name[:6] for name in names} <= {code}
        return names


async def test_calls_of_many_districts_over_one_connection(city: Platform, crowded: str, districts: list[str]) -> None:
    async with grpc.aio.insecure_channel(crowded) as channel:
        crowd = Crowd(city, channel)
        for _ in range(6):
            await asyncio.gather(*(crowd.call(code) for code in districts * 6))
        for code in districts:
            assert await crowd.look(code) >= crowd.entered[code]
