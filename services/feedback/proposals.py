"""Proposals of delegates (代表建议): handed in by one or several, registered, examined, or taken back."""

from typing import Any

import grpc
from sqlalchemy import Select, any_, insert, literal, select, text

from chassis import clock
from chassis.database import Database, Row
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import date_message, identifier, read_date, word
from quanyutong.feedback.v1 import events_pb2, opinions_pb2
from quanyutong.feedback.v1 import proposals_pb2 as pb
from services.feedback.handling_path import check_day, check_unit
from services.feedback.persons import check_among
from services.feedback.proposal_message import due, late, proposal_message, proposal_messages
from services.feedback.proposal_steps import load_for, load_proposal, proposal_name, take, tell
from services.feedback.roster import check_mandates
from services.feedback.tables import proposal, proposal_undertaker

Context = grpc.aio.ServicerContext[Any, Any]
COLUMNS = ("title", "content", "category", "unit", "mandates", "meeting", "disclosure", "submit_date", "year")
ENTER = Sql(insert(proposal).returning(proposal), columns=COLUMNS)
# Two that are registered at the same moment get one number after the other.
NUMBERING = Sql(
    text("SELECT pg_advisory_xact_lock(hashtextextended('proposals ' || current_setting('app.district'), 4))")
)
NEXT = Sql(text("SELECT coalesce(max(number), 0) + 1 AS number FROM proposal WHERE year = :year"))


class Proposals:
    _database: Database

    async def CreateProposal(self, request: pb.CreateProposalRequest, _: Context) -> pb.DelegateProposal:
        given, unit = request.proposal, request.proposal.unit.removeprefix("units/")
        day = read_date(given, "submit_date", "proposal.submit_date") or clock.today()
        check_day(day, clock.today())
        async with self._database.write() as tx:
            check_unit(unit, tx.district)
            mandates = await check_mandates(tx, list(given.mandates))
            await check_among(tx, mandates)
            when = {"submit_date": day, "year": day.year}
            row = await tx.one(ENTER, **_written(given), **when, unit=unit, mandates=mandates)
            await tell(tx, row, "submit")
            tx.publish(_submitted(row), proposal_name(row.id))
            return tx.reply(await proposal_message(tx, row))

    async def GetProposal(self, request: pb.GetProposalRequest, _: Context) -> pb.DelegateProposal:
        async with self._database.read() as tx:
            return await proposal_message(tx, await load_proposal(tx, request.name))

    async def ListDelegateProposals(
        self, request: pb.ListDelegateProposalsRequest, _: Context
    ) -> pb.ListDelegateProposalsResponse:
        async with self._database.read() as tx:
            rows, token = await page(tx, request, _asked(request), (proposal.c.id, identifier))
            messages = await proposal_messages(tx, rows)
            return pb.ListDelegateProposalsResponse(proposals=messages, next_page_token=token)

    async def WithdrawProposal(self, request: pb.WithdrawProposalRequest, _: Context) -> pb.DelegateProposal:
        async with self._database.write() as tx:
            row = await load_for(tx, request, "withdraw")
            await check_among(tx, row.mandates)
            saved = await take(tx, row, "withdraw", request.reason, reason=request.reason)
            return tx.reply(await proposal_message(tx, saved))

    async def RegisterProposal(self, request: pb.RegisterProposalRequest, _: Context) -> pb.DelegateProposal:
        async with self._database.write() as tx:
            row = await load_for(tx, request, "register")
            await tx.execute(NUMBERING)
            count = (await tx.one(NEXT, year=row.year)).number
            return tx.reply(await proposal_message(tx, await take(tx, row, "register", number=count)))

    async def ExamineProposal(self, request: pb.ExamineProposalRequest, _: Context) -> pb.DelegateProposal:
        verb = "decline" if request.decline_reason else "file"
        async with self._database.write() as tx:
            row = await load_for(tx, request, verb)
            saved = await take(tx, row, verb, request.decline_reason, reason=request.decline_reason)
            return tx.reply(await proposal_message(tx, saved))


def _written(given: pb.DelegateProposal) -> dict[str, Any]:
    return {
        "title": given.title,
        "content": given.content,
        "category": word(opinions_pb2.OpinionCategory, given.category),
        "meeting": given.meeting,
        "disclosure": word(pb.Disclosure, given.disclosure),
    }


def _submitted(row: Row) -> events_pb2.ProposalSubmitted:
    return events_pb2.ProposalSubmitted(
        proposal=proposal_name(row.id),
        mandates=[f"mandates/{key}" for key in row.mandates],
        day=date_message(row.submit_date),
    )


def _asked(request: pb.ListDelegateProposalsRequest) -> Select[Any]:
    """The proposals that the filters leave."""
    statement = select(proposal)
    if request.state:
        statement = statement.where(proposal.c.state == word(pb.ProposalState, request.state))
    if request.category:
        statement = statement.where(proposal.c.category == word(opinions_pb2.OpinionCategory, request.category))
    if request.mandate:
        statement = statement.where(literal(identifier(request.mandate)) == any_(proposal.c.mandates))
    if request.meeting:
        statement = statement.where(proposal.c.meeting == request.meeting)
    if request.undertaker:
        named = proposal_undertaker.c.display_name == request.undertaker
        of = select(proposal_undertaker.c.proposal).where(proposal_undertaker.c.proposal == proposal.c.id, named)
        statement = statement.where(of.exists())
    if request.unit:
        statement = statement.where(proposal.c.unit == request.unit.removeprefix("units/"))
    if request.year:
        statement = statement.where(proposal.c.year == request.year)
    if day := read_date(request, "due_by"):
        statement = statement.where(due(day))
    if request.key:
        statement = statement.where(proposal.c.supervisor != "")
    if request.escalated:
        statement = statement.where(proposal.c.escalated_at.is_not(None))
    return statement.where(late(clock.today())) if request.overdue else statement
