"""How long a whole district waits for its annual plan, through the gateway: planned, planned again, accepted."""

import time
from dataclasses import dataclass

import asyncpg
import grpc

from chassis import clock
from quanyutong.meetings.v1 import plan_pb2 as pb
from quanyutong.meetings.v1.meetings_pb2_grpc import MeetingsServiceStub
from tests.harness import Platform

STATIONS, ASSEMBLIES, ACCEPTED = 300, 27, 500
PATIENCE = 120.0
# The roster as the registry's events would fill it.
ROSTER = (
    """INSERT INTO meetings.station (district, id, kind, unit, display_name, start_date)
       SELECT $1, uuidv7(), CASE WHEN n % 10 = 0 THEN 'house' ELSE 'station' END, $1 || '001', '站' || n, '2020-01-01'
       FROM generate_series(1, $2) AS n""",
    """INSERT INTO meetings.assembly (district, id, kind, unit, display_name)
       SELECT $1, uuidv7(), 'township_congress', $1 || lpad(n::text, 3, '0'), '人大' || n
       FROM generate_series(1, $2) AS n""",
    """INSERT INTO meetings.term (district, assembly, number, start_date, end_date)
       SELECT district, id, 1, '2020-01-01', '2120-01-01' FROM meetings.assembly WHERE district = $1""",
)


@dataclass(frozen=True)
class Waited:
    """Seconds: for the first plan, for the same plan again, for accepting some of it."""

    meetings: int
    first: float
    again: float
    accepted: float


async def waited(city: Platform) -> Waited:
    district = await city.fresh_district()
    await _fill(city, district)
    year = clock.today().year + 1
    async with grpc.aio.insecure_channel(city.address("gateway", "meetings")) as channel:
        stub, metadata = MeetingsServiceStub(channel), city.metadata(["clerk"], district)
        begun = time.perf_counter()
        plan = await stub.PlanYear(pb.PlanYearRequest(year=year), metadata=metadata, timeout=PATIENCE)
        first = time.perf_counter()
        await stub.PlanYear(pb.PlanYearRequest(year=year), metadata=metadata, timeout=PATIENCE)
        again = time.perf_counter()
        request = pb.AcceptProposalsRequest(parent=plan.name, limit=ACCEPTED)
        answer = await stub.AcceptProposals(request, metadata=metadata, timeout=PATIENCE)
        accepted = time.perf_counter()
    assert answer.accepted == ACCEPTED, answer
    return Waited(plan.proposed, first - begun, again - first, accepted - again)


async def _fill(city: Platform, district: str) -> None:
    connection = await asyncpg.connect(city.postgres.url)
    try:
        stations, assemblies, terms = ROSTER
        await connection.execute(stations, district, STATIONS)
        await connection.execute(assemblies, district, ASSEMBLIES)
        await connection.execute(terms, district)
    finally:
        await connection.close()
