"""Brings a district in from its archive: every row as it was, so that every answer is as it was."""

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack

import asyncpg

from chassis import tenancy
from chassis.faults import OperatorFault
from chassis.manifest import Manifest
from chassis.migrations import open_database
from chassis.moving.advancing import advance
from chassis.moving.archive import Archive, ArchiveUnsuitable, ServiceContents
from chassis.moving.databases import commit, owning, revision
from chassis.moving.exporting import Told, described
from chassis.moving.tables import LEFT_OUT, Table, quoted, tables_of
from chassis.placement import place_of, settings_of
from chassis.settings import Settings

# Row-level security allows no COPY into a table that it binds, so the lines are copied beside it first. One INSERT
# takes them over: rows of a table that refer to each other may stand in any order.
BESIDE = "CREATE TEMPORARY TABLE arriving_lines (line json) ON COMMIT DROP"
# Never back: other districts' rows are numbered by the same sequence.
NUMBERED = """SELECT setval(sequence::regclass, greatest(pg_sequence_last_value(sequence::regclass), highest))
              FROM (SELECT pg_get_serial_sequence($1, $2) AS sequence, max({column}) AS highest FROM {table}) AS found
              WHERE highest IS NOT NULL"""


class DistrictThere(OperatorFault):
    """The database has rows of the district already."""


async def import_(manifests: Sequence[Manifest], settings: Settings, archive: Archive, told: Told) -> None:
    """Brings it where the settings place it: all services or none, as far as separate databases can promise.

    Raises ArchiveUnsuitable, DistrictThere.
    """
    if archive.contents.services.keys() != {manifest.name for manifest in manifests}:
        raise ArchiveUnsuitable(f"the archive has other services: {', '.join(archive.contents.services)}")
    async with AsyncExitStack() as stack:
        filled = []
        for manifest in manifests:
            place = place_of(settings_of(manifest, settings), archive.district)
            await advance(place.settings, manifest.name, archive)
            connection = await stack.enter_async_context(owning(place.settings, manifest.name, archive.district))
            await _fill(connection, manifest, archive, told)
            filled.append(connection)
        for connection in filled:
            await commit(connection)
    for manifest in manifests:
        await _finish(manifest, settings, archive.district)


async def _finish(manifest: Manifest, settings: Settings, district: str) -> None:
    if manifest.imported:
        database = open_database(settings_of(manifest, settings), manifest.name)
        try:
            with tenancy.acting_for(district):
                await manifest.imported(database)
        finally:
            await database.close()


async def _fill(connection: asyncpg.Connection, manifest: Manifest, archive: Archive, told: Told) -> None:
    tables = [table for table in await tables_of(connection, manifest) if table.name not in LEFT_OUT]
    given = archive.contents.services[manifest.name]
    _check_same(given, await revision(connection), tables)
    await _check_empty(connection, tables, archive.district)
    await connection.execute(BESIDE)
    rows = {table.table: table.rows for table in given.tables}
    for table in tables:
        await _load(connection, table, archive)
        told(f"{table.file}\t{rows[table.name]}")
    for table in tables:
        if (
            not table.of_city
            and (found := await connection.fetchval(table.counting, archive.district)) != rows[table.name]
        ):
            raise ArchiveUnsuitable(f"{table.file} has {rows[table.name]} rows, but {found} are there now")


def _check_same(given: ServiceContents, found: str, tables: Sequence[Table]) -> None:
    if given.revision != found:
        raise ArchiveUnsuitable(
            f"the archive is of revision {given.revision}, the database of {found}: import with the same release"
        )
    if [table.model_copy(update={"rows": 0}) for table in given.tables] != [described(table, 0) for table in tables]:
        raise ArchiveUnsuitable("the archive has other tables or columns than the database")


async def _check_empty(connection: asyncpg.Connection, tables: Sequence[Table], district: str) -> None:
    for table in tables:
        if not table.of_city and await connection.fetchval(table.counting, district):
            raise DistrictThere(
                f"{table.quoted} has rows of {district} already: `qyt districts erase {district}` first, "
                "if they are not needed"
            )


async def _load(connection: asyncpg.Connection, table: Table, archive: Archive) -> None:
    await connection.execute("TRUNCATE arriving_lines")
    await connection.copy_records_to_table("arriving_lines", columns=["line"], records=_records(archive, table))
    if not table.of_city:
        # What triggers have written about the tables before: the archive has the records of those days instead.
        await connection.execute(table.clearing, archive.district)
    columns = ", ".join(f"line_row.{quoted(name)}" for name in table.columns)
    await connection.execute(
        f"INSERT INTO {table.quoted} ({table.listed}) OVERRIDING SYSTEM VALUE "  # noqa: S608 - names of the catalogue
        f"SELECT {columns} FROM arriving_lines, json_populate_record(NULL::{table.quoted}, line) AS line_row"
        + (" ON CONFLICT DO NOTHING" if table.of_city else "")
    )
    for column in table.counted:
        statement = NUMBERED.format(column=quoted(column), table=table.quoted)
        await connection.execute(statement, table.quoted, column)


def _records(archive: Archive, table: Table) -> Iterator[tuple[str]]:
    for line in archive.lines(table.file):
        yield (line,)
