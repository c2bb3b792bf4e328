"""What the feedback service counts for the city: opinions and proposals, how far they are and how long it took."""

from sqlalchemy import text

from chassis import clock
from chassis.database import ReadTx
from chassis.figures import Counts, Figures, cells
from chassis.sql import Sql
from quanyutong.feedback.v1.events_pb2 import FiguresTold
from services.feedback import handling_path, proposal_path
from services.feedback.evaluating import evaluations

OPINIONS = Sql(
    text("""
    WITH said AS (
        SELECT o.*, date_trunc('month', o.receive_date)::date AS month, a.day,
               greatest(a.day - o.receive_date, 0) AS days
        FROM opinion o LEFT JOIN (
            SELECT opinion, min(created_at AT TIME ZONE 'Asia/Shanghai')::date AS day FROM opinion_answer GROUP BY 1
        ) a ON a.opinion = o.id
    )
    SELECT 'OPINIONS' AS kind, month, unit, state AS facet, count(*) AS value FROM said GROUP BY 2, 3, 4
    UNION ALL SELECT 'OPINIONS_BY_CHANNEL', month, unit, channel, count(*) FROM said GROUP BY 2, 3, 4
    UNION ALL SELECT 'OPINIONS_BY_CATEGORY', month, unit, category, count(*) FROM said GROUP BY 2, 3, 4
    UNION ALL SELECT 'OPINIONS_ANSWERED', month, unit, '', count(*) FROM said WHERE day IS NOT NULL GROUP BY 2, 3
    UNION ALL SELECT 'OPINION_ANSWER_DAYS', month, unit, '', sum(days)::bigint FROM said
        WHERE day IS NOT NULL GROUP BY 2, 3
    UNION ALL SELECT 'OPINIONS_OVERDUE', month, unit, '', count(*) FROM said
        WHERE due_date < :today AND state = ANY(:awaited) GROUP BY 2, 3
    """)
)
PROPOSALS = Sql(
    text("""
    WITH answers AS (
        SELECT proposal, outcome, (created_at AT TIME ZONE 'Asia/Shanghai')::date AS day, on_time,
               row_number() OVER (PARTITION BY proposal ORDER BY id) AS ordinal,
               row_number() OVER (PARTITION BY proposal ORDER BY id DESC) AS from_last
        FROM proposal_answer
    ), handed_in AS (
        SELECT p.*, date_trunc('month', p.submit_date)::date AS month,
               a.day, greatest(a.day - p.submit_date, 0) AS days, l.outcome
        FROM proposal p LEFT JOIN answers a ON a.proposal = p.id AND a.ordinal = 1
        LEFT JOIN answers l ON l.proposal = p.id AND l.from_last = 1
    )
    SELECT 'PROPOSALS' AS kind, month, unit, state AS facet, count(*) AS value FROM handed_in GROUP BY 2, 3, 4
    UNION ALL SELECT 'PROPOSALS_BY_CLASS', month, unit, outcome, count(*) FROM handed_in
        WHERE outcome IS NOT NULL GROUP BY 2, 3, 4
    UNION ALL SELECT 'PROPOSALS_ANSWERED', month, unit, '', count(*) FROM handed_in
        WHERE day IS NOT NULL GROUP BY 2, 3
    UNION ALL SELECT 'PROPOSAL_ANSWER_DAYS', month, unit, '', sum(days)::bigint FROM handed_in
        WHERE day IS NOT NULL GROUP BY 2, 3
    UNION ALL SELECT 'PROPOSALS_OVERDUE', month, unit, '', count(*) FROM handed_in
        WHERE due_date < :today AND state = ANY(:awaited) GROUP BY 2, 3
    """)
)


async def count(tx: ReadTx) -> Counts:
    today = clock.today()
    return {
        **await cells(tx, OPINIONS, today=today, awaited=sorted(handling_path.AWAITED)),
        **await cells(tx, PROPOSALS, today=today, awaited=sorted(proposal_path.AWAITED)),
        **await evaluations(tx, today),
    }


FIGURES = Figures(FiguresTold, count)
