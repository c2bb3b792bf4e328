"""Brings a service's schema up to date: roles, migrations, reference data.

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

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from chassis.database import Database
from chassis.faults import OperatorFault
from chassis.ground import owner_role, relay_role, runtime_role
from chassis.manifest import Manifest
from chassis.settings import Settings, SettingsInvalid

log = logging.getLogger(__name__)
VERSION = 180000
# A statement of a migration may take this long (seconds): building an index on a large table does.
MIGRATION_STATEMENT = 600


class SchemaBehind(OperatorFault):
    """The schema is not the one that this release needs. The text says what to run."""


def runtime_url(settings: Settings, service: str) -> URL:
    """The login of the role that serves calls. Raises SettingsInvalid."""
    return _login(settings, settings.runtime_database_url, runtime_role(service))


def relay_url(settings: Settings, service: str) -> URL:
    """The login of the role that relays events. Raises SettingsInvalid."""
    return _login(settings, settings.relay_database_url, relay_role(service))


def _login(settings: Settings, given: object, role: str) -> URL:
    if given is not None:
        return make_url(given.get_secret_value())  # type: ignore[attr-defined]
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
    """Returns the revisions that were applied, none when the schema was up to date already."""
    admin = admin_url(settings)
    async with _connected(admin) as connection:
        await connection.execute(text("SELECT pg_advisory_lock(hashtext('qyt-migrate'))"))
        await _check_version(connection)
        await _ensure_roles(connection, manifest.name, admin, settings)
        applied = await _upgrade(admin, manifest, settings)
        if manifest.seed:
            database = open_database(settings, manifest.name)
            try:
                await manifest.seed(database)
            finally:
                await database.close()
    return applied


def open_database(settings: Settings, service: str) -> Database:
    return Database(runtime_url(settings, service), service, settings.database_pool, settings.statement_timeout)


async def check_schema(manifest: Manifest, settings: Settings) -> None:
    """Raises SchemaBehind unless the schema is at this release's revision or a later one."""
    async with _connected(runtime_url(settings, manifest.name)) as connection:
        found = None
        if await connection.scalar(text("SELECT to_regclass(:table)"), {"table": f"{manifest.name}.alembic_version"}):
            found = await connection.scalar(text(f"SELECT version_num FROM {manifest.name}.alembic_version"))  # noqa: S608 - a manifest's name
        script = _script(manifest)
        if found is None or (
            found != script.get_current_head() and found in {r.revision for r in script.walk_revisions()}
        ):
            raise SchemaBehind(
                f"the schema of {manifest.name} is at {found or 'nothing'}, this release needs "
                f"{script.get_current_head()}: run `qyt migrate`"
            )


@asynccontextmanager
async def _connected(url: URL, **server_settings: str) -> AsyncIterator[AsyncConnection]:
    """A connection of its own, each statement its own transaction."""
    engine = create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": 10, "server_settings": server_settings},
    )
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def _check_version(connection: AsyncConnection) -> None:
    number = int(await connection.scalar(text("SHOW server_version_num")) or 0)
    if number < VERSION:
        raise SettingsInvalid(f"PostgreSQL {VERSION // 10000} or later is needed; this server is {number // 10000}")


async def _ensure_roles(connection: AsyncConnection, service: str, admin: URL, settings: Settings) -> None:
    owner, runtime, relay = owner_role(service), runtime_role(service), relay_role(service)
    by_hand = settings.runtime_database_url is not None
    for role in (owner, runtime, relay):
        if not await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
            await connection.execute(text(f"CREATE ROLE {role} NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS"))
        password = _derived_password(admin, role)
        if role != owner and not by_hand:
            secret = f" PASSWORD '{password}'" if password else ""  # hexadecimal digits only
            await connection.execute(text(f"ALTER ROLE {role} LOGIN{secret}"))
    for statement in (
        "CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public",
        f"GRANT {owner} TO CURRENT_USER",
        f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner}",
        f"GRANT USAGE ON SCHEMA {service} TO {runtime}, {relay}",
    ):
        await connection.execute(text(statement))


async def _upgrade(admin: URL, manifest: Manifest, settings: Settings) -> list[str]:
    async with _connected(
        admin,
        role=owner_role(manifest.name),
        search_path=f"{manifest.name}, public",
        lock_timeout=f"{settings.lock_timeout}s",
        statement_timeout=f"{MIGRATION_STATEMENT}s",
    ) as connection:
        transactional = await connection.execution_options(isolation_level="READ COMMITTED")
        return await transactional.run_sync(_run_scripts, manifest)


def _run_scripts(connection: Connection, manifest: Manifest) -> list[str]:
    script = _script(manifest)
    applied: list[str] = []

    def steps(revision: Any, _: object) -> Any:
        chosen = script._upgrade_revs("head", revision)
        applied.extend(step.revision.revision for step in chosen)
        return chosen

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(
            connection=connection,
            version_table_schema=manifest.name,
            transaction_per_migration=True,
        )
        with environment.begin_transaction():
            environment.run_migrations()
    return applied


def _script(manifest: Manifest) -> ScriptDirectory:
    return ScriptDirectory(str(manifest.migrations), version_locations=[str(manifest.migrations)])
