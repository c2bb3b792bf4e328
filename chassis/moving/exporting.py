"""Writes the archive of a district. Changes nothing, and may run while the district is called."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

from chassis.faults import OperatorFault
from chassis.manifest import Manifest
from chassis.moving.archive import Contents, ServiceContents, TableContents, Writer, writing
from chassis.moving.databases import owning, revision
from chassis.moving.tables import LEFT_OUT, Table, tables_of
from chassis.placement import Place, place_of, places, settings_of
from chassis.settings import Settings

BATCH = 1000
Told = Callable[[str], None]


class DistrictMissing(OperatorFault):
    """There is no such district in the database."""


def where(settings: Settings, manifest: Manifest, district: str, in_pool: bool) -> Place:
    """Where a service has the district's rows: by the settings, or what it has in the pool in spite of them."""
    own = settings_of(manifest, settings)
    return places(own)[0] if in_pool else place_of(own, district)


async def export(
    manifests: Sequence[Manifest], settings: Settings, district: str, output: Path, told: Told, in_pool: bool = False
) -> str:
    """Each service is one snapshot. Returns the fingerprint. Raises DistrictMissing, FileExistsError."""
    with writing(output) as archive:
        services = {
            manifest.name: await _service(
                archive, manifest, where(settings, manifest, district, in_pool), district, told
            )
            for manifest in manifests
        }
        archive.finish(
            Contents(
                district=district,
                exported_at=datetime.now(UTC).isoformat(timespec="seconds"),
                release=version("quanyutong"),
                left_out=sorted(LEFT_OUT),
                services=services,
            )
        )
    return archive.fingerprint


async def _service(archive: Writer, manifest: Manifest, place: Place, district: str, told: Told) -> ServiceContents:
    async with owning(place.settings, manifest.name, district, readonly=True) as connection:
        tables = []
        for table in await tables_of(connection, manifest):
            if table.name not in LEFT_OUT:
                rows = await archive.lines(table.file, lines_of(connection, table, district))
                if table.of_city and not rows:
                    raise DistrictMissing(f"there is no district {district} in {table.quoted}")
                told(f"{table.file}\t{rows}")
                tables.append(described(table, rows))
        return ServiceContents(revision=await revision(connection), tables=tables)


async def lines_of(connection: asyncpg.Connection, table: Table, district: str) -> AsyncIterator[str]:
    """The rows as they stand in an archive."""
    async for row in connection.cursor(table.lines, district, prefetch=BATCH):
        yield row[0]


async def digest_of(connection: asyncpg.Connection, table: Table, district: str) -> str:
    """The checksum of its file, if it were written now."""
    digest = hashlib.sha256()
    async for line in lines_of(connection, table, district):
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def described(table: Table, rows: int) -> TableContents:
    columns = dict(zip(table.columns, table.types, strict=True))
    return TableContents(table=table.name, file=table.file, rows=rows, columns=columns, key=list(table.key))
