"""What the tables alone tell the superuser of the database: orders of rows, dead rows, shared transactions."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from tests.harness import Platform

# What PostgreSQL remembers of the order of rows: their places, and the ids of the transactions that wrote them.
ORDERS = ("ctid", "xmin::text::bigint")
TABLES = """
    SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname IN ('registry', 'meetings', 'ballots')"""


def matches(papers: Sequence[Any], ballots: Sequence[Any], truth: Mapping[Any, Any]) -> int:
    """How many ballots are found by laying two orders side by side. By chance it is one, whatever their number."""
    return sum(truth.get(paper) == ballot for paper, ballot in zip(papers, ballots, strict=False))


async def orders(connection: asyncpg.Connection, table: str, column: str, poll: str) -> list[list[Any]]:
    """The rows of a poll in every order that the table tells."""
    return [
        [
            row[0]
            for row in await connection.fetch(f"SELECT {column} FROM {table} WHERE poll = $1 ORDER BY {order}", poll)
        ]
        for order in ORDERS
    ]


async def file_of(connection: asyncpg.Connection, table: str) -> bytes:
    """The table's file as it is on the disk, with dead rows and all."""
    await connection.execute("CHECKPOINT")
    content: bytes = await connection.fetchval("SELECT pg_read_binary_file(pg_relation_filepath($1))", table)
    return content


async def dead_rows(connection: asyncpg.Connection, table: str) -> int:
    """Items of the pages whose row was deleted, by pageinspect."""
    pages = await connection.fetchval("SELECT pg_relation_size($1::regclass) / 8192", table)
    dead = 0
    for page in range(pages):
        dead += await connection.fetchval(
            "SELECT count(*) FROM heap_page_items(get_raw_page($1, $2)) WHERE lp_flags <> 0 AND t_xmax::text <> '0'",
            table,
            page,
        )
    return dead


async def sharing(connection: asyncpg.Connection, poll: str) -> set[str]:
    """Tables with a row that a transaction of a cast has written, too."""
    casts = [row[0] for row in await connection.fetch("SELECT xmin FROM ballots.ballot WHERE poll = $1", poll)]
    found = set()
    for table in await connection.fetch(TABLES):
        if await connection.fetchval(f"SELECT count(*) FROM {table['name']} WHERE xmin = ANY($1::xid[])", casts):
            found.add(str(table["name"]))
    return found


def logs(platform: Platform) -> str:
    """Everything that all processes have written, the gateway's Envoy included."""
    folder = platform.settings.state.parent
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob("*.log"))
