"""What the registry counts for the city: bodies, seats and stations at the end of each month, acts of duty in it.

Of persons nothing leaves the district but how many there are: by capacity in a body, by trait in all bodies of a kind
together, and the latter only where they are not few.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import text

from chassis import clock
from chassis.database import ReadTx, Row
from chassis.figures import Cell, Counts, Figures, cells, coarsened
from chassis.sql import Sql
from quanyutong.registry.v1.events_pb2 import FiguresTold

# The bands in which ages are told: their first years. Rules have bands of their own, which a district may change.
AGES = (0, 35, 45, 55, 65)
NOT_STATED = "NOT_STATED"
BODIES = Sql(
    text("""SELECT a.kind, coalesce(a.unit, '') AS unit, t.start_date AS since, t.end_date AS until
            FROM assembly a JOIN term t ON t.assembly = a.id""")
)
GROUPS = Sql(
    text("""SELECT coalesce(a.unit, '') AS unit, g.start_date AS since, t.end_date AS until
            FROM oversight_group g JOIN assembly a ON a.id = g.assembly
            JOIN term t ON t.assembly = g.assembly AND t.number = g.term""")
)
UNITS = Sql(text("SELECT code AS unit, kind, valid_from AS since, valid_to AS until FROM unit"))
STATIONS = Sql(text("SELECT kind, unit, start_date AS since, end_date AS until FROM station"))
# A seat that is suspended is not a delegate's until it is reinstated.
SEATS = Sql(
    text("""SELECT m.id, a.kind, coalesce(a.unit, '') AS unit, m.capacity, m.active_from AS since,
                   coalesce(m.active_to, m.term_end) AS until, p.gender, p.occupation, p.schooling, p.birth_date
            FROM mandate m JOIN assembly a ON a.id = m.assembly JOIN person p ON p.id = m.person
            WHERE m.active_from IS NOT NULL""")
)
SUSPENSIONS = Sql(text("SELECT mandate, start_date AS since, end_date AS until FROM suspension ORDER BY start_date"))
ACTS = Sql(
    text("""
    WITH act AS (
        SELECT date_trunc('month', a.day)::date AS month, coalesce(a.unit, '') AS unit, a.kind AS facet,
               count(*) AS activities, sum(p.times)::bigint AS times, sum(a.people_received)::bigint AS received
        FROM activity a
        JOIN (SELECT activity, count(*) AS times FROM participation GROUP BY activity) p ON p.activity = a.id
        WHERE a.withdrawal_reason = '' GROUP BY 1, 2, 3
    )
    SELECT 'ACTIVITIES' AS kind, month, unit, facet, activities AS value FROM act
    UNION ALL SELECT 'PERSON_TIMES', month, unit, facet, times FROM act
    UNION ALL SELECT 'PEOPLE_RECEIVED', month, unit, facet, received FROM act
    """)
)
# From its first day to the day after its last; None: no end.
Period = tuple[date, date | None]
Held = tuple[str, ...]


class Months:
    """The months from the first in which there is something to the present one, and the day of each that is counted:
    its last, of the present one today.
    """

    def __init__(self, first: date, today: date) -> None:
        months = (today.year - first.year) * 12 + today.month - first.month + 1
        numbers = range(first.year * 12 + first.month - 1, first.year * 12 + first.month - 1 + max(months, 0))
        self.firsts = [date(number // 12, number % 12 + 1, 1) for number in numbers]
        nexts = [date((number + 1) // 12, (number + 1) % 12 + 1, 1) for number in numbers]
        self.days = [min(day - timedelta(days=1), today) for day in nexts]

    def counted(self, things: Iterable[tuple[Held, Period]]) -> dict[Held, list[int]]:
        """How many of each sort there are in each month."""
        changes: dict[Held, list[int]] = defaultdict(lambda: [0] * (len(self.days) + 1))
        for sort, (since, until) in things:
            begin = bisect_left(self.days, since)
            end = len(self.days) if until is None else bisect_left(self.days, until)
            if begin < end:
                changes[sort][begin] += 1
                changes[sort][end] -= 1
        return {sort: list(accumulate(change))[:-1] for sort, change in changes.items()}


async def count(tx: ReadTx) -> Counts:
    bodies, groups, stations = await tx.all(BODIES), await tx.all(GROUPS), await tx.all(STATIONS)
    seats = list(_acting(await tx.all(SEATS), await tx.grouped(SUSPENSIONS, "mandate")))
    found: dict[Cell, int | None] = dict(await cells(tx, ACTS))
    begins = [row.since for rows in (bodies, groups, stations) for row in rows] + [since for _, (since, _) in seats]
    months = Months(min(begins, default=clock.today()), clock.today())
    things = [
        *(("UNITS", row.unit, row.kind, (row.since or date.min, row.until)) for row in await tx.all(UNITS)),
        *(("ASSEMBLIES", row.unit, row.kind, (row.since, row.until)) for row in bodies),
        *(("OVERSIGHT_GROUPS", row.unit, "", (row.since, row.until)) for row in groups),
        *(("STATIONS", row.unit, row.kind, (row.since, row.until)) for row in stations),
        *(("DELEGATES", row.unit, f"{row.kind}/{row.capacity}", period) for row, period in seats),
    ]
    found |= _stock(months, things)
    found |= _traits(months, seats)
    return found


def _stock(months: Months, things: Iterable[tuple[str, str, str, Period]]) -> dict[Cell, int]:
    counted = months.counted(((kind, unit, facet.upper()), period) for kind, unit, facet, period in things)
    return {
        Cell(month, *sort): value
        for sort, values in counted.items()
        for month, value in zip(months.firsts, values, strict=True)
    }


def _acting(seats: Iterable[Row], suspended: Any) -> Iterator[tuple[Row, Period]]:
    """Each time for which a seat is held and not suspended."""
    for row in seats:
        since = row.since
        for away in suspended.get(row.id, ()):
            yield row, (since, away.since)
            since = away.until
            if since is None:
                break
        else:
            yield row, (since, row.until)


def _traits(months: Months, seats: Sequence[tuple[Row, Period]]) -> dict[Cell, int | None]:
    """By kind of body and trait, coarse where they are few: within one month all values of a trait add up."""
    sorts = months.counted(each for row, period in seats for each in _traits_of(row, period))
    found: dict[Cell, int | None] = {}
    for place, month in enumerate(months.firsts):
        values: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for (kind, trait, value), counts in sorts.items():
            values[kind, trait][value] = counts[place]
        for (kind, trait), counts_of in values.items():
            for value, number in coarsened(counts_of).items():
                found[Cell(month, "DELEGATES_WITH", "", f"{kind}/{trait}/{value}".upper())] = number
    return found


def _traits_of(row: Row, period: Period) -> Iterator[tuple[Held, Period]]:
    for trait in ("gender", "occupation", "schooling"):
        yield (row.kind, trait, row[trait] or NOT_STATED), period
    if row.birth_date is None:
        yield (row.kind, "age", NOT_STATED), period
        return
    for first, beyond in zip(AGES, (*AGES[1:], None), strict=True):
        since = max(period[0], _birthday(row.birth_date, first))
        ends = [day for day in (period[1], beyond and _birthday(row.birth_date, beyond)) if day]
        yield (
            (row.kind, "age", f"{first}_to_{beyond - 1}" if beyond else f"{first}_and_over"),
            (since, min(ends, default=None)),
        )


def _birthday(born: date, years: int) -> date:
    """Of one who is born on a leap day, in a year without one, the first of March."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


FIGURES = Figures(FiguresTold, count)
