"""Suggestions (征集建议): collected or nominated, merged with their like, rejected, or made candidates."""

from operator import attrgetter
from typing import Any

import grpc
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.dialects import postgresql

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, identifier, number, read_date, timestamp, word
from quanyutong.ballots.v1 import campaigns_pb2, projects_pb2
from quanyutong.ballots.v1 import suggestions_pb2 as pb
from services.ballots import campaign_path as path
from services.ballots.campaigns import SHARE, campaign_name, load_campaign
from services.ballots.domain import Refused
from services.ballots.impersonal import check_impersonal
from services.ballots.project_message import project_message, project_messages
from services.ballots.project_steps import project_name, tell
from services.ballots.project_tables import project, suggestion
from services.ballots.telling import suggestion_name, tell_of_project, tell_of_suggestion

Context = grpc.aio.ServicerContext[Any, Any]
# What an undertaking of screening says of a candidate, and what may be changed of it until the candidates are fixed.
SCREENED = ("title", "content", "cost_fen", "feasibility", "department", "beneficiaries")
BY_ID = select(suggestion).where(suggestion.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
COLUMNS = ("campaign", "source", "channel", "origin", "content", "unit", "receive_date")
ENTER = Sql(insert(suggestion).returning(suggestion), columns=COLUMNS)
# Whoever nominates at the same moment waits for the other one here, and then finds what it entered.
NOMINATE = Sql(
    postgresql.insert(suggestion)
    .on_conflict_do_nothing(index_elements=["district", "origin"], index_where=text("source = 'nominated'"))
    .returning(suggestion),
    columns=COLUMNS,
)
NOMINATED = Sql(
    select(suggestion).where(suggestion.c.source == "nominated", suggestion.c.origin == bindparam("origin"))
)
MAKE = Sql(
    insert(project).returning(project),
    columns=("campaign", "assembly", "level", "unit", "year", "budget_fen", *SCREENED),
)


class Suggestions:
    _database: Database

    async def CollectSuggestion(self, request: pb.CollectSuggestionRequest, _: Context) -> pb.Suggestion:
        given = request.suggestion
        _check_origin(given)
        async with self._database.write() as tx:
            of = await _load_collecting(tx, given.campaign)
            return tx.reply(_message(await _collect(tx, of, given, "suggestion")))

    async def BatchCollectSuggestions(
        self, request: pb.BatchCollectSuggestionsRequest, _: Context
    ) -> pb.BatchCollectSuggestionsResponse:
        for given in request.suggestions:
            _check_origin(given)
        names = sorted({given.campaign for given in request.suggestions})
        async with self._database.write() as tx:
            campaigns = {name: await _load_collecting(tx, name) for name in names}
            rows = [
                await _collect(tx, campaigns[given.campaign], given, f"suggestions[{place}]")
                for place, given in enumerate(request.suggestions)
            ]
            return tx.reply(pb.BatchCollectSuggestionsResponse(suggestions=map(_message, rows)))

    async def NominateSuggestion(self, request: pb.NominateSuggestionRequest, _: Context) -> pb.Suggestion:
        async with self._database.write() as tx:
            return tx.reply(_message(await nominate(tx, request)))

    async def GetSuggestion(self, request: pb.GetSuggestionRequest, _: Context) -> pb.Suggestion:
        async with self._database.read() as tx:
            return _message(await _load(tx, request.name))

    async def ListSuggestions(self, request: pb.ListSuggestionsRequest, _: Context) -> pb.ListSuggestionsResponse:
        statement = select(suggestion)
        if request.campaign:
            statement = statement.where(suggestion.c.campaign == identifier(request.campaign))
        if request.state:
            statement = statement.where(suggestion.c.state == word(pb.SuggestionState, request.state))
        if request.source:
            statement = statement.where(suggestion.c.source == word(pb.SuggestionSource, request.source))
        if request.channel:
            channel = word(campaigns_pb2.CollectionChannel, request.channel)
            statement = statement.where(suggestion.c.channel == channel)
        if request.unit:
            statement = statement.where(suggestion.c.unit == request.unit.removeprefix("units/"))
        if request.origin:
            statement = statement.where(suggestion.c.origin == request.origin)
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (suggestion.c.id, identifier))
        return pb.ListSuggestionsResponse(suggestions=map(_message, rows), next_page_token=token)

    async def MergeSuggestion(self, request: pb.MergeSuggestionRequest, _: Context) -> pb.Suggestion:
        async with self._database.write() as tx:
            # Locked in one order, whichever of the two goes.
            one, other = [await _load(tx, name, LOCK) for name in sorted((request.name, request.into))]
            row, into = (one, other) if suggestion_name(one.id) == request.name else (other, one)
            check_etag(request.etag, row.revision)
            path.check_alike(row.id, into.id, row.campaign, into.campaign)
            path.check_open(row.state)
            path.check_open(into.state)
            kept = await _save(tx, into, voices=into.voices + row.voices)
            await tell_of_suggestion(tx, kept, row.id)
            return tx.reply(_message(await _save(tx, row, state="merged", merged_into=into.id)))

    async def RejectSuggestion(self, request: pb.RejectSuggestionRequest, _: Context) -> pb.Suggestion:
        check_impersonal(request.reason)
        async with self._database.write() as tx:
            row = await _load_for(tx, request)
            saved = await _save(tx, row, state="rejected", reject_reason=request.reason)
            await tell_of_suggestion(tx, saved)
            return tx.reply(_message(saved))

    async def MakeCandidate(self, request: pb.MakeCandidateRequest, _: Context) -> projects_pb2.Project:
        async with self._database.write() as tx:
            of = await _load_screening(tx, campaign_name((await _load(tx, request.name)).campaign))
            return tx.reply(await project_message(tx, await _make_candidate(tx, of, request)))

    async def BatchMakeCandidates(
        self, request: pb.BatchMakeCandidatesRequest, _: Context
    ) -> pb.BatchMakeCandidatesResponse:
        async with self._database.write() as tx:
            of = await _load_screening(tx, request.campaign)
            # Locked in one order, and answered in that of the request.
            made = {
                given.name: await _make_candidate(tx, of, given)
                for given in sorted(request.suggestions, key=attrgetter("name"))
            }
            rows = [made[given.name] for given in request.suggestions]
            return tx.reply(pb.BatchMakeCandidatesResponse(projects=await project_messages(tx, rows)))


