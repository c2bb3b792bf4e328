"""Proposals of the annual plan: accepted, one by one or many at once, or turned down."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import ColumnElement, and_, bindparam, func, select

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.pagination import page
from chassis.rules import ChoiceRule
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, identifier, number, read_date, timestamp, word
from quanyutong.meetings.v1 import meeting_pb2
from quanyutong.meetings.v1 import plan_pb2 as pb
from services.meetings import proposing
from services.meetings.domain import Refused
from services.meetings.meetings import create_meeting, meeting_name, numbering
from services.meetings.obligations import HELD_AS, Standing
from services.meetings.owing import body_of
from services.meetings.plans import load_plan
from services.meetings.roster import load_body
from services.meetings.rules import rule_on
from services.meetings.tables import proposal
from services.meetings.venues import venue_name
from services.meetings.year import load_standings

Context = grpc.aio.ServicerContext[Any, Any]
AT_ONCE = 200
LOCK = Sql(select(proposal).where(proposal.c.id == bindparam("key")).with_for_update())


class Proposals:
    _database: Database

    async def ListProposals(self, request: pb.ListProposalsRequest, _: Context) -> pb.ListProposalsResponse:
        statement = select(proposal).where(_asked(request))
        if request.state:
            statement = statement.where(proposal.c.state == word(pb.ProposalState, request.state))
        async with self._database.read() as tx:
            await load_plan(tx, request.parent)
            rows, token = await page(tx, request, statement, (proposal.c.id, identifier))
        return pb.ListProposalsResponse(proposals=map(_message, rows), next_page_token=token)

    async def AcceptProposal(self, request: pb.AcceptProposalRequest, _: Context) -> pb.Proposal:
        async with numbering(), self._database.write() as tx:
            row = await _load_waiting(tx, request)
            found = await load_standings(tx, row.year, clock.today(), row.body)
            return tx.reply(_message(await _accept(tx, row, _by_key(found), request.form)))

    async def AcceptProposals(self, request: pb.AcceptProposalsRequest, _: Context) -> pb.AcceptProposalsResponse:
        waiting = select(proposal).where(_asked(request), proposal.c.state == "proposed")
        count = select(func.count().label("proposals")).where(_asked(request), proposal.c.state == "proposed")
        answer = pb.AcceptProposalsResponse()
        async with numbering(), self._database.write() as tx:
            plan = await load_plan(tx, request.parent)
            if request.body:
                await load_body(tx, request.body)
            found = _by_key(await load_standings(tx, plan.year, clock.today()))
            chosen = waiting.order_by(proposal.c.start_at, proposal.c.id).limit(request.limit or AT_ONCE)
            for row in await tx.all(chosen.with_for_update()):
                if await _accepted(tx, row, found, request.form):
                    answer.accepted += 1
                else:
                    answer.overtaken.append(proposal_name(row.id))
            answer.remaining = (await tx.one(count)).proposals
            return tx.reply(answer)

    async def RejectProposal(self, request: pb.RejectProposalRequest, _: Context) -> pb.Proposal:
        async with self._database.write() as tx:
            row = await _load_waiting(tx, request)
            return tx.reply(_message(await _decide(tx, row, state="rejected", reject_reason=request.reason)))


async def _load_waiting(tx: WriteTx, request: pb.AcceptProposalRequest | pb.RejectProposalRequest) -> Row:
    """Raises Refused PROPOSAL_NOT_FOUND, PROPOSAL_STATE_REFUSED, Refusal ETAG_MISMATCH."""
    row = await tx.first(LOCK, key=identifier(request.name))
    if row is None:
        raise Refused("PROPOSAL_NOT_FOUND", proposal=request.name)
    check_etag(request.etag, row.revision)
    proposing.check_waiting(request.name, row.state)
    return row


async def _accepted(tx: WriteTx, row: Row, found: Mapping[str, Standing], form: Any) -> bool:
    """Whether the meeting could be made; one that could not is marked, so that it is not tried again and again."""
    try:
        async with tx.attempt():
            await _accept(tx, row, found, form)
    except Refused as refused:
        if refused.reason == "FORM_REFUSED":  # which its caller can give
            raise
        await _decide(tx, row, state="overtaken")
        return False
    return True


async def _accept(tx: WriteTx, row: Row, found: Mapping[str, Standing], form: Any) -> Row:
    """Makes the meeting. Raises Refused."""
    standing = found.get(row.obligation)
    begun = row.start_at <= datetime.now(UTC)
    proposing.check_current(proposal_name(row.id), standing.state if standing else None, begun)
    assert standing is not None  # noqa: S101 - checked
    given = await _meeting(tx, row, standing, word(meeting_pb2.MeetingForm, form))
    overlap = proposing.RECEPTIONS_OVERLAP if row.kind == "reception_day" else ""
    made = await create_meeting(tx, given, overlap)
    return await _decide(tx, row, state="accepted", meeting=made.id)


async def _meeting(tx: ReadTx, row: Row, standing: Standing, form: str) -> meeting_pb2.Meeting:
    owed = standing.obligation
    name = body_of(owed.body.kind, owed.body.id)
    rule = await rule_on(tx, row.day, "midyear_meeting.form", ChoiceRule)
    return meeting_pb2.Meeting(
        body=name,
        kind=number(meeting_pb2.MeetingKind, HELD_AS[row.kind]),
        form=number(meeting_pb2.MeetingForm, proposing.form_of(row.kind, form, rule.value, rule.version)),
        display_name=proposing.title((await load_body(tx, name)).display_name, owed.due),
        venue=venue_name(row.venue) if row.venue else "",
        start_time=timestamp(row.start_at),
        end_time=timestamp(row.end_at),
    )


async def _decide(tx: WriteTx, row: Row, **changes: Any) -> Row:
    return await tx.change(proposal, row, **changes)


def _by_key(found: list[Standing]) -> dict[str, Standing]:
    return {each.obligation.key: each for each in found}


def _asked(request: pb.ListProposalsRequest | pb.AcceptProposalsRequest) -> ColumnElement[bool]:
    """The plan, and the filters that both have."""
    asked = [proposal.c.year == int(request.parent.removeprefix("plans/"))]
    if request.body:
        asked.append(proposal.c.body == identifier(request.body))
    if request.kind:
        asked.append(proposal.c.kind == word(pb.ObligationKind, request.kind))
    if day := read_date(request, "from_date"):
        asked.append(proposal.c.day >= day)
    if day := read_date(request, "to_date"):
        asked.append(proposal.c.day < day)
    return and_(*asked)


def proposal_name(key: UUID) -> str:
    return f"proposals/{key}"


def _owner(row: Row) -> str:
    of_station = row.kind in ("reception_day", "feedback_meeting", "symposium")
    return f"stations/{row.body}" if of_station else f"assemblies/{row.body}"


def _message(row: Row) -> pb.Proposal:
    return pb.Proposal(
        name=proposal_name(row.id),
        plan=f"plans/{row.year}",
        obligation=f"obligations/{row.obligation}",
        body=_owner(row),
        kind=number(pb.ObligationKind, row.kind),
        state=number(pb.ProposalState, row.state),
        start_time=timestamp(row.start_at) if row.start_at else None,
        end_time=timestamp(row.end_at) if row.end_at else None,
        day=date_message(row.day),
        notice_date=date_message(row.notice_date),
        venue=venue_name(row.venue) if row.venue else "",
        unplaced_reason=number(pb.UnplacedReason, row.unplaced_reason),
        reject_reason=row.reject_reason,
        meeting=meeting_name(row.meeting) if row.meeting else "",
        etag=etag(row.revision),
    )
