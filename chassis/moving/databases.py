"""A transaction that sees one district, as the owner of a service's schema."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg

from chassis.bus import Bus
from chassis.directory import followed
from chassis.faults import OperatorFault
from chassis.ground import owner_role
from chassis.migrations import MIGRATION_STATEMENT, admin_url
from chassis.settings import Settings, SettingsInvalid

# How values are written as text must not depend on the server.
SPELLING: Mapping[str, str] = {
    "timezone": "UTC",
    "bytea_output": "hex",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "1",
}


class DistrictActive(OperatorFault):
    """A district whose calls are served cannot be handled as a whole."""


@asynccontextmanager
async def owning(
    settings: Settings, service: str, district: str, *, readonly: bool = False
) -> AsyncIterator[asyncpg.Connection]:
    """A transaction on one snapshot, that its user commits; at the end of the block it is gone."""
    connection = await asyncpg.connect(
        admin_url(settings).set(drivername="postgresql").render_as_string(hide_password=False),
        timeout=10,
        server_settings={
            **SPELLING,
            "role": owner_role(service),
            "search_path": f"{service}, public",
            "application_name": f"qyt-{service}-districts",
            "lock_timeout": f"{settings.lock_timeout}s",
            "statement_timeout": f"{MIGRATION_STATEMENT}s",
        },
    )
    try:
        await connection.transaction(isolation="repeatable_read", readonly=readonly).start()
        await connection.execute("SELECT set_config('app.district', $1, true)", district)
        yield connection
    finally:
        connection.terminate()


async def commit(connection: asyncpg.Connection) -> None:
    if await connection.execute("COMMIT") != "COMMIT":
        raise RuntimeError("a statement had failed, so PostgreSQL rolled back instead")


async def revision(connection: asyncpg.Connection) -> str:
    """That of the schema."""
    return str(await connection.fetchval("SELECT version_num FROM alembic_version"))


async def connected(settings: Settings) -> Bus:
    """To be closed by its user. Raises SettingsInvalid."""
    if settings.nats_url is None:
        raise SettingsInvalid("QYT_NATS_URL is needed: the directory of districts is heard there")
    return await Bus.connect(settings.nats_url.get_secret_value(), "qyt-districts", settings.nats_replicas)


async def check_stopped(settings: Settings, district: str) -> None:
    """Raises DistrictActive unless every process refuses the district's calls, by the directory that they go by."""
    bus = await connected(settings)
    try:
        await bus.ensure_streams(set())
        entry = (await followed(bus)).entries.get(district)
    finally:
        await bus.close()
    if entry is not None and not entry.suspended:
        raise DistrictActive(f"{district} is active: `qyt districts suspend {district}` first")
