"""`make bench`: a read and a write, directly and through the gateway, next to a bare echo and a bare insert.

Ratios are the result; the figures beside them belong to the machine and the minute.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import psutil
import uvloop

from bench import floor
from bench.measure import Subject, compare, memory_mb, ratio
from quanyutong.registry.v1 import persons_pb2, units_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.harness import Platform, Process, platform

UNIT = units_pb2.GetUnitRequest(name="units/500102013")
DISTRICT = "500102"
AIMS = "read CPU at most 3 echoes, write CPU at most 2 inserts, gateway at least 0.85 of the direct rate"
IDLE = 5.0


def a_person() -> persons_pb2.CreatePersonRequest:
    return persons_pb2.CreatePersonRequest(person=persons_pb2.Person(display_name="试验者"), request_id=str(uuid4()))


@contextlib.asynccontextmanager
async def floors(url: str) -> AsyncIterator[tuple[int, psutil.Process]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.floor", url, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline()), psutil.Process(process.pid)
    finally:
        process.stdin.close()
        await process.wait()


def processes(city: Platform) -> dict[str, psutil.Process]:
    """The platform's own process and its Envoy, by name."""
    main = psutil.Process(city.processes["all"].leashed.pid)
    envoy = next(child for child in main.children(recursive=True) if child.name() == "envoy")
    return {"services": main, "envoy": envoy}


async def calls(city: Platform, seconds: float, rounds: int) -> None:
    served = processes(city)
    metadata = city.metadata(["clerk"], DISTRICT)
    async with contextlib.AsyncExitStack() as stack:
        port, floor_process = await stack.enter_async_context(floors(city.postgres.url))

        async def stub(address: str) -> tuple[Any, Any]:
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
            return channel, RegistryServiceStub(channel)

        bare, _ = await stub(f"127.0.0.1:{port}")
        _, direct = await stub(city.direct)
        _, gateway = await stub(city.address("gateway"))
        echo = bare.unary_unary(
            f"/{floor.SERVICE}/Echo",
            request_serializer=units_pb2.GetUnitRequest.SerializeToString,
            response_deserializer=units_pb2.Unit.FromString,
        )
        insert = bare.unary_unary(
            f"/{floor.SERVICE}/Insert",
            request_serializer=persons_pb2.CreatePersonRequest.SerializeToString,
            response_deserializer=persons_pb2.Person.FromString,
        )
        own, both = [served["services"]], list(served.values())
        subjects = {
            "bare echo": Subject("bare echo", lambda: echo(UNIT, metadata=metadata), [floor_process]),
            "read": Subject("read, directly", lambda: direct.GetUnit(UNIT, metadata=metadata), own),
            "read gateway": Subject(
                "read, through the gateway", lambda: gateway.GetUnit(UNIT, metadata=metadata), both
            ),
            "bare insert": Subject("bare insert", lambda: insert(a_person(), metadata=metadata), [floor_process]),
            "write": Subject("write, directly", lambda: direct.CreatePerson(a_person(), metadata=metadata), own),
            "write gateway": Subject(
                "write, through the gateway", lambda: gateway.CreatePerson(a_person(), metadata=metadata), both
            ),
        }
        await compare(list(subjects.values()), seconds, rounds)
    report(subjects)


def report(subjects: dict[str, Subject]) -> None:
    print(f"\n{'':28}{'calls':>10}   {'CPU a call':>9}  {'p50':>9}    {'p99':>9}")
    for subject in subjects.values():
        print(subject.row())
    print(f"\nRatios (aims: {AIMS})")
    s = subjects
    for name, value, met in (
        ("read CPU / bare echo CPU", (v := ratio(s["read"].cpu, s["bare echo"].cpu)), v <= 3),
        ("write CPU / bare insert CPU", (v := ratio(s["write"].cpu, s["bare insert"].cpu)), v <= 2),
        ("read rate, gateway / direct", (v := ratio(s["read gateway"].rates, s["read"].rates)), v >= 0.85),
        ("write rate, gateway / direct", (v := ratio(s["write gateway"].rates, s["write"].rates)), v >= 0.85),
    ):
        print(f"  {name:32}{value:6.2f}  {'met' if met else 'not met'}")


def show_memory(city: Platform, when: str) -> None:
    shown = ", ".join(f"{name} {memory_mb(process):.0f} MB" for name, process in processes(city).items())
    print(f"memory {when}: {shown} (aim: services under 250 MB)")


async def show_idle(city: Platform) -> None:
    served = processes(city).values()
    before = [sum(process.cpu_times()[:2]) for process in served]
    await asyncio.sleep(IDLE)
    used = sum(sum(process.cpu_times()[:2]) for process in served) - sum(before)
    print(f"CPU when idle: {used / IDLE:.1%} of one core (services and Envoy; aim: near zero)")


async def flatness(city: Platform, minutes: float) -> None:
    """Memory of the services under a steady load, once before and once every half minute."""
    metadata = city.metadata(["clerk"], DISTRICT)
    async with grpc.aio.insecure_channel(city.direct) as channel:
        registry = RegistryServiceStub(channel)
        load = Subject("load", lambda: registry.CreatePerson(a_person(), metadata=metadata), [])
        for half in range(int(minutes * 2) + 1):
            print(f"  after {half / 2:4.1f} min: {memory_mb(processes(city)['services']):6.1f} MB", flush=True)
            if half < minutes * 2:
                await load.round(30)
                load.latencies.clear()


async def starts(folder: Path) -> None:
    """How long everything takes until it answers, with servers embedded: the first time and the second."""
    for which in ("first", "second"):
        begun = time.perf_counter()
        process = await Process.start(which, ["services", "serve"], {"QYT_STATE": str(folder / "state")}, folder)
        print(f"{which} start of everything: {time.perf_counter() - begun:.1f} s")
        await process.leashed.stop()


async def run(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "starts").mkdir()
        await starts(Path(scratch) / "starts")
        # As in production: every acknowledged write is on disk. The limits are out of the way of one district's load.
        limits = {"district_calls_per_second": "1000000", "district_calls_in_flight": "10000"}
        async with platform("all", Path(scratch), durable=True, **limits) as city:
            await asyncio.sleep(2)
            show_memory(city, "at rest")
            await show_idle(city)
            await calls(city, options.seconds, options.rounds)
            show_memory(city, "after")
            if options.load_minutes:
                await flatness(city, options.load_minutes)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each call in a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--load-minutes", type=float, default=0, help="then a steady load, to see memory stay flat")
    uvloop.run(run(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
