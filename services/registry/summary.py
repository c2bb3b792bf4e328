"""Counts over the district's register. They name nobody."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import grpc
from sqlalchemy import and_, func, not_, select

from chassis import clock
from chassis.database import Database, ReadTx, Row
from chassis.wire import date_message, number, read_date
from quanyutong.registry.v1 import assemblies_pb2, mandates_pb2, stations_pb2
from quanyutong.registry.v1 import summary_pb2 as pb
from services.registry import duties
from services.registry.seats import held_on, suspended_on
from services.registry.tables import assembly, mandate, oversight_group, person, station, term

Context = grpc.aio.ServicerContext[Any, Any]
STATIONS = select(station.c.kind, func.count().label("stations")).group_by(station.c.kind).order_by(station.c.kind)
GROUPS = select(func.count().label("groups")).join_from(
    oversight_group, term, and_(term.c.assembly == oversight_group.c.assembly, term.c.number == oversight_group.c.term)
)


class Summaries:
    _database: Database

    async def GetSummary(self, request: pb.GetSummaryRequest, _: Context) -> pb.Summary:
        day = read_date(request, "as_of") or clock.today()
        async with self._database.read() as tx:
            delegates = await _delegates(tx, day)
            # After them: an assembly that comes in between counts without delegates, never the reverse.
            counts = await _assemblies(tx)
            stations = await tx.all(STATIONS.where(duties.holds_on(station, day)))
            groups = await tx.one(GROUPS.where(oversight_group.c.start_date <= day, term.c.end_date > day))
        _add(delegates, counts)
        return pb.Summary(
            district=f"districts/{tx.district}",
            as_of=date_message(day),
            assemblies=[counts[kind] for kind in sorted(counts)],
            stations=map(_station_count, stations),
            oversight_groups=groups.groups,
        )


async def _assemblies(tx: ReadTx) -> dict[str, pb.AssemblyCount]:
    statement = select(assembly.c.kind, func.count().label("assemblies")).group_by(assembly.c.kind)
    return {
        row.kind: pb.AssemblyCount(kind=number(assemblies_pb2.AssemblyKind, row.kind), assemblies=row.assemblies)
        for row in await tx.all(statement)
    }


async def _delegates(tx: ReadTx, day: date) -> Sequence[Row]:
    acts = not_(suspended_on(day))
    statement = (
        select(
            assembly.c.kind,
            mandate.c.capacity,
            func.count().filter(acts).label("delegates"),
            func.count().filter(acts, person.c.gender == "female").label("women"),
            func.count().filter(acts, person.c.occupation == "community_worker").label("community_workers"),
            func.count().filter(not_(acts)).label("suspended"),
        )
        .select_from(mandate)
        .join(assembly, assembly.c.id == mandate.c.assembly)
        .join(person, person.c.id == mandate.c.person)
        .where(held_on(day))
        .group_by(assembly.c.kind, mandate.c.capacity)
        .order_by(mandate.c.capacity)
    )
    return await tx.all(statement)


def _add(delegates: Sequence[Row], counts: dict[str, pb.AssemblyCount]) -> None:
    for row in delegates:
        count = counts[row.kind]
        count.delegates += row.delegates
        count.women += row.women
        count.community_workers += row.community_workers
        count.suspended += row.suspended
        if row.delegates:
            capacity = number(mandates_pb2.Capacity, row.capacity)
            count.capacities.add(capacity=capacity, delegates=row.delegates)


def _station_count(row: Row) -> pb.StationCount:
    return pb.StationCount(kind=number(stations_pb2.StationKind, row.kind), stations=row.stations)
