"""What the meetings service counts for the city: what is owed and how far it is, what was held, and who came."""

from collections import Counter
from datetime import date

from sqlalchemy import text

from chassis import clock
from chassis.database import ReadTx
from chassis.figures import Cell, Counts, Figures, cells
from chassis.sql import Sql
from quanyutong.meetings.v1.events_pb2 import FiguresTold
from services.meetings.year import load_standings

# A meeting that was held counts on the day on which it was.
HELD = Sql(
    text("""
    WITH held AS (
        SELECT m.id, m.phase,
               date_trunc('month', coalesce(m.convened_at, m.start_at) AT TIME ZONE 'Asia/Shanghai')::date AS month,
               coalesce(a.unit, s.unit, '') AS unit, m.kind AS sort, m.form
        FROM meeting m LEFT JOIN assembly a ON a.id = m.assembly LEFT JOIN station s ON s.id = m.station
        WHERE m.phase IN ('convened', 'summary', 'closed')
    ), handed AS (
        SELECT held.month, held.unit, d.state AS facet FROM deliberation_opinion d JOIN held ON held.id = d.meeting
    ), seats AS (
        SELECT held.month, held.unit, held.sort AS facet, q.expected, q.present
        FROM quorum q JOIN held ON held.id = q.meeting
    )
    SELECT 'MEETINGS_HELD' AS kind, month, unit, CASE form WHEN '' THEN sort ELSE sort || '/' || form END AS facet,
           count(*) AS value FROM held WHERE phase <> 'convened' GROUP BY 2, 3, 4
    UNION ALL SELECT 'SEATS_EXPECTED', month, unit, facet, sum(expected)::bigint FROM seats GROUP BY 2, 3, 4
    UNION ALL SELECT 'SEATS_PRESENT', month, unit, facet, sum(present)::bigint FROM seats GROUP BY 2, 3, 4
    UNION ALL SELECT 'DELIBERATION_OPINIONS', month, unit, facet, count(*) FROM handed GROUP BY 2, 3, 4
    """)
)
YEARS = Sql(
    text("""SELECT DISTINCT extract(year FROM start_at AT TIME ZONE 'Asia/Shanghai')::integer AS year FROM meeting""")
)


async def count(tx: ReadTx) -> Counts:
    return {**await cells(tx, HELD), **await _owed(tx)}


async def _owed(tx: ReadTx) -> Counts:
    """Of the present year, the one before it, and every other of which meetings were entered."""
    today = clock.today()
    years = {row.year for row in await tx.all(YEARS)} | {today.year - 1, today.year}
    found: Counter[Cell] = Counter()
    for year in sorted(years):
        for each in await load_standings(tx, year, today):
            due = each.obligation.due
            month = date(due.last.year, due.last.month, 1)
            facet = f"{due.kind}/{each.state}".upper()
            found[Cell(month, "OBLIGATIONS", each.obligation.body.unit, facet)] += 1
    return found


FIGURES = Figures(FiguresTold, count)
