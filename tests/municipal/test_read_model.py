"""The read model is the latest of what was told, in whatever order and however often; a rebuild says the same."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select, text

from chassis import tenancy
from chassis.bus import Bus
from chassis.database import Database
from chassis.manifest import Event
from chassis.migrations import runtime_url
from chassis.sql import Sql
from chassis.wire import date_message
from quanyutong.common.v1.figures_pb2 import FIGURE_KIND_MEETINGS_HELD, Figure, FiguresSheet
from quanyutong.meetings.v1.events_pb2 import FiguresTold
from services.municipal.rebuilding import Telling, Tellings, latest, rebuild
from services.municipal.tables import cell, sheet
from services.municipal.telling import enter, moment_of
from tests.conftest import Platforms
from tests.harness import Platform, run_command, until
from tests.municipal.hall import CityHall

SERVICE = "meetings"
# 11 July 2024, in milliseconds.
BEGAN = 0x0190A1B20000
OTHERS = count()
MONTHS = [date(2020, month, 1) for month in (1, 2, 3)]
CLEAR = Sql(text("DELETE FROM sheet WHERE district = :district"))
CLEAR_CELLS = Sql(text("DELETE FROM cell WHERE district = :district"))
Told = tuple[UUID, FiguresSheet]


def told(number: int, month: date, figures: Sequence[tuple[str, int]]) -> Told:
    """`number`: the later, the greater."""
    content = FiguresSheet(
        month=date_message(month),
        figures=[Figure(kind=FIGURE_KIND_MEETINGS_HELD, facet=facet, value=value) for facet, value in figures],
    )
    # UUIDv7 of RFC 9562: milliseconds, version and variant; the rest is another one's for each.
    return UUID(int=((BEGAN + number) << 80) | (7 << 76) | (2 << 62) | next(OTHERS)), content


figures = st.dictionaries(st.sampled_from(["ASSEMBLY", "QUARTERLY"]), st.integers(1, 9)).map(
    lambda each: [*each.items()]
)
tellings = st.lists(st.tuples(st.sampled_from(MONTHS), figures), min_size=1, max_size=8).map(
    lambda each: [told(number, *one) for number, one in enumerate(each, 1)]
)


@asynccontextmanager
async def opened(city: Platform) -> AsyncIterator[Database]:
    """As the service's own processes open it."""
    own = city.settings.model_copy(update={"database_url": SecretStr(city.postgres.url)})
    database = Database(runtime_url(own, "municipal"), "municipal", 2, 30)
    yield database
    await database.close()


@pytest.fixture
async def database(city: Platform) -> AsyncIterator[Database]:
    async with opened(city) as database:
        yield database


async def written(database: Database, events: Sequence[Told]) -> None:
    for event, content in events:
        async with database.write() as tx:
            await enter(tx, SERVICE, content, event)


async def state(database: Database) -> tuple[Any, Any]:
    """Every month with the event that told it, and every figure."""
    district = tenancy.district()
    async with database.read() as tx:
        sheets = await tx.all(select(sheet).where(sheet.c.district == district, sheet.c.service == SERVICE))
        cells = await tx.all(select(cell).where(cell.c.district == district, cell.c.service == SERVICE))
    return {(row.month, row.told) for row in sheets}, {(row.month, row.facet, row.value) for row in cells}


async def emptied(database: Database) -> None:
    async with database.write() as tx:
        for statement in (CLEAR, CLEAR_CELLS):
            await tx.execute(statement, district=tx.district)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=tellings, chance=st.randoms(), kept=st.integers(0, 8))
async def test_order_repetition_and_replay_change_nothing(
    database: Database, events: list[Told], chance: Any, kept: int
) -> None:
    with tenancy.acting_for("999999"):
        await emptied(database)
        await written(database, events)
        in_order = await state(database)
        await emptied(database)
        shuffled = [*events, *chance.choices(events, k=len(events))]
        chance.shuffle(shuffled)
        await written(database, shuffled)
        assert await state(database) == in_order
        # From what a stream still has, and all told again behind it; what there was before was wrong.
        await emptied(database)
        wrong = events[0][1].month
        await written(database, [told(0, date(wrong.year, wrong.month, 1), [("ASSEMBLY", 99)])])
        again = [(UUID(int=event.int + (99 << 80)), content) for event, content in events]
        stream = [*events[len(events) - kept :], *again]
        found: Tellings = {}
        for event, content in stream:
            place = SERVICE, date(content.month.year, content.month.month, 1)
            if place not in found or found[place].told < event:
                found[place] = Telling(event, content.SerializeToString())
        await rebuild(database, {"999999": found})
        assert (await state(database))[1] == in_order[1]


