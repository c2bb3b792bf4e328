"""Minutes (会议纪要): generated from the record of a meeting that is over, read, edited and exported."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import date
from typing import Any

import grpc
from google.api import httpbody_pb2
from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert

from chassis import clock, downloads
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.masks import masked
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, identifier, name_in_update, word
from quanyutong.meetings.v1 import minutes_pb2 as pb
from services.meetings import domain, signing
from services.meetings.composing import composed
from services.meetings.meetings import load_meeting
from services.meetings.minutes_files import DOCX, JSON
from services.meetings.minutes_rows import (
    SECTIONS,
    entry_message,
    load_minutes,
    minutes_message,
    record_of,
    record_text,
    sections_of,
)
from services.meetings.record import gather
from services.meetings.signatures import LOCK, READ, check_reader, save_minutes, signer_columns, signers_of
from services.meetings.signing import Signer
from services.meetings.tables import meeting, minutes

Context = grpc.aio.ServicerContext[Any, Any]
CHANGEABLE = (*SECTIONS, *signing.ROLES)
# A list of many minutes is one of entries: what stands in them is read one by one.
ENTRY = [column for column in minutes.c if column.name not in ("record", "document", *SECTIONS)]
ENTER = Sql(
    insert(minutes).returning(minutes),
    columns=(
        *("meeting", "record", *SECTIONS),
        *(f"{role}_{part}" for role in signing.ROLES for part in ("attendee", "name")),
    ),
)


class MeetingMinutes:
    _database: Database

    async def GenerateMinutes(self, request: pb.GenerateMinutesRequest, _: Context) -> pb.Minutes:
        async with self._database.write() as tx:
            held = await load_meeting(tx, request.parent, lock=True)
            domain.check_phase(held.phase, ("summary", "closed"))
            draft = await tx.first(LOCK, meeting=held.id)
            if draft:
                _check_replaceable(draft, request)
            values = await _generated(tx, held, request)
            row = await (_regenerate(tx, draft, values) if draft else tx.one(ENTER, meeting=held.id, **values))
            return tx.reply(minutes_message(row))

    async def GetMinutes(self, request: pb.GetMinutesRequest, _: Context) -> pb.Minutes:
        async with self._database.read() as tx:
            return minutes_message(await _load_readable(tx, request.name))

    async def ListMinutes(self, request: pb.ListMinutesRequest, _: Context) -> pb.ListMinutesResponse:
        async with self._database.read() as tx:
            rows, token = await page(tx, request, _wanted(request), (minutes.c.meeting, identifier))
        return pb.ListMinutesResponse(minutes=map(entry_message, rows), next_page_token=token)

    async def UpdateMinutes(self, request: pb.UpdateMinutesRequest, _: Context) -> pb.Minutes:
        given = request.minutes
        fields = masked(request.update_mask, CHANGEABLE)
        async with self._database.write() as tx:
            row = await load_minutes(tx, name_in_update(given, "minutes"), LOCK)
            check_etag(given.etag, row.revision)
            signing.check_state(row.state, "draft")
            changes = _written(row, sections_of(given, fields))
            if not set(signing.ROLES).isdisjoint(fields):
                signers = await signers_of(tx, row.meeting, _named_in(row, given, fields))
                changes |= signer_columns(signers) | _retold(row, signers, changes["edited"])
            return tx.reply(minutes_message(await save_minutes(tx, row, **changes)))

    async def ExportMinutes(
        self, request: pb.ExportMinutesRequest, context: Context
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        file = JSON if request.format == pb.MINUTES_FORMAT_JSON else DOCX
        async with self._database.read() as tx:
            row = await _load_readable(tx, request.name)
        content = await asyncio.to_thread(file.write, row)
        await context.send_initial_metadata(downloads.named(f"minutes.{file.suffix}"))
        for part in downloads.parts(content, file.media_type):
            yield part


def _check_replaceable(draft: Row, request: pb.GenerateMinutesRequest) -> None:
    check_etag(request.etag, draft.revision)
    signing.check_state(draft.state, "draft")
    signing.check_edits(draft.edited, request.replace_edits)


async def _generated(tx: WriteTx, held: Row, request: pb.GenerateMinutesRequest) -> dict[str, Any]:
    """The columns that are generated."""
    signers = await signers_of(tx, held.id, {role: getattr(request, role) for role in signing.ROLES})
    record = await gather(tx, held)
    return {"record": record_text(record), **composed(record, signers), **signer_columns(signers)}


async def _regenerate(tx: WriteTx, draft: Row, values: dict[str, Any]) -> Row:
    return await save_minutes(tx, draft, **values, edited=[], return_reason="", generated_at=func.now())


async def _load_readable(tx: ReadTx, name: str) -> Row:
    row = await load_minutes(tx, name, READ)
    await check_reader(tx, row.meeting)
    return row


def _written(row: Row, texts: dict[str, list[str]]) -> dict[str, Any]:
    """The columns of sections that somebody wrote, and which sections differ now from what was generated."""
    edited = [name for name in SECTIONS if name in row.edited or texts.get(name, row[name]) != row[name]]
    return {**texts, "edited": edited}


def _retold(row: Row, signers: Mapping[str, Signer], edited: Collection[str]) -> dict[str, list[str]]:
    """The sections that nobody edited, with the names of other signers in them."""
    return {name: texts for name, texts in composed(record_of(row), signers).items() if name not in edited}


def _named_in(row: Row, given: pb.Minutes, fields: list[str]) -> dict[str, pb.Signer]:
    """Both signers: as given where they are to be changed, else as they are."""
    as_they_are = entry_message(row)
    return {role: getattr(given if role in fields else as_they_are, role) for role in signing.ROLES}


def _wanted(request: pb.ListMinutesRequest) -> Select[Any]:
    held = select(meeting.c.id)
    if request.body:
        column = meeting.c.assembly if request.body.startswith("assemblies/") else meeting.c.station
        held = held.where(column == identifier(request.body))
    if request.year:
        first, after = (clock.beginning(date(year, 1, 1)) for year in (request.year, request.year + 1))
        held = held.where(meeting.c.start_at >= first, meeting.c.start_at < after)
    wanted = select(*ENTRY).where(minutes.c.meeting.in_(held))
    return wanted.where(minutes.c.state == word(pb.MinutesState, request.state)) if request.state else wanted
