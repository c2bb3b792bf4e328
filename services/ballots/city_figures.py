"""What the ballots service counts for the city: polls that are over, and livelihood projects.

Of a poll nothing is counted before its voting has ended, and never more than how many could vote and did.
"""

from sqlalchemy import text

from chassis import clock
from chassis.database import ReadTx
from chassis.figures import Counts, Figures, cells
from chassis.sql import Sql
from quanyutong.ballots.v1.events_pb2 import FiguresTold
from services.ballots.project_path import OPEN

COUNTED = Sql(
    text("""
    WITH over AS (
        SELECT p.id, p.method, p.state, coalesce(a.unit, '') AS unit,
               date_trunc('month', coalesce(p.closed_at, p.voting_at, p.opened_at, p.created_at)
                   AT TIME ZONE 'Asia/Shanghai')::date AS month
        FROM poll p LEFT JOIN assembly a ON p.body = 'assemblies/' || a.id
        WHERE p.state IN ('closed', 'certified', 'announced', 'void')
    ), counted AS (
        SELECT o.month, o.unit, o.method AS facet, sum(b.electorate)::bigint AS electorate,
               sum(b.papers)::bigint AS papers, sum(b.ballots)::bigint AS ballots
        FROM over o JOIN box b ON b.poll = o.id WHERE o.state <> 'void' GROUP BY 1, 2, 3
    ), standing AS (
        SELECT p.*, make_date(p.year, 1, 1) AS month, p.state NOT IN ('candidate', 'withdrawn', 'not_adopted') AS voted,
               coalesce(a.unit, '') AS of
        FROM project p LEFT JOIN assembly a ON a.id = p.assembly
    ), late AS (
        SELECT s.month, s.of, s.level FROM standing s
        WHERE s.state = ANY(:open) AND (
            s.due_date < :today
            OR EXISTS (SELECT FROM task t WHERE t.project = s.id AND t.done_date IS NULL AND t.due_date < :today)
            OR EXISTS (SELECT FROM milestone t WHERE t.project = s.id AND t.done_date IS NULL AND t.due_date < :today))
    )
    SELECT 'POLLS' AS kind, month, unit, method || '/' || state AS facet, count(*) AS value FROM over GROUP BY 2, 3, 4
    UNION ALL SELECT 'ELECTORATE', month, unit, facet, electorate FROM counted
    UNION ALL SELECT 'PAPERS', month, unit, facet, papers FROM counted
    UNION ALL SELECT 'BALLOTS', month, unit, facet, ballots FROM counted
    UNION ALL SELECT 'PROJECTS_ADOPTED',
        date_trunc('month', p.announced_at AT TIME ZONE 'Asia/Shanghai')::date, s.of, s.level, count(*)
        FROM standing s JOIN poll p ON s.poll = 'polls/' || p.id
        WHERE s.voted AND p.announced_at IS NOT NULL GROUP BY 2, 3, 4
    UNION ALL SELECT 'PROJECTS', month, of, level || '/' || state, count(*) FROM standing GROUP BY 2, 3, 4
    UNION ALL SELECT 'PROJECTS_LATE', month, of, level, count(*) FROM late GROUP BY 2, 3, 4
    UNION ALL SELECT 'BUDGET_FEN', month, of, level, sum(budget_fen)::bigint FROM standing WHERE voted GROUP BY 2, 3, 4
    UNION ALL SELECT 'SPENT_FEN', month, of, level, sum(spent_fen)::bigint FROM standing WHERE voted GROUP BY 2, 3, 4
    """)
)


async def count(tx: ReadTx) -> Counts:
    return await cells(tx, COUNTED, today=clock.today(), open=sorted(OPEN))


FIGURES = Figures(FiguresTold, count)
