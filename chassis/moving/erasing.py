"""Erases a district's rows from all services, and keeps a sealed record that it was done.

One transaction a service and one statement a table: rows that refer to each
other within a table go together, and a district that is half erased does not
exist. What triggers write about it goes too: it would hold the rows as they were.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from chassis.faults import OperatorFault
from chassis.manifest import Manifest
from chassis.moving.archive import Archive
from chassis.moving.databases import commit, owning
from chassis.moving.exporting import Told, digest_of, where
from chassis.moving.tables import PASSING, Table, tables_of
from chassis.placement import places, settings_of
from chassis.settings import Settings
from chassis.vault import Vault

PURPOSE = "erasure"
# The city's table of the records, in the schema of the one service that has it.
RECORDS = "erasure"
KEEP = "INSERT INTO erasure (district, record, key_id, seal) VALUES ($1, $2, $3, $4)"
KEPT = "SELECT record, key_id, seal FROM erasure WHERE district = $1 OR $1 = '' ORDER BY id"


class NotErased(OperatorFault):
    """Something would be lost that is nowhere else."""


@dataclass(frozen=True)
class Record:
    """What was erased, by whom and when, under a seal that only the holder of the master keys can make."""

    text: str
    key: str
    seal: bytes

    @classmethod
    def of(cls, vault: Vault, district: str, facts: Mapping[str, Any]) -> "Record":
        text = json.dumps({"district": district, **facts}, ensure_ascii=False, sort_keys=True)
        return cls(text, vault.current, _seal(vault, district, text, vault.current))

    def genuine(self, vault: Vault) -> bool:
        """Raises MasterKeyMissing."""
        district = str(json.loads(self.text)["district"])
        return hmac.compare_digest(self.seal, _seal(vault, district, self.text, self.key))


def _seal(vault: Vault, district: str, text: str, key: str) -> bytes:
    return hmac.digest(vault.derive(PURPOSE, district, key), text.encode(), "sha256")


async def erase(
    manifests: Sequence[Manifest],
    settings: Settings,
    district: str,
    by: str,
    told: Told,
    archive: Archive | None = None,
    in_pool: bool = False,
) -> Record:
    """Given an archive, only if it has all that is erased. Raises NotErased."""
    async with AsyncExitStack() as stack:
        erased, counts = [], dict[str, int]()
        for manifest in manifests:
            place = where(settings, manifest, district, in_pool)
            connection = await stack.enter_async_context(owning(place.settings, manifest.name, district))
            tables = [table for table in await tables_of(connection, manifest) if not table.of_city]
            if archive:
                await _check_archived(connection, tables, archive)
            counts |= await _clear(connection, tables, district)
            erased.append(connection)
        facts = _facts(by, in_pool, archive, counts)
        record = Record.of(Vault.of(settings), district, facts)
        keeping = await stack.enter_async_context(_keeping(manifests, settings, district))
        await keeping.execute(KEEP, district, record.text, record.key, record.seal)
        told(record.text)  # before the first commit: should the last one fail, this is the record
        for connection in (*erased, keeping):
            await commit(connection)
    return record


def _facts(by: str, in_pool: bool, archive: Archive | None, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "erased_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "erased_by": by,
        "left_in_pool": in_pool,
        "archive": archive.fingerprint if archive else None,
        "rows": {table: count for table, count in counts.items() if count},
    }


async def erasures(manifests: Sequence[Manifest], settings: Settings, district: str) -> list[Record]:
    """The records of one district, or of all when it is empty; the oldest first."""
    async with _keeping(manifests, settings, district) as connection:
        return [Record(*row) for row in await connection.fetch(KEPT, district)]


def _keeping(manifests: Sequence[Manifest], settings: Settings, district: str) -> Any:
    """The city's records, which are in the pool."""
    keeper = next(manifest for manifest in manifests if RECORDS in manifest.city_tables)
    pool = places(settings_of(keeper, settings))[0]
    return owning(pool.settings, keeper.name, district)


async def _check_archived(connection: asyncpg.Connection, tables: Sequence[Table], archive: Archive) -> None:
    """A call that was under way when the district was suspended may have written after the export."""
    for table in tables:
        if table.name in PASSING:
            continue
        if await digest_of(connection, table, archive.district) != archive.checksums.get(table.file):
            raise NotErased(f"{table.quoted} has other rows than the archive: export the district again")


async def _clear(connection: asyncpg.Connection, tables: Sequence[Table], district: str) -> dict[str, int]:
    """What refers first, what is referred to last."""
    counts = {}
    for table in reversed(tables):
        rows = int(await connection.fetchval(table.counting, district))
        if table.name == "outbox" and rows:
            raise NotErased(f"{table.schema} has events of {district} that are not delivered yet: wait, or see to NATS")
        await connection.execute(table.clearing, district)
        counts[f"{table.schema}.{table.name}"] = rows
    for table in tables:
        if not table.watched:  # what triggers have written meanwhile
            await connection.execute(table.clearing, district)
    return counts
