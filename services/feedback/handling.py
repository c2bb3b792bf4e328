"""Handling (办理): an opinion goes from its acknowledgement to an answer, which is judged."""

from datetime import date
from typing import Any

import grpc
from sqlalchemy import bindparam, delete, insert, or_, select

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.errors import Refusal
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, identifier, number, read_date, timestamp, word
from quanyutong.feedback.v1 import handling_pb2 as pb
from quanyutong.feedback.v1 import opinions_pb2
from services.feedback import handling_path as path
from services.feedback.deadlines import deadline, due_by, resumed, working_days_left
from services.feedback.domain import Refused
from services.feedback.handling_steps import LOCK, load_for, load_opinion, opinion_name, take
from services.feedback.opinion_message import ANSWERS, JUDGEMENTS, opinion_message, undertakers_of
from services.feedback.persons import acting_by
from services.feedback.routing import routed_to
from services.feedback.tables import opinion, opinion_answer, opinion_judgement, opinion_step, opinion_undertaker

Context = grpc.aio.ServicerContext[Any, Any]
Opinion = opinions_pb2.Opinion
NAME = Sql(insert(opinion_undertaker), columns=("opinion", "display_name", "lead"))
FORGET = Sql(delete(opinion_undertaker).where(opinion_undertaker.c.opinion == bindparam("key")))
ANSWER = Sql(insert(opinion_answer), columns=("opinion", "undertaker", "content"))
JUDGE = Sql(insert(opinion_judgement), columns=("answer", "opinion", "judgement", "reason"))
ASKERS = Sql(
    select(opinion.c.id).where(or_(opinion.c.id == bindparam("key"), opinion.c.merged_into == bindparam("key")))
)
ROUTED = Sql(
    select(opinion_step.c.at)
    .where(opinion_step.c.opinion == bindparam("key"), opinion_step.c.verb == "route")
    .order_by(opinion_step.c.id.desc())
    .limit(1)
)
NO_TIME: dict[str, Any] = {"due_date": None, "warned_at": None}


class Handling:
    _database: Database

    async def AcknowledgeOpinion(self, request: pb.AcknowledgeOpinionRequest, _: Context) -> Opinion:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            end = await deadline(tx, "opinion_answer")
            return await _replied(tx, await take(tx, row, "acknowledge", **due_by(row, end)))

    async def DismissOpinion(self, request: pb.DismissOpinionRequest, _: Context) -> Opinion:
        return await self._reasoned("dismiss", request, **NO_TIME)

    async def RouteOpinion(self, request: pb.RouteOpinionRequest, _: Context) -> Opinion:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            given = [(each.display_name, each.lead) for each in request.undertakers]
            undertakers = given or await routed_to(tx, row)
            path.check_undertakers(undertakers)
            saved = await take(tx, row, "route", note="、".join(name for name, _ in undertakers), reason="")
            await tx.execute(FORGET, key=row.id)
            await tx.each(NAME, [{"opinion": row.id, "display_name": n, "lead": lead} for n, lead in undertakers])
            return await _replied(tx, saved)

    async def ReturnOpinion(self, request: pb.ReturnOpinionRequest, _: Context) -> Opinion:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            path.next_state("return", row.state, paused=row.paused_left is not None)
            routed = (await tx.one(ROUTED, key=row.id)).at.astimezone(clock.SHANGHAI).date()
            end = await deadline(tx, "opinion_returned", routed)
            path.check_in_time("return", end.day, clock.today(), end.version)
            saved = await take(tx, row, "return", note=request.reason, reason=request.reason)
            await tx.execute(FORGET, key=row.id)
            return await _replied(tx, saved)

    async def StartOpinion(self, request: pb.StartOpinionRequest, _: Context) -> Opinion:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            # What was put off had a day to be looked at again, and has one to be answered by from now on.
            times = await _begun_anew(tx, row, "opinion_answer") if row.state == "deferred" else {}
            return await _replied(tx, await take(tx, row, "start", reason="", **times))

    async def DeferOpinion(self, request: pb.DeferOpinionRequest, _: Context) -> Opinion:
        day = _day(request)
        path.check_later(day, clock.today())
        return await self._reasoned("defer", request, due_date=day, warned_at=None)

    async def PauseOpinion(self, request: pb.PauseOpinionRequest, _: Context) -> Opinion:
        today = clock.today()
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            path.next_state("pause", row.state, paused=row.paused_left is not None)
            path.check_in_time("pause", row.due_date, today, row.rule_versions[-1])
            note = f"{request.reason}（{request.consent}）"
            left = {**NO_TIME, "paused_left": working_days_left(today, row.due_date)}
            return await _replied(tx, await take(tx, row, "pause", note=note, reason=request.reason, **left))

    async def ResumeOpinion(self, request: pb.ResumeOpinionRequest, _: Context) -> Opinion:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            path.next_state("resume", row.state, paused=row.paused_left is not None)
            times: dict[str, Any] = {"due_date": resumed(clock.today(), row.paused_left), "paused_left": None}
            return await _replied(tx, await take(tx, row, "resume", reason="", **times))

    async def AnswerOpinion(self, request: pb.AnswerOpinionRequest, _: Context) -> Opinion:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            path.next_state("answer", row.state, paused=row.paused_left is not None)
            answerer = path.check_answerer(request.undertaker, await undertakers_of(tx, row.id))
            end = await deadline(tx, "opinion_judged")
            saved = await take(tx, row, "answer", note=answerer, reason="", **due_by(row, end))
            await tx.execute(ANSWER, opinion=row.id, undertaker=answerer, content=request.content)
            return await _replied(tx, saved)

    async def JudgeOpinion(self, request: pb.JudgeOpinionRequest, _: Context) -> Opinion:
        async with self._database.write() as tx:
            row = await load_opinion(tx, request.name)
            check_etag(request.etag, row.revision)
            await acting_by(tx, f"mandates/{row.mandate}" if row.mandate else "")
            await judge(tx, row, word(opinions_pb2.Judgement, request.judgement), request.reason)
            return await _replied(tx, await load_opinion(tx, request.name))

    async def CloseOpinion(self, request: pb.CloseOpinionRequest, _: Context) -> Opinion:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            path.next_state("close", row.state)
            path.check_silent(row.due_date, clock.today())
            return await _replied(tx, await take(tx, row, "close", **NO_TIME))

    async def ListOpinionSteps(self, request: pb.ListOpinionStepsRequest, _: Context) -> pb.ListOpinionStepsResponse:
        async with self._database.read() as tx:
            row = await load_opinion(tx, request.parent)
            statement = select(opinion_step).where(opinion_step.c.opinion == row.id)
            rows, token = await page(tx, request, statement, (opinion_step.c.id, identifier))
        return pb.ListOpinionStepsResponse(steps=map(_step, rows), next_page_token=token)

    async def _reasoned(self, verb: str, request: Any, **changes: Any) -> Opinion:
        """A step that is a reason and no more."""
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            return await _replied(tx, await take(tx, row, verb, note=request.reason, reason=request.reason, **changes))


