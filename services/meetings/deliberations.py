"""Deliberation opinions (审议意见): collected, merged, handed over, answered, judged and closed."""

from typing import Any

import grpc
from dateutil.relativedelta import relativedelta
from sqlalchemy import bindparam, insert, select

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.pagination import page
from chassis.rules import DurationRule
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, identifier, number, timestamp, word
from quanyutong.meetings.v1 import agenda_pb2, events_pb2
from quanyutong.meetings.v1 import deliberation_pb2 as pb
from services.meetings import domain
from services.meetings.agenda import item_name, load_item
from services.meetings.domain import Refused
from services.meetings.meetings import load_meeting, meeting_name
from services.meetings.opinion_path import OWED, check_together, is_overdue, next_state, verb_of
from services.meetings.rules import rule_on
from services.meetings.tables import deliberation_opinion as opinion

Context = grpc.aio.ServicerContext[Any, Any]
BY_ID = select(opinion).where(opinion.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
ENTER = Sql(insert(opinion).returning(opinion), columns=("meeting", "item", "content"))
ANSWER_RULE = "congress.deliberation_answer"


class Deliberations:
    _database: Database

    async def CollectDeliberationOpinion(
        self, request: pb.CollectDeliberationOpinionRequest, _: Context
    ) -> pb.DeliberationOpinion:
        given = request.deliberation_opinion
        async with self._database.write() as tx:
            item = await load_item(tx, given.agenda_item)
            meeting = await load_meeting(tx, meeting_name(item.meeting), lock=True)
            domain.check_phase(meeting.phase, ("convened", "summary"))
            return tx.reply(_message(await tx.one(ENTER, meeting=meeting.id, item=item.id, content=given.content)))

    async def GetDeliberationOpinion(
        self, request: pb.GetDeliberationOpinionRequest, _: Context
    ) -> pb.DeliberationOpinion:
        async with self._database.read() as tx:
            return _message(await _load(tx, request.name))

    async def ListDeliberationOpinions(
        self, request: pb.ListDeliberationOpinionsRequest, _: Context
    ) -> pb.ListDeliberationOpinionsResponse:
        statement = select(opinion)
        if request.meeting:
            statement = statement.where(opinion.c.meeting == identifier(request.meeting))
        if request.state:
            statement = statement.where(opinion.c.state == word(pb.OpinionState, request.state))
        if request.undertaker:
            statement = statement.where(opinion.c.undertaker == request.undertaker)
        if request.overdue:
            statement = statement.where(opinion.c.due_date < clock.today(), opinion.c.state.in_(sorted(OWED)))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (opinion.c.id, identifier))
        return pb.ListDeliberationOpinionsResponse(deliberation_opinions=map(_message, rows), next_page_token=token)

    async def MergeDeliberationOpinion(
        self, request: pb.MergeDeliberationOpinionRequest, _: Context
    ) -> pb.DeliberationOpinion:
        async with self._database.write() as tx:
            # Locked in one order, whichever of the two goes.
            one, other = [await _load(tx, name, LOCK) for name in sorted((request.name, request.into))]
            row, into = (one, other) if opinion_name(one.id) == request.name else (other, one)
            check_etag(request.etag, row.revision)
            check_together(row.id, into.id, row.meeting, into.meeting)
            next_state("merge", into.state)  # what others go into is still collected itself
            return tx.reply(_message(await _step(tx, row, "merge", merged_into=into.id)))

    async def HandDeliberationOpinion(
        self, request: pb.HandDeliberationOpinionRequest, _: Context
    ) -> pb.DeliberationOpinion:
        today = clock.today()
        async with self._database.write() as tx:
            row = await _load_for(tx, request)
            rule = await rule_on(tx, today, ANSWER_RULE, DurationRule)
            due = today + relativedelta(months=rule.value.length)
            saved = await _step(tx, row, "hand", undertaker=request.undertaker, due_date=due, rule_version=rule.version)
            tx.publish(events_pb2.DeliberationOpinionHanded(**_names(saved), due_date=date_message(due)), request.name)
            return tx.reply(_message(saved))

    async def AnswerDeliberationOpinion(
        self, request: pb.AnswerDeliberationOpinionRequest, _: Context
    ) -> pb.DeliberationOpinion:
        async with self._database.write() as tx:
            saved = await _step(tx, await _load_for(tx, request), "answer", answer=request.answer, judgement="")
            tx.publish(events_pb2.DeliberationOpinionAnswered(**_names(saved)), request.name)
            return tx.reply(_message(saved))

    async def JudgeDeliberationOpinion(
        self, request: pb.JudgeDeliberationOpinionRequest, _: Context
    ) -> pb.DeliberationOpinion:
        judgement = word(agenda_pb2.Satisfaction, request.judgement)
        async with self._database.write() as tx:
            row = await _load_for(tx, request)
            return tx.reply(_message(await _step(tx, row, verb_of(judgement), judgement=judgement)))

    async def CloseDeliberationOpinion(
        self, request: pb.CloseDeliberationOpinionRequest, _: Context
    ) -> pb.DeliberationOpinion:
        async with self._database.write() as tx:
            saved = await _step(tx, await _load_for(tx, request), "close")
            judgement = number(agenda_pb2.Satisfaction, saved.judgement)
            tx.publish(events_pb2.DeliberationOpinionClosed(**_names(saved), judgement=judgement), request.name)
            return tx.reply(_message(saved))


async def _load(tx: ReadTx, name: str, how: Sql = READ) -> Row:
    row = await tx.first(how, key=identifier(name))
    if row is None:
        raise Refused("DELIBERATION_OPINION_NOT_FOUND", opinion=name)
    return row


async def _load_for(tx: WriteTx, request: Any) -> Row:
    row = await _load(tx, request.name, LOCK)
    check_etag(request.etag, row.revision)
    return row


async def _step(tx: WriteTx, row: Row, verb: str, **changes: Any) -> Row:
    return await tx.change(opinion, row, state=next_state(verb, row.state), **changes)


def opinion_name(key: object) -> str:
    return f"deliberationOpinions/{key}"


def _names(row: Row) -> dict[str, Any]:
    return {"opinion": opinion_name(row.id), "meeting": meeting_name(row.meeting)}


def _message(row: Row) -> pb.DeliberationOpinion:
    return pb.DeliberationOpinion(
        name=opinion_name(row.id),
        agenda_item=item_name(row.item),
        content=row.content,
        meeting=meeting_name(row.meeting),
        state=number(pb.OpinionState, row.state),
        merged_into=opinion_name(row.merged_into) if row.merged_into else "",
        undertaker=row.undertaker,
        due_date=date_message(row.due_date),
        rule_version=row.rule_version,
        overdue=is_overdue(row.state, row.due_date, clock.today()),
        answer=row.answer,
        judgement=number(agenda_pb2.Satisfaction, row.judgement),
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
