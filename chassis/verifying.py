"""Verifies the audit: follows the chain of seals, and says which record is the first that does not fit.

In steps, since a chain has no end: each begins behind a seal that the step before
has verified.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.database import ReadTx, Row
from chassis.errors import Refusal
from chassis.sealing import NO_RECORD
from chassis.seals import BEFORE_THE_FIRST, TEXT, Head, hash_of, mark, marks_in, misfit
from chassis.sql import Sql
from chassis.vault import MasterKeyMissing, Vault

# Seals in a step: at most as many records as a call can check in a second or two.
STEP = 10
ONE = Sql(text("SELECT * FROM audit_seal WHERE number = :number"))
NEXT = Sql(text("SELECT * FROM audit_seal WHERE number > :number ORDER BY number LIMIT :most"))
BETWEEN = Sql(
    text(
        f"""SELECT id, {TEXT} AS text FROM audit
            WHERE (txid, id) > (CAST(:txid AS xid8), CAST(:id AS uuid))
            AND (txid, id) <= (CAST(:last_txid AS xid8), CAST(:last_id AS uuid))
            ORDER BY txid, id LIMIT :most"""  # noqa: S608 - a constant
    )
)
UNSEALED = Sql(
    text("SELECT count(*) AS records FROM audit WHERE (txid, id) > (CAST(:txid AS xid8), CAST(:id AS uuid))")
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not fit first. `kind`: what is wrong with the record, or with the seal where there is none."""

    seal: int
    kind: str
    record: UUID | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """A step: the seals that fit, the fault behind them, whether there is more, and what is not sealed yet."""

    seals: Sequence[Row]
    fault: Fault | None
    more: bool
    unsealed: int


class Verifier:
    """Verifies the chains of one service, each in a transaction of its district."""

    def __init__(self, vault: Vault, service: str) -> None:
        self._vault = vault
        self._service = service

    async def step(self, tx: ReadTx, after: int) -> Verified:
        """Verifies the seals behind the one of this number, 0: from the first. Raises Refusal AUDIT_SEAL_NOT_FOUND."""
        last = await tx.first(ONE, number=after) if after else None
        if after and last is None:
            raise Refusal("AUDIT_SEAL_NOT_FOUND", number=after)
        seals = await tx.all(NEXT, number=after, most=STEP + 1)
        fitting: list[Row] = []
        for seal in seals[:STEP]:
            if fault := await self._fault(tx, last, seal):
                return Verified(fitting, fault, False, 0)
            fitting.append(seal)
            last = seal
        more = len(seals) > STEP
        unsealed = 0 if more else (await tx.one(UNSEALED, **_behind(last))).records
        return Verified(fitting, None, more, unsealed)

    async def _fault(self, tx: ReadTx, last: Row | None, seal: Row) -> Fault | None:
        expected = last.number + 1 if last else 1
        if seal.number != expected:
            return Fault(expected, "seal_missing")
        try:
            key = self._vault.derive("audit", tx.district, seal.key_id)
        except MasterKeyMissing:
            return Fault(expected, "key_missing")
        if not self._is_whole(tx, key, last, seal):
            return Fault(expected, "seal_changed")
        # One more than there should be is enough to see that there are too many.
        upto = {"last_txid": seal.last_txid, "last_id": seal.last_id, "most": seal.records + 1}
        records = await tx.all(BETWEEN, **_behind(last), **upto)
        found = misfit(marks_in(seal.marks), [mark(key, record.id, record.text) for record in records])
        return Fault(expected, f"record_{found.kind}", found.record) if found else None

    def _is_whole(self, tx: ReadTx, key: bytes, last: Row | None, seal: Row) -> bool:
        """Whether nothing in the seal itself was changed, and it follows the one before it."""
        previous = last.hash if last else BEFORE_THE_FIRST
        head = Head(
            service=self._service,
            district=tx.district,
            number=seal.number,
            first_id=seal.first_id,
            last_id=seal.last_id,
            last_txid=seal.last_txid,
            records=seal.records,
            key_id=seal.key_id,
            sealed_at=seal.sealed_at,
        )
        return bool(seal.previous == previous and seal.hash == hash_of(key, previous, head, seal.marks))


def _behind(last: Row | None) -> dict[str, Any]:
    return {"txid": last.last_txid, "id": last.last_id} if last else {"txid": 0, "id": NO_RECORD}
