"""What is erased is gone, of one district alone, and a record says so that nobody can change unnoticed."""

import json
from pathlib import Path

import asyncpg
import pytest

from chassis.moving.erasing import Record
from chassis.vault import MasterKeyMissing, Vault
from services.__main__ import TARGETS
from tests.districts.city import answers_of, at_rest, office_of, qyt, settled, stop
from tests.harness import Platform

OLD, NEW = bytes(32), bytes([1] * 32)
# What the city counted of a district stays in the sums of past years, and by which events: there is nobody in it.
OF_THE_CITY = {"municipal.cell", "municipal.sheet", "municipal.inbox"}


def test_a_record_is_genuine_or_changed() -> None:
    record = Record.of(Vault([OLD]), "500102", {"erased_by": "甲"})
    assert record.genuine(Vault([NEW, OLD]))
    assert not Record(record.text.replace("甲", "乙"), record.key, record.seal).genuine(Vault([OLD]))
    assert not Record(record.text.replace("500102", "500103"), record.key, record.seal).genuine(Vault([OLD]))
    with pytest.raises(MasterKeyMissing):
        record.genuine(Vault([NEW]))


async def count_of(city: Platform, district: str) -> dict[str, int]:
    """The rows of a district in each table, by who sees everything."""
    connection = await asyncpg.connect(city.postgres.url)
    try:
        tables = await connection.fetch(
            "SELECT attrelid::regclass::text AS name FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
            "WHERE relnamespace = ANY ($1::regnamespace[]) AND relkind = 'r' AND attname = 'district'",
            list(TARGETS),
        )
        counts = {
            row["name"]: await connection.fetchval(f"SELECT count(*) FROM {row['name']} WHERE district = $1", district)
            for row in tables
        }
    finally:
        await connection.close()
    return {name: count for name, count in counts.items() if count}


async def test_nothing_is_left_but_the_record(city: Platform) -> None:
    erased, other = await settled(city), await settled(city)
    before = await answers_of(city, other)
    erase = f"districts erase {erased} --by 运维 --yes-erase"
    assert "it is not" in await qyt(city, f"{erase} {other}", 2)
    assert f"{erased} is active" in await qyt(city, f"{erase} {erased}", 1)
    await stop(city, erased)
    await at_rest(city, erased)
    there = await count_of(city, erased)
    own = ("unit", "assembly", "term", "person", "mandate", "rule_override", "idempotency")
    assert there.keys() >= {f"registry.{name}" for name in own}
    assert there.keys() >= {
        f"meetings.{name}" for name in ("mandate", "meeting", "roll", "minutes", "plan", "calendar")
    }
    said = await qyt(city, f"{erase} {erased}")

    left = await count_of(city, erased)
    assert left.keys() - OF_THE_CITY == {"registry.erasure"}
    record = json.loads(said.splitlines()[-1].split("\t")[-1])
    assert (record["archive"], record["left_in_pool"]) == (None, False)
    assert record["rows"] == {table: count for table, count in there.items() if table not in OF_THE_CITY}
    assert await answers_of(city, other) == before


async def test_a_changed_record_is_found(city: Platform) -> None:
    erased = await city.fresh_district()
    await stop(city, erased)
    await at_rest(city, erased)
    await qyt(city, f"districts erase {erased} --by 运维 --yes-erase {erased}")
    assert f"genuine\t{_key(city)}" in await qyt(city, f"districts erasures {erased}")
    connection = await asyncpg.connect(city.postgres.url)
    await connection.execute(
        "UPDATE registry.erasure SET record = replace(record, '运维', '别人') WHERE district = $1", erased
    )
    await connection.close()
    assert "CHANGED" in await qyt(city, f"districts erasures {erased}", 1)


def _key(city: Platform) -> str:
    return Vault.of(city.settings).current


async def test_what_the_archive_does_not_have_is_not_erased(city: Platform, tmp_path: Path) -> None:
    """As when a call that was under way at the suspension commits after the export."""
    district, archive = await settled(city), tmp_path / "early.zip"
    await qyt(city, f"districts export {district} --output {archive}")
    async with office_of(city, district) as office:
        await office.person("后来的人")
    await stop(city, district)
    await at_rest(city, district)
    there = await count_of(city, district)
    erase = f"districts erase {district} --by 运维 --yes-erase {district} --archive {archive}"
    assert "other rows than the archive" in await qyt(city, erase, 1)
    assert await count_of(city, district) == there