def test_an_event_says_when_it_came_about() -> None:
    event, _ = told(400, MONTHS[0], [])
    assert event.version == 7
    assert moment_of(event) == datetime.fromtimestamp((BEGAN + 400) / 1000, UTC)


async def publish(bus: Bus, district: str, event: UUID, content: FiguresSheet) -> None:
    kind = FiguresTold.DESCRIPTOR.full_name
    occurred = moment_of(event)
    await bus.publish(
        Event(event, district, kind, "figures/2020-01"), FiguresTold(sheet=content).SerializeToString(), occurred, ""
    )


async def test_rebuilt_beside_the_platform_from_the_stream(platforms: Platforms) -> None:
    """What was lost comes back, what is wrong is mended, and what is later than the stream is left."""
    city = await platforms.get("all")
    district = await city.fresh_district()
    bus = await Bus.connect(city.nats.url, "tests", 1)
    try:
        for number in range(1, 60):
            await publish(bus, district, *told(number, MONTHS[number % 3], [("ASSEMBLY", number)]))
        async with opened(city) as database:
            with tenancy.acting_for(district):
                all_heard = {(MONTHS[n % 3], "ASSEMBLY", n) for n in (57, 58, 59)}

                async def heard() -> bool:
                    return bool((await state(database))[1] == all_heard)

                await until(heard)
                before = await state(database)
                async with database.write() as tx:
                    await tx.execute(CLEAR_CELLS, district=district)
                assert (await state(database))[1] == set()
                output = await run_command(["municipal", "rebuild"], city.environment)
                assert "3 were not and are now" in output
                assert await state(database) == before
                await written(database, [told(99, MONTHS[0], [("QUARTERLY", 7)])])
                later = await state(database)
                assert "0 were not and are now" in await run_command(["municipal", "rebuild"], city.environment)
                assert await state(database) == later
        assert "meetings" in await run_command(["municipal", "status"], city.environment)
    finally:
        await bus.close()


async def test_reading_the_streams_takes_the_latest_of_each_month(city: Platform) -> None:
    district = await city.fresh_district()
    bus = await Bus.connect(city.nats.url, "tests", 1)
    try:
        numbers = [3, 1, 2]
        for number in numbers:
            await publish(bus, district, *told(number, MONTHS[0], [("ASSEMBLY", number)]))
        counted = 0

        def progress(events: int) -> None:
            nonlocal counted
            counted += events

        found = (await latest(bus, progress))[district]
        assert moment_of(found[SERVICE, MONTHS[0]].told) == moment_of(told(3, MONTHS[0], [])[0])
        assert counted >= len(numbers)
    finally:
        await bus.close()


async def test_told_again_by_the_services(platforms: Platforms) -> None:
    """When no stream reaches back any more: `qyt tell`, and the read model is whole."""
    from tests.conftest import fresh_tenant
    from tests.contract.office import Office

    async with fresh_tenant(platforms, "all-direct") as tenant:
        office, hall = Office(tenant), CityHall(tenant)
        term = await office.term(await office.assembly())
        await asyncio.gather(*(office.active(term) for _ in range(3)))
        await hall.until(representatives=3)
        connection = await asyncpg.connect(tenant.platform.postgres.url)
        try:
            for table in ("sheet", "cell"):
                await connection.execute(f"DELETE FROM municipal.{table} WHERE district = $1", tenant.district)
        finally:
            await connection.close()
        assert await hall.column() == {}
        output = await run_command(["tell", "--district", tenant.district], tenant.platform.environment)
        assert "of 1 districts" in output
        assert (await hall.until(representatives=3))["assemblies"].part.least == 1
        refused = await run_command(["tell", "--district", "599999"], tenant.platform.environment, status=1)
        assert "no district 599999" in refused
