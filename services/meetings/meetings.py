"""Meetings (会议): entered, prepared, convened, summed up and closed; or postponed, or cancelled."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import grpc
from asyncpg import ExclusionViolationError, UniqueViolationError
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import bindparam, insert, select, text

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.errors import Refusal
from chassis.masks import masked
from chassis.pagination import page
from chassis.rules import DurationRule
from chassis.sql import Sql
from chassis.wire import check_etag, etag, identifier, name_in_update, number, read_date, read_time, timestamp, word
from quanyutong.meetings.v1 import events_pb2
from quanyutong.meetings.v1 import meeting_pb2 as pb
from services.meetings import domain
from services.meetings.bookings import book, release
from services.meetings.domain import Refused
from services.meetings.roll import begin_anew
from services.meetings.roster import Body, load_body, term_on
from services.meetings.rules import rule_on
from services.meetings.sitting import check_settled, check_silent
from services.meetings.tables import meeting
from services.meetings.venues import load_open_venue, venue_name

Context = grpc.aio.ServicerContext[Any, Any]
CHANGEABLE = ("display_name",)
BY_ID = select(meeting).where(meeting.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
# The next number of a body's meetings is counted under this lock.
NUMBERING = Sql(text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:body AS text), 1))"))
HIGHEST = Sql(
    text("""SELECT coalesce(max(number), 0) AS highest FROM meeting
            WHERE assembly IS NOT DISTINCT FROM CAST(:assembly AS uuid)
            AND station IS NOT DISTINCT FROM CAST(:station AS uuid)
            AND term IS NOT DISTINCT FROM CAST(:term AS integer) AND kind = :kind""")
)
ENTER = Sql(
    insert(meeting).returning(meeting),
    columns=(
        *("assembly", "station", "kind", "form", "term", "number", "display_name", "venue", "start_at", "end_at"),
        "overlap_reason",
    ),
)
# Before a meeting of this kind notice is given, so long before as the rule says.
NOTICE_RULES = {"reception_day": "stations_and_voice.reception_notice"}


class Meetings:
    _database: Database

    async def CreateMeeting(self, request: pb.CreateMeetingRequest, _: Context) -> pb.Meeting:
        async with numbering(request.meeting.number), self._database.write() as tx:
            return tx.reply(meeting_message(await create_meeting(tx, request.meeting, request.overlap_reason)))

    async def GetMeeting(self, request: pb.GetMeetingRequest, _: Context) -> pb.Meeting:
        async with self._database.read() as tx:
            return meeting_message(await load_meeting(tx, request.name))

    async def ListMeetings(self, request: pb.ListMeetingsRequest, _: Context) -> pb.ListMeetingsResponse:
        statement = select(meeting)
        if request.body:
            column = meeting.c.assembly if request.body.startswith("assemblies/") else meeting.c.station
            statement = statement.where(column == identifier(request.body))
        if request.kind:
            statement = statement.where(meeting.c.kind == word(pb.MeetingKind, request.kind))
        if request.phase:
            statement = statement.where(meeting.c.phase == word(pb.Phase, request.phase))
        if request.venue:
            statement = statement.where(meeting.c.venue == identifier(request.venue))
        if request.series:
            statement = statement.where(meeting.c.series == identifier(request.series))
        if day := read_date(request, "from_date"):
            statement = statement.where(meeting.c.start_at >= clock.beginning(day))
        if day := read_date(request, "to_date"):
            statement = statement.where(meeting.c.start_at < clock.beginning(day))
        async with self._database.read() as tx:
            key = ((meeting.c.start_at, datetime.fromisoformat), (meeting.c.id, identifier))
            rows, token = await page(tx, request, statement, *key)
        return pb.ListMeetingsResponse(meetings=map(meeting_message, rows), next_page_token=token)

    async def UpdateMeeting(self, request: pb.UpdateMeetingRequest, _: Context) -> pb.Meeting:
        given = request.meeting
        changes = {field: getattr(given, field) for field in masked(request.update_mask, CHANGEABLE)}
        async with self._database.write() as tx:
            row = await load_meeting(tx, name_in_update(given, "meeting"), lock=True)
            check_etag(given.etag, row.revision)
            domain.check_phase(row.phase, ("preparation", "postponed", "convened", "summary"))
            saved = await save(tx, row, **changes, sequence=row.sequence + 1)
            tx.publish(_scheduled(saved), given.name)
            return tx.reply(meeting_message(saved))

    async def RescheduleMeeting(self, request: pb.RescheduleMeetingRequest, _: Context) -> pb.Meeting:
        start, end = read_time(request, "start_time"), read_time(request, "end_time")
        domain.check_times(start, end)
        async with numbering(), self._database.write() as tx:
            row = await load_for(tx, request)
            phase = domain.next_phase("reschedule", row.phase)
            body = await load_body(tx, body_name(row))
            if await term_on(tx, body, day_of(start)) != row.term:
                raise Refused("TERM_NOT_OPEN", body=body.name, day=day_of(start))
            where = await load_open_venue(tx, request.venue) if request.venue else None
            await release(tx, row.id)
            await book(tx, row.id, body.id, where and where.id, start, end, request.overlap_reason)
            if day_of(start) != day_of(row.start_at):
                await begin_anew(tx, row.id)
            saved = await save(
                tx,
                row,
                phase=phase,
                start_at=start,
                end_at=end,
                venue=where and where.id,
                reason=request.reason,
                overlap_reason=request.overlap_reason,
                notice_at=None,
                late_notice_reason="",
                sequence=row.sequence + 1,
            )
            tx.publish(_scheduled(saved), request.name)
            return tx.reply(meeting_message(saved))

    async def GiveNotice(self, request: pb.GiveNoticeRequest, _: Context) -> pb.Meeting:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            domain.check_phase(row.phase, ("preparation",))
            await _check_notice(tx, row, request.late_reason)
            # The calendar's entry stays as it is, and so does its sequence.
            saved = await save(tx, row, notice_at=datetime.now(UTC), late_notice_reason=request.late_reason)
            return tx.reply(meeting_message(saved))

    async def AdjournMeeting(self, request: pb.AdjournMeetingRequest, _: Context) -> pb.Meeting:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            phase = domain.next_phase("adjourn", row.phase)
            await check_silent(tx, row.id)
            moment = happened(request, "adjourn_time", row.convened_at)
            saved = await save(tx, row, phase=phase, adjourned_at=moment)
            tx.publish(_held(saved, await load_body(tx, body_name(row))), request.name)
            return tx.reply(meeting_message(saved))

    async def CloseMeeting(self, request: pb.CloseMeetingRequest, _: Context) -> pb.Meeting:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            phase = domain.next_phase("close", row.phase)
            await check_settled(tx, row)
            saved = await save(tx, row, phase=phase)
            tx.publish(events_pb2.MeetingClosed(meeting=request.name), request.name)
            return tx.reply(meeting_message(saved))

    async def PostponeMeeting(self, request: pb.PostponeMeetingRequest, _: Context) -> pb.Meeting:
        return await self._withdraw("postpone", request)

    async def CancelMeeting(self, request: pb.CancelMeetingRequest, _: Context) -> pb.Meeting:
        return await self._withdraw("cancel", request)

    async def _withdraw(self, verb: str, request: pb.PostponeMeetingRequest | pb.CancelMeetingRequest) -> pb.Meeting:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            return tx.reply(meeting_message(await withdraw(tx, row, verb, request.reason)))


async def create_meeting(tx: WriteTx, given: pb.Meeting, overlap_reason: str = "") -> Row:
    """Enters a meeting in preparation, books venue and delegates, and tells the other services.

    To be used inside `numbering`. Raises Refused.
    """
    start, end = read_time(given, "start_time", "meeting.start_time"), read_time(given, "end_time", "meeting.end_time")
    kind, form = word(pb.MeetingKind, given.kind), word(pb.MeetingForm, given.form)
    domain.check_times(start, end)
    body = await load_body(tx, given.body)
    domain.check_kind(kind, form, body.kind)
    where = await load_open_venue(tx, given.venue) if given.venue else None
    values = {
        "assembly": body.id if body.is_assembly else None,
        "station": None if body.is_assembly else body.id,
        "kind": kind,
        "term": await term_on(tx, body, day_of(start)),
    }
    count = given.number or await _next_number(tx, values)
    times = {"start_at": start, "end_at": end, "venue": where and where.id, "overlap_reason": overlap_reason}
    row = await tx.one(ENTER, **values, **times, form=form, number=count, display_name=given.display_name)
    await book(tx, row.id, body.id, where and where.id, start, end, overlap_reason)
    tx.publish(_scheduled(row), meeting_name(row.id))
    return row


async def withdraw(tx: WriteTx, row: Row, verb: str, reason: str) -> Row:
    """Postpones or cancels a meeting that is locked. Raises Refused PHASE_REFUSED."""
    phase = domain.next_phase(verb, row.phase)
    await release(tx, row.id)
    if phase == "postponed":
        await begin_anew(tx, row.id)
    saved = await save(tx, row, phase=phase, reason=reason, sequence=row.sequence + 1)
    name = meeting_name(row.id)
    tx.publish(events_pb2.MeetingWithdrawn(meeting=name, phase=number(pb.Phase, phase)), name)
    return saved


async def _next_number(tx: WriteTx, values: dict[str, Any]) -> int:
    await tx.execute(NUMBERING, body=str(values["assembly"] or values["station"]))
    return int((await tx.one(HIGHEST, **values)).highest) + 1


@asynccontextmanager
async def numbering(count: int = 0) -> AsyncIterator[None]:
    """Says why the database did not take a meeting."""
    try:
        yield
    except UniqueViolationError:
        raise Refused("NUMBER_TAKEN", number=count) from None
    except ExclusionViolationError:  # at this very moment another meeting booked the same
        raise Refusal("CONCURRENT_CHANGE") from None


async def load_meeting(tx: ReadTx, name: str, lock: bool = False) -> Row:
    """Raises Refused MEETING_NOT_FOUND."""
    row = await tx.first(LOCK if lock else READ, key=identifier(name))
    if row is None:
        raise Refused("MEETING_NOT_FOUND", meeting=name)
    return row


async def load_for(tx: WriteTx, request: Any) -> Row:
    row = await load_meeting(tx, request.name, lock=True)
    check_etag(request.etag, row.revision)
    return row


async def save(tx: WriteTx, row: Row, **changes: Any) -> Row:
    return await tx.change(meeting, row, **changes, changed_at=datetime.now(UTC))


async def _check_notice(tx: ReadTx, row: Row, late_reason: str) -> None:
    if key := NOTICE_RULES.get(row.kind):
        day = day_of(row.start_at)
        rule = await rule_on(tx, day, key, DurationRule)
        domain.check_notice(clock.today(), day - timedelta(days=rule.value.length), rule.version, late_reason)


def happened(request: Any, field: str, earliest: datetime) -> datetime:
    """The moment in a field that is given afterwards, now where it is absent. Raises Refused TIME_REFUSED."""
    now = datetime.now(UTC)
    if not request.HasField(field):
        return now
    given = read_time(request, field)
    domain.check_afterwards(given, earliest, now)
    return given


def day_of(moment: datetime) -> date:
    """The day in Chongqing."""
    return moment.astimezone(clock.SHANGHAI).date()


def meeting_name(key: object) -> str:
    return f"meetings/{key}"


def body_name(row: Row) -> str:
    return f"assemblies/{row.assembly}" if row.assembly else f"stations/{row.station}"


def term_name(row: Row) -> str:
    return f"assemblies/{row.assembly}/terms/{row.term}" if row.assembly else ""


def _scheduled(row: Row) -> events_pb2.MeetingScheduled:
    return events_pb2.MeetingScheduled(
        meeting=meeting_name(row.id),
        body=body_name(row),
        kind=number(pb.MeetingKind, row.kind),
        form=number(pb.MeetingForm, row.form),
        term=term_name(row),
        start_time=timestamp(row.start_at),
        end_time=timestamp(row.end_at),
    )


def _held(row: Row, body: Body) -> events_pb2.MeetingHeld:
    return events_pb2.MeetingHeld(
        meeting=meeting_name(row.id),
        body=body.name,
        unit=f"units/{body.unit}" if body.unit else "",
        kind=number(pb.MeetingKind, row.kind),
        form=number(pb.MeetingForm, row.form),
        convene_time=timestamp(row.convened_at),
        adjourn_time=timestamp(row.adjourned_at),
    )


def _instant(moment: datetime | None) -> Timestamp | None:
    return timestamp(moment) if moment else None


def meeting_message(row: Row) -> pb.Meeting:
    return pb.Meeting(
        name=meeting_name(row.id),
        body=body_name(row),
        kind=number(pb.MeetingKind, row.kind),
        form=number(pb.MeetingForm, row.form),
        term=term_name(row),
        number=row.number,
        display_name=row.display_name,
        venue=venue_name(row.venue) if row.venue else "",
        start_time=timestamp(row.start_at),
        end_time=timestamp(row.end_at),
        phase=number(pb.Phase, row.phase),
        reason=row.reason,
        notice_time=_instant(row.notice_at),
        overlap_reason=row.overlap_reason,
        sequence=row.sequence,
        convene_time=_instant(row.convened_at),
        adjourn_time=_instant(row.adjourned_at),
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
        series=f"series/{row.series}" if row.series else "",
        original_start_time=_instant(row.original_start_at),
    )
