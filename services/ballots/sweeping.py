"""Sweeping: what a secret vote leaves in the files of the database is taken out of them.

PostgreSQL keeps the order in which rows came (their places, and the ids of their transactions), and rows that were
deleted, until a table is written anew. So papers are written anew by mandate when voting starts, ballots by key when
the poll is closed, and the tables that they were in are rewritten without the dead rows. What this does not reach:
the write-ahead log and backups that were made in between (docs/threat-model.md).
"""

import asyncio
import logging
from typing import NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import ARRAY, Text, bindparam, select, text

from chassis import tenancy
from chassis.database import Connections, Database, WriteTx
from chassis.manifest import Round
from chassis.sql import Sql
from chassis.vault import Vault
from services.ballots.tables import poll

log = logging.getLogger(__name__)
# Seconds between two looks for a poll that is still to be swept: the calls that close one do it at once, too.
EVERY = 30.0
TABLES = ("ballot", "paper", "box_key")
# Nobody who votes elsewhere waits longer for a rewrite to begin. What is in use for longer is tried again.
PATIENCE = Sql(text("SET LOCAL lock_timeout = '200ms'"))
ATTEMPTS, PAUSE = 10, 0.3
REWRITE = Sql(text("SELECT sweep_votes(:swept)"))
# One lock for each poll, in memory alone: shared by those who take papers and cast, exclusive for the steps between. A
# lock on a row would leave the transaction's id on it.
SHARE = Sql(text("SELECT pg_advisory_xact_lock_shared(hashtextextended('poll ' || CAST(:poll AS text), 0))"))
EXCLUDE = Sql(text("SELECT pg_advisory_xact_lock(hashtextextended('poll ' || CAST(:poll AS text), 0))"))
FORGET_KEYS = Sql(
    text("DELETE FROM box_key WHERE poll = :poll AND purpose = ANY (:purposes)").bindparams(
        bindparam("purposes", type_=ARRAY(Text))
    )
)
FORGET_PAPERS = Sql(text("DELETE FROM paper WHERE poll = :poll"))
FORGET_BALLOTS = Sql(text("DELETE FROM ballot WHERE poll = :poll"))
# By mandate, in one statement: the ids that follow the rows about are those of this transaction.
SORT_PAPERS = Sql(
    text("""WITH taken AS (DELETE FROM paper WHERE poll = :poll RETURNING box, mandate, blinded, answer)
            INSERT INTO paper (poll, box, mandate, blinded, answer)
            SELECT :poll, box, mandate, blinded, answer FROM taken ORDER BY mandate""")
)
UNSWEPT = Sql(select(poll.c.id, poll.c.state).where(~poll.c.swept))
SWEPT = Sql(text("UPDATE poll SET swept = true WHERE id = :key AND state = :state"))


async def erase_vote(tx: WriteTx, key: UUID) -> None:
    """All papers, ballots and keys of a vote that is void."""
    await tx.execute(EXCLUDE, poll=str(key))
    await tx.execute(FORGET_KEYS, poll=key, purposes=["paper", "board"])
    for statement in (FORGET_PAPERS, FORGET_BALLOTS):
        await tx.execute(statement, poll=key)


class Left(NamedTuple):
    """A poll whose step into this state has left something behind."""

    poll: UUID
    state: str


class Rewriting:
    """Writes the tables of one database anew, for all districts: those who ask while it runs share the next run."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._begun = self._done = 0

    async def once_more(self, database: Database) -> None:
        """Returns after a run that began after this call. Raises LockNotAvailableError."""
        begun = self._begun
        async with self._turn:
            if self._done <= begun:
                self._begun = run = self._begun + 1
                for table in TABLES:
                    await _rewrite(database, table)
                self._done = run


_rewriting: WeakKeyDictionary[Connections, Rewriting] = WeakKeyDictionary()


async def sweep(database: Database) -> set[Left]:
    """Rewrites the tables for the district of the task, if one of its polls has left something in them.

    Where the tables are in use for too long, the next round does it. The rows that a step has deleted are dead only
    once its transaction is over, so this is another one. Returns what was swept out.
    """
    async with database.read() as tx:
        left = {Left(row.id, row.state) for row in await tx.all(UNSWEPT)}
    if not left:
        return left
    try:
        await _rewriting.setdefault(database.place_of(tenancy.district()), Rewriting()).once_more(database)
    except asyncpg.LockNotAvailableError:
        log.warning("sweeping later: the tables are in use")
        return set()
    return left


async def _rewrite(database: Database, table: str) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with database.write_part() as tx:
                await tx.execute(PATIENCE)
                await tx.execute(REWRITE, swept=table)
                return
        except asyncpg.LockNotAvailableError:
            if attempt == ATTEMPTS:
                raise
        await asyncio.sleep(PAUSE)


class Sweeping:
    """The round. What any transaction could still see when the tables were rewritten has outlived that, even if it was
    another district's: so a poll is done with once two rounds have swept after it.
    """

    def __init__(self) -> None:
        self._before: dict[str, set[Left]] = {}

    async def visit(self, database: Database, _: Vault) -> None:
        swept = await sweep(database)
        done = swept & self._before.pop(tenancy.district(), set())
        if swept - done:
            self._before[tenancy.district()] = swept - done
        if done:
            async with database.write_part() as tx:
                for each in sorted(done):
                    await tx.execute(SWEPT, key=each.poll, state=each.state)


ROUND = Round("sweeping", EVERY, Sweeping().visit)
