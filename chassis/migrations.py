"""Brings a service's schema up to date, in the pool and in every silo: roles, migrations, reference data.

Several replicas may do so at once: an advisory lock lets one at a time do it,
and the others find it done. Every migration runs in its own transaction with a
limit on waiting for locks, so that a forgotten session cannot stop a district;
each must leave the previous release working.
"""

import hashlib
import hmac
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from pydantic import SecretStr
from sqlalchemy import URL, Connection, make_url

from chassis.database import Database
from chassis.faults import OperatorFault
from chassis.ground import owner_role, relay_role, runtime_role
from chassis.manifest import Manifest
from chassis.moving.tables import tables_of
from chassis.placement import Place, places
from chassis.settings import Settings, SettingsInvalid

log = logging.getLogger(__name__)
VERSION = 180000
# A statement of a migration may take this long (seconds): building an index on a large table does.
MIGRATION_STATEMENT = 600
STRONG = """SELECT rolsuper OR rolbypassrls OR pg_has_role(session_user, $1, 'MEMBER')
            FROM pg_roles WHERE rolname = session_user"""


class RoleTooStrong(OperatorFault):
    """The role that serves calls could look past row-level security."""


class SchemaBehind(OperatorFault):
    """The schema is not the one that this release needs. The text says what to run."""


class SiloEmpty(OperatorFault):
    """A district would be served from a database that has nothing of it."""


def runtime_url(settings: Settings, service: str) -> URL:
    """The login of the role that serves calls. Raises SettingsInvalid."""
    return _login(settings, settings.runtime_database_url, runtime_role(service))


def relay_url(settings: Settings, service: str) -> URL:
    """The login of the role that relays events. Raises SettingsInvalid."""
    return _login(settings, settings.relay_database_url, relay_role(service))


def _login(settings: Settings, given: SecretStr | None, role: str) -> URL:
    if given is not None:
        return make_url(given.get_secret_value())
    admin = admin_url(settings)
    return admin.set(username=role, password=_derived_password(admin, role))


def admin_url(settings: Settings) -> URL:
    """The login that migrates. Raises SettingsInvalid."""
    if settings.database_url is None:
        raise SettingsInvalid("QYT_DATABASE_URL is needed: postgresql://user:password@host:port/database")
    return make_url(settings.database_url.get_secret_value())


def _derived_password(admin: URL, role: str) -> str | None:
    """A role's password follows from the administrator's, so that one setting is enough to begin with."""
    if not admin.password:
        return None
    return hmac.new(str(admin.password).encode(), role.encode(), hashlib.sha256).hexdigest()


async def migrate(manifest: Manifest, settings: Settings) -> list[str]:
    """Brings the pool and every silo up to date.

    Returns the revisions that were applied, none when the schemas were up to date already.
    """
    pool, *silos = places(settings)
    async with _connected(admin_url(settings)) as connection:
        # For the silos too: a server's roles belong to all of its databases.
        await connection.execute("SELECT pg_advisory_lock(hashtext('qyt-migrate'))")
        applied = await _bring_up(connection, manifest, pool.settings)
        for silo in silos:
            async with _connected(admin_url(silo.settings)) as apart:
                applied += await _bring_up(apart, manifest, silo.settings)
        if manifest.seed:
            database = open_database(settings, manifest.name)
            try:
                await manifest.seed(database)
            finally:
                await database.close()
    return sorted(set(applied))


async def _bring_up(connection: asyncpg.Connection, manifest: Manifest, settings: Settings) -> list[str]:
    admin = admin_url(settings)
    await _check_version(connection)
    await _ensure_roles(connection, manifest.name, admin, settings)
    before = await _revision(connection, manifest)
    pending = [revision for revision in revisions(manifest) if revision > (before or "")]
    if pending:
        await _upgrade(admin, manifest, settings)
    return pending


def open_database(settings: Settings, service: str) -> Database:
    pool, *silos = places(settings)
    apart = {runtime_url(silo.settings, service): silo.districts for silo in silos}
    url = runtime_url(pool.settings, service)
    return Database(url, service, settings.database_pool, settings.statement_timeout, apart)


async def check_database(manifest: Manifest, settings: Settings) -> None:
    """Raises SchemaBehind unless each schema is at this release's revision or a later one, RoleTooStrong unless
    row-level security binds the role that serves calls, SiloEmpty for a district that was not moved.
    """
    pool, *silos = places(settings)
    await _check_place(manifest, pool)
    for silo in silos:
        await _check_place(manifest, silo)
        for district in silo.districts:
            if not await _holds(manifest, silo, district) and await _holds(manifest, pool, district):
                raise SiloEmpty(
                    f"{district} has a database of its own by QYT_SILOS, but {manifest.name} has it in the pool: "
                    f"`qyt districts move {district}`"
                )


