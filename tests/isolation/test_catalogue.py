"""Every table of every service is under the rule of isolation, and the rules find one that is not."""

import importlib
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from chassis.audit import EXEMPT, audited
from services.__main__ import TARGETS
from tests.harness import Platform
from tests.isolation.catalogue import RULES, Subject, violations

# The tables that the chassis alone writes; migrations make them, no service's tables.py names them.
GROUND = EXEMPT | {"alembic_version"}
COLUMNS = """
    SELECT attname, format_type(atttypid, NULL), attnotnull, atthasdef OR attidentity <> '' AS filled,
           attnum = ANY (coalesce(conkey, '{}')) AS in_key
    FROM pg_attribute LEFT JOIN pg_constraint ON conrelid = attrelid AND contype = 'p'
    WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
BOUND = "district = current_setting('app.district', true)"
SCRATCH = Subject("scratch", ("place",), "scratch_owner", "scratch_runtime", "scratch_relay", ("ballot",))
AUDITED = ";".join(
    statement
    for table, key in {"place": ("code",), "thing": ("id",), "part": ("id",)}.items()
    for statement in audited("scratch", table, key)
)
# A schema in good order: what `qyt migrate` leaves, in small.
GOOD = f"""
    CREATE ROLE scratch_owner; CREATE ROLE scratch_runtime LOGIN; CREATE ROLE scratch_relay LOGIN;
    CREATE SCHEMA scratch AUTHORIZATION scratch_owner;
    GRANT USAGE ON SCHEMA scratch TO scratch_runtime, scratch_relay;
    SET LOCAL ROLE scratch_owner; SET LOCAL search_path = scratch, public;
    CREATE TABLE place (code text PRIMARY KEY);
    CREATE POLICY everybody ON place FOR SELECT USING (true);
    CREATE TABLE thing (district text NOT NULL REFERENCES place (code), id int NOT NULL, PRIMARY KEY (district, id));
    CREATE TABLE part (
        district text NOT NULL, id int NOT NULL, thing int, PRIMARY KEY (district, id),
        FOREIGN KEY (district, thing) REFERENCES thing (district, id)
    );
    CREATE TABLE ballot (district text NOT NULL, id int NOT NULL, PRIMARY KEY (district, id));
    CREATE TABLE outbox (district text NOT NULL, id int NOT NULL, PRIMARY KEY (district, id));
    ALTER TABLE place ENABLE ROW LEVEL SECURITY; ALTER TABLE place FORCE ROW LEVEL SECURITY;
    ALTER TABLE thing ENABLE ROW LEVEL SECURITY; ALTER TABLE thing FORCE ROW LEVEL SECURITY;
    ALTER TABLE part ENABLE ROW LEVEL SECURITY; ALTER TABLE part FORCE ROW LEVEL SECURITY;
    ALTER TABLE outbox ENABLE ROW LEVEL SECURITY; ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
    ALTER TABLE ballot ENABLE ROW LEVEL SECURITY; ALTER TABLE ballot FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON ballot USING ({BOUND}) WITH CHECK ({BOUND});
    CREATE POLICY tenant ON thing USING ({BOUND}) WITH CHECK ({BOUND});
    CREATE POLICY tenant ON part USING ({BOUND}) WITH CHECK ({BOUND});
    CREATE POLICY tenant ON outbox USING ({BOUND}) WITH CHECK ({BOUND});
    CREATE POLICY relay ON outbox TO scratch_relay USING (true);
    GRANT SELECT, INSERT, UPDATE ON thing, part TO scratch_runtime;
    GRANT SELECT, INSERT ON place TO scratch_runtime;
    GRANT INSERT ON outbox TO scratch_runtime; GRANT SELECT, DELETE ON outbox TO scratch_relay;
    CREATE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = scratch, pg_temp AS 'BEGIN RETURN NULL; END';
    REVOKE EXECUTE ON FUNCTION record_change() FROM PUBLIC;
    {AUDITED};
