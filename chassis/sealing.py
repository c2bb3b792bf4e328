"""Seals the audit: a duty of the process that leads its service.

It acts for one district after the other, as the role that serves calls does, and
sees no more than a call of that district would. The head of each chain is told
as an event, so that a copy of it is outside the database.

A record may become visible after one with a higher id: its transaction took
longer. Sealed is what is certainly complete: records of transactions older than
every one that is still running.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import tenancy
from chassis.database import Database, Row, WriteTx, fault_of
from chassis.directory import Directory
from chassis.duties import Connect
from chassis.seals import BEFORE_THE_FIRST, TEXT, Head, hash_of, mark
from chassis.sql import Sql
from chassis.vault import Vault

log = logging.getLogger(__name__)
# Records in a seal at most, and seconds between two looks.
BATCH = 1000
EVERY = 5.0
NO_RECORD = UUID(int=0)
LAST = Sql(
    text(
        """SELECT number, last_id, last_txid, hash, last_txid >= pg_snapshot_xmax(pg_current_snapshot()) AS ahead
           FROM audit_seal ORDER BY number DESC LIMIT 1"""
    )
)
COMPLETE = Sql(
    text(
        f"""SELECT id, txid, {TEXT} AS text FROM audit
            WHERE (txid, id) > (CAST(:txid AS xid8), CAST(:id AS uuid))
            AND txid < pg_snapshot_xmin(pg_current_snapshot())
            ORDER BY txid, id LIMIT :most"""  # noqa: S608 - a constant
    )
)
# Along the index on (district, txid, id), which ends at the first record that no seal has.
OLDEST = Sql(
    text(
        """SELECT at FROM audit WHERE (txid, id) > (CAST(:txid AS xid8), CAST(:id AS uuid))
           ORDER BY txid, id LIMIT 1"""
    )
)
# Two processes may lead for a moment; the seal of one of them is enough.
SEAL = Sql(
    text(
        """INSERT INTO audit_seal
               (number, first_id, last_id, last_txid, records, marks, previous, hash, key_id, sealed_at)
           VALUES (:number, :first_id, :last_id, CAST(:last_txid AS xid8), :records, :marks, :previous, :hash, :key_id,
               :sealed_at)
           ON CONFLICT DO NOTHING RETURNING number"""
    )
)


class CounterWentBack(Exception):
    """The server has given out fewer transaction ids than were sealed: a dump was restored into a new server, whose
    records would come before those that are sealed. docs/operations.md says what to do.
    """


class Sealer:
    """The sealer of one service, for these districts or for all that are in the pool.

    `told` is the event that tells the head of a chain: a number and a hash. `sealed` is called with each district
    of which something was sealed.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        directory: Directory,
        told: Callable[..., Any],
        districts: Sequence[str] = (),
        sealed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._vault = vault
        self._directory = directory
        self._told = told
        self._districts = districts
        self._sealed = sealed
        # Since when something of a district waits to be sealed, as the last look found; None: nothing does.
        self._waiting: dict[str, datetime | None] = {}

    async def run(self, _: Connect) -> None:
        """Until a server fails, which its caller handles. Another fault is of one district and stops no other."""
        try:
            while True:
                for district in self._own():
                    await self._look(district)
                await asyncio.sleep(EVERY)
        finally:
            self._waiting.clear()  # another process may seal now, and knows better

    async def _look(self, district: str) -> None:
        try:
            await self.seal(district)
        except Exception as error:
            if fault_of(error):
                raise
            self._waiting[district] = self._waiting.get(district) or datetime.now(UTC)
            log.error("sealing failed", extra={"district": district, "kind": type(error).__name__})

    @property
    def service(self) -> str:
        return self._database.schema

    def backlog(self) -> float | None:
        """Seconds that the oldest record waits, as far as the last look knows; None where another process seals."""
        known = list(self._waiting.values())
        now = datetime.now(UTC)
        return max(((now - since).total_seconds() if since else 0.0 for since in known), default=None)

    def _own(self) -> Sequence[str]:
        return self._districts or [code for code in self._directory.codes if code not in self._database.apart]

    async def seal(self, district: str) -> None:
        """Seals all records of the district that are complete."""
        with tenancy.acting_for(district):
            taken = BATCH
            while taken == BATCH:
                taken, self._waiting[district] = await self._seal_batch()
                if taken:
                    self._sealed(district)

    async def _seal_batch(self) -> tuple[int, datetime | None]:
        """How many records it took, and since when the first one behind them waits, if there is one."""
        async with self._database.write() as tx:
            last = await tx.first(LAST)
            if last and last.ahead:
                raise CounterWentBack
            behind = {"txid": last.last_txid, "id": last.last_id} if last else {"txid": 0, "id": NO_RECORD}
            records = await tx.all(COMPLETE, **behind, most=BATCH)
            if records:
                await self._add(tx, last, records)
                behind = {"txid": records[-1].txid, "id": records[-1].id}
            oldest = await tx.first(OLDEST, **behind)
            return len(records), oldest.at if oldest else None

    async def _add(self, tx: WriteTx, last: Row | None, records: Sequence[Row]) -> None:
        head = Head(
            service=self._database.schema,
            district=tx.district,
            number=last.number + 1 if last else 1,
            first_id=records[0].id,
            last_id=records[-1].id,
            last_txid=records[-1].txid,
            records=len(records),
            key_id=self._vault.current,
            sealed_at=datetime.now(UTC),
        )
        key = self._vault.derive("audit", tx.district)
        marks = b"".join(mark(key, record.id, record.text) for record in records)
        previous = last.hash if last else BEFORE_THE_FIRST
        hash_ = hash_of(key, previous, head, marks)
        values = {name: getattr(head, name) for name in Head.__slots__ if name not in ("service", "district")}
        if await tx.first(SEAL, **values, marks=marks, previous=previous, hash=hash_):
            tx.publish(self._told(number=head.number, hash=hash_), "audit")


def backlogs(sealers: Iterable[Sealer]) -> dict[str, float]:
    """The longest of each service that this process seals."""
    found: dict[str, float] = {}
    for sealer in sealers:
        if (backlog := sealer.backlog()) is not None:
            found[sealer.service] = max(backlog, found.get(sealer.service, 0.0))
    return found
