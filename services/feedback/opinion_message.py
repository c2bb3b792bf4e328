"""An opinion as callers see it, with its undertakers and answers; of many at once as of one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, func, or_, select

from chassis import clock
from chassis.database import ReadTx, Row
from chassis.sql import Sql
from chassis.wire import date_message, etag, number, timestamp
from quanyutong.feedback.v1 import opinions_pb2 as pb
from services.feedback.attachments import shown
from services.feedback.deadlines import DAY
from services.feedback.handling_path import OPEN
from services.feedback.handling_steps import opinion_name
from services.feedback.tables import opinion, opinion_answer, opinion_judgement, opinion_undertaker

KEYS = bindparam("keys", type_=ARRAY(Uuid))
UNDERTAKERS = Sql(
    select(opinion_undertaker)
    .where(opinion_undertaker.c.opinion == any_(KEYS))
    .order_by(opinion_undertaker.c.lead.desc(), opinion_undertaker.c.display_name)
)
ANSWERS = Sql(select(opinion_answer).where(opinion_answer.c.opinion == any_(KEYS)).order_by(opinion_answer.c.id))
JUDGEMENTS = Sql(
    select(opinion_judgement)
    .where(opinion_judgement.c.answer == any_(KEYS))
    .order_by(opinion_judgement.c.created_at, opinion_judgement.c.opinion)
)
MERGED = Sql(
    select(opinion.c.merged_into, func.count().label("merged"))
    .where(opinion.c.merged_into == any_(KEYS))
    .group_by(opinion.c.merged_into)
)


async def opinion_message(tx: ReadTx, row: Row, asker: UUID | None = None) -> pb.Opinion:
    """As the asker of another opinion sees it, where it stands for that."""
    return (await opinion_messages(tx, [row], asker))[0]


async def opinion_messages(tx: ReadTx, rows: Sequence[Row], asker: UUID | None = None) -> list[pb.Opinion]:
    keys = [row.id for row in rows]
    undertakers = await tx.grouped(UNDERTAKERS, "opinion", keys=keys)
    answers = await tx.grouped(ANSWERS, "opinion", keys=keys)
    judgements = await tx.grouped(JUDGEMENTS, "answer", keys=[each.id for some in answers.values() for each in some])
    merged = {each.merged_into: each.merged for each in await tx.all(MERGED, keys=keys)}
    messages = []
    for row in rows:
        message = _message(row, undertakers[row.id], merged.get(row.id, 0))
        message.answers.extend(answer_message(each, judgements[each.id], asker or row.id) for each in answers[row.id])
        messages.append(message)
    return messages


async def undertakers_of(tx: ReadTx, key: UUID) -> list[str]:
    """Their names, the one that leads first."""
    return [each.display_name for each in await tx.all(UNDERTAKERS, keys=[key])]


def late(today: date) -> ColumnElement[bool]:
    """That the time for what is to be done next is over, in a statement; `is_late` is the same of a row."""
    unacknowledged = and_(opinion.c.state == "received", opinion.c.acknowledge_due < func.now())
    return or_(unacknowledged, and_(opinion.c.state.in_(OPEN), opinion.c.due_date < today))


def due(by: date) -> ColumnElement[bool]:
    """That something is to be done by a day, or was to be done before."""
    unacknowledged = and_(opinion.c.state == "received", opinion.c.acknowledge_due < clock.beginning(by + DAY))
    return or_(unacknowledged, and_(opinion.c.state.in_(OPEN), opinion.c.due_date <= by))


def is_late(row: Row, today: date) -> bool:
    if row.state == "received":
        return bool(row.acknowledge_due < datetime.now(UTC))
    return row.state in OPEN and row.due_date is not None and row.due_date < today


def _message(row: Row, undertakers: Sequence[Row], merged: int) -> pb.Opinion:
    return pb.Opinion(
        name=opinion_name(row.id),
        **_said(row),
        **_times(row),
        contact_given=row.contact is not None,
        state=number(pb.OpinionState, row.state),
        undertakers=[pb.Undertaker(display_name=each.display_name, lead=each.lead) for each in undertakers],
        reason=row.reason,
        reopenings=row.reopenings,
        rule_versions=row.rule_versions,
        etag=etag(row.revision),
        support=0 if row.merged_into else 1 + merged,
        merged_into=opinion_name(row.merged_into) if row.merged_into else "",
    )


def _said(row: Row) -> dict[str, Any]:
    """What was said, and where it came in."""
    return {
        "channel": number(pb.OpinionChannel, row.channel),
        "category": number(pb.OpinionCategory, row.category),
        "content": row.content,
        "unit": f"units/{row.unit}" if row.unit else "",
        "place": row.place,
        "receive_date": date_message(row.receive_date),
        "station": f"stations/{row.station}" if row.station else "",
        "mandate": f"mandates/{row.mandate}" if row.mandate else "",
        "reception": f"receptions/{row.reception}" if row.reception else "",
        "attachments": shown(row.attachments),
    }


def _times(row: Row) -> dict[str, Any]:
    return {
        "acknowledge_due_time": timestamp(row.acknowledge_due),
        "due_date": date_message(None if row.merged_into else row.due_date),
        "overdue": is_late(row, clock.today()),
        "paused": row.paused_left is not None,
        "escalate_time": timestamp(row.escalated_at) if row.escalated_at else None,
        "create_time": timestamp(row.created_at),
    }


def answer_message(row: Row, judgements: Sequence[Row], asker: UUID) -> pb.OpinionAnswer:
    """As the asker of an opinion sees it, and what staff see besides: how all judged it."""
    own = next((each.judgement for each in judgements if each.opinion == asker), "")
    return pb.OpinionAnswer(
        undertaker=row.undertaker,
        content=row.content,
        create_time=timestamp(row.created_at),
        judgement=number(pb.Judgement, own),
        judgements=map(_judgement, judgements),
    )


def _judgement(row: Row) -> pb.AskerJudgement:
    grade = number(pb.Judgement, row.judgement)
    return pb.AskerJudgement(opinion=opinion_name(row.opinion), judgement=grade, reason=row.reason)
