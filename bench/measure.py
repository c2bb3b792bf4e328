"""Load, and what it cost: calls a second, latency, and CPU time of the processes that served it."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import psutil

AT_ONCE = 16


@dataclass
class Subject:
    """One kind of call, and the processes that serve it. Results grow by one entry a round."""

    name: str
    call: Callable[[], Awaitable[object]]
    processes: Sequence[psutil.Process]
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    async def round(self, seconds: float) -> None:
        """Calls it from AT_ONCE tasks for so many seconds; a call that fails ends the benchmark."""
        calls = 0
        end = time.perf_counter() + seconds
        before, started = self._cpu_seconds(), time.perf_counter()

        async def caller() -> None:
            nonlocal calls
            while (begun := time.perf_counter()) < end:
                await self.call()
                self.latencies.append(time.perf_counter() - begun)
                calls += 1

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
        self.rates.append(calls / (time.perf_counter() - started))
        self.cpu.append((self._cpu_seconds() - before) / calls)

    def _cpu_seconds(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU a call, over all of its processes."""
        return statistics.median(self.cpu) * 1e6

    def latency_ms(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1e3

    def row(self) -> str:
        p50, p99 = self.latency_ms(0.5), self.latency_ms(0.99)
        return f"{self.name:28}{self.rate:10.0f}/s {self.cpu_us:9.0f} us {p50:8.2f} ms {p99:8.2f} ms"


async def compare(subjects: Sequence[Subject], seconds: float, rounds: int) -> None:
    """In turn, in short rounds: what the machine does beside it falls on all of them alike."""
    for subject in subjects:
        await subject.round(0.3)
        subject.rates.clear()
        subject.cpu.clear()
        subject.latencies.clear()
    for _ in range(rounds):
        for subject in subjects:
            await subject.round(seconds)


def ratio(values: Sequence[float], floors: Sequence[float]) -> float:
    """The median of the ratios round by round, which noise hurts less than the ratio of medians."""
    return statistics.median(value / floor for value, floor in zip(values, floors, strict=True))


def memory_mb(process: psutil.Process) -> float:
    """Memory that only this process has (USS) where the system tells, in MB."""
    return float(process.memory_full_info().uss) / 1e6
