"""`make bench`: a read, a write, a long list, a year's plan, a full hall and a vote, next to bare echoes and inserts.

Ratios are the result; the figures beside them belong to the machine and the minute.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import grpc
import uvloop

from bench import h2load, planning
from bench.check_ins import checking_in
from bench.cities import overviewing, replaying
from bench.closes import closing
from bench.congresses import voting_everywhere
from bench.flatness import flatness
from bench.importing import importing
from bench.likeness import searching
from bench.measure import compare
from bench.planning_calls import waited
from bench.processes import idle, memory
from bench.report import Report
from bench.starts import starts
from bench.storms import storming
from bench.subjects import DISTRICT, UNIT, subjects
from bench.votes import voting
from quanyutong.registry.v1 import units_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.harness import Platform, platform

PARTS = (
    "starts",
    "rest",
    "calls",
    "import",
    "load",
    "planning",
    "check-ins",
    "votes",
    "closes",
    "intake-storm",
    "likeness",
    "overview",
)
# Minutes of everything that the machine has: asked for by name alone.
LONG = ("congresses", "replay")
# Out of the way of one district's load.
LIMITS = {"district_calls_per_second": "1000000", "district_calls_in_flight": "10000"}
SETTLE, IDLE = 2.0, 5.0


async def run(options: argparse.Namespace, report: Report) -> None:
    parts = set(options.only or PARTS)
    if "planning" in parts:
        report.planning(planning.measure())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "starts"
        folder.mkdir()
        if "starts" in parts:
            report.starts(await starts(folder))
        if parts - {"starts"}:
            # As in production: every acknowledged write is on disk.
            async with platform("all", Path(scratch), durable=True, **LIMITS) as city:
                await measure(city, parts, options, report)


async def measure(city: Platform, parts: set[str], options: argparse.Namespace, report: Report) -> None:
    await asyncio.sleep(SETTLE)
    if "rest" in parts:
        report.memory("at rest", memory(city))
        report.idle(await idle(city, IDLE))
    async with subjects(city) as found:
        if "calls" in parts:
            await compare(list(found.values()), options.seconds, options.rounds)
            report.calls(found)
            if h2load.installed():
                report.h2load(await h2load.rates(city, await a_reply(city), 2, 3))
            else:
                report.say("  (h2load is not installed: gateway and direct rate by our own client only)")
            report.memory("after", memory(city))
        if "planning" in parts:
            report.planning_calls(await waited(city))
        if "check-ins" in parts:
            report.check_ins(await checking_in(city))
        if "votes" in parts:
            report.votes(await voting(city, found["echo"].call, found["read_gateway"].call))
        if "closes" in parts:
            report.closes(await closing(city))
        if "intake-storm" in parts:
            report.storm(await storming(city))
        if "likeness" in parts:
            report.likeness(await searching(city))
        if "congresses" in parts:
            report.congresses(await voting_everywhere(city))
        if "overview" in parts:
            report.overview(await overviewing(city))
        if "import" in parts:
            report.importing(await importing(city))
        if "load" in parts and options.load_minutes:
            report.say(f"\nMemory under a steady load of {options.load_minutes:g} minutes")
            load = [found["read_gateway"], found["write_gateway"]]
            report.flatness(await flatness(city, load, options.load_minutes, report.say))
        if "replay" in parts:  # last: the platform is stopped for it
            report.replay(await replaying(city, options.events))


async def a_reply(city: Platform) -> units_pb2.Unit:
    metadata = city.metadata(["clerk"], DISTRICT)
    async with grpc.aio.insecure_channel(city.direct) as channel:
        return await RegistryServiceStub(channel).GetUnit(UNIT, metadata=metadata)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.2, help="of each call in a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument(
        "--only",
        action="append",
        choices=PARTS + LONG,
        help=f"this part; may be repeated (default: all but {', '.join(LONG)})",
    )
    parser.add_argument("--load-minutes", type=float, default=0, help="then a steady load, to see memory stay flat")
    parser.add_argument("--events", type=int, default=1_000_000, help="that are replayed (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure, to compare runs by")
    options = parser.parse_args(arguments)
    report = Report()
    uvloop.run(run(options, report))
    if options.json:
        report.save(options.json)


if __name__ == "__main__":
    main()
