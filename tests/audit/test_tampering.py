"""Whatever somebody with every right in the database does to a sealed audit is found, and where it begins is named."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from chassis import tenancy
from chassis.audit import RECORDS
from chassis.database import Database
from chassis.sealing import CounterWentBack
from chassis.vault import Vault
from chassis.verifying import Fault
from tests.audit.archive import Archive, opened
from tests.audit.test_sealing import sealed, sealer, verified
from tests.contract.office import Office

SEALS = 3
EACH = 4


@dataclass
class Sealed:
    """A chain of three seals with four records each, of a district that no process of the platform knows: none seals it
    anew behind a test's back.
    """

    archive: Archive
    database: Database
    vault: Vault
    ids: list[UUID]

    async def tamper(self, statement: str, *values: Any) -> None:
        """As who has every right, and knows to keep the triggers quiet."""
        await self.archive.connection.execute("SET session_replication_role = replica")
        assert not (await self.archive.connection.execute(statement, *values)).endswith(" 0")

    async def fault(self) -> Fault | None:
        return (await verified(self.database, self.vault)).fault


@pytest.fixture
async def chain(office: Office, archive: Archive) -> AsyncIterator[Sealed]:
    platform, district = office.tenant.platform, f"8{office.district[1:]}"
    database, vault = opened(platform), Vault.of(platform.settings)
    with tenancy.acting_for(district):
        for number in range(SEALS):
            async with database.write() as tx:
                for record in range(EACH):
                    tx.note("export", f"persons/{number}-{record}")
            await sealed(database, vault, district)
        rows = await archive.connection.fetch("SELECT id FROM audit WHERE district = $1 ORDER BY txid, id", district)
        yield Sealed(Archive(archive.connection, district), database, vault, [row["id"] for row in rows])
    await database.close()


async def test_a_whole_chain_fits(chain: Sealed) -> None:
    last = await verified(chain.database, chain.vault)
    assert (last.fault, last.unsealed, [seal.records for seal in last.seals]) == (None, 0, [EACH] * SEALS)


# Every column that holds something, and what it is changed to; the district and the id move the record elsewhere.
COLUMNS = {
    "subject": "'another'",
    "roles": "'{administrator}'",
    "rpc": "'/another'",
    "request_id": "'1'",
    "action": "'read'",
    "resource": "'persons/0'",
    "key": """'{"id": 1}'""",
    "before": "'{}'",
    "after": """'{"a": null}'""",
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("place", [0, 5, 11])
async def test_a_changed_record(chain: Sealed, column: str, place: int) -> None:
    await chain.tamper(f"UPDATE audit SET {column} = {COLUMNS[column]} WHERE id = $1", chain.ids[place])
    assert await chain.fault() == Fault(place // EACH + 1, "record_changed", chain.ids[place])


MOVES = {
    "district": "'599998'",
    "id": "uuidv7()",
    "txid": "pg_current_xact_id()",
}


@pytest.mark.parametrize("column", MOVES)
@pytest.mark.parametrize("place", [0, 5, 11])
async def test_a_moved_record(chain: Sealed, column: str, place: int) -> None:
    await chain.tamper(f"UPDATE audit SET {column} = {MOVES[column]} WHERE id = $1", chain.ids[place])
    assert await chain.fault() == Fault(place // EACH + 1, "record_missing", chain.ids[place])


def test_every_column_is_tried() -> None:
    # `at` is computed from the id.
    assert {column.name for column in RECORDS.c} - {"at"} == (set(COLUMNS) | set(MOVES)) - {"txid"}


@pytest.mark.parametrize("place", range(SEALS * EACH))
async def test_a_removed_record(chain: Sealed, place: int) -> None:
    await chain.tamper("DELETE FROM audit WHERE id = $1", chain.ids[place])
    assert await chain.fault() == Fault(place // EACH + 1, "record_missing", chain.ids[place])


async def test_all_records_removed(chain: Sealed) -> None:
    await chain.tamper("DELETE FROM audit WHERE district = $1", chain.archive.district)
    assert await chain.fault() == Fault(1, "record_missing", chain.ids[0])


async def test_the_last_records_removed(chain: Sealed) -> None:
    await chain.tamper("DELETE FROM audit WHERE id = ANY ($1)", chain.ids[-2:])
    assert await chain.fault() == Fault(SEALS, "record_missing", chain.ids[-2])


COPY = """
INSERT INTO audit (district, id, txid, subject, roles, rpc, request_id, action, resource, key)
SELECT district, $2, txid, subject, roles, rpc, request_id, action, resource, key FROM audit WHERE id = $1
RETURNING id
"""


@pytest.mark.parametrize("place", [0, 3, 5, 10])
@pytest.mark.parametrize("by", [-1, 1])
async def test_an_added_record(chain: Sealed, place: int, by: int) -> None:
    """Right before or right behind another one of the same transaction."""
    added = UUID(int=chain.ids[place].int + by)
    await chain.tamper(COPY, chain.ids[place], added)
    seal = place // EACH + 1
    if (place, by) == (3, 1):  # behind the last one of a seal: it is in the next one's
        seal += 1
    assert await chain.fault() == Fault(seal, "record_added", added)


async def test_swapped_records(chain: Sealed) -> None:
    """What two records say is exchanged."""
    one, other = chain.ids[1], chain.ids[6]
    await chain.tamper(
        """UPDATE audit SET resource = o.resource FROM audit AS o
           WHERE (audit.id, o.id) IN (($1::uuid, $2::uuid), ($2, $1))""",
        one,
        other,
    )
    assert await chain.fault() == Fault(1, "record_changed", one)


async def test_swapped_ids(chain: Sealed) -> None:
    one, other, spare = chain.ids[1], chain.ids[6], UUID(int=0)
    for old, new in ((one, spare), (other, one), (spare, other)):
        await chain.tamper("UPDATE audit SET id = $2 WHERE id = $1", old, new)
    assert await chain.fault() == Fault(1, "record_missing", one)


SEAL_COLUMNS = {
    "first_id": "uuidv7()",
    "last_id": "first_id",
    "last_txid": "'1'",
    "records": "records - 1",
    "marks": "substring(marks FROM 1 FOR 48)",
    "previous": "sha256('')",
    "hash": "sha256('')",
    "key_id": "'00000000'",
    "sealed_at": "sealed_at + interval '1 microsecond'",
}


@pytest.mark.parametrize("column", SEAL_COLUMNS)
@pytest.mark.parametrize("number", [1, SEALS])
async def test_a_changed_seal(chain: Sealed, column: str, number: int) -> None:
    await chain.tamper(
        f"UPDATE audit_seal SET {column} = {SEAL_COLUMNS[column]} WHERE district = $1 AND number = $2",
        chain.archive.district,
        number,
    )
    kind = "key_missing" if column == "key_id" else "seal_changed"
    assert await chain.fault() == Fault(number, kind)


@pytest.mark.parametrize("number", [1, 2])
async def test_a_removed_seal(chain: Sealed, number: int) -> None:
    await chain.tamper("DELETE FROM audit_seal WHERE district = $1 AND number = $2", chain.archive.district, number)
    assert await chain.fault() == Fault(number, "seal_missing")


async def test_a_seal_closed_up(chain: Sealed) -> None:
    """One seal is removed with its records, and those behind it are given its number."""
    await chain.tamper("DELETE FROM audit WHERE id = ANY ($1)", chain.ids[EACH : 2 * EACH])
    await chain.tamper("DELETE FROM audit_seal WHERE district = $1 AND number = 2", chain.archive.district)
    await chain.tamper("UPDATE audit_seal SET number = 2 WHERE district = $1 AND number = 3", chain.archive.district)
    assert await chain.fault() == Fault(2, "seal_changed")


async def test_a_seal_of_another_district(chain: Sealed) -> None:
    await chain.tamper("UPDATE audit_seal SET district = '599997' WHERE district = $1", chain.archive.district)
    await chain.tamper("UPDATE audit SET district = '599997' WHERE district = $1", chain.archive.district)
    with tenancy.acting_for("599997"):
        fault = await chain.fault()
    await chain.tamper("DELETE FROM audit_seal WHERE district = '599997'")
    await chain.tamper("DELETE FROM audit WHERE district = '599997'")
    assert fault == Fault(1, "seal_changed")


async def test_the_last_seal_removed_is_not_sealed_to_the_same(chain: Sealed) -> None:
    """In the database alone it cannot be seen; the copy on the bus has another hash. See test_commands.py."""
    before = (await verified(chain.database, chain.vault)).seals[-1].hash
    await chain.tamper("DELETE FROM audit_seal WHERE district = $1 AND number = $2", chain.archive.district, SEALS)
    assert (await verified(chain.database, chain.vault)).unsealed == EACH
    await sealer(chain.database, chain.vault).seal(chain.archive.district)
    last = await verified(chain.database, chain.vault)
    assert (last.fault, last.seals[-1].number) == (None, SEALS)
    assert last.seals[-1].hash != before


async def test_a_seal_made_without_the_key(chain: Sealed) -> None:
    """Who has the database but not the master key makes no seal that fits."""
    district = chain.archive.district
    await chain.tamper("DELETE FROM audit_seal WHERE district = $1", district)
    await sealer(chain.database, Vault([b"0" * 32])).seal(district)
    await chain.tamper("UPDATE audit_seal SET key_id = $2 WHERE district = $1", district, chain.vault.current)
    assert await chain.fault() == Fault(1, "seal_changed")


async def test_a_restored_dump_is_not_sealed_on(chain: Sealed) -> None:
    """A new server counts its transactions anew: what would be sealed behind the last seal would be out of order."""
    await chain.tamper("UPDATE audit_seal SET last_txid = '9000000000' WHERE district = $1", chain.archive.district)
    async with chain.database.write() as tx:
        tx.note("export", "persons")
    with pytest.raises(CounterWentBack):
        await sealer(chain.database, chain.vault).seal(chain.archive.district)
