"""What an attacker carries off: backups, dumps, rows by transaction, pages with dead rows, the log. All as files.

As the superuser of the database, with the programs that come with it.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import asyncpg

from chassis.embedded.postgres import binary
from tests.harness import Platform

SCHEMAS = ("registry", "meetings", "ballots", "leak")
TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname = ANY ($1)"""
# As text, with the place and the transaction that wrote it.
ROWS = "SELECT xmin, ctid, t::text FROM {table} t ORDER BY xmin::text::bigint, ctid"
PAGES = """
    SELECT t_xmin, t_xmax, lp, encode(t_data, 'hex')
    FROM generate_series(0, pg_relation_size('{table}') / 8192 - 1) AS page,
         heap_page_items(get_raw_page('{table}', page::integer)) WHERE t_data IS NOT NULL
    ORDER BY t_xmin::text::bigint, page, lp"""
FILE = """
    SELECT '1663/' || d.oid || '/' || pg_relation_filenode($1::regclass) FROM pg_database d
    WHERE d.datname = current_database()"""
# The databases that every cluster has, and nobody uses.
EMPTY = ("1", "4", "5")
INSERTED = re.compile(r"tx: +(\d+),.*desc: INSERT.* off: (\d+).* blk (\d+)")
COMMITTED = re.compile(r"tx: +(\d+),.*desc: COMMIT (\S+ \S+)")


# What an attacker turns on: every statement with its values in the server's log, and a log that is never thrown away.
LISTENING = (
    "ALTER SYSTEM SET log_statement = 'all'",
    "ALTER SYSTEM SET wal_keep_size = '1GB'",
    "SELECT pg_reload_conf()",
)


@asynccontextmanager
async def superuser(platform: Platform) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(platform.postgres.url)
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pageinspect")
        yield connection
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Thief:
    """Writes everything below one folder, each time of `loot` into another one there."""

    platform: Platform
    connection: asyncpg.Connection
    folder: Path
    # Where the log was at the beginning.
    since: str

    @classmethod
    async def enter(cls, platform: Platform, connection: asyncpg.Connection, folder: Path) -> Self:
        return cls(platform, connection, folder, await connection.fetchval("SELECT pg_current_wal_lsn()::text"))

    async def loot(self, when: str, *logged: str) -> Path:
        """Everything, as it is now; and from the log, in its order, the rows of these tables that are still there."""
        folder = self.folder / when
        folder.mkdir(parents=True)
        url = self.platform.postgres.url
        # Before anything reads the tables: who reads a full page takes dead rows out of it.
        await self._save(folder / "pages", PAGES)
        backup = [f"--pgdata={folder}/backup", "--checkpoint=fast", "--wal-method=none"]
        await _run("pg_basebackup", f"--dbname={url.rpartition('/')[0]}", *backup)
        for empty in EMPTY:
            shutil.rmtree(folder / "backup" / "base" / empty)
        await _run("pg_dump", url, "--format=directory", "--compress=0", f"--file={folder}/dump")
        await self._save(folder / "rows", ROWS)
        for table in logged:
            _write(folder / "log" / table, await self.in_log_order(table))
        return folder

    async def _save(self, folder: Path, query: str) -> None:
        for table in [row[0] for row in await self.connection.fetch(TABLES, SCHEMAS)]:
            _write(folder / table, await self.connection.fetch(query.format(table=table)))

    async def in_log_order(self, table: str) -> list[tuple[str, str]]:
        """The rows of a table as the write-ahead log has them: when each was committed, and the row as text."""
        rows = {row[0]: row[1] for row in await self.connection.fetch(f"SELECT ctid, t::text FROM {table} t")}
        log = await self._log("Heap", "--relation", await self.connection.fetchval(FILE, table))
        times = dict(COMMITTED.findall(await self._log("Transaction")))
        found = [(times[tx], rows.get((int(block), int(place)))) for tx, place, block in INSERTED.findall(log)]
        return [(time, row) for time, row in found if row is not None]

    async def _log(self, manager: str, *filters: str) -> str:
        folder = self.platform.postgres.cluster / "pg_wal"
        read = [f"--path={folder}", f"--start={self.since}", f"--rmgr={manager}", *filters]
        # It ends with an error where the log ends. Nothing comes before that for a table that was swept since.
        return await _run("pg_waldump", *read, may_end="error in WAL record")


async def _run(program: str, *arguments: str, may_end: str | None = None) -> str:
    """What it prints. Raises OSError if it fails, unless in these words."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(binary(program), *arguments, stdout=pipe, stderr=pipe)
    output, errors = await process.communicate()
    if process.returncode and (may_end is None or may_end not in errors.decode()):
        raise OSError(f"{program}: {errors.decode()}")
    return output.decode()


def _write(path: Path, rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(" ".join(map(str, row)) + "\n" for row in rows))
