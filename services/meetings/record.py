"""The record of a meeting that is over: all that happened in it, gathered in one read for its minutes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, select

from chassis.database import ReadTx, Row
from chassis.sql import Sql
from chassis.wire import date_message, number, timestamp
from quanyutong.meetings.v1 import agenda_pb2, deliberation_pb2, meeting_pb2, preparations_pb2
from quanyutong.meetings.v1 import minutes_pb2 as pb
from services.meetings.agenda import item_name
from services.meetings.attendance import attendee_name
from services.meetings.deliberations import opinion_name
from services.meetings.evaluating import evaluation_message
from services.meetings.measures import measure_name
from services.meetings.meetings import body_name
from services.meetings.roll import FROZEN
from services.meetings.roster import load_body
from services.meetings.tables import (
    agenda_item,
    attachment,
    deliberation_opinion,
    measure,
    preparation,
    question,
    roll,
    speaker,
)
from services.meetings.venues import load_venue, venue_name


def _of_meeting(table: Table, *order: str) -> Sql:
    keys = [table.c[name] for name in (*order, "id")]
    return Sql(select(table).where(table.c.meeting == bindparam("meeting")).order_by(*keys))


ROLL = _of_meeting(roll)
ITEMS = _of_meeting(agenda_item, "position")
SPEECHES = _of_meeting(speaker, "began_at")
QUESTIONS = _of_meeting(question, "asked_at")
OPINIONS = _of_meeting(deliberation_opinion)
PREPARATIONS = _of_meeting(preparation)
MEASURES = _of_meeting(measure)
ATTACHMENTS = Sql(
    select(attachment)
    .join(agenda_item, attachment.c.item == agenda_item.c.id)
    .where(agenda_item.c.meeting == bindparam("meeting"))
    .order_by(attachment.c.id)
)
Named = Mapping[UUID, pb.MinutesAttendee]


@dataclass(frozen=True, slots=True)
class Entries:
    """What belongs to each item."""

    speeches: Mapping[UUID, Sequence[Row]]
    questions: Mapping[UUID, Sequence[Row]]
    attachments: Mapping[UUID, Sequence[Row]]
    opinions: Mapping[UUID, Sequence[Row]]


async def gather(tx: ReadTx, meeting: Row) -> pb.MinutesRecord:
    """As it is now. Ask under the meeting's lock, once it is over."""
    key = meeting.id
    members = await tx.all(ROLL, meeting=key)
    named = {row.id: _named(row) for row in members}
    entries = Entries(
        *[await tx.grouped(sql, "item", meeting=key) for sql in (SPEECHES, QUESTIONS, ATTACHMENTS, OPINIONS)]
    )
    agreed = await tx.first(MEASURES, meeting=key)
    return pb.MinutesRecord(
        display_name=meeting.display_name,
        body=body_name(meeting),
        body_display_name=(await load_body(tx, body_name(meeting))).display_name,
        kind=number(meeting_pb2.MeetingKind, meeting.kind),
        form=number(meeting_pb2.MeetingForm, meeting.form),
        term_number=meeting.term or 0,
        number=meeting.number,
        venue_display_name=await _venue(tx, meeting),
        convene_time=timestamp(meeting.convened_at),
        adjourn_time=timestamp(meeting.adjourned_at),
        attendance=_attendance(members, await tx.one(FROZEN, meeting=key), named),
        items=[_item(row, entries, named) for row in await tx.all(ITEMS, meeting=key)],
        preparations=map(_preparation, await tx.all(PREPARATIONS, meeting=key)),
        measure=_measure(agreed) if agreed else None,
    )


async def _venue(tx: ReadTx, meeting: Row) -> str:
    return str((await load_venue(tx, venue_name(meeting.venue))).display_name) if meeting.venue else ""


def _named(row: Row) -> pb.MinutesAttendee:
    return pb.MinutesAttendee(attendee=attendee_name(row), display_name=row.display_name)


def _attendance(members: Sequence[Row], quorum: Row, named: Named) -> pb.MinutesAttendance:
    """Who came came, whatever the answer to the invitation was."""
    seats = [row for row in members if not row.observer]
    came = [row for row in seats if row.checked_in_at]
    on_leave = [row for row in seats if not row.checked_in_at and row.state == "on_leave"]
    absent = [row for row in seats if not row.checked_in_at and row.state != "on_leave"]
    observers = [row for row in members if row.observer and row.checked_in_at]
    return pb.MinutesAttendance(
        expected=quorum.expected,
        attended=len(came),
        on_leave=len(on_leave),
        absent=len(absent),
        observers=len(observers),
        needed=quorum.needed,
        present_at_convening=quorum.present,
        rule_version=quorum.rule_version,
        attendees=_names(came, named),
        attendees_on_leave=_names(on_leave, named),
        absentees=_names(absent, named),
        observing=_names(observers, named),
    )


def _names(rows: Iterable[Row], named: Named) -> list[pb.MinutesAttendee]:
    return [named[row.id] for row in rows]


def _item(row: Row, entries: Entries, named: Named) -> pb.MinutesItem:
    return pb.MinutesItem(
        agenda_item=item_name(row.id),
        position=row.position,
        item_class=number(agenda_pb2.ItemClass, row.item_class),
        special_inquiry=row.special_inquiry,
        title=row.title,
        reporter=row.reporter,
        state=number(agenda_pb2.ItemState, row.state),
        outcome=number(agenda_pb2.ItemOutcome, row.outcome),
        outcome_text=row.outcome_text,
        evaluation=evaluation_message(row),
        left_open_reason=row.left_open_reason,
        speeches=[_speech(each, named) for each in entries.speeches.get(row.id, ()) if each.began_at],
        questions=[_question(each, named) for each in entries.questions.get(row.id, ())],
        attachments=[_attachment(each) for each in entries.attachments.get(row.id, ())],
        opinions=[_opinion(each) for each in entries.opinions.get(row.id, ()) if not each.merged_into],
    )


def _speech(row: Row, named: Named) -> pb.MinutesSpeech:
    return pb.MinutesSpeech(
        speaker=named[row.attendee],
        summary=row.summary,
        begin_time=timestamp(row.began_at),
        end_time=timestamp(row.ended_at) if row.ended_at else None,
    )


def _question(row: Row, named: Named) -> pb.MinutesQuestion:
    texts: dict[str, Any] = {name: row[name] for name in ("asked_of", "content", "answer", "answered_by")}
    return pb.MinutesQuestion(asker=named[row.attendee], **texts)


def _attachment(row: Row) -> pb.MinutesAttachment:
    return pb.MinutesAttachment(attachment=f"attachments/{row.id}", title=row.title, sha256=row.sha256)


def _opinion(row: Row) -> pb.MinutesOpinion:
    return pb.MinutesOpinion(
        opinion=opinion_name(row.id),
        content=row.content,
        state=number(deliberation_pb2.OpinionState, row.state),
        undertaker=row.undertaker,
        due_date=date_message(row.due_date),
    )


def _preparation(row: Row) -> pb.MinutesPreparation:
    kind = number(preparations_pb2.PreparationKind, row.kind)
    return pb.MinutesPreparation(kind=kind, source=row.source, note=row.note)


def _measure(row: Row) -> pb.MinutesMeasure:
    return pb.MinutesMeasure(
        measure=measure_name(row.id), content=row.content, owner=row.owner, due_date=date_message(row.due_date)
    )
