"""The processes of a platform: the memory that each has, and the CPU that they use when nobody calls."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from bench.measure import cpu_seconds
from tests.harness import Platform

MB = 1e6


def served_by(city: Platform) -> dict[str, psutil.Process]:
    """By name; PostgreSQL by its postmaster."""
    main = psutil.Process(city.processes["all"].leashed.pid)
    envoy = next(child for child in main.children(recursive=True) if child.name() == "envoy")
    return {
        "services": main,
        "envoy": envoy,
        "nats": psutil.Process(city.nats.pid),
        "postgres": psutil.Process(city.postgres.pid),
    }


@dataclass(frozen=True)
class Memory:
    """In MB. `proportional` (PSS) counts a shared page in parts; None where the system does not tell."""

    resident: float
    proportional: float | None


def memory(city: Platform) -> dict[str, Memory]:
    """By process; PostgreSQL with all of its backends, so that only its PSS is a sum without repetition."""
    found = {}
    for name, process in served_by(city).items():
        family = [process, *process.children()] if name == "postgres" else [process]
        parts = [_memory(each) for each in family]
        shares = [part.proportional for part in parts if part.proportional is not None]
        found[name] = Memory(sum(part.resident for part in parts), sum(shares) if len(shares) == len(parts) else None)
    return found


def resident_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / MB


def _memory(process: psutil.Process) -> Memory:
    try:
        proportional = process.memory_full_info().pss / MB
    except (psutil.AccessDenied, AttributeError):
        proportional = None
    return Memory(resident_mb(process), proportional)


async def idle(city: Platform, seconds: float) -> Mapping[str, float]:
    """The share of one core that each process uses when nobody calls."""
    served = served_by(city)
    before = {name: family_seconds(process) for name, process in served.items()}
    await asyncio.sleep(seconds)
    return {name: (family_seconds(process) - before[name]) / seconds for name, process in served.items()}


def family_seconds(process: psutil.Process) -> float:
    """With its children that live: Envoy is a child of the services but counted by itself."""
    children = process.children() if process.name() == "postgres" else []
    return sum(cpu_seconds(each) for each in (process, *children))


def spent(city: Platform) -> dict[str, float]:
    """Seconds of CPU so far, by who used them: the platform's processes, and this one, which calls them."""
    platform = {name: family_seconds(process) for name, process in served_by(city).items()}
    return platform | {"callers": cpu_seconds(psutil.Process())}
