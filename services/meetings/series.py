"""Series (定期会议): meetings entered together by a rule, and each of them a meeting of its own afterwards."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.duration_pb2 import Duration
from sqlalchemy import bindparam, insert, select, text, update

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.errors import FieldsInvalid
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, identifier, number, read_time, timestamp, word
from quanyutong.meetings.v1 import meeting_pb2
from quanyutong.meetings.v1 import series_pb2 as pb
from services.meetings.domain import Refused
from services.meetings.meetings import body_name, create_meeting, numbering, withdraw
from services.meetings.recurrence import occurrences
from services.meetings.tables import meeting, series
from services.meetings.venues import venue_name

Context = grpc.aio.ServicerContext[Any, Any]
BY_ID = select(series).where(series.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
ENTER = Sql(
    insert(series).returning(series),
    columns=(
        *("assembly", "station", "kind", "form", "display_name", "venue", "start_at", "duration", "recurrence"),
        *("exception_dates", "occurrence_count"),
    ),
)
LINK = Sql(
    text("""UPDATE meeting SET series = :series, original_start_at = start_at
            WHERE id = ANY (CAST(:meetings AS uuid[]))""")
)
TO_COME = Sql(
    select(meeting)
    .where(meeting.c.series == bindparam("key"), meeting.c.phase == "preparation", meeting.c.start_at > text("now()"))
    .order_by(meeting.c.id)
    .with_for_update()
)
CANCEL = Sql(
    update(series).where(series.c.id == bindparam("key")).returning(series), columns=("cancelled", "reason", "revision")
)
CLASHES = ("VENUE_BOOKED", "DELEGATES_BOOKED")


class AllSeries:
    _database: Database

    async def CreateSeries(self, request: pb.CreateSeriesRequest, _: Context) -> pb.Series:
        given = request.series
        # RFC 5545 knows no part of a second.
        start = read_time(given, "start_time", "series.start_time").astimezone(clock.SHANGHAI).replace(microsecond=0)
        days = _days(given)
        starts = occurrences(given.recurrence, start, days)
        async with numbering(), self._database.write() as tx:
            meetings = await _enter(tx, given, starts, request.overlap_reason)
            row = await tx.one(ENTER, **_columns(given, start), exception_dates=days, occurrence_count=len(meetings))
            await tx.execute(LINK, series=row.id, meetings=meetings)
            return tx.reply(_message(row))

    async def GetSeries(self, request: pb.GetSeriesRequest, _: Context) -> pb.Series:
        async with self._database.read() as tx:
            return _message(await load_series(tx, request.name))

    async def ListSeries(self, request: pb.ListSeriesRequest, _: Context) -> pb.ListSeriesResponse:
        statement = select(series)
        if request.body:
            column = series.c.assembly if request.body.startswith("assemblies/") else series.c.station
            statement = statement.where(column == identifier(request.body))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (series.c.id, identifier))
        return pb.ListSeriesResponse(series=map(_message, rows), next_page_token=token)

    async def CancelSeries(self, request: pb.CancelSeriesRequest, _: Context) -> pb.Series:
        async with self._database.write() as tx:
            row = await load_series(tx, request.name, LOCK)
            check_etag(request.etag, row.revision)
            if row.cancelled:
                raise Refused("SERIES_CANCELLED", series=request.name)
            for one in await tx.all(TO_COME, key=row.id):
                await withdraw(tx, one, "cancel", request.reason)
            changes = {"cancelled": True, "reason": request.reason, "revision": row.revision + 1}
            return tx.reply(_message(await tx.one(CANCEL, key=row.id, **changes)))


async def _enter(tx: WriteTx, given: pb.Series, starts: Sequence[datetime], overlap_reason: str) -> list[UUID]:
    """The meetings, one after the other. Raises Refused, OCCURRENCE_CLASHES for one that finds others booked."""
    made = []
    for place, start in enumerate(starts, 1):
        try:
            made.append((await create_meeting(tx, _occurrence(given, place, start), overlap_reason)).id)
        except Refused as refused:
            if refused.reason not in CLASHES:
                raise
            in_the_way = refused.facts["meeting"]
            raise Refused("OCCURRENCE_CLASHES", start=start.isoformat(), meeting=in_the_way) from None
    return made


def _occurrence(given: pb.Series, place: int, start: datetime) -> meeting_pb2.Meeting:
    title = given.display_name.replace("{number}", str(place)).replace("{date}", start.date().isoformat())
    return meeting_pb2.Meeting(
        body=given.body,
        kind=given.kind,
        form=given.form,
        display_name=title,
        venue=given.venue,
        start_time=timestamp(start),
        end_time=timestamp(start + given.duration.ToTimedelta()),
    )


def _days(given: pb.Series) -> list[date]:
    """The exceptions. Raises FieldsInvalid for one that is not in the calendar."""
    try:
        return [date(day.year, day.month, day.day) for day in given.exception_dates]
    except ValueError as error:
        raise FieldsInvalid([("series.exception_dates", f"not a day of the calendar: {error}")]) from None


def _columns(given: pb.Series, start: datetime) -> dict[str, Any]:
    of_assembly = given.body.startswith("assemblies/")
    return {
        "assembly": identifier(given.body) if of_assembly else None,
        "station": None if of_assembly else identifier(given.body),
        "kind": word(meeting_pb2.MeetingKind, given.kind),
        "form": word(meeting_pb2.MeetingForm, given.form),
        "display_name": given.display_name,
        "venue": identifier(given.venue) if given.venue else None,
        "start_at": start,
        "duration": given.duration.ToTimedelta(),
        "recurrence": given.recurrence,
    }


async def load_series(tx: ReadTx, name: str, how: Sql = READ) -> Row:
    """Raises Refused SERIES_NOT_FOUND."""
    row = await tx.first(how, key=identifier(name))
    if row is None:
        raise Refused("SERIES_NOT_FOUND", series=name)
    return row


def _duration(length: timedelta) -> Duration:
    message = Duration()
    message.FromTimedelta(length)
    return message


def _message(row: Row) -> pb.Series:
    return pb.Series(
        name=f"series/{row.id}",
        body=body_name(row),
        kind=number(meeting_pb2.MeetingKind, row.kind),
        form=number(meeting_pb2.MeetingForm, row.form),
        display_name=row.display_name,
        venue=venue_name(row.venue) if row.venue else "",
        start_time=timestamp(row.start_at),
        duration=_duration(row.duration),
        recurrence=row.recurrence,
        exception_dates=[date_message(day) for day in row.exception_dates],
        cancelled=row.cancelled,
        reason=row.reason,
        occurrence_count=row.occurrence_count,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
