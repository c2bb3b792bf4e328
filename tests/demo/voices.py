"""Baitao's (白涛) year of 2023 in the feedback service: played where it was not yet, and read back.

What the registry counted of it as acts of duty is read beside it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from chassis import clock
from chassis.wire import date_message
from quanyutong.feedback.v1 import proposals_pb2
from tests.demo.desk import Desk
from tests.demo.heard import Heard
from tests.demo.hearing import Hearing
from tests.demo.holding import patience
from tests.demo.matters import MATTERS
from tests.demo.proposing import Proposing
from tests.demo.said import FIRST_DAY, Place, proposed, said
from tests.demo.year import BaitaosYear


class Voices:
    """By a token of the district's clerk, and of nobody's where no token is asked for."""

    def __init__(self, desk: Desk, place: Place, year: BaitaosYear, folder: Path) -> None:
        self._desk = desk
        self._year = year
        self._place = place
        self._hearing = Hearing(desk, place, folder)
        self._proposing = Proposing(desk, place)

    async def play(self, advance: Callable[[], None]) -> int:
        """Plays what is missing, or raises the first refusal. Returns how much of it was."""
        opinions = self._hearing.play(said(), advance)
        return sum(await asyncio.gather(opinions, self._proposing.play(proposed(self._place), advance)))

    async def read(self) -> Heard:
        """All of it, as soon as the registry has heard of every act."""
        opinions, receptions, proposals, evaluations, followed = await asyncio.gather(
            self._hearing.opinions(),
            self._hearing.receptions(),
            self._proposing.proposals(),
            self._evaluations(),
            self._hearing.followed(),
        )
        heard = Heard(opinions, receptions, proposals, await self._year.counted(), evaluations, followed)
        for wait in patience():
            if heard.told:
                break
            await asyncio.sleep(wait)
            heard = replace(heard, counted=await self._year.counted())
        return heard

    async def _evaluations(self) -> Sequence[proposals_pb2.UndertakerEvaluation]:
        """Of each office that leads in anything, for what was assigned to it until today."""
        period = {"from_date": date_message(FIRST_DAY), "to_date": date_message(clock.today() + timedelta(days=1))}
        offices = dict.fromkeys(matter.offices[0] for matter in MATTERS)
        asked = [proposals_pb2.EvaluateUndertakerRequest(undertaker=office, **period) for office in offices]
        return list(await asyncio.gather(*(self._desk.call("EvaluateUndertaker", each) for each in asked)))
