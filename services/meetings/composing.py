"""The sections of minutes, composed from the record."""

from collections.abc import Mapping
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.wire import read_date, word
from quanyutong.meetings.v1 import agenda_pb2
from quanyutong.meetings.v1 import minutes_pb2 as pb
from services.meetings.minutes_text import NAMELESS, Agreed, Decided, Held, resolutions_of, summary_of
from services.meetings.signing import Signer


def composed(record: pb.MinutesRecord, signers: Mapping[str, Signer]) -> dict[str, list[str]]:
    """The columns of sections as they are generated. Remarks are the clerk's own."""
    items = [_decided(item) for item in record.items]
    held = _held(record, signers["chair"].name, signers["secretary"].name)
    return {"summary": summary_of(held, items), "resolutions": resolutions_of(items, _agreed(record)), "remarks": []}


def local(moment: Timestamp) -> datetime:
    """The time in Chongqing."""
    return moment.ToDatetime(clock.SHANGHAI)


def name_of(attendee: pb.MinutesAttendee) -> str:
    return attendee.display_name or NAMELESS


def _held(record: pb.MinutesRecord, chair: str, secretary: str) -> Held:
    there = record.attendance
    return Held(
        title=record.display_name,
        began=local(record.convene_time),
        ended=local(record.adjourn_time),
        venue=record.venue_display_name,
        chair=chair,
        secretary=secretary,
        expected=there.expected,
        attended=there.attended,
        on_leave=there.on_leave,
        absent=there.absent,
        observers=there.observers,
        needed=there.needed,
        present=there.present_at_convening,
    )


def _decided(item: pb.MinutesItem) -> Decided:
    return Decided(
        title=item.title,
        reporter=item.reporter,
        state=word(agenda_pb2.ItemState, item.state),
        outcome=word(agenda_pb2.ItemOutcome, item.outcome),
        outcome_text=item.outcome_text,
        grade=word(agenda_pb2.Satisfaction, item.evaluation.result),
    )


def _agreed(record: pb.MinutesRecord) -> Agreed | None:
    due = read_date(record.measure, "due_date")
    return Agreed(record.measure.content, record.measure.owner, due) if due else None
