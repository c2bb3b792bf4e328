"""The city's sums: how long it takes to make them anew from tellings, and to read them with few and with many ballots
behind them.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from uuid import UUID

import grpc
import psutil
from pydantic import SecretStr

from bench.measure import ratio
from chassis import clock, tenancy
from chassis.bus import Bus
from chassis.database import Database
from chassis.manifest import Event
from chassis.migrations import runtime_url
from chassis.wire import date_message
from quanyutong.ballots.v1.events_pb2 import FiguresTold
from quanyutong.common.v1 import figures_pb2
from quanyutong.common.v1.figures_pb2 import Figure, FiguresSheet
from quanyutong.municipal.v1.municipal_pb2_grpc import MunicipalServiceStub
from quanyutong.municipal.v1.overviews_pb2 import GetCityOverviewRequest
from quanyutong.registry.v1.districts_pb2 import GetDistrictRequest
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.municipal.rebuilding import latest, rebuild
from services.municipal.telling import enter
from tests.harness import Platform, until

DISTRICTS, UNITS, MONTHS = 38, 27, 36
# Sent side by side, and kept waiting by the server for none of them.
AT_ONCE = 500
READS = 60
FEW, MANY = 10_000, 1_000_000
KIND = FiguresTold.DESCRIPTOR.full_name


@dataclass
class Replayed:
    """Seconds for all tellings; `grown` are the bytes by which the process grew while it made the sums anew."""

    events: int
    bare: float = 0.0
    rebuilt: float = 0.0
    grown: int = 0
    months: int = 0

    @property
    def ratio(self) -> float:
        return self.rebuilt / self.bare


@dataclass
class Overviewed:
    """Seconds of each overview, by how many ballots are behind it, and of each bare read."""

    # Few, in polls of one month alone; then in as many polls as many are.
    once: list[float] = field(default_factory=list)
    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return ratio(self.many, self.few)


def sheet(month: date, ballots: int, units: int = UNITS) -> FiguresSheet:
    """What the polls of a month in so many units come to."""
    each = max(ballots // units, 1)
    kinds = (figures_pb2.FIGURE_KIND_BALLOTS, figures_pb2.FIGURE_KIND_PAPERS, figures_pb2.FIGURE_KIND_ELECTORATE)
    return FiguresSheet(
        month=date_message(month),
        figures=[
            Figure(kind=kind, unit=f"units/900001{unit:03}", facet="ELECTRONIC", value=each)
            for kind in kinds
            for unit in range(units)
        ],
    )


def months() -> list[date]:
    """The last ones, to the present one."""
    last = clock.today().year * 12 + clock.today().month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(last - MONTHS + 1, last + 1)]


def tellings(events: int, districts: Sequence[str]) -> Iterator[tuple[Event, bytes]]:
    """Each month of each district again and again, the later the greater."""
    began, known = int(time.time() * 1000) - events, months()
    for number in range(events):
        district = districts[number % len(districts)]
        content = FiguresTold(sheet=sheet(known[number // len(districts) % MONTHS], number, 5))
        event = UUID(int=(began + number << 80) | (7 << 76) | (2 << 62) | number)
        yield Event(event, district, KIND, "figures/bench"), content.SerializeToString()


async def replaying(city: Platform, events: int) -> Replayed:
    found = Replayed(events)
    districts = [await city.fresh_district() for _ in range(DISTRICTS)]
    bus = await Bus.connect(city.nats.url, "bench", 1)
    own = city.settings.model_copy(update={"database_url": SecretStr(city.postgres.url)})
    database = Database(runtime_url(own, "municipal"), "municipal", 2, 120)
    try:
        # The service itself does not hear them: it would be measured with the rebuild.
        for process in city.processes.values():
            process.leashed.kill()
            await process.leashed.wait()
        await _publish(bus, tellings(events, districts))
        begun = time.perf_counter()
        async for _ in bus.each(KIND):
            pass
        found.bare = time.perf_counter() - begun
        process, before = psutil.Process(), psutil.Process().memory_info().rss
        begun = time.perf_counter()
        told = await latest(bus)
        found.grown = process.memory_info().rss - before
        outcome = await rebuild(database, {district: told[district] for district in districts})
        found.rebuilt, found.months = time.perf_counter() - begun, outcome.mended
    finally:
        await database.close()
        await bus.close()
    return found


async def _publish(bus: Bus, events: Iterator[tuple[Event, bytes]]) -> None:
    now = datetime.now(UTC)
    while some := list(islice(events, AT_ONCE)):
        await asyncio.gather(*(bus.publish(event, content, now, "") for event, content in some))


async def overviewing(city: Platform) -> Overviewed:
    """Of the same districts: polls of one month, then of three years in every unit, by few and by many."""
    found = Overviewed()
    districts = [await city.fresh_district() for _ in range(DISTRICTS)]
    await _behind(city, districts, FEW, months()[-1:])
    await _read(city, found.once, found.reads)
    await _behind(city, districts, FEW, months())
    await _read(city, found.few, found.reads)
    await _behind(city, districts, MANY, months())
    await _read(city, found.many, found.reads)
    return found


async def _behind(city: Platform, districts: Sequence[str], ballots: int, known: Sequence[date]) -> None:
    own = city.settings.model_copy(update={"database_url": SecretStr(city.postgres.url)})
    database = Database(runtime_url(own, "municipal"), "municipal", 1, 30)
    event = int(time.time() * 1000) << 80
    try:
        for district in districts:
            with tenancy.acting_for(district):
                async with database.write() as tx:
                    for month in known:
                        event += 1
                        content = sheet(month, ballots // len(districts) // len(known))
                        await enter(tx, "ballots", content, UUID(int=event | (7 << 76) | (2 << 62)))
    finally:
        await database.close()


async def _read(city: Platform, overviews: list[float], reads: list[float]) -> None:
    metadata = city.metadata(["overseer"])
    async with grpc.aio.insecure_channel(city.direct) as channel:
        municipal, registry = MunicipalServiceStub(channel), RegistryServiceStub(channel)

        async def there() -> bool:
            return bool((await municipal.GetCityOverview(GetCityOverviewRequest(), metadata=metadata)).districts)

        await until(there)
        for _ in range(READS):
            begun = time.perf_counter()
            await municipal.GetCityOverview(GetCityOverviewRequest(), metadata=metadata)
            overviews.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            await registry.GetDistrict(GetDistrictRequest(name="districts/500102"), metadata=metadata)
            reads.append(time.perf_counter() - begun)
