"""What a storm of anonymous intake in one district does to the calls of another: in turn without it, with the same
storm at a door that is not the platform's, so that what it takes of a shared machine is known, and with it.
"""

import asyncio
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import grpc

from bench.processes import spent
from quanyutong.feedback.v1 import opinions_pb2 as pb
from quanyutong.feedback.v1.feedback_pb2_grpc import FeedbackServiceStub
from tests.harness import ROOT, Platform

ROUNDS, SECONDS = 6, 3.0
# Calls a second: of the storm, thirty times what an address takes, and of each kind by the other district.
STORM, PACE = 300, 40
CALM, ELSEWHERE, STORMY = "calm", "elsewhere", "storm"
WEATHERS = (CALM, ELSEWHERE, STORMY)
SECRET = "s" * 43
# Whatever the gateway lets in is written, however long the storm lasts.
ENTERED = (
    "INSERT INTO feedback.intake (district, station, unit, secret_hash) VALUES ($1, $2, $1 || '001', $3)",
    """INSERT INTO feedback.rule_override (district, rule, revision, value, effective_date)
       VALUES ($1, 'stations_and_voice.intake_a_day', 1, '1000000', '2020-01-01')""",
)
Latencies = dict[str, list[float]]


@dataclass
class Stormed:
    """Seconds of each call of the other district, by kind and weather, and of CPU by who used it; what the storm was
    told, in how many seconds.
    """

    reads: Latencies = field(default_factory=lambda: {each: [] for each in WEATHERS})
    writes: Latencies = field(default_factory=lambda: {each: [] for each in WEATHERS})
    cpu: dict[str, dict[str, float]] = field(default_factory=lambda: {each: {} for each in WEATHERS})
    told: Counter[str] = field(default_factory=Counter)
    seconds: float = 0

    def ms(self, kind: str, weather: str, share: float) -> float:
        latencies: Latencies = getattr(self, kind)
        ordered = sorted(latencies[weather])
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1e3

    def ratio(self, kind: str, share: float) -> float:
        return self.ms(kind, STORMY, share) / self.ms(kind, ELSEWHERE, share)


async def storming(city: Platform) -> Stormed:
    found, stormed, other = Stormed(), await city.fresh_district(), await city.fresh_district()
    await _address(city, stormed)
    async with grpc.aio.insecure_channel(city.address("gateway")) as channel:
        stub, metadata = FeedbackServiceStub(channel), city.metadata(["clerk"], other)
        said = pb.Opinion(channel=pb.OPINION_CHANNEL_ONLINE, category=pb.OPINION_CATEGORY_TRANSPORT, content="路灯不亮")
        entered = await stub.CreateOpinion(pb.CreateOpinionRequest(opinion=said), metadata=metadata)

        async def read() -> None:
            await stub.GetOpinion(pb.GetOpinionRequest(name=entered.name), metadata=metadata)

        async def write() -> None:
            request = pb.CreateOpinionRequest(opinion=said, request_id=str(uuid4()))
            await stub.CreateOpinion(request, metadata=metadata)

        await _calls([(read, []), (write, [])])  # warmed up
        for _ in range(ROUNDS):
            for weather in WEATHERS:
                async with _storm(city, weather, stormed, found), _spending(city, found.cpu[weather]):
                    await _calls([(read, found.reads[weather]), (write, found.writes[weather])])
    return found


async def _calls(kinds: Sequence[tuple[Callable[[], Awaitable[None]], list[float]]]) -> None:
    """At their pace, whether or not the ones before are answered: who is slow is not called less for it."""
    loop, calls = asyncio.get_running_loop(), []
    begun = loop.time()
    for number in range(int(SECONDS * PACE)):
        await asyncio.sleep(max(begun + number / PACE - loop.time(), 0))
        calls += [asyncio.create_task(_timed(call, latencies)) for call, latencies in kinds]
    await asyncio.gather(*calls)


async def _timed(call: Callable[[], Awaitable[None]], latencies: list[float]) -> None:
    begun = time.perf_counter()
    await call()
    latencies.append(time.perf_counter() - begun)


@asynccontextmanager
async def _spending(city: Platform, cpu: dict[str, float]) -> AsyncIterator[None]:
    before = spent(city)
    yield
    for who, used in spent(city).items():
        cpu[who] = cpu.get(who, 0) + used - before[who]


@asynccontextmanager
async def _storm(city: Platform, weather: str, district: str, found: Stormed) -> AsyncIterator[None]:
    if weather == CALM:
        yield
        return
    door, begun = urlsplit(city.gateway if weather == STORMY else ""), time.perf_counter()
    path = f"/v1/intakes/{district}/{SECRET}:submit"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.storm", door.hostname or "", str(door.port or 0), path, str(STORM)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        await asyncio.sleep(1)  # until it rages
        yield
    finally:
        printed, _ = await process.communicate(b"")  # the end of its input
    if weather == STORMY:
        found.seconds += time.perf_counter() - begun
        found.told += Counter(json.loads(printed))


async def _address(city: Platform, district: str) -> None:
    connection = await asyncpg.connect(city.postgres.url)
    try:
        await connection.execute("SELECT set_config('app.district', $1, false)", district)
        intake, rule = ENTERED
        await connection.execute(intake, district, uuid4(), hashlib.sha256(SECRET.encode()).digest())
        await connection.execute(rule, district)
    finally:
        await connection.close()
