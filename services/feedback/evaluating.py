"""The comprehensive evaluation (综合评价) of an undertaker: numbers with their parts, of the proposals that it led."""

from collections import Counter
from datetime import date
from typing import Any

import grpc
from sqlalchemy import text

from chassis import clock
from chassis.database import Database, ReadTx
from chassis.figures import Cell
from chassis.sql import Sql
from chassis.wire import read_date
from quanyutong.feedback.v1 import proposals_pb2 as pb

Context = grpc.aio.ServicerContext[Any, Any]
# First answers are what the time of a proposal is for; the last one says what came of it. Overdue without an answer is
# late as well. Of one undertaker, or of all where it is empty.
PARTS = Sql(
    text("""
    WITH led AS (
        SELECT p.id, u.display_name AS undertaker, date_trunc('month', p.assign_date)::date AS month, p.due_date,
               p.reopenings
        FROM proposal p JOIN proposal_undertaker u ON u.proposal = p.id AND u.lead
        WHERE p.assign_date >= :first AND p.assign_date < :last
        AND CAST(:undertaker AS text) IN ('', u.display_name)
    ), answers AS (
        SELECT a.*, led.undertaker AS of, led.month,
               row_number() OVER (PARTITION BY a.proposal ORDER BY a.id) AS ordinal,
               row_number() OVER (PARTITION BY a.proposal ORDER BY a.id DESC) AS from_last
        FROM proposal_answer a JOIN led ON led.id = a.proposal
    ), unanswered AS (
        SELECT undertaker, month FROM led
        WHERE due_date < :today AND NOT EXISTS (SELECT FROM answers WHERE answers.proposal = led.id)
    ), judged AS (
        SELECT answers.of, answers.month, j.judgement FROM proposal_judgement j JOIN answers ON answers.id = j.answer
    ), part AS (
        SELECT undertaker, month, 'assigned' AS part FROM led
        UNION ALL SELECT of, month, 'due' FROM answers WHERE ordinal = 1
        UNION ALL SELECT undertaker, month, 'due' FROM unanswered
        UNION ALL SELECT of, month, 'on_time' FROM answers WHERE ordinal = 1 AND on_time
        UNION ALL SELECT of, month, 'judged' FROM judged
        UNION ALL SELECT of, month, 'satisfied' FROM judged WHERE judgement <> 'dissatisfied'
        UNION ALL SELECT of, month, 'answered' FROM answers WHERE from_last = 1
        UNION ALL SELECT of, month, 'class_a' FROM answers WHERE from_last = 1 AND outcome = 'a'
        UNION ALL SELECT undertaker, month, 'dissatisfied' FROM led WHERE reopenings > 0
        UNION ALL SELECT undertaker, month, 'dissatisfied_again' FROM led WHERE reopenings > 1
    )
    SELECT undertaker, month, part, count(*) AS value FROM part GROUP BY undertaker, month, part
    """)
)


class Evaluating:
    _database: Database

    async def EvaluateUndertaker(self, request: pb.EvaluateUndertakerRequest, _: Context) -> pb.UndertakerEvaluation:
        days = {"first": read_date(request, "from_date"), "last": read_date(request, "to_date")}
        async with self._database.read() as tx:
            rows = await tx.all(PARTS, undertaker=request.undertaker, today=clock.today(), **days)
        found = Counter[str]()
        for row in rows:
            found[row.part] += row.value
        return pb.UndertakerEvaluation(
            undertaker=request.undertaker,
            assigned=found["assigned"],
            on_time=pb.Share(part=found["on_time"], whole=found["due"]),
            satisfaction=pb.Share(part=found["satisfied"], whole=found["judged"]),
            class_a=pb.Share(part=found["class_a"], whole=found["answered"]),
            dissatisfied_again=pb.Share(part=found["dissatisfied_again"], whole=found["dissatisfied"]),
        )


async def evaluations(tx: ReadTx, today: date) -> dict[Cell, int]:
    """The parts of all undertakers' evaluations, by the month in which they were assigned."""
    rows = await tx.all(PARTS, undertaker="", first=date.min, last=date.max, today=today)
    return {Cell(row.month, "UNDERTAKER", facet=f"{row.part.upper()}/{row.undertaker}"): row.value for row in rows}
