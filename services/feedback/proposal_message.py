"""A proposal as its reader may see it, with its undertakers, answers and their judgements."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, select

from chassis import auth, clock
from chassis.database import ReadTx, Row
from chassis.sql import Sql
from chassis.wire import date_message, etag, number, timestamp
from quanyutong.feedback.v1 import opinions_pb2
from quanyutong.feedback.v1 import proposals_pb2 as pb
from services.feedback import policy
from services.feedback.deadlines import DAY
from services.feedback.persons import own_mandates
from services.feedback.proposal_path import AWAITED, shows
from services.feedback.proposal_steps import proposal_name
from services.feedback.tables import proposal, proposal_answer, proposal_judgement, proposal_undertaker

KEYS = bindparam("keys", type_=ARRAY(Uuid))
UNDERTAKERS = Sql(
    select(proposal_undertaker)
    .where(proposal_undertaker.c.proposal == any_(KEYS))
    .order_by(proposal_undertaker.c.lead.desc(), proposal_undertaker.c.display_name)
)
ANSWERS = Sql(select(proposal_answer).where(proposal_answer.c.proposal == any_(KEYS)).order_by(proposal_answer.c.id))
JUDGEMENTS = Sql(
    select(proposal_judgement)
    .where(proposal_judgement.c.answer == any_(KEYS))
    .order_by(proposal_judgement.c.created_at, proposal_judgement.c.mandate)
)


async def proposal_message(tx: ReadTx, row: Row) -> pb.DelegateProposal:
    return (await proposal_messages(tx, [row]))[0]


async def proposal_messages(tx: ReadTx, rows: Sequence[Row]) -> list[pb.DelegateProposal]:
    keys = [row.id for row in rows]
    undertakers = await tx.grouped(UNDERTAKERS, "proposal", keys=keys)
    answers = await tx.grouped(ANSWERS, "proposal", keys=keys)
    judgements = await tx.grouped(JUDGEMENTS, "answer", keys=[each.id for some in answers.values() for each in some])
    seen = await sight(tx)
    messages = []
    for row in rows:
        text, answered = seen(row)
        message = _message(row)
        message.undertakers.extend(_undertaker(each, answered=answered) for each in undertakers[row.id])
        if text:
            message.content = row.content
        if answered:
            message.answers.extend(_answer(each, judgements[each.id]) for each in answers[row.id])
            message.reason = row.reason
        messages.append(message)
    return messages


async def sight(tx: ReadTx) -> Callable[[Row], tuple[bool, bool]]:
    """Whether the caller reads a proposal's text, and what was answered."""
    staff = policy.is_staff(auth.caller.get())
    own = set() if staff else await own_mandates(tx)
    return lambda row: shows(row.disclosure, inside=staff or bool(own & set(row.mandates)))


def due(by: date) -> ColumnElement[bool]:
    """That it is to be answered by a day, or was to be before."""
    return and_(proposal.c.state.in_(AWAITED), proposal.c.due_date <= by)


def late(today: date) -> ColumnElement[bool]:
    return due(today - DAY)


def _message(row: Row) -> pb.DelegateProposal:
    return pb.DelegateProposal(
        name=proposal_name(row.id),
        title=row.title,
        category=number(opinions_pb2.OpinionCategory, row.category),
        unit=f"units/{row.unit}" if row.unit else "",
        mandates=[f"mandates/{key}" for key in row.mandates],
        meeting=row.meeting,
        disclosure=number(pb.Disclosure, row.disclosure),
        number=row.number or 0,
        state=number(pb.ProposalState, row.state),
        supervisor=row.supervisor,
        extended=row.extended,
        reopenings=row.reopenings,
        rule_versions=row.rule_versions,
        etag=etag(row.revision),
        **_times(row),
    )


def _times(row: Row) -> dict[str, Any]:
    overdue = row.state in AWAITED and row.due_date < clock.today()
    return {
        "due_date": date_message(row.due_date if row.state in AWAITED else None),
        "overdue": overdue,
        "submit_date": date_message(row.submit_date),
        "escalate_time": timestamp(row.escalated_at) if row.escalated_at else None,
        "create_time": timestamp(row.created_at),
    }


def _undertaker(row: Row, *, answered: bool) -> pb.ProposalUndertaker:
    return pb.ProposalUndertaker(
        display_name=row.display_name,
        lead=row.lead,
        co_due_date=date_message(row.co_due_date),
        co_answer=row.co_answer if answered else "",
    )


def _answer(row: Row, judgements: Sequence[Row]) -> pb.ProposalAnswer:
    judged = [
        pb.SignatoryJudgement(
            mandate=f"mandates/{each.mandate}",
            judgement=number(opinions_pb2.Judgement, each.judgement),
            reason=each.reason,
        )
        for each in judgements
    ]
    return pb.ProposalAnswer(
        undertaker=row.undertaker,
        content=row.content,
        outcome=number(pb.OutcomeClass, row.outcome),
        on_time=row.on_time,
        create_time=timestamp(row.created_at),
        judgements=judged,
    )
