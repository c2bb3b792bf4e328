"""How long the annual plan of the whole city takes: every assembly and every station of 38 districts, for a year.

The floor is the same meetings in the same order, each on the first working day of its window, with nobody asked.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from chassis.working_days import next_working_day, working_days_of
from services.meetings.obligations import Body, Due, Obligation, by_periods, in_turn, obligations, on_days
from services.meetings.planning import Plan, Wish, plan

DISTRICTS, UNITS, SUBDISTRICTS, STATIONS = 38, 1031, 245, 11_000
YEAR = 2026
LIMITS = {"assemblies": 3, "stations": 20}
HALF_DAYS = {"annual_session": 6, "reception_day": 1, "feedback_meeting": 1, "symposium": 1}
SINCE = ((date(2020, 1, 1), None),)


@dataclass(frozen=True)
class Measured:
    """Seconds, and how many meetings they were for."""

    meetings: int
    unplaced: int
    planning: float
    floor: float


def dues() -> list[Due]:
    """What the rules ask for, at the platform's values."""

    def window(first: tuple[int, int], last: tuple[int, int]) -> tuple[date, date]:
        return date(YEAR, *first), date(YEAR, *last)

    quarters = [window((3 * n + 1, 1), (3 * n + 3, 30 if n in (1, 2) else 31)) for n in range(4)]
    asked = {
        "annual_session": in_turn(1, [quarters[0]]),
        "midyear_meeting": in_turn(1, [window((7, 1), (8, 31))]),
        "township_session": in_turn(2, quarters[0::2]),
        "special_meeting": in_turn(2, quarters[1::2]),
        "assembly_meeting": in_turn(2, [window((6, 1), (8, 31)), window((11, 1), (12, 31))]),
        "reception_day": on_days(YEAR, (2, 4, 6, 8, 10, 12), 20, next_working_day),
        "feedback_meeting": by_periods(YEAR, 6),
        "symposium": by_periods(YEAR, 3),
    }
    return [
        Due(kind, YEAR, ordinal, first, last, 3, HALF_DAYS.get(kind, 2), ())
        for kind, times in asked.items()
        for ordinal, first, last in times
    ]


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


def wishes(owed: Sequence[Obligation], seed: int) -> list[Wish]:
    """Of every body a few delegates sit in another one too, and some bodies share a hall."""
    chance = Random(seed)
    delegates = {each.body.id: tuple(f"person-{chance.randrange(400)}" for _ in range(4)) for each in owed}
    found = []
    for each in owed:
        due, station = each.due, each.due.kind in ("reception_day", "feedback_meeting", "symposium")
        limited = "" if due.kind == "reception_day" else "stations" if station else "assemblies"
        venue = "" if station else f"hall-{each.body.unit[-1:]}"
        shared = () if station else delegates[each.body.id]
        found.append(Wish(each.key, due.first, due.last, due.half_days, each.body.id, venue, shared, limited))
    return found


def _unasked(asked_for: Sequence[Wish]) -> dict[str, date]:
    ordered = sorted(asked_for, key=lambda wish: (wish.last - wish.first, wish.last, wish.key))
    return {wish.key: next_working_day(wish.first) for wish in ordered}


def measure() -> Measured:
    """Fails when a plan of a district leaves more than a hundredth of its meetings without a time."""
    days, asked = working_days_of(YEAR), dues()
    owed = [obligations(asked, bodies) for bodies in city()]
    asked_for = [wishes(each, number) for number, each in enumerate(owed)]
    begun = time.perf_counter()
    plans: list[Plan] = [plan(each, (), days, LIMITS) for each in asked_for]
    planning = time.perf_counter() - begun
    begun = time.perf_counter()
    first = [_unasked(each) for each in asked_for]
    floor = time.perf_counter() - begun
    unplaced = sum(len(each.unplaced) for each in plans)
    meetings = sum(map(len, first))
    assert unplaced <= meetings / 100, f"{unplaced} of {meetings} meetings found no time"
    return Measured(meetings, unplaced, planning, floor)
