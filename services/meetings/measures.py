"""Measures: what consultations on a single matter (一事一议) end in, each with an owner and a last day."""

from datetime import UTC, date, datetime
from typing import Any

import grpc
from sqlalchemy import bindparam, select, text

from chassis import clock
from chassis.database import Database, Row
from chassis.errors import FieldsInvalid
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, identifier, read_date, timestamp
from quanyutong.meetings.v1 import events_pb2
from quanyutong.meetings.v1 import measures_pb2 as pb
from services.meetings.agenda import lock_meeting
from services.meetings.domain import Refused
from services.meetings.meetings import day_of, meeting_name
from services.meetings.sitting import MEASURE, load_entry
from services.meetings.tables import measure

Context = grpc.aio.ServicerContext[Any, Any]
BY_ID = select(measure).where(measure.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
SET = Sql(
    text("""INSERT INTO measure (meeting, content, owner, due_date) VALUES (:meeting, :content, :owner, :due)
            ON CONFLICT (district, meeting) DO UPDATE
            SET (content, owner, due_date, revision) = (:content, :owner, :due, measure.revision + 1)
            RETURNING *""")
)


class Measures:
    _database: Database

    async def SetMeasure(self, request: pb.SetMeasureRequest, _: Context) -> pb.Measure:
        given, due = request.measure, read_date(request.measure, "due_date", "measure.due_date")
        async with self._database.write() as tx:
            meeting = await lock_meeting(tx, request.parent, ("convened", "summary"))
            _check_agreeable(meeting, due)
            before = await tx.first(MEASURE, meeting=meeting.id)
            if before:
                check_etag(given.etag, before.revision)
                _check_open(before)
            row = await tx.one(SET, meeting=meeting.id, content=given.content, owner=given.owner, due=due)
            name = measure_name(row.id)
            event = events_pb2.MeasureAgreed(measure=name, meeting=request.parent, due_date=date_message(due))
            tx.publish(event, name)
            return tx.reply(_message(row))

    async def GetMeasure(self, request: pb.GetMeasureRequest, _: Context) -> pb.Measure:
        async with self._database.read() as tx:
            return _message(await load_entry(tx, READ, request.name))

    async def ListMeasures(self, request: pb.ListMeasuresRequest, _: Context) -> pb.ListMeasuresResponse:
        statement = select(measure)
        if request.meeting:
            statement = statement.where(measure.c.meeting == identifier(request.meeting))
        if request.owner:
            statement = statement.where(measure.c.owner == request.owner)
        if request.open or request.overdue:
            statement = statement.where(measure.c.completed_at.is_(None))
        if request.overdue:
            statement = statement.where(measure.c.due_date < clock.today())
        key = ((measure.c.due_date, date.fromisoformat), (measure.c.id, identifier))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, *key)
        return pb.ListMeasuresResponse(measures=map(_message, rows), next_page_token=token)

    async def CompleteMeasure(self, request: pb.CompleteMeasureRequest, _: Context) -> pb.Measure:
        async with self._database.write() as tx:
            row = await load_entry(tx, LOCK, request.name)
            check_etag(request.etag, row.revision)
            _check_open(row)
            done = await tx.change(measure, row, report=request.report, completed_at=datetime.now(UTC))
            return tx.reply(_message(done))


def _check_agreeable(meeting: Row, due: date | None) -> None:
    """Raises Refused MEASURE_REFUSED, FieldsInvalid."""
    if meeting.kind != "consultation":
        raise Refused("MEASURE_REFUSED", kind=meeting.kind.upper())
    if due is None or due < day_of(meeting.start_at):
        raise FieldsInvalid([("measure.due_date", "before the day of the meeting")])


def _check_open(row: Row) -> None:
    if row.completed_at:
        raise Refused("MEASURE_DONE", measure=measure_name(row.id))


def measure_name(key: object) -> str:
    return f"measures/{key}"


def _message(row: Row) -> pb.Measure:
    done = row.completed_at is not None
    return pb.Measure(
        name=measure_name(row.id),
        meeting=meeting_name(row.meeting),
        content=row.content,
        owner=row.owner,
        due_date=date_message(row.due_date),
        done=done,
        overdue=not done and row.due_date < clock.today(),
        report=row.report,
        complete_time=timestamp(row.completed_at) if done else None,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