async def _check_place(manifest: Manifest, place: Place) -> None:
    where = f" in the database of {', '.join(place.districts)}" if place.districts else ""
    async with _connected(runtime_url(place.settings, manifest.name)) as connection:
        found, needed = await _revision(connection, manifest), revisions(manifest)[-1]
        if found is None or found < needed:
            raise SchemaBehind(
                f"the schema of {manifest.name}{where} is at {found or 'nothing'}, this release needs {needed}: "
                "run `qyt migrate`"
            )
        if await connection.fetchval(STRONG, owner_role(manifest.name)):
            raise RoleTooStrong(
                f"the role that serves {manifest.name}{where} is a superuser, has BYPASSRLS, or is a member of the "
                "owner: every district would see every other. Give it a role like the one that `qyt migrate` makes"
            )


async def _holds(manifest: Manifest, place: Place, district: str) -> bool:
    """Whether there is all that rows of the district refer to."""
    async with _connected(runtime_url(place.settings, manifest.name)) as connection:
        entries = [table for table in await tables_of(connection, manifest) if table.of_city]
        return all([await connection.fetchval(table.counting, district) for table in entries])


def revisions(manifest: Manifest) -> list[str]:
    """The revisions of this release, oldest first: a migration's file is named `<four digits>_<what>.py`."""
    return sorted(path.name[:4] for path in manifest.migrations.glob("[0-9][0-9][0-9][0-9]_*.py"))


async def _revision(connection: asyncpg.Connection, manifest: Manifest) -> str | None:
    """The revision that the schema is at; None before the first one."""
    table = f"{manifest.name}.alembic_version"
    if not await connection.fetchval("SELECT to_regclass($1)", table):
        return None
    found: str | None = await connection.fetchval(f"SELECT version_num FROM {table}")  # noqa: S608 - a manifest's name
    return found


@asynccontextmanager
async def _connected(url: URL) -> AsyncIterator[asyncpg.Connection]:
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


async def _check_version(connection: asyncpg.Connection) -> None:
    number = int(await connection.fetchval("SHOW server_version_num"))
    if number < VERSION:
        raise SettingsInvalid(f"PostgreSQL {VERSION // 10000} or later is needed; this server is {number // 10000}")


async def _ensure_roles(connection: asyncpg.Connection, service: str, admin: URL, settings: Settings) -> None:
    owner, runtime, relay = owner_role(service), runtime_role(service), relay_role(service)
    for role in (owner, runtime, relay):
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"CREATE ROLE {role} NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS")
    for role, given in ((runtime, settings.runtime_database_url), (relay, settings.relay_database_url)):
        if given is None:
            password = _derived_password(admin, role)
            secret = f" PASSWORD '{password}'" if password else ""  # hexadecimal digits only
            await connection.execute(f"ALTER ROLE {role} LOGIN{secret}")
    for statement in (
        "CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public",
        f"GRANT {owner} TO CURRENT_USER",
        f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner}",
        f"GRANT USAGE ON SCHEMA {service} TO {runtime}, {relay}",
    ):
        await connection.execute(statement)


async def _upgrade(admin: URL, manifest: Manifest, settings: Settings) -> None:
    # Imported here: Alembic and SQLAlchemy's engine take a second that only a migration need spend.
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    as_owner = {
        "role": owner_role(manifest.name),
        "search_path": f"{manifest.name}, public",
        "lock_timeout": f"{settings.lock_timeout}s",
        "statement_timeout": f"{MIGRATION_STATEMENT}s",
    }
    dsn = admin.set(drivername="postgresql").render_as_string(hide_password=False)

    async def connect() -> asyncpg.Connection:
        # By asyncpg itself, which knows parameters of a URL, such as sslmode, that SQLAlchemy would not pass on.
        return await asyncpg.connect(dsn, timeout=10, server_settings=as_owner)

    engine = create_async_engine("postgresql+asyncpg://", poolclass=NullPool, async_creator=connect)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run_scripts, manifest)
    finally:
        await engine.dispose()


def _run_scripts(connection: Connection, manifest: Manifest) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(manifest.migrations), version_locations=[str(manifest.migrations)])

    def steps(revision: Any, _: object) -> Any:
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=connection, version_table_schema=manifest.name, transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()
