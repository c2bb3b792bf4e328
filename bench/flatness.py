"""Whether memory stays flat: a steady rate of reads and writes through the gateway, for minutes."""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.measure import Subject
from bench.processes import resident_mb, served_by
from tests.harness import Platform

RATE = 200.0
CALLERS = 16
SAMPLES_EVERY = 5.0


@dataclass(frozen=True)
class Growth:
    """Resident memory of one process over the load, in MB; the times are in minutes."""

    times: Sequence[float]
    sizes: Sequence[float]

    def slope(self) -> float:
        """MB a minute in the second half, by least squares: in the first one caches and pools still fill."""
        half = len(self.times) // 2
        times, sizes = self.times[half:], self.sizes[half:]
        middle, level = sum(times) / len(times), sum(sizes) / len(sizes)
        spread = sum((at - middle) ** 2 for at in times)
        rise = sum((at - middle) * (size - level) for at, size in zip(times, sizes, strict=True))
        return rise / spread if spread else 0.0


async def flatness(
    city: Platform, load: Sequence[Subject], minutes: float, say: Callable[[str], None]
) -> dict[str, Growth]:
    """Fails when a call fails or when the rate is not held."""
    served = {name: process for name, process in served_by(city).items() if name != "postgres"}
    times: list[float] = []
    sizes: dict[str, list[float]] = {name: [] for name in served}
    started = time.perf_counter()
    end = started + minutes * 60
    calling = asyncio.create_task(_call_steadily(load, end))
    while (now := time.perf_counter()) < end and not calling.done():
        times.append((now - started) / 60)
        for name, process in served.items():
            sizes[name].append(resident_mb(process))
        if len(times) % 6 == 1:
            say(f"  {times[-1]:5.1f} min  " + "  ".join(f"{name} {sizes[name][-1]:.1f} MB" for name in served))
        await asyncio.sleep(min(SAMPLES_EVERY, max(end - now, 0)))
    calls = await calling
    assert calls > 0.9 * RATE * minutes * 60, f"the machine held {calls / minutes / 60:.0f} calls/s, not {RATE:.0f}"
    return {name: Growth(times, sizes[name]) for name in served}


async def _call_steadily(load: Sequence[Subject], end: float) -> int:
    """Every caller has its own times at which it calls, whatever the calls before took."""
    begun = time.perf_counter()
    calls = 0

    async def caller(number: int) -> None:
        nonlocal calls
        subjects = itertools.cycle(load)
        for turn in itertools.count():
            due = begun + (turn * CALLERS + number) / RATE
            if due >= end:
                return
            await asyncio.sleep(due - time.perf_counter())
            await next(subjects).call()
            calls += 1

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return calls
