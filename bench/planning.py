"""How long the annual plan of the whole city takes: every assembly and every station of 38 districts, for a year.

The floor is the same meetings in the same order, each on the first working day of its window, with nobody asked.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from chassis.working_days import next_working_day, working_days_of
from services.meetings.dues import dues_of
from services.meetings.obligations import Body, Due, obligations
from services.meetings.planning import Engagement, Wish, plan
from services.meetings.wishing import Known, receptions, wishes

DISTRICTS, UNITS, SUBDISTRICTS, STATIONS = 38, 1031, 245, 11_000
YEAR = 2026
LIMITS = {"assemblies": 3, "stations": 20}
SINCE = ((date(2020, 1, 1), None),)


@dataclass(frozen=True)
class Measured:
    """Seconds, and how many meetings they were for."""

    meetings: int
    unplaced: int
    planning: float
    floor: float


def city() -> list[list[Body]]:
    """The bodies of each district; districts are as unequal as the city's are."""
    chance = Random(2026)
    found = [[Body(f"congress-{number}", "district_congress", "", SINCE)] for number in range(DISTRICTS)]
    shares = [chance.randint(1, 4) for _ in range(DISTRICTS)]
    for number in range(UNITS):
        kind = "subdistrict_assembly" if number < SUBDISTRICTS else "township_congress"
        district = chance.choices(range(DISTRICTS), shares)[0]
        found[district].append(Body(f"assembly-{number}", kind, f"unit-{number}", SINCE))
    for number in range(STATIONS):
        kind = "house" if number % 10 == 0 else "station"
        district = chance.choices(range(DISTRICTS), shares)[0]
        found[district].append(Body(f"station-{number}", kind, "", SINCE))
    return found


def asked_for(bodies: Sequence[Body], dues: Sequence[Due], seed: int) -> tuple[list[Wish], list[Engagement]]:
    """Some of each body's delegates sit in another one too or are on a rota; ten halls serve all assemblies."""
    chance = Random(seed)
    some = {body.id: frozenset(f"person-{chance.randrange(20 * len(bodies))}" for _ in range(20)) for body in bodies}
    venues = {body.id: f"hall-{body.unit[-1:]}" for body in bodies if body.unit}
    owed, known = obligations(dues, bodies), Known(venues, some, {})
    return wishes(owed, known, date(YEAR - 1, 12, 1)), list(receptions(owed, known))


def _unasked(asked: Sequence[Wish]) -> dict[str, date]:
    ordered = sorted(asked, key=lambda wish: (wish.last - wish.first, wish.last, wish.key))
    return {wish.key: next_working_day(wish.first) for wish in ordered}


def measure() -> Measured:
    """Fails when a plan of a district leaves more than a hundredth of its meetings without a time."""
    days, dues = working_days_of(YEAR), dues_of(YEAR, ())
    districts = [asked_for(bodies, dues, number) for number, bodies in enumerate(city())]
    begun = time.perf_counter()
    plans = [plan(asked, settled, days, LIMITS) for asked, settled in districts]
    planning = time.perf_counter() - begun
    begun = time.perf_counter()
    first = [_unasked(asked) for asked, _ in districts]
    floor = time.perf_counter() - begun
    unplaced = sum(len(each.unplaced) for each in plans)
    meetings = sum(map(len, first))
    assert unplaced <= meetings / 100, f"{unplaced} of {meetings} meetings found no time"
    return Measured(meetings, unplaced, planning, floor)
