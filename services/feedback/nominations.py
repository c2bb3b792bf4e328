"""Nominations (提名): an opinion or a proposal is to become a livelihood project, and who raised it hears the result.

The ballots service hears of it by an event and tells each step back; in whatever order and however often that comes,
the step that was told last holds.
"""

from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import Uuid, bindparam, or_, select, text
from sqlalchemy.dialects import postgresql

from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.impersonal import is_personal
from chassis.manifest import Event
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import identifier, number, timestamp, word
from quanyutong.ballots.v1 import errors_pb2 as ballots_errors
from quanyutong.ballots.v1 import events_pb2 as ballots
from quanyutong.ballots.v1 import projects_pb2, suggestions_pb2
from quanyutong.feedback.v1 import events_pb2
from quanyutong.feedback.v1 import nominations_pb2 as pb
from services.feedback import handling_steps, proposal_steps
from services.feedback.domain import Refused
from services.feedback.handling_path import check_unit
from services.feedback.handling_steps import load_opinion, opinion_name
from services.feedback.persons import check_among
from services.feedback.proposal_steps import load_proposal, proposal_name
from services.feedback.tables import nomination

Context = grpc.aio.ServicerContext[Any, Any]
COLUMNS = ("opinion", "proposal", "title", "description", "unit", "place", "year")
ENTER = Sql(postgresql.insert(nomination).on_conflict_do_nothing().returning(nomination), columns=COLUMNS)
FIND = Sql(select(nomination).where(nomination.c.id == bindparam("key")))
# Opinions that were merged are one matter: the asker's own nomination, else that of the one that stands, else any.
OF_MATTER = Sql(
    text("""SELECT n.* FROM nomination n JOIN opinion o ON o.id = n.opinion
            WHERE o.id = :standing OR o.merged_into = :standing
            ORDER BY o.id = :asker DESC, o.id = :standing DESC, n.id LIMIT 1""").bindparams(
        bindparam("standing", type_=Uuid), bindparam("asker", type_=Uuid)
    )
)
# The id of an event is a UUIDv7, so it says which of two was told later.
ADVANCED = Sql(
    text("""UPDATE nomination SET (state, reason, suggestion, project, poll, told, revision)
            = (:state, :reason, :suggestion, :project, :poll, :event, revision + 1)
            WHERE (opinion = :key OR proposal = :key) AND told < :event""")
)


class Nominations:
    _database: Database

    async def CreateNomination(self, request: pb.CreateNominationRequest, _: Context) -> pb.Nomination:
        given = request.nomination
        if is_personal(given.title) or is_personal(given.description):
            raise Refused("CONTACT_REFUSED")
        unit, place = (name.removeprefix("units/") for name in (given.unit, given.place))
        async with self._database.write() as tx:
            for each in (unit, place):
                check_unit(each, tx.district)
            words: dict[str, Any] = {"title": given.title, "description": given.description, "year": given.year}
            row = await tx.first(ENTER, **words, unit=unit, place=place, **await _nominated(tx, given.nominated))
            if row is None:
                raise Refused("NOMINATED_ALREADY", nominated=given.nominated)
            told = events_pb2.Nominated(nominated=given.nominated, unit=given.unit, place=given.place, **words)
            tx.publish(told, given.nominated)
            return tx.reply(_message(row))

    async def GetNomination(self, request: pb.GetNominationRequest, _: Context) -> pb.Nomination:
        async with self._database.read() as tx:
            row = await tx.first(FIND, key=identifier(request.name))
        if row is None:
            raise Refused("NOMINATION_NOT_FOUND", nomination=request.name)
        return _message(row)

    async def ListNominations(self, request: pb.ListNominationsRequest, _: Context) -> pb.ListNominationsResponse:
        statement = select(nomination)
        if request.state:
            statement = statement.where(nomination.c.state == word(pb.NominationState, request.state))
        if request.nominated:
            key = identifier(request.nominated)
            statement = statement.where(or_(nomination.c.opinion == key, nomination.c.proposal == key))
        if request.unit:
            statement = statement.where(nomination.c.unit == request.unit.removeprefix("units/"))
        if request.year:
            statement = statement.where(nomination.c.year == request.year)
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (nomination.c.id, identifier))
        return pb.ListNominationsResponse(nominations=map(_message, rows), next_page_token=token)


async def nomination_of(tx: ReadTx, standing: UUID, asker: UUID) -> pb.Nomination | None:
    """That of an asker's opinion, or of those that are handled as one with it, if one was nominated."""
    row = await tx.first(OF_MATTER, standing=standing, asker=asker)
    return _message(row) if row else None


async def nomination_advanced(tx: WriteTx, event: ballots.NominationAdvanced, origin: Event) -> None:
    state, reason = _standing(event)
    names = {"suggestion": event.suggestion, "project": event.project, "poll": event.poll}
    await tx.execute(ADVANCED, key=identifier(event.nominated), state=state, reason=reason, event=origin.id, **names)


def _standing(event: ballots.NominationAdvanced) -> tuple[str, str]:
    """Where it stands, and why."""
    if event.refusal:
        return "refused", word(ballots_errors.ErrorReason, event.refusal).upper()
    if event.project_state:
        return word(projects_pb2.ProjectState, event.project_state), ""
    return word(suggestions_pb2.SuggestionState, event.suggestion_state), event.reject_reason


async def _nominated(tx: WriteTx, name: str) -> dict[str, UUID | None]:
    """What it is, if the caller may nominate it; locked, so that it is not merged meanwhile. Raises Refused."""
    if name.startswith("opinions/"):
        row = await load_opinion(tx, name, handling_steps.LOCK)
        if row.merged_into:
            raise Refused("OPINION_MERGED", into=opinion_name(row.merged_into))
        await check_among(tx, [row.mandate])
        if await nomination_of(tx, row.id, row.id):
            raise Refused("NOMINATED_ALREADY", nominated=name)
        await handling_steps.tell(tx, row, "nominate")
        return {"opinion": row.id, "proposal": None}
    row = await load_proposal(tx, name, proposal_steps.LOCK)
    await check_among(tx, row.mandates)
    await proposal_steps.tell(tx, row, "nominate")
    return {"opinion": None, "proposal": row.id}


def _message(row: Row) -> pb.Nomination:
    return pb.Nomination(
        name=f"nominations/{row.id}",
        nominated=opinion_name(row.opinion) if row.opinion else proposal_name(row.proposal),
        title=row.title,
        description=row.description,
        unit=f"units/{row.unit}" if row.unit else "",
        place=f"units/{row.place}" if row.place else "",
        year=row.year,
        state=number(pb.NominationState, row.state),
        reason=row.reason,
        suggestion=row.suggestion,
        project=row.project,
        poll=row.poll,
        create_time=timestamp(row.created_at),
    )
