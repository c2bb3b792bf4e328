"""Places for those who write without a token: a storm at the addresses waits in memory, and never holds the connections
that everybody else needs.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis import tenancy
from services.feedback.domain import Refused

# Of this process: connections that they hold in all, and how many of a district wait for the one that it has of those.
AT_ONCE = 4
WAITING = 16


class Places:
    """One of each district at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._in_all = asyncio.Semaphore(AT_ONCE)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._here: defaultdict[str, int] = defaultdict(int)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Raises Refused INTAKE_BUSY."""
        district = tenancy.district()
        if self._here[district] > WAITING:
            raise Refused("INTAKE_BUSY", limit=WAITING)
        self._here[district] += 1
        try:
            async with self._turns[district], self._in_all:
                yield
        finally:
            self._here[district] -= 1
