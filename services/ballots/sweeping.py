"""Sweeping: what a secret vote leaves in the files of the database is taken out of them.

PostgreSQL keeps the order in which rows came (their places, and the ids of their transactions), and rows that were
deleted, until a table is written anew. So papers are written anew by mandate when voting starts, ballots by key when
the poll is closed, and the tables that they were in are rewritten without the dead rows. What this does not reach:
the write-ahead log and backups that were made in between (docs/threat-model.md).
"""

import logging
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Text, bindparam, select, text

from chassis.database import Database, WriteTx
from chassis.manifest import Round
from chassis.sql import Sql
from chassis.vault import Vault
from services.ballots.tables import poll

log = logging.getLogger(__name__)
# Seconds between two looks for a poll that is still to be swept: the calls that close one do it at once.
EVERY = 30.0
# Nobody who votes elsewhere waits longer for a rewrite to begin.
PATIENCE = Sql(text("SET LOCAL lock_timeout = '2s'"))
REWRITE = Sql(text("SELECT sweep_votes()"))
# One lock for each poll, in memory alone: shared by those who take papers and cast, exclusive for the steps between. A
# lock on a row would leave the transaction's id on it.
SHARE = Sql(text("SELECT pg_advisory_xact_lock_shared(hashtextextended('poll ' || CAST(:poll AS text), 0))"))
EXCLUDE = Sql(text("SELECT pg_advisory_xact_lock(hashtextextended('poll ' || CAST(:poll AS text), 0))"))
# In the order in which a rewrite takes the tables, and after the poll, as a rewrite does: votes of many districts share
# these tables, and without one order their steps and rewrites would wait for each other in a circle.
TABLES = Sql(text("LOCK TABLE ballot, paper, box_key IN ROW EXCLUSIVE MODE"))
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
LEFT = select(poll.c.id, poll.c.state).where(~poll.c.swept)
UNSWEPT = Sql(LEFT)
# Whoever is at work on a poll sweeps after it.
LOCK_UNSWEPT = Sql(LEFT.order_by(poll.c.id).with_for_update(skip_locked=True))
SWEPT = Sql(text("UPDATE poll SET swept = true WHERE id = :key AND state = :state"))


async def alone(tx: WriteTx, key: UUID) -> None:
    """Until the transaction is over nobody takes a paper of the poll or casts, and nothing is rewritten."""
    await tx.execute(EXCLUDE, poll=str(key))
    await tx.execute(TABLES)


async def erase_vote(tx: WriteTx, key: UUID) -> None:
    """All papers, ballots and keys of a vote that is void."""
    await alone(tx, key)
    await tx.execute(FORGET_KEYS, poll=key, purposes=["paper", "board"])
    for statement in (FORGET_PAPERS, FORGET_BALLOTS):
        await tx.execute(statement, poll=key)


async def sweep(database: Database) -> None:
    """Rewrites the tables for the district of the task, if one of its polls has left something in them.

    Where the tables are in use for too long, the next round does it. The rows that a step has deleted are dead only
    once its transaction is over, so this is another one.
    """
    async with database.read() as tx:
        if not await tx.all(UNSWEPT):
            return
    try:
        async with database.write_part() as tx:
            await tx.execute(PATIENCE)
            left = await tx.all(LOCK_UNSWEPT)
            if left:
                await tx.execute(REWRITE)
            for row in left:
                await tx.execute(SWEPT, key=row.id, state=row.state)
    except asyncpg.LockNotAvailableError:
        log.warning("sweeping later: the tables are in use")


async def _visit(database: Database, _: Vault) -> None:
    await sweep(database)


ROUND = Round("sweeping", EVERY, _visit)