def _check_origin(given: pb.Suggestion) -> None:
    path.check_origin(word(pb.SuggestionSource, given.source), given.origin)


async def _collect(tx: WriteTx, of: Row, given: pb.Suggestion, place: str) -> Row:
    """`place` is where it stands in the request."""
    source, channel = word(pb.SuggestionSource, given.source), word(campaigns_pb2.CollectionChannel, given.channel)
    day = read_date(given, "receive_date", f"{place}.receive_date") or clock.today()
    path.check_received(day, of.start_date, min(of.end_date, clock.today()))
    path.check_channel(channel, of.channels)
    values = {"source": source, "channel": channel, "origin": given.origin, "receive_date": day}
    return await tx.one(ENTER, campaign=of.id, **values, **_words(of, tx.district, given))


async def nominate(tx: WriteTx, request: pb.NominateSuggestionRequest) -> Row:
    """Enters what was not nominated before; it belongs to nobody's channel but the delegates'. Raises Refused."""
    if known := await tx.first(NOMINATED, origin=request.nominated):
        return known
    of = await _load_collecting(tx, request.campaign)
    path.check_received(clock.today(), of.start_date, of.end_date)
    values = {"source": "nominated", "channel": "delegate", "origin": request.nominated}
    words = _words(of, tx.district, request)
    made = await tx.first(NOMINATE, campaign=of.id, receive_date=clock.today(), **values, **words)
    if made is None:
        return await tx.one(NOMINATED, origin=request.nominated)
    await tell_of_suggestion(tx, made)
    return made


async def _load_collecting(tx: WriteTx, name: str) -> Row:
    """Held, so that none comes in after the collection was closed."""
    row = await load_campaign(tx, name, SHARE)
    path.check_campaign(row.state, ("collecting",))
    return row


async def _load_screening(tx: WriteTx, name: str) -> Row:
    """Held before its suggestions, so that none becomes a candidate while they are counted."""
    row = await load_campaign(tx, name, SHARE)
    path.check_campaign(row.state, ("screening",))
    return row


async def _make_candidate(tx: WriteTx, of: Row, given: pb.MakeCandidateRequest | pb.ScreenedSuggestion) -> Row:
    row = await _load_for(tx, given)
    path.check_campaign_of(row.campaign, of.id)
    made = await _make(tx, of, given.project)
    await _save(tx, row, state="candidate", project=made.id)
    await tell(tx, made, "make_candidate", given.name)
    await tell_of_project(tx, made, project_name(made.id))
    return made


def _words(of: Row, district: str, given: pb.Suggestion | pb.NominateSuggestionRequest) -> dict[str, str]:
    check_impersonal(given.content)
    return {"content": given.content, "unit": path.unit_of(given.unit.removeprefix("units/"), of.unit, district)}


async def _make(tx: WriteTx, of: Row, given: projects_pb2.Project) -> Row:
    check_impersonal(given.content)
    owner = {"campaign": of.id, "assembly": of.assembly, "level": of.level, "year": of.year}
    unit = path.unit_of(given.unit.removeprefix("units/"), of.unit, tx.district)
    screened = {field: getattr(given, field) for field in SCREENED}
    return await tx.one(MAKE, **owner, unit=unit, budget_fen=given.cost_fen, **screened)


async def _load(tx: ReadTx, name: str, how: Sql = READ) -> Row:
    """Raises Refused SUGGESTION_NOT_FOUND."""
    row = await tx.first(how, key=identifier(name))
    if row is None:
        raise Refused("SUGGESTION_NOT_FOUND", suggestion=name)
    return row


async def _load_for(tx: WriteTx, request: Any) -> Row:
    """One that is still to be dealt with."""
    row = await _load(tx, request.name, LOCK)
    check_etag(request.etag, row.revision)
    path.check_open(row.state)
    return row


async def _save(tx: WriteTx, row: Row, **changes: Any) -> Row:
    return await tx.change(suggestion, row, **changes)


def _message(row: Row) -> pb.Suggestion:
    return pb.Suggestion(
        name=suggestion_name(row.id),
        campaign=campaign_name(row.campaign),
        source=number(pb.SuggestionSource, row.source),
        channel=number(campaigns_pb2.CollectionChannel, row.channel),
        origin=row.origin,
        content=row.content,
        unit=f"units/{row.unit}" if row.unit else "",
        receive_date=date_message(row.receive_date),
        state=number(pb.SuggestionState, row.state),
        merged_into=suggestion_name(row.merged_into) if row.merged_into else "",
        reject_reason=row.reject_reason,
        project=project_name(row.project) if row.project else "",
        voices=row.voices,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