"""
# A mistake that a migration could make -> the rules that it breaks, and what they name.
MISTAKES = {
    "ALTER TABLE thing DISABLE ROW LEVEL SECURITY": {("row-level security is on", "thing")},
    "ALTER TABLE place DISABLE ROW LEVEL SECURITY": {("row-level security is on", "place")},
    "ALTER TABLE thing NO FORCE ROW LEVEL SECURITY": {("row-level security binds the owner too", "thing")},
    "CREATE MATERIALIZED VIEW copy AS SELECT district, id FROM thing": {
        ("row-level security is on", "copy"),
        ("row-level security binds the owner too", "copy"),
        ("there is a column district, and it is never empty", "copy"),
        ("a policy binds reading and writing to the district", "copy"),
    },
    "ALTER TABLE part DROP CONSTRAINT part_pkey, ALTER district DROP NOT NULL": {
        ("there is a column district, and it is never empty", "part")
    },
    "DROP POLICY tenant ON thing": {("a policy binds reading and writing to the district", "thing")},
    f"DROP POLICY tenant ON thing; CREATE POLICY tenant ON thing USING ({BOUND})": {
        ("a policy binds reading and writing to the district", "thing")
    },
    f"DROP POLICY tenant ON thing; CREATE POLICY tenant ON thing USING ({BOUND}) WITH CHECK (true)": {
        ("a policy binds reading and writing to the district", "thing"),
        ("no policy lets more through", "thing.tenant"),
    },
    "CREATE POLICY office ON thing FOR SELECT USING (true)": {("no policy lets more through", "thing.office")},
    "CREATE POLICY relay ON thing TO scratch_relay USING (true)": {("no policy lets more through", "thing.relay")},
    f"CREATE POLICY loose ON outbox TO scratch_relay, scratch_runtime USING ({BOUND} OR id > 0)": {
        ("no policy lets more through", "outbox.loose")
    },
    "CREATE POLICY added ON place FOR INSERT WITH CHECK (true)": {
        ("a city-wide table is written by acting for a district", "place.added")
    },
    "CREATE UNIQUE INDEX once ON thing (id)": {("district comes first in every key", "once")},
    "CREATE UNIQUE INDEX once ON thing (id, district)": {("district comes first in every key", "once")},
    "CREATE UNIQUE INDEX once ON thing (lower(district), id)": {("district comes first in every key", "once")},
    "ALTER TABLE thing ADD CONSTRAINT apart EXCLUDE USING gist (id WITH =)": {
        ("district comes first in every key", "apart")
    },
    "ALTER TABLE thing ADD UNIQUE (id); ALTER TABLE part ADD CONSTRAINT loose FOREIGN KEY (id) REFERENCES thing (id)": {
        ("district comes first in every key", "thing_id_key"),
        ("district comes first in every reference", "part.loose"),
    },
    "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM thing'": {
        ("nothing is reached past its policies", "peek")
    },
    "CREATE VIEW everything AS SELECT * FROM thing": {("nothing is reached past its policies", "everything")},
    "RESET ROLE; ALTER TABLE thing OWNER TO scratch_runtime": {
        ("everything belongs to the owner, who cannot log in", "thing"),
        ("a server's role reads and writes rows, and does no more", "scratch_runtime may TRUNCATE thing"),
        ("a server's role reads and writes rows, and does no more", "scratch_runtime may REFERENCES thing"),
        ("a server's role reads and writes rows, and does no more", "scratch_runtime may TRIGGER thing"),
        ("a server's role reads and writes rows, and does no more", "scratch_runtime may MAINTAIN thing"),
    },
    "RESET ROLE; ALTER ROLE scratch_owner LOGIN": {
        ("everything belongs to the owner, who cannot log in", "scratch_owner")
    },
    "RESET ROLE; ALTER ROLE scratch_runtime BYPASSRLS": {("a server's role is a plain one", "scratch_runtime")},
    "RESET ROLE; GRANT pg_monitor TO scratch_relay": {
        ("a server's role is a plain one", "scratch_relay in pg_monitor")
    },
    "GRANT CREATE ON SCHEMA scratch TO scratch_runtime": {
        ("a server's role makes nothing", "scratch_runtime in scratch")
    },
    "GRANT TRUNCATE ON thing TO scratch_runtime": {
        ("a server's role reads and writes rows, and does no more", "scratch_runtime may TRUNCATE thing")
    },
    "GRANT SELECT ON part TO PUBLIC": {
        ("nobody else has any right", "part to public"),
        ("the relay sees events and the age of answers", "part.district: SELECT"),
        ("the relay sees events and the age of answers", "part.id: SELECT"),
        ("the relay sees events and the age of answers", "part.thing: SELECT"),
    },
    "GRANT SELECT (id) ON thing TO scratch_relay": {
        ("the relay sees events and the age of answers", "thing.id: SELECT")
    },
    "GRANT DELETE ON thing TO scratch_relay": {("the relay sees events and the age of answers", "thing: DELETE")},
    "GRANT UPDATE ON outbox TO scratch_runtime": {
        ("what was published or answered is never changed", "outbox: UPDATE")
    },
    "GRANT EXECUTE ON FUNCTION record_change() TO PUBLIC": {("nothing is reached past its policies", "record_change")},
    "ALTER FUNCTION record_change() RESET search_path": {("nothing is reached past its policies", "record_change")},
    "DROP TRIGGER audit_delete ON thing": {("every change of a row is recorded, or says why not", "thing: delete")},
    "ALTER TABLE part DISABLE TRIGGER audit_update": {
        ("every change of a row is recorded, or says why not", "part: update")
    },
    audited("scratch", "ballot")[0]: {("nothing tells of a secret ballot", "ballot.audit_insert")},
    audited("scratch", "part", ("thing",))[0]: {("a record names the whole key", "part.audit_insert")},
}


@pytest.fixture
async def superuser(city: Platform) -> AsyncIterator[asyncpg.Connection]:
    """A transaction of the administrator's that leaves nothing behind."""
    connection = await asyncpg.connect(city.postgres.url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()


@pytest.mark.parametrize("service", TARGETS)
async def test_every_table_is_under_the_rule(superuser: asyncpg.Connection, service: str) -> None:
    assert await violations(superuser, Subject.of(TARGETS[service])) == set()


async def test_a_schema_in_good_order_breaks_no_rule(superuser: asyncpg.Connection) -> None:
    await superuser.execute(GOOD)
    assert await violations(superuser, SCRATCH) == set()


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_found(superuser: asyncpg.Connection, mistake: str) -> None:
    await superuser.execute(GOOD)
    await superuser.execute(mistake)
    found = {(rule, name.removeprefix("scratch.")) for rule, name in await violations(superuser, SCRATCH)}
    assert found == MISTAKES[mistake]


def test_every_rule_has_a_mistake() -> None:
    assert {rule for broken in MISTAKES.values() for rule, _ in broken} == set(RULES)


@pytest.mark.parametrize("service", TARGETS)
async def test_tables_of_the_code_are_those_of_the_database(superuser: asyncpg.Connection, service: str) -> None:
    tables = importlib.import_module(f"services.{service}.tables").metadata.tables
    found = await superuser.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p')", service
    )
    assert {row["relname"] for row in found} - GROUND == set(tables)
    for name, table in tables.items():
        rows = await superuser.fetch(COLUMNS, f"{service}.{name}")
        assert [tuple(row) for row in rows] == columns(table), name


def columns(table: Table) -> list[tuple[str, str, bool, bool, bool]]:
    """Name, type, whether it is never empty, whether the database fills it, whether it is part of the primary key."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return [
        (
            column.name,
            column.type.compile(dialect).lower(),
            not column.nullable,
            column.server_default is not None,
            column.primary_key,
        )
        for column in table.columns
    ]
