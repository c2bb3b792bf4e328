"""How a proposal is handled: assigned, answered to every signatory, and judged by each of them."""

from datetime import date
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import bindparam, delete, insert, select, update

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import identifier, number, timestamp, word
from quanyutong.feedback.v1 import opinions_pb2
from quanyutong.feedback.v1 import proposal_steps_pb2 as steps_pb
from quanyutong.feedback.v1 import proposals_pb2 as pb
from services.feedback import proposal_path as path
from services.feedback.deadlines import Deadline, deadline
from services.feedback.domain import Refused
from services.feedback.handling_path import check_in_time, check_undertakers
from services.feedback.persons import acting_by
from services.feedback.proposal_message import ANSWERS, JUDGEMENTS, UNDERTAKERS, proposal_message, sight
from services.feedback.proposal_steps import load_for, load_proposal, take
from services.feedback.tables import proposal_answer, proposal_judgement, proposal_step, proposal_undertaker

Context = grpc.aio.ServicerContext[Any, Any]
Proposal = pb.DelegateProposal
NAME = Sql(insert(proposal_undertaker), columns=("proposal", "display_name", "lead", "co_due_date"))
FORGET = Sql(delete(proposal_undertaker).where(proposal_undertaker.c.proposal == bindparam("key")))
CO_ANSWER = Sql(
    update(proposal_undertaker)
    .where(
        proposal_undertaker.c.proposal == bindparam("key"),
        proposal_undertaker.c.display_name == bindparam("undertaker"),
        ~proposal_undertaker.c.lead,
    )
    .values(co_answer=bindparam("content"))
    .returning(proposal_undertaker)
)
ANSWER = Sql(insert(proposal_answer), columns=("proposal", "undertaker", "content", "outcome", "on_time"))
JUDGE = Sql(insert(proposal_judgement), columns=("answer", "mandate", "judgement", "reason"))


