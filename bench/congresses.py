"""All 38 district congresses vote at the same time: 12,285 delegates take papers, vote, and the polls are closed.

Each stage is timed by itself, with the processor time of everybody in it; what the delegates' devices compute in
between is measured apart.
"""

import asyncio
import csv
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import asyncpg
import grpc

from bench.congress import Congress, convened
from bench.delegates import Devices
from bench.processes import spent
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceStub
from tests.harness import ROOT, Platform

DISTRICTS = ROOT / "services" / "registry" / "data" / "districts.csv"
# The city has so many deputies of its districts, in congresses of these sizes.
DEPUTIES, SMALLEST, LARGEST = 12_285, 198, 450
POOL = 8
APART = (("grpc.use_local_subchannel_pool", 1),)


@dataclass(frozen=True)
class Stage:
    """Seconds by the clock, and of CPU by who used it."""

    name: str
    seconds: float
    cpu: dict[str, float]


@dataclass
class Voted:
    """The stages in their order, and the seconds of CPU that the delegates' devices needed beside them."""

    delegates: int = 0
    congresses: int = 0
    set_up: float = 0
    stages: list[Stage] = field(default_factory=list)
    devices: dict[str, float] = field(default_factory=dict)


def sizes(count: int) -> list[int]:
    """From the smallest to the largest in even steps, made to add up."""
    even = [SMALLEST + (LARGEST - SMALLEST) * place // (count - 1) for place in range(count)]
    missing = DEPUTIES - sum(even)
    step = 1 if missing > 0 else -1
    for place in range(1, 1 + abs(missing)):
        even[1 + place % (count - 2)] += step
    return even


async def voting_everywhere(city: Platform) -> Voted:
    found = Voted()
    async with (
        asyncpg.create_pool(city.postgres.url, min_size=1, max_size=POOL) as pool,
        AsyncExitStack() as stack,
        Devices() as devices,
    ):
        begun = time.perf_counter()
        congresses = await _convened(city, pool, stack)
        found.delegates = sum(len(each.delegates) for each in congresses)
        found.congresses = len(congresses)
        await _each(congresses, lambda congress: congress.blind(devices))
        found.set_up = time.perf_counter() - begun

        async def stage(name: str, step: Callable[[Congress], Awaitable[object]]) -> None:
            found.stages.append(await _timed(city, name, congresses, step))

        await stage("asking where to vote", Congress.ask)
        await stage("taking papers", Congress.take)
        await stage("starting the vote", Congress.start)
        await _each(congresses, lambda congress: congress.fill_in(devices))
        await stage("casting ballots", Congress.cast)
        await stage("closing", Congress.close)
        boards = [await congress.board(pool) for congress in congresses]
        on_boards = await asyncio.gather(*map(devices.check, boards))
    assert list(on_boards) == [len(each.delegates) for each in congresses], on_boards
    found.devices = dict(devices.seconds)
    return found


async def _convened(city: Platform, pool: asyncpg.Pool, stack: AsyncExitStack) -> list[Congress]:
    """Each with a connection of its own."""
    with DISTRICTS.open(encoding="utf-8") as file:
        codes = [row["code"] for row in csv.DictReader(file)]
    found = []
    for code, size in zip(codes, sizes(len(codes)), strict=True):
        channel = grpc.aio.insecure_channel(city.address("gateway"), APART)
        stub = BallotsServiceStub(await stack.enter_async_context(channel))
        found.append(await convened(city, pool, stub, code, size))
    return found


async def _each(congresses: Sequence[Congress], step: Callable[[Congress], Awaitable[object]]) -> None:
    await asyncio.gather(*map(step, congresses))


async def _timed(
    city: Platform, name: str, congresses: Sequence[Congress], step: Callable[[Congress], Awaitable[object]]
) -> Stage:
    before, begun = spent(city), time.perf_counter()
    await _each(congresses, step)
    seconds = time.perf_counter() - begun
    return Stage(name, seconds, {who: used - before[who] for who, used in spent(city).items()})
