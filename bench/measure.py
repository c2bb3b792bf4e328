"""Load, and what it cost: calls a second, latency, and CPU time of the processes that served it."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import psutil

AT_ONCE = 16
WARM_UP = 0.5
Who = TypeVar("Who")


@dataclass
class Subject:
    """One kind of call, and the processes that serve it, by name. Results grow by one entry a round."""

    name: str
    call: Callable[[], Awaitable[object]]
    processes: Mapping[str, psutil.Process]
    rates: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    async def round(self, seconds: float) -> None:
        """Calls it from AT_ONCE tasks for so many seconds; a call that fails ends the benchmark."""
        calls = 0
        before, started = self._cpu_seconds(), time.perf_counter()
        end = started + seconds

        async def caller() -> None:
            nonlocal calls
            while (begun := time.perf_counter()) < end:
                await self.call()
                self.latencies.append(time.perf_counter() - begun)
                calls += 1

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
        self.rates.append(calls / (time.perf_counter() - started))
        for name, used in self._cpu_seconds().items():
            self.cpu.setdefault(name, []).append((used - before[name]) / calls)

    def forget(self) -> None:
        """Forgets the rounds so far: they warmed up."""
        self.rates.clear()
        self.cpu.clear()
        self.latencies.clear()

    def _cpu_seconds(self) -> dict[str, float]:
        return {name: cpu_seconds(process) for name, process in self.processes.items()}

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    def cpu_us(self, process: str) -> float | None:
        """Microseconds of CPU a call in this process; None when it serves no such call."""
        return statistics.median(self.cpu[process]) * 1e6 if process in self.cpu else None

    def latency_ms(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1e3


async def compare(subjects: Sequence[Subject], seconds: float, rounds: int) -> None:
    """In turn, in short rounds: what the machine does beside it falls on all of them alike."""
    for subject in subjects:
        await subject.round(WARM_UP)
        subject.forget()
    for _ in range(rounds):
        for subject in subjects:
            await subject.round(seconds)


def ratio(values: Sequence[float], floors: Sequence[float]) -> float:
    """The median of the ratios round by round, which noise hurts less than the ratio of medians."""
    return statistics.median(value / floor for value, floor in zip(values, floors, strict=True))


def cpu_seconds(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))


async def all_at_once(come: Callable[[Who], Awaitable[None]], everybody: Iterable[Who], at_once: int) -> float:
    """Seconds until everybody came, so many under way at a time."""
    places = asyncio.Semaphore(at_once)

    async def one(who: Who) -> None:
        async with places:
            await come(who)

    begun = time.perf_counter()
    await asyncio.gather(*map(one, everybody))
    return time.perf_counter() - begun
