"""Brings a server's transaction numbers past those of an archive.

A column of type xid8 tells in which transaction something was written: the audit
is sealed in that order. What is written after the import has to come later in it,
which in another server, with numbers of its own, does not follow.
"""

import json
from collections.abc import Iterator

import asyncpg

from chassis.faults import OperatorFault
from chassis.migrations import MIGRATION_STATEMENT, admin_url
from chassis.moving.archive import Archive
from chassis.settings import Settings

# Half of what lets autovacuum freeze tables in a hurry. A server uses up some hundred thousand a second.
MOST = 100_000_000
NOW = "SELECT pg_current_xact_id()::text::bigint"
# Transactions that do nothing: each has a number, none waits for the disk.
USE_UP = "DO $$ BEGIN FOR _ IN 1..{count} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"


class TooFarAhead(OperatorFault):
    """The archive comes from a server with far higher transaction numbers."""


async def advance(settings: Settings, service: str, archive: Archive) -> None:
    """Raises TooFarAhead."""
    last = max(_numbers(archive, service), default=0)
    connection = await asyncpg.connect(
        admin_url(settings).set(drivername="postgresql").render_as_string(hide_password=False),
        timeout=10,
        server_settings={"statement_timeout": f"{MIGRATION_STATEMENT}s"},
    )
    try:
        behind = last - int(await connection.fetchval(NOW))
        if behind > MOST:
            raise TooFarAhead(
                f"the archive's transactions are {behind} ahead of this server's: have its numbers set past {last} "
                "(pg_resetwal), or import into a database of the server that it comes from"
            )
        if behind >= 0:
            await connection.execute(USE_UP.format(count=behind + 1))
    finally:
        connection.terminate()


def _numbers(archive: Archive, service: str) -> Iterator[int]:
    for table in archive.contents.services[service].tables:
        if columns := [name for name, kind in table.columns.items() if kind == "xid8"]:
            for line in archive.lines(table.file):
                row = json.loads(line)
                yield from (int(row[name]) for name in columns if row[name] is not None)
