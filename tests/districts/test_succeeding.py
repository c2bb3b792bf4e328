"""`qyt districts succeed`, and two districts of which each is in a database of its own."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.embedded import EmbeddedPostgres
from quanyutong.registry.v1 import succession_pb2 as pb
from tests.conftest import Platforms, fresh_tenant
from tests.contract import merged as made
from tests.contract.merged import PHONES, Merged, suspend
from tests.contract.office import Office, in_days, on
from tests.contract.test_secrets import find, reveal
from tests.contract.test_succession import mandates
from tests.districts.city import office_of, qyt
from tests.embedded.outside import value
from tests.harness import CODES, Platform, platform

APART = str(next(CODES))


@pytest.fixture
async def merged(platforms: Platforms) -> AsyncIterator[Merged]:
    async with fresh_tenant(platforms, "all-gateway") as tenant:
        yield await made.settled(Office(tenant))


def codes(merged: Merged, folder: Path, *numbers: int) -> Path:
    lines = [f"{merged.code(n)},{merged.code(n, merged.new)}".replace("units/", "") for n in numbers]
    path = folder / f"units-{len(numbers)}.csv"
    path.write_text("\n".join(["predecessor,successor", *lines]), encoding="utf-8-sig")
    return path


async def succeed(merged: Merged, path: Path, more: str = "", status: int = 0, days: int = 0) -> str:
    words = f"districts succeed {merged.old.district} {merged.new.district} --on {in_days(days)} --units {path}"
    return await qyt(merged.old.tenant.platform, f"{words} --decision 渝府〔2026〕1号 {more}", status)


async def test_the_command_rehearses_and_does_it(merged: Merged, tmp_path: Path) -> None:
    short, whole = codes(merged, tmp_path, 1), codes(merged, tmp_path, 1, 2)
    said = await succeed(merged, short, status=1)
    assert "CODE_MISSING" in said
    assert merged.code(2).removeprefix("units/") in said
    said = await succeed(merged, whole, "--dry-run", days=30)
    assert "mandates 5" in said
    assert f"{merged.names['pending']}\t未承继 left behind\tpending" in said
    assert "carried over: units 2" in said
    assert set(await mandates(merged.new)) == {""}
    await suspend(merged.old)
    said = await succeed(merged, whole)
    assert "已承继 carried over: units 2, assemblies 2" in said
    assert f"now districts/{merged.new.district}" in said
    assert len(await mandates(merged.new)) == 6
    assert "已承继 carried over: units 2" in await succeed(merged, whole)


async def test_a_file_of_something_else(merged: Merged, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("old,new\n1,2\n")
    assert "needs the columns predecessor, successor" in await succeed(merged, path, status=1)


@pytest.fixture(scope="module")
async def placed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Platform, EmbeddedPostgres]]:
    folder = tmp_path_factory.mktemp("succeeding")
    async with EmbeddedPostgres(folder / "own", settings={"fsync": "off"}) as own:
        silos = json.dumps({APART: own.url})
        async with platform("all", folder, silos=silos) as city:
            yield city, own


async def rows(url: str, district: str) -> tuple[object, object]:
    """Of mandates, and of the succession."""
    count = "SELECT count(*) FROM registry.{} WHERE district = '{}'"
    return await value(url, count.format("mandate", district)), await value(url, count.format("succession", district))


async def test_each_in_its_own_database(placed: tuple[Platform, EmbeddedPostgres]) -> None:
    """The one in the silo takes over from one of the pool, then another one of the pool from it."""
    city, own = placed
    await city._make([APART])
    async with office_of(city, APART) as office:
        first = await made.settled(office)
        await first.stop()
        await first.succeed(effective_date=on(in_days(-10)))
        assert await rows(own.url, APART) == (6, 1)
        assert await rows(city.postgres.url, first.old.district) == (8, 1)
        assert await rows(city.postgres.url, APART) == (0, 0)
        assert (await reveal(office, (await find(office, first.numbers["resident"])).name)).phone == PHONES[0]
        second = Merged(office, await made.beside(office))
        await second.new.open_term(await second.new.congress(), 3, in_days(-1), in_days(9))
        await suspend(office)
        units = [
            pb.UnitSuccession(predecessor=first.code(n, office), successor=first.code(n, second.new)) for n in (1, 2)
        ]
        outcome = await second.succeed(units=units)
        assert (outcome.carried_over.mandates, len(outcome.left)) == (6, 0)
        assert await rows(city.postgres.url, second.new.district) == (6, 1)
        assert await rows(own.url, APART) == (6, 2)
        for number, phone in ((first.numbers["resident"], PHONES[0]), (first.numbers["both"], PHONES[2])):
            found = await find(second.new, number)
            assert (await reveal(second.new, found.name)).phone == phone
        held = {str(mandate.held_since) for mandate in (await mandates(second.new)).values()}
        assert held == {str(on(in_days(-300))), str(on(in_days(-100)))}
