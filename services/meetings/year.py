"""What is known of a year in a district: what is owed, how far it is, and who is engaged when."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text

from chassis import clock
from chassis.database import ReadTx, Row
from chassis.rulebooks import overrides
from chassis.sql import Sql
from services.meetings import obligations as owing
from services.meetings.dues import dues_of
from services.meetings.meetings import meeting_name
from services.meetings.obligations import Body, Due, Meeting, Standing, standings
from services.meetings.wishing import OF_ASSEMBLIES, OF_STATIONS, UNLIMITED, Known, Settled

# An assembly exists while it has a term. A station of which only the end is known yet is waited for.
BODIES = Sql(
    text("""SELECT a.id, a.kind, coalesce(a.unit, '') AS unit, array_agg(t.start_date) AS begins,
                   array_agg(t.end_date) AS ends
            FROM assembly a JOIN term t ON t.assembly = a.id
            WHERE CAST(:body AS uuid) IS NULL OR a.id = :body GROUP BY a.district, a.id
            UNION ALL SELECT id, kind, unit, ARRAY[start_date], ARRAY[end_date] FROM station
            WHERE start_date IS NOT NULL AND (CAST(:body AS uuid) IS NULL OR id = :body)""")
)
# A meeting that was held counts on the day on which it was.
MEETINGS = Sql(
    text("""SELECT id, coalesce(assembly, station) AS body, assembly IS NOT NULL AS of_assembly, kind, venue,
                   start_at, end_at, coalesce(convened_at, start_at) AS counts_at,
                   phase IN ('summary', 'closed') AS held
            FROM meeting WHERE phase NOT IN ('postponed', 'cancelled') AND start_at < :end AND end_at > :start
            AND (CAST(:body AS uuid) IS NULL OR coalesce(assembly, station) = :body)""")
)
# Whoever may still sit in a body, or be on its rota, this day or later.
DELEGATES = Sql(
    text("""SELECT m.assembly AS body, m.person FROM mandate m
            LEFT JOIN term t ON t.assembly = m.assembly AND t.number = m.term
            WHERE m.active_from IS NOT NULL AND (m.active_to IS NULL OR m.active_to > :day)
            AND (t.end_date IS NULL OR t.end_date > :day)
            UNION SELECT r.station, m.person FROM rota_entry r JOIN mandate m ON m.id = r.mandate
            WHERE r.start_date < r.end_date AND r.end_date > :day""")
)
# A body meets where it met last.
VENUES = Sql(
    text("""SELECT DISTINCT ON (body) coalesce(m.assembly, m.station) AS body, m.venue
            FROM meeting m JOIN venue v ON v.id = m.venue AND NOT v.closed
            ORDER BY body, m.start_at DESC, m.id""")
)


@dataclass(frozen=True, slots=True)
class Year:
    """Everything that planning asks."""

    standings: Sequence[Standing]
    known: Known
    settled: Sequence[Settled]


async def load_standings(tx: ReadTx, year: int, today: date, body: UUID | None = None) -> list[Standing]:
    """What is owed in the year by all bodies, or by one, in the order of the days on which it is due."""
    dues = await load_dues(tx, year)
    return await _standings(tx, dues, await _meetings(tx, dues, body), today, body)


async def load_year(tx: ReadTx, year: int, today: date, rejected: Mapping[str, frozenset[date]]) -> Year:
    dues = await load_dues(tx, year)
    meetings = await _meetings(tx, dues, None)
    found = await _standings(tx, dues, meetings, today, None)
    delegates: dict[str, set[str]] = defaultdict(set)
    for row in await tx.all(DELEGATES, day=today):
        delegates[str(row.body)].add(str(row.person))
    venues = {str(row.body): str(row.venue) for row in await tx.all(VENUES)}
    known = Known(venues, {body: frozenset(people) for body, people in delegates.items()}, rejected)
    return Year(found, known, list(map(_settled, meetings)))


async def load_dues(tx: ReadTx, year: int) -> list[Due]:
    return dues_of(year, await overrides(tx, date(year, 12, 31)))


async def _standings(
    tx: ReadTx, dues: Iterable[Due], meetings: Iterable[Row], today: date, body: UUID | None
) -> list[Standing]:
    bodies = [
        Body(str(row.id), row.kind, row.unit, tuple(zip(row.begins, row.ends, strict=True)))
        for row in await tx.all(BODIES, body=body)
    ]
    planned = [
        Meeting(
            meeting_name(row.id), str(row.body), row.kind, row.counts_at.astimezone(clock.SHANGHAI).date(), row.held
        )
        for row in meetings
    ]
    return standings(owing.obligations(dues, bodies), planned, today)


async def _meetings(tx: ReadTx, dues: Sequence[Due], body: UUID | None) -> Sequence[Row]:
    if not dues:
        return []
    first, last = min(due.first for due in dues), max(due.last for due in dues)
    end = clock.beginning(last + timedelta(days=1))
    return await tx.all(MEETINGS, start=clock.beginning(first), end=end, body=body)


def _settled(row: Row) -> Settled:
    limited = UNLIMITED if row.kind == "reception_day" else OF_ASSEMBLIES if row.of_assembly else OF_STATIONS
    return Settled(
        row.start_at.astimezone(clock.SHANGHAI),
        row.end_at.astimezone(clock.SHANGHAI),
        str(row.body),
        str(row.venue or ""),
        limited,
    )
