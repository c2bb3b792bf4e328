"""What the database itself does not let happen to mandates, whoever writes; and that it takes what was there before."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from chassis.manifest import Manifest
from chassis.migrations import migrate
from services.registry.manifest import MANIFEST
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import Office, in_days
from tests.harness import Platform

OVERLAP, REFERENCE, CHECK, ONCE = (
    asyncpg.ExclusionViolationError,
    asyncpg.ForeignKeyViolationError,
    asyncpg.CheckViolationError,
    asyncpg.UniqueViolationError,
)
# A seat of the same person in the same assembly; what is not stated is as in the mandate that is there.
SEAT = """
    INSERT INTO mandate (district, person, assembly, term, term_end, capacity, recommender, state,
                         active_from, active_to, fills)
    SELECT district, CASE WHEN $5 THEN person ELSE $6 END, assembly, $4, CASE WHEN $4 = 1 THEN term_end ELSE $7 END,
           capacity, recommender, CASE WHEN $3::date IS NULL THEN 'active' ELSE 'ended' END, $2::date, $3::date, $8
    FROM mandate WHERE id = $1"""


class Ground:
    """A mandate in force from 100 days ago, and a next term, seen past row-level security."""

    def __init__(self, connection: asyncpg.Connection, mandate: UUID) -> None:
        self.connection = connection
        self.mandate = mandate

    async def seat(
        self, begins: int, ends: int | None = None, term: int = 1, same: bool = True, fills: UUID | None = None
    ) -> None:
        other = await self.connection.fetchval(
            "INSERT INTO person (district, display_name) SELECT district, '乙' FROM mandate WHERE id = $1 RETURNING id",
            self.mandate,
        )
        day = None if ends is None else in_days(ends)
        given = (self.mandate, in_days(begins), day, term, same, other, in_days(1400), fills)
        await self.connection.execute(SEAT, *given)


@pytest.fixture
async def ground(platforms: Platforms) -> AsyncIterator[Ground]:
    async with fresh_tenant(platforms, "all-direct") as tenant:
        office = Office(tenant)
        term = await office.term()
        await office.open_term(term.partition("/terms/")[0], 2, in_days(700), in_days(1400))
        mandate = UUID((await office.active(term, day=in_days(-100))).partition("/")[2])
        connection = await asyncpg.connect(
            tenant.platform.postgres.url,
            server_settings={"search_path": "registry, public", "app.district": tenant.district},
        )
        transaction = connection.transaction()
        await transaction.start()
        yield Ground(connection, mandate)
        await transaction.rollback()
        await connection.close()


@pytest.mark.parametrize(
    ("begins", "ends", "term"),
    [
        (-100, None, 1),
        (-50, -40, 1),  # within
        (-200, -99, 1),  # by a day
        (650, 800, 1),  # after which the term would be over
        (699, None, 2),  # in the next term, by a day
    ],
)
async def test_two_mandates_of_a_person_never_overlap(ground: Ground, begins: int, ends: int | None, term: int) -> None:
    with pytest.raises((OVERLAP, CHECK)):
        await ground.seat(begins, ends, term)


@pytest.mark.parametrize(("begins", "ends", "term"), [(-200, -100, 1), (-200, -150, 1), (700, None, 2)])
async def test_one_may_follow_the_other(ground: Ground, begins: int, ends: int | None, term: int) -> None:
    await ground.seat(begins, ends, term)


async def test_others_sit_at_the_same_time(ground: Ground) -> None:
    await ground.seat(-100, same=False)


@pytest.mark.parametrize(("begins", "ends"), [(700, None), (-10, 701)])
async def test_a_mandate_lies_in_its_term(ground: Ground, begins: int, ends: int | None) -> None:
    with pytest.raises(CHECK):
        await ground.seat(begins, ends, same=False)


async def test_the_end_of_a_term_is_the_same_for_all_its_mandates(ground: Ground) -> None:
    with pytest.raises(REFERENCE):
        await ground.connection.execute("UPDATE mandate SET term_end = term_end + 1 WHERE id = $1", ground.mandate)


async def test_a_vacancy_is_of_the_same_term_and_filled_once(ground: Ground) -> None:
    with pytest.raises(REFERENCE):
        async with ground.connection.transaction():
            await ground.seat(710, term=2, same=False, fills=ground.mandate)
    await ground.seat(-90, same=False, fills=ground.mandate)
    with pytest.raises(ONCE):
        await ground.seat(-90, same=False, fills=ground.mandate)


async def test_suspensions_of_a_mandate_do_not_overlap(ground: Ground) -> None:
    suspend = """INSERT INTO suspension (district, mandate, start_date, end_date, reason)
        SELECT district, id, $2, $3, '羁押' FROM mandate WHERE id = $1"""
    await ground.connection.execute(suspend, ground.mandate, in_days(-50), in_days(-40))
    await ground.connection.execute(suspend, ground.mandate, in_days(-40), None)
    with pytest.raises(OVERLAP):
        await ground.connection.execute(suspend, ground.mandate, in_days(-30), None)


# --- from the release before


def until_revision(last: str, folder: Path) -> Manifest:
    """The registry as it was at a revision; without its reference data, which is entered by the code of today."""
    folder.mkdir()
    for path in MANIFEST.migrations.glob("[0-9][0-9][0-9][0-9]_*.py"):
        if path.name[:4] <= last:
            shutil.copy(path, folder)
    return replace(MANIFEST, migrations=folder, seed=None)


ENTRIES = """
    INSERT INTO district (code, display_name) VALUES ('500102', '涪陵区');
    INSERT INTO assembly (district, id, kind, display_name) VALUES ('500102', '{id}', 'district_congress', '人大');
    INSERT INTO term (district, assembly, number, start_date, end_date)
        VALUES ('500102', '{id}', 1, '2022-01-01', '2027-01-01');
    INSERT INTO person (district, id, display_name) VALUES ('500102', '{id}', '甲'), ('500102', '{other}', '乙');
    INSERT INTO mandate (district, person, assembly, term, capacity, recommender, state, active_from, active_to)
        VALUES ('500102', '{id}', '{id}', 1, 'deputy', '选民', 'active', '2023-01-01', NULL),
               ('500102', '{id}', '{id}', 1, 'deputy', '选民', 'ended', '2022-01-01', '2022-06-01'),
               ('500102', '{other}', '{id}', 1, 'deputy', '选民', 'recommended', NULL, NULL)"""


@pytest.fixture
async def empty(city: Platform) -> AsyncIterator[str]:
    """The URL of a database with nothing in it, beside the platform's."""
    admin = await asyncpg.connect(city.postgres.url)
    await admin.execute("CREATE DATABASE before")
    yield city.postgres.url.rpartition("/")[0] + "/before"
    await admin.execute("DROP DATABASE before")
    await admin.close()


async def test_mandates_of_the_release_before_get_the_end_of_their_term(
    city: Platform, empty: str, tmp_path: Path
) -> None:
    settings = city.settings.model_copy(update={"database_url": SecretStr(empty)})
    await migrate(until_revision("0001", tmp_path / "before"), settings)
    connection = await asyncpg.connect(empty, server_settings={"search_path": "registry, public"})
    await connection.execute(ENTRIES.format(id=uuid4(), other=uuid4()))
    assert "0004" in await migrate(until_revision("0004", tmp_path / "after"), settings)
    found = await connection.fetch("SELECT state, term_end::text, state_since::text FROM mandate ORDER BY state")
    await connection.close()
    assert [tuple(row) for row in found] == [
        ("active", "2027-01-01", "2023-01-01"),
        ("ended", "2027-01-01", "2022-06-01"),
        ("recommended", "2027-01-01", None),
    ]