async def judge(tx: WriteTx, asker: Row, grade: str, reason: str) -> None:
    """An asker judges the last answer, to the own opinion or to the one that stands for it: that is done, or handled
    again within the rule's time. Raises Refused OPINION_STATE_REFUSED, ANSWER_JUDGED, Refusal ETAG_MISMATCH.
    """
    row = await load_opinion(tx, opinion_name(asker.merged_into or asker.id), LOCK)
    path.next_state("judge", row.state)
    askers = [each.id for each in await tx.all(ASKERS, key=row.id)]
    if asker.id not in askers:  # it was merged, or stood by itself again, at the same moment
        raise Refusal("ETAG_MISMATCH")
    answer = (await tx.all(ANSWERS, keys=[row.id]))[-1].id
    judged = {each.opinion: each.judgement for each in await tx.all(JUDGEMENTS, keys=[answer])}
    if asker.id in judged:
        raise Refused("ANSWER_JUDGED")
    await tx.execute(JUDGE, answer=answer, opinion=asker.id, judgement=grade, reason=reason)
    verb = path.judged({**judged, asker.id: grade}, askers)
    changes: dict[str, Any] = {} if verb == "judge" else {"reason": reason, **NO_TIME}
    if verb == "reject":
        changes |= {**await _begun_anew(tx, row, "opinion_answer_again"), "reopenings": row.reopenings + 1}
    await take(tx, row, verb, note=reason, **changes)


async def _begun_anew(tx: WriteTx, row: Row, rule: str) -> dict[str, Any]:
    """Another time to answer, which can be overdue again."""
    return {**due_by(row, await deadline(tx, rule)), "escalated_at": None}


def _day(request: pb.DeferOpinionRequest) -> date:
    day = read_date(request, "review_date")
    assert day is not None  # noqa: S101 - a field rule demands it
    return day


async def _replied(tx: WriteTx, row: Row) -> Opinion:
    return tx.reply(await opinion_message(tx, row))


def _step(row: Row) -> pb.OpinionStep:
    return pb.OpinionStep(
        verb=row.verb,
        state=number(opinions_pb2.OpinionState, row.state),
        subject=row.subject,
        note=row.note,
        time=timestamp(row.at),
    )
