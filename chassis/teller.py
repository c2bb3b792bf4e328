"""Tells what a service counts of each district: a duty of the process that leads the service.

A district is counted again when its audit has new seals, and from time to time because a day that passes changes counts
too.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from chassis import tenancy
from chassis.database import Database, fault_of
from chassis.directory import Directory
from chassis.duties import Connect
from chassis.figures import Figures, tell

log = logging.getLogger(__name__)
# Seconds between two looks at what has changed, and after which all is counted again.
EVERY = 1.0
AFRESH = 300.0
# Counting may take this share of the time, so that a district that is being filled is not counted all the while.
SHARE = 0.05


class Teller:
    """The teller of one service, for these districts or for all that are in the pool."""

    def __init__(
        self, database: Database, directory: Directory, figures: Figures, districts: Sequence[str] = ()
    ) -> None:
        self._database = database
        self._directory = directory
        self._figures = figures
        self._districts = districts
        self._changed: set[str] = set()
        # Of each district when it may be counted next.
        self._not_before: dict[str, float] = {}

    def changed(self, district: str) -> None:
        """Something was sealed in its audit."""
        self._changed.add(district)

    async def run(self, _: Connect) -> None:
        """Until a server fails, which its caller handles. Another fault is of one district and stops no other."""
        afresh = 0.0
        while True:
            if time.monotonic() >= afresh:
                self._changed.update(self._districts or self._directory.codes)
                afresh = time.monotonic() + AFRESH
            for district in sorted(self._due()):
                await self._look(district)
            await asyncio.sleep(EVERY)

    def _due(self) -> list[str]:
        now = time.monotonic()
        return [code for code in self._changed if self._own(code) and self._not_before.get(code, 0.0) <= now]

    def _own(self, district: str) -> bool:
        """One that is suspended is left as it is, and looked at when it goes on."""
        entry = self._directory.entries.get(district)
        placed = bool(self._districts) or district not in self._database.apart
        return placed and entry is not None and not entry.suspended

    async def _look(self, district: str) -> None:
        begun = time.monotonic()
        self._changed.discard(district)
        try:
            with tenancy.acting_for(district):
                await tell(self._database, self._figures)
        except Exception as error:
            self._changed.add(district)
            if fault_of(error):
                raise
            log.error("counting failed", extra={"district": district, "kind": type(error).__name__})
        now = time.monotonic()
        self._not_before[district] = now + (now - begun) / SHARE
