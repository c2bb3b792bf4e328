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
# Seconds between two looks for what has changed, and after which all is counted again.
EVERY = 1.0
AFRESH = 300.0
# Counting takes no more than this share of the time, however much is being entered.
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
        # In the order in which they are counted; what has changed goes before what is only looked at again.
        self._changed: dict[str, None] = {}
        self._others: dict[str, None] = {}

    def changed(self, district: str) -> None:
        """Something was sealed in its audit."""
        self._changed[district] = None

    async def run(self, _: Connect) -> None:
        """Until a server fails, which its caller handles. Another fault is of one district and stops no other."""
        afresh = 0.0
        while True:
            if time.monotonic() >= afresh:
                self._others = dict.fromkeys(self._districts or self._directory.codes)
                afresh = time.monotonic() + AFRESH
            begun = time.monotonic()
            if district := next(filter(self._own, [*self._changed, *self._others]), None):
                await self._look(district)
                await asyncio.sleep((time.monotonic() - begun) * (1 / SHARE - 1))
            else:
                await asyncio.sleep(EVERY)

    def _own(self, district: str) -> bool:
        """One that is suspended is left as it is, and looked at when it goes on."""
        entry = self._directory.entries.get(district)
        placed = bool(self._districts) or district not in self._database.apart
        return placed and entry is not None and not entry.suspended

    async def _look(self, district: str) -> None:
        for waiting in (self._changed, self._others):
            waiting.pop(district, None)
        try:
            with tenancy.acting_for(district):
                await tell(self._database, self._figures)
        except Exception as error:
            if fault_of(error):
                self.changed(district)
                raise
            log.error("counting failed", extra={"district": district, "kind": type(error).__name__})
