"""The comprehensive evaluation (综合评价) of an undertaker: numbers with their parts, of the proposals that it led."""

from typing import Any

import grpc
from sqlalchemy import text

from chassis import clock
from chassis.database import Database
from chassis.sql import Sql
from chassis.wire import read_date
from quanyutong.feedback.v1 import proposals_pb2 as pb

Context = grpc.aio.ServicerContext[Any, Any]
# First answers are what the time of a proposal is for; the last one says what came of it. Overdue without an answer is
# late as well.
COUNTED = Sql(
    text("""
    WITH led AS (
        SELECT p.id, p.due_date, p.reopenings FROM proposal p
        JOIN proposal_undertaker u ON u.proposal = p.id AND u.lead
        WHERE u.display_name = :undertaker AND p.assign_date >= :first AND p.assign_date < :last
    ), answers AS (
        SELECT a.*, row_number() OVER (PARTITION BY a.proposal ORDER BY a.id) AS ordinal,
               row_number() OVER (PARTITION BY a.proposal ORDER BY a.id DESC) AS from_last
        FROM proposal_answer a JOIN led ON led.id = a.proposal
    ), judged AS (
        SELECT j.judgement FROM proposal_judgement j JOIN answers ON answers.id = j.answer
    )
    SELECT
        (SELECT count(*) FROM led) AS assigned,
        (SELECT count(*) FROM answers WHERE ordinal = 1 AND on_time) AS on_time,
        (SELECT count(*) FROM answers WHERE ordinal = 1) + (
            SELECT count(*) FROM led
            WHERE due_date < :today AND NOT EXISTS (SELECT FROM answers WHERE answers.proposal = led.id)) AS due,
        (SELECT count(*) FROM judged WHERE judgement <> 'dissatisfied') AS satisfied,
        (SELECT count(*) FROM judged) AS judged,
        (SELECT count(*) FROM answers WHERE from_last = 1 AND outcome = 'a') AS class_a,
        (SELECT count(*) FROM answers WHERE from_last = 1) AS answered,
        (SELECT count(*) FROM led WHERE reopenings > 1) AS again,
        (SELECT count(*) FROM led WHERE reopenings > 0) AS dissatisfied
    """)
)


class Evaluating:
    _database: Database

    async def EvaluateUndertaker(self, request: pb.EvaluateUndertakerRequest, _: Context) -> pb.UndertakerEvaluation:
        days = {"first": read_date(request, "from_date"), "last": read_date(request, "to_date")}
        async with self._database.read() as tx:
            found = await tx.one(COUNTED, undertaker=request.undertaker, today=clock.today(), **days)
        return pb.UndertakerEvaluation(
            undertaker=request.undertaker,
            assigned=found.assigned,
            on_time=pb.Share(part=found.on_time, whole=found.due),
            satisfaction=pb.Share(part=found.satisfied, whole=found.judged),
            class_a=pb.Share(part=found.class_a, whole=found.answered),
            dissatisfied_again=pb.Share(part=found.again, whole=found.dissatisfied),
        )
