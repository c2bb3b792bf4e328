"""What the roles of a service can do with SQL of their own choosing, and what they cannot."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import URL

from chassis.ground import owner_role, runtime_role
from chassis.migrations import relay_url, runtime_url
from chassis.settings import Settings
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import Office, new_people
from tests.harness import Platform

SCHEMA = "registry"
TABLES = (
    *("unit", "rule_override", "assembly", "term", "person", "mandate", "suspension"),
    *("station", "rota_entry", "contact", "oversight_group", "oversight_member", "oversight_leader"),
)
DENIED = asyncpg.InsufficientPrivilegeError
# Statements that would free a role of its limits; each has to fail.
ESCAPES = [
    f"SET ROLE {owner_role(SCHEMA)}",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    f"ALTER ROLE {runtime_role(SCHEMA)} BYPASSRLS",
    f"ALTER ROLE {runtime_role(SCHEMA)} SUPERUSER",
    f"GRANT {owner_role(SCHEMA)} TO {runtime_role(SCHEMA)}",
    f"GRANT pg_read_all_data TO {runtime_role(SCHEMA)}",
    "ALTER TABLE person DISABLE ROW LEVEL SECURITY",
    "DROP POLICY tenant ON person",
    "CREATE POLICY mine ON person USING (true)",
    "CREATE TABLE registry.copy AS SELECT * FROM person",
    "CREATE TABLE public.copy AS SELECT * FROM person",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION dblink",
    "COPY person TO PROGRAM 'cat'",
    "COPY person TO '/tmp/person'",
    "SELECT pg_read_file('/etc/passwd')",
    "TRUNCATE person",
]


@pytest.fixture(scope="module")
async def two(platforms: Platforms) -> tuple[str, str]:
    """Two districts with entries in every table, and events that the relay has not taken."""
    codes = []
    for _ in range(2):
        async with fresh_tenant(platforms, "all-direct") as tenant:
            office = Office(tenant)
            await office.override("77")
            term = await office.term()
            entered = await office.register(term, new_people(3), request_id="0b9f3c1e-5a55-4d0e-9a51-6f2d4b7f6a01")
            await office.suspend(entered.mandates[0])
            await duties(office, term, entered.mandates[1])
            codes.append(tenant.district)
    return codes[0], codes[1]


async def duties(office: Office, term: str, delegate: str) -> None:
    await office.assigned(await office.station(await office.unit(2)), delegate)
    await office.contact(delegate, person=await office.person())
    group = await office.oversight_group(term)
    await office.join(group, delegate)
    await office.lead(group, delegate)


async def connected(city: Platform, url: URL) -> asyncpg.Connection:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return await asyncpg.connect(plain, server_settings={"search_path": f"{SCHEMA}, public"})


@pytest.fixture
async def runtime(city: Platform) -> AsyncIterator[asyncpg.Connection]:
    """Logged in as the role that serves calls."""
    connection = await connected(city, runtime_url(_settings(city), SCHEMA))
    yield connection
    await connection.close()


@pytest.fixture
async def relay(city: Platform) -> AsyncIterator[asyncpg.Connection]:
    connection = await connected(city, relay_url(_settings(city), SCHEMA))
    yield connection
    await connection.close()


def _settings(city: Platform) -> Settings:
    return city.settings.model_copy(update={"database_url": SecretStr(city.postgres.url)})


async def acting_for(connection: asyncpg.Connection, district: str) -> None:
    await connection.execute("SELECT set_config('app.district', $1, false)", district)


async def test_the_role_is_the_one_that_serves(
    city: Platform, runtime: asyncpg.Connection, two: tuple[str, str]
) -> None:
    """The tests below speak of the role that the calls of `two` were served by, not of another."""
    admin = await asyncpg.connect(city.postgres.url)
    used = await admin.fetch(
        "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = $1", f"qyt-{SCHEMA}"
    )
    await admin.close()
    assert [row["usename"] for row in used] == [await runtime.fetchval("SELECT current_user")]


async def test_sees_the_rows_of_its_district_alone(runtime: asyncpg.Connection, two: tuple[str, str]) -> None:
    for mine in two:
        await acting_for(runtime, mine)
        for table in (*TABLES, "idempotency"):
            rows = await runtime.fetch(f"SELECT district, count(*) AS rows FROM {table} GROUP BY district")
            assert {row["district"] for row in rows} == {mine}, table


READS = [
    "SELECT count(*) FROM {table} WHERE district = $1",
    "SELECT count(*) FROM {table} WHERE district <> current_setting('app.district')",
    "SELECT count(*) FROM {table} AS a JOIN {table} AS b ON b.district = $1 AND a.district <> b.district",
    "SELECT (SELECT count(*) FROM {table} AS inside WHERE inside.district = $1)",
    "SELECT count(*) FROM (SELECT * FROM {table} UNION ALL SELECT * FROM {table}) AS both_of WHERE district = $1",
    "WITH leaked AS MATERIALIZED (SELECT * FROM {table}) SELECT count(*) FROM leaked WHERE district = $1",
    # A function of low cost is tried early by the planner: it must not see the rows that the policy hides.
    "SELECT count(*) FROM {table} WHERE district = $1 AND 1 / (CASE WHEN district = $1 THEN 0 ELSE 1 END) = 1",
    "SELECT count(*) FROM {table} TABLESAMPLE BERNOULLI (100) WHERE district = $1",
]


@pytest.mark.parametrize("query", READS)
async def test_no_select_gives_a_row_of_another(runtime: asyncpg.Connection, two: tuple[str, str], query: str) -> None:
    mine, other = two
    await acting_for(runtime, mine)
    for table in TABLES:
        statement = query.format(table=table)
        given = [other] if "$1" in statement else []
        assert await runtime.fetchval(statement, *given) == 0, table


async def test_statistics_hide_other_districts(
    city: Platform, runtime: asyncpg.Connection, two: tuple[str, str]
) -> None:
    admin = await asyncpg.connect(city.postgres.url)
    await admin.execute(f"ANALYZE {SCHEMA}.person")
    await admin.close()
    await acting_for(runtime, two[0])
    assert await runtime.fetchval("SELECT count(*) FROM pg_stats WHERE schemaname = $1", SCHEMA) == 0


@pytest.mark.parametrize("setting", ["", "x", "%", "900001 OR true"])
async def test_without_a_district_there_is_nothing(
    runtime: asyncpg.Connection, two: tuple[str, str], setting: str
) -> None:
    for table in TABLES:
        assert await runtime.fetchval(f"SELECT count(*) FROM {table}") == 0
    await acting_for(runtime, setting)
    for table in TABLES:
        assert await runtime.fetchval(f"SELECT count(*) FROM {table}") == 0
        with pytest.raises(asyncpg.PostgresError):
            await runtime.execute(f"INSERT INTO {table} SELECT (t).* FROM (SELECT NULL::{table} AS t) AS nothing")


async def test_writes_nothing_for_another(runtime: asyncpg.Connection, two: tuple[str, str]) -> None:
    mine, other = two
    await acting_for(runtime, mine)
    with pytest.raises(DENIED):
        await runtime.execute("INSERT INTO person (district, display_name) VALUES ($1, '王小明')", other)
    with pytest.raises(DENIED):
        await runtime.execute("UPDATE person SET district = $1", other)
    with pytest.raises(DENIED):
        await runtime.execute(
            "INSERT INTO outbox (district, type, aggregate, payload, traceparent) VALUES ($1, '', '', '', '')", other
        )
    assert await runtime.execute("UPDATE person SET display_name = '' WHERE district = $1", other) == "UPDATE 0"
    with pytest.raises(DENIED):
        await runtime.execute("INSERT INTO district (code, display_name) VALUES ('599998', '某区')")
    assert await runtime.execute("UPDATE district SET suspended = true WHERE code = $1", other) == "UPDATE 0"


async def test_refers_to_nothing_of_another(runtime: asyncpg.Connection, two: tuple[str, str]) -> None:
    """A foreign key is checked past row-level security: the district in it is what stops it."""
    mine, other = two
    await acting_for(runtime, other)
    assembly = await runtime.fetchval("SELECT id FROM assembly")
    person = await runtime.fetchval("SELECT id FROM person LIMIT 1")
    await acting_for(runtime, mine)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await runtime.execute(
            "INSERT INTO term (assembly, number, start_date, end_date) VALUES ($1, 50, '2050-01-01', '2051-01-01')",
            assembly,
        )
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await runtime.execute(
            """INSERT INTO mandate (person, assembly, term, capacity, recommender, state)
               SELECT $1, assembly, number, 'resident', '', 'recommended' FROM term""",
            person,
        )


async def test_the_same_key_may_be_in_two_districts(runtime: asyncpg.Connection, two: tuple[str, str]) -> None:
    """Whether a key is taken elsewhere cannot be found out by trying it."""
    mine, other = two
    await acting_for(runtime, other)
    person = await runtime.fetchval("SELECT id FROM person LIMIT 1")
    await acting_for(runtime, mine)
    await runtime.execute("INSERT INTO person (id, display_name) VALUES ($1, '王小明')", person)


@pytest.mark.parametrize("statement", ESCAPES)
async def test_ways_out_are_closed(runtime: asyncpg.Connection, two: tuple[str, str], statement: str) -> None:
    await acting_for(runtime, two[0])
    with pytest.raises(asyncpg.PostgresError) as refusal:
        await runtime.execute(statement)
    assert isinstance(refusal.value, DENIED) or "permission denied" in str(refusal.value)


async def test_resetting_the_role_changes_nothing(runtime: asyncpg.Connection, two: tuple[str, str]) -> None:
    await acting_for(runtime, two[0])
    await runtime.execute("RESET ROLE; RESET SESSION AUTHORIZATION")
    assert await runtime.fetchval("SELECT count(DISTINCT district) FROM person") == 1
    await runtime.execute("SET row_security = off")
    with pytest.raises(DENIED):
        await runtime.fetch("SELECT * FROM person")


@pytest.mark.parametrize(
    "statement",
    [
        *(f"DELETE FROM {table}" for table in (*TABLES, "district", "outbox", "inbox", "idempotency")),
        "UPDATE rule_override SET decision = ''",
        "UPDATE outbox SET type = ''",
        "UPDATE idempotency SET answer = ''",
        "UPDATE inbox SET event_id = uuidv7()",
        "SELECT * FROM outbox",
        "UPDATE alembic_version SET version_num = ''",
    ],
)
async def test_what_stays_as_it_is(runtime: asyncpg.Connection, two: tuple[str, str], statement: str) -> None:
    """Records end by a state, not by disappearing; what was published, answered or decided is not rewritten."""
    await acting_for(runtime, two[0])
    with pytest.raises(DENIED):
        await runtime.execute(statement)


@pytest.fixture
async def as_relay(
    city: Platform, relay: asyncpg.Connection, two: tuple[str, str]
) -> AsyncIterator[asyncpg.Connection]:
    """The relay's role with an event of each district: in a transaction, so that the platform's relay takes neither."""
    admin = await asyncpg.connect(city.postgres.url)
    transaction = admin.transaction()
    await transaction.start()
    for district in two:
        await admin.execute(
            f"""INSERT INTO {SCHEMA}.outbox (district, type, aggregate, payload, traceparent)
                VALUES ($1, 'test', '', '', '')""",
            district,
        )
    await admin.execute(f"SET LOCAL ROLE {await relay.fetchval('SELECT current_user')}")
    yield admin
    await transaction.rollback()
    await admin.close()


async def test_relay_takes_the_events_of_every_district(as_relay: asyncpg.Connection, two: tuple[str, str]) -> None:
    rows = await as_relay.fetch(f"DELETE FROM {SCHEMA}.outbox WHERE type = 'test' RETURNING district")
    assert {row["district"] for row in rows} == set(two)


async def test_relay_forgets_old_answers_without_seeing_them(relay: asyncpg.Connection, two: tuple[str, str]) -> None:
    assert await relay.fetchval("SELECT count(answered_at) FROM idempotency") >= len(two)
    assert await relay.execute("DELETE FROM idempotency WHERE answered_at < 'epoch'") == "DELETE 0"
    for column in ("answer", "digest", "subject", "district"):
        with pytest.raises(DENIED):
            await relay.fetch(f"SELECT {column} FROM idempotency")


async def test_relay_can_do_nothing_else(relay: asyncpg.Connection) -> None:
    for table in (*TABLES, "district", "inbox", "alembic_version"):
        for statement in (f"SELECT 1 FROM {table}", f"DELETE FROM {table}"):
            with pytest.raises(DENIED):
                await relay.execute(statement)
    for statement in (
        "UPDATE outbox SET type = ''",
        f"SET ROLE {owner_role(SCHEMA)}",
        f"SET ROLE {runtime_role(SCHEMA)}",
    ):
        with pytest.raises(DENIED):
            await relay.execute(statement)