class ProposalHandling:
    _database: Database

    async def AssignProposal(self, request: pb.AssignProposalRequest, _: Context) -> Proposal:
        check_undertakers([(each.display_name, each.lead) for each in request.undertakers])
        async with self._database.write() as tx:
            row = await load_for(tx, request, "assign")
            answer, helped = await deadline(tx, "proposal_answer"), await deadline(tx, "proposal_co_answer")
            names = "、".join(each.display_name for each in request.undertakers)
            times = {"assign_date": clock.today(), "extended": False, "reason": "", **_until(row, answer, helped)}
            saved = await take(tx, row, "assign", names, **times)
            await tx.execute(FORGET, key=row.id)
            await tx.each(NAME, [_named(row, each, helped.day) for each in request.undertakers])
            return await _replied(tx, saved)

    async def ReturnProposal(self, request: pb.ReturnProposalRequest, _: Context) -> Proposal:
        async with self._database.write() as tx:
            row = await load_for(tx, request, "return")
            end = await deadline(tx, "proposal_returned", row.assign_date)
            check_in_time("return", end.day, clock.today(), end.version)
            saved = await take(tx, row, "return", request.reason, reason=request.reason, due_date=None)
            await tx.execute(FORGET, key=row.id)
            return await _replied(tx, saved)

    async def ExtendProposal(self, request: pb.ExtendProposalRequest, _: Context) -> Proposal:
        async with self._database.write() as tx:
            row = await load_for(tx, request, "extend")
            path.check_extension(row.due_date, extended=row.extended)
            end = await deadline(tx, "proposal_answer_extended", row.assign_date)
            note = f"{request.reason}（{request.consent}）"
            changes = {"extended": True, "reason": request.reason, **_until(row, end)}
            return await _replied(tx, await take(tx, row, "extend", note, **changes))

    async def SuperviseProposal(self, request: pb.SuperviseProposalRequest, _: Context) -> Proposal:
        async with self._database.write() as tx:
            row = await load_for(tx, request, "supervise")
            return await _replied(
                tx, await take(tx, row, "supervise", request.supervisor, supervisor=request.supervisor)
            )

    async def CoAnswerProposal(self, request: pb.CoAnswerProposalRequest, _: Context) -> Proposal:
        async with self._database.write() as tx:
            row = await load_for(tx, request, "co_answer")
            if await tx.first(CO_ANSWER, key=row.id, undertaker=request.undertaker, content=request.content) is None:
                raise Refused("UNDERTAKERS_REFUSED")
            return await _replied(tx, await take(tx, row, "co_answer", request.undertaker))

    async def AnswerProposal(self, request: pb.AnswerProposalRequest, _: Context) -> Proposal:
        async with self._database.write() as tx:
            row = await load_for(tx, request, "answer")
            lead = (await tx.all(UNDERTAKERS, keys=[row.id]))[0].display_name
            facts = {"content": request.content, "outcome": word(pb.OutcomeClass, request.outcome)}
            await tx.execute(ANSWER, proposal=row.id, undertaker=lead, on_time=clock.today() <= row.due_date, **facts)
            return await _replied(tx, await take(tx, row, "answer", lead, reason=""))

    async def JudgeProposal(self, request: pb.JudgeProposalRequest, _: Context) -> Proposal:
        async with self._database.write() as tx:
            row = await load_for(tx, request, "judge")
            mandate = await acting_by(tx, request.mandate)
            assert mandate is not None  # noqa: S101 - a field rule demands it
            grade = word(opinions_pb2.Judgement, request.judgement)
            verb = await _judged(tx, row, mandate, grade, request.reason)
            changes: dict[str, Any] = {}
            if verb == "reject":
                again = _until(row, await deadline(tx, "proposal_answer_again"))
                changes = {**again, "reason": request.reason, "reopenings": row.reopenings + 1}
            return await _replied(tx, await take(tx, row, verb, request.reason, **changes))

    async def ListProposalSteps(
        self, request: steps_pb.ListProposalStepsRequest, _: Context
    ) -> steps_pb.ListProposalStepsResponse:
        async with self._database.read() as tx:
            row = await load_proposal(tx, request.parent)
            answered = (await sight(tx))(row)[1]
            statement = select(proposal_step).where(proposal_step.c.proposal == row.id)
            rows, token = await page(tx, request, statement, (proposal_step.c.id, identifier))
        steps = [_step(each, answered=answered) for each in rows]
        return steps_pb.ListProposalStepsResponse(steps=steps, next_page_token=token)


async def _judged(tx: WriteTx, row: Row, mandate: UUID, grade: str, reason: str) -> str:
    """Enters how a signatory judges the last answer; the step that follows from all that were entered."""
    answer = (await tx.all(ANSWERS, keys=[row.id]))[-1]
    judged = {each.mandate: each.judgement for each in await tx.all(JUDGEMENTS, keys=[answer.id])}
    path.check_signatory(mandate, row.mandates, judged)
    await tx.execute(JUDGE, answer=answer.id, mandate=mandate, judgement=grade, reason=reason)
    return path.step_of({**judged, mandate: grade}, row.mandates)


def _until(row: Row, *ends: Deadline) -> dict[str, Any]:
    """A new last day, which is that of the first deadline: nobody was warned of it, and it is not overdue. With it the
    rules that were followed.
    """
    further = [end.version for end in ends if end.version not in row.rule_versions]
    times = {"due_date": ends[0].day, "warned_at": None, "escalated_at": None}
    return {**times, "rule_versions": [*row.rule_versions, *further]}


def _named(row: Row, given: opinions_pb2.Undertaker, helped: date) -> dict[str, Any]:
    due = None if given.lead else helped
    return {"proposal": row.id, "display_name": given.display_name, "lead": given.lead, "co_due_date": due}


def _step(row: Row, *, answered: bool) -> steps_pb.ProposalStep:
    return steps_pb.ProposalStep(
        verb=row.verb,
        state=number(pb.ProposalState, row.state),
        subject=row.subject,
        note=row.note if answered else "",
        time=timestamp(row.at),
    )


async def _replied(tx: WriteTx, row: Row) -> Proposal:
    return tx.reply(await proposal_message(tx, row))
