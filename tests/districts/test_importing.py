"""A district comes into another installation, whole or not at all."""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.districts.city import answers_of, office_of, qyt, resume, settled, stop
from tests.harness import Platform, platform, until


@pytest.fixture(scope="module")
async def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """Another installation, with servers of its own."""
    async with platform("all", tmp_path_factory.mktemp("elsewhere")) as other:
        yield other


async def test_answers_the_same_elsewhere(city: Platform, elsewhere: Platform, tmp_path: Path) -> None:
    district, archive = await settled(city), tmp_path / "district.zip"
    before = await answers_of(city, district)
    await qyt(city, f"districts export {district} --output {archive}")

    await qyt(elsewhere, f"districts import {archive}")
    await stopped(elsewhere, district)
    await resume(elsewhere, district)
    assert await answers_of(elsewhere, district) == before
    assert await answers_of(city, district) == before  # an export changes nothing
    async with office_of(elsewhere, district) as office:
        await office.person("新地方的人")


async def stopped(city: Platform, district: str) -> None:
    """An imported district is there, and waits for the operator."""

    async def is_stopped() -> bool:
        outcomes = set((await answers_of(city, district)).values())
        return {outcome.reason for outcome in outcomes} == {"DISTRICT_SUSPENDED"}

    await until(is_stopped)


async def test_a_shipped_district_is_erased_before(city: Platform, elsewhere: Platform, tmp_path: Path) -> None:
    """Every installation has the city's districts and their units."""
    archive = tmp_path / "shipped.zip"
    await qyt(city, f"districts export 500102 --output {archive}")
    assert "500102 is active" in await qyt(elsewhere, f"districts import {archive}", 1)
    await stop(elsewhere, "500102")
    assert "already" in await qyt(elsewhere, f"districts import {archive}", 1)
    await qyt(elsewhere, "districts erase 500102 --by 运维 --yes-erase 500102")
    await qyt(elsewhere, f"districts import {archive}")
    await resume(elsewhere, "500102")
    assert await answers_of(elsewhere, "500102") == await answers_of(city, "500102")


async def test_is_brought_in_whole_or_not_at_all(city: Platform, elsewhere: Platform, tmp_path: Path) -> None:
    district, archive = await settled(city), tmp_path / "district.zip"
    await qyt(city, f"districts export {district} --output {archive}")
    connection = await asyncpg.connect(elsewhere.postgres.url)
    try:
        # Something that the archive's rows cannot pass, far behind the first of them.
        await connection.execute(
            "ALTER TABLE registry.mandate ADD CONSTRAINT passing CHECK (state <> 'recommended') NOT VALID"
        )
        assert "passing" in await qyt(elsewhere, f"districts import {archive}", 1)
        await connection.execute("ALTER TABLE registry.mandate DROP CONSTRAINT passing")
        assert not await connection.fetchval("SELECT count(*) FROM registry.person WHERE district = $1", district)
        assert not await connection.fetchval("SELECT count(*) FROM registry.district WHERE code = $1", district)
    finally:
        await connection.close()
    await qyt(elsewhere, f"districts import {archive}")


async def test_an_archive_of_another_release_is_refused(city: Platform, elsewhere: Platform, tmp_path: Path) -> None:
    archive = tmp_path / "district.zip"
    await qyt(city, f"districts export {await city.fresh_district()} --output {archive}")
    connection = await asyncpg.connect(elsewhere.postgres.url)
    try:
        known = await connection.fetchval("SELECT version_num FROM registry.alembic_version")
        await connection.execute("UPDATE registry.alembic_version SET version_num = '9999'")
        assert "import with the same release" in await qyt(elsewhere, f"districts import {archive}", 1)
        await connection.execute("UPDATE registry.alembic_version SET version_num = $1", known)
    finally:
        await connection.close()


async def test_what_is_not_there_has_no_archive(city: Platform, tmp_path: Path) -> None:
    output = tmp_path / "nobody.zip"
    assert "there is no district 899999" in await qyt(city, f"districts export 899999 --output {output}", 1)
    assert not await asyncio.to_thread(output.exists)


async def test_no_other_district_is_in_an_archive(city: Platform, tmp_path: Path) -> None:
    mine, other = await settled(city), await settled(city)
    await qyt(city, f"districts export {mine} --output {tmp_path / 'mine.zip'}")
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        assert not any(other.encode() in archive.read(name) for name in archive.namelist())
        assert mine.encode() in archive.read("registry/person.jsonl")
