"""The tables of the meetings service. The migrations make them; a test compares the two.

The first eight are copies of what the registry told (see `roster.py`).
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE

metadata = MetaData()


def _id() -> Column[object]:
    return Column("id", Uuid, nullable=False, server_default=text("uuidv7()"))


def _created() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()"))


def _revision() -> Column[object]:
    return Column("revision", BigInteger, nullable=False, server_default=text("1"))


def _district() -> Column[object]:
    # Filled by the database from the transaction's tenant: no statement names a district to write to.
    return Column("district", Text, nullable=False, server_default=text("current_setting('app.district')"))


def _text(name: str) -> Column[object]:
    return Column(name, Text, nullable=False, server_default=text("''"))


def _instant(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def _told() -> Column[object]:
    # The event that a copy is of; a copy that only an older release told is older than all of them.
    return Column("told", Uuid, nullable=False, server_default=text("'00000000-0000-0000-0000-000000000000'"))


rule_override = Table(
    "rule_override",
    metadata,
    _district(),
    Column("rule", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("value", Text),
    Column("effective_date", Date, nullable=False),
    _text("enforcement"),
    PrimaryKeyConstraint("district", "rule", "revision"),
)

assembly = Table(
    "assembly",
    metadata,
    _district(),
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text),
    Column("display_name", Text, nullable=False),
    _told(),
    PrimaryKeyConstraint("district", "id"),
)

term = Table(
    "term",
    metadata,
    _district(),
    Column("assembly", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    PrimaryKeyConstraint("district", "assembly", "number"),
)

mandate = Table(
    "mandate",
    metadata,
    _district(),
    Column("id", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("assembly", Uuid, nullable=False),
    Column("term", Integer, nullable=False),
    _text("capacity"),
    Column("active_from", Date),
    Column("active_to", Date),
    PrimaryKeyConstraint("district", "id"),
)

suspension = Table(
    "suspension",
    metadata,
    _district(),
    Column("mandate", Uuid, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date),
    _told(),
    PrimaryKeyConstraint("district", "mandate", "start_date"),
)

merged_person = Table(
    "merged_person",
    metadata,
    _district(),
    Column("id", Uuid, nullable=False),
    Column("kept", Uuid, nullable=False),
    PrimaryKeyConstraint("district", "id"),
)

station = Table(
    "station",
    metadata,
    _district(),
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False),
    _text("display_name"),
    Column("start_date", Date),
    Column("end_date", Date),
    _told(),
    PrimaryKeyConstraint("district", "id"),
)

rota_entry = Table(
    "rota_entry",
    metadata,
    _district(),
    Column("id", Uuid, nullable=False),
    Column("station", Uuid, nullable=False),
    Column("mandate", Uuid, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    _told(),
    PrimaryKeyConstraint("district", "id"),
)

COPIES = frozenset(metadata.tables)

venue = Table(
    "venue",
    metadata,
    _district(),
    _id(),
    Column("display_name", Text, nullable=False),
    _text("address"),
    Column("capacity", Integer, nullable=False, server_default=text("0")),
    Column("closed", Boolean, nullable=False, server_default=text("false")),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
)

meeting = Table(
    "meeting",
    metadata,
    _district(),
    _id(),
    Column("assembly", Uuid),
    Column("station", Uuid),
    Column("kind", Text, nullable=False),
    _text("form"),
    Column("term", Integer),
    Column("number", Integer, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("venue", Uuid),
    Column("start_at", DateTime(timezone=True), nullable=False),
    Column("end_at", DateTime(timezone=True), nullable=False),
    Column("phase", Text, nullable=False, server_default=text("'preparation'")),
    _text("reason"),
    _text("overlap_reason"),
    _instant("notice_at"),
    _text("late_notice_reason"),
    Column("sequence", Integer, nullable=False, server_default=text("0")),
    _instant("convened_at"),
    _instant("adjourned_at"),
    _created(),
    _revision(),
    Column("series", Uuid),
    _instant("original_start_at"),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "venue"], ["venue.district", "venue.id"]),
    ForeignKeyConstraint(["district", "series"], ["series.district", "series.id"]),
)

booking = Table(
    "booking",
    metadata,
    _district(),
    Column("meeting", Uuid, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("is_venue", Boolean, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("doubled", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("district", "meeting", "subject"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

plan = Table(
    "plan",
    metadata,
    _district(),
    Column("year", Integer, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("rule_versions", ARRAY(Text), nullable=False),
    Column("planned_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    _revision(),
    PrimaryKeyConstraint("district", "year"),
)

proposal = Table(
    "proposal",
    metadata,
    _district(),
    _id(),
    Column("year", Integer, nullable=False),
    Column("obligation", Text, nullable=False),
    Column("body", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    _instant("start_at"),
    _instant("end_at"),
    Column("day", Date),
    Column("notice_date", Date),
    Column("venue", Uuid),
    _text("unplaced_reason"),
    _text("reject_reason"),
    Column("meeting", Uuid),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "year"], ["plan.district", "plan.year"]),
    ForeignKeyConstraint(["district", "venue"], ["venue.district", "venue.id"]),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

obligation_count = Table(
    "obligation_count",
    metadata,
    _district(),
    Column("year", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("obligations", Integer, nullable=False),
    PrimaryKeyConstraint("district", "year", "kind", "state"),
)

series = Table(
    "series",
    metadata,
    _district(),
    _id(),
    Column("assembly", Uuid),
    Column("station", Uuid),
    Column("kind", Text, nullable=False),
    _text("form"),
    Column("display_name", Text, nullable=False),
    Column("venue", Uuid),
    Column("start_at", DateTime(timezone=True), nullable=False),
    Column("duration", Interval, nullable=False),
    Column("recurrence", Text, nullable=False),
    Column("exception_dates", ARRAY(Date), nullable=False, server_default=text("'{}'")),
    Column("occurrence_count", Integer, nullable=False),
    Column("cancelled", Boolean, nullable=False, server_default=text("false")),
    _text("reason"),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "venue"], ["venue.district", "venue.id"]),
)

calendar = Table(
    "calendar",
    metadata,
    _district(),
    _id(),
    Column("assembly", Uuid),
    Column("station", Uuid),
    Column("person", Uuid),
    # SHA-256 of the secret in its address: nobody can read the address here.
    Column("secret_hash", LargeBinary),
    _instant("revoked_at"),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
)

roll = Table(
    "roll",
    metadata,
    _district(),
    _id(),
    Column("meeting", Uuid, nullable=False),
    Column("mandate", Uuid),
    Column("person", Uuid),
    _text("capacity"),
    _text("display_name"),
    Column("observer", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False, server_default=text("'invited'")),
    _text("leave_reason"),
    _instant("checked_in_at"),
    _text("method"),
    _instant("left_at"),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

movement = Table(
    "movement",
    metadata,
    _district(),
    _id(),
    Column("meeting", Uuid, nullable=False),
    Column("attendee", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("came", Boolean, nullable=False),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
    ForeignKeyConstraint(["district", "attendee"], ["roll.district", "roll.id"]),
)

quorum = Table(
    "quorum",
    metadata,
    _district(),
    Column("meeting", Uuid, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("present", Integer, nullable=False),
    Column("needed", Integer, nullable=False),
    Column("rule_version", Text, nullable=False),
    PrimaryKeyConstraint("district", "meeting"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


agenda_item = Table(
    "agenda_item",
    metadata,
    _district(),
    _id(),
    Column("meeting", Uuid, nullable=False),
    Column("item_class", Text, nullable=False),
    Column("title", Text, nullable=False),
    _text("reporter"),
    _count("minutes_allowed"),
    Column("position", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'planned'")),
    _text("outcome"),
    _text("outcome_text"),
    _text("evaluation_method"),
    _count("members"),
    _count("satisfied"),
    _count("basically_satisfied"),
    _count("dissatisfied"),
    _count("score_count"),
    _count("average_hundredths"),
    _text("evaluation_result"),
    Column("evaluation_rules", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    _instant("opened_at"),
    _instant("concluded_at"),
    _created(),
    _revision(),
    Column("special_inquiry", Boolean, nullable=False, server_default=text("false")),
    _text("left_open_reason"),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

deliberation_opinion = Table(
    "deliberation_opinion",
    metadata,
    _district(),
    _id(),
    Column("meeting", Uuid, nullable=False),
    Column("item", Uuid, nullable=False),
    Column("content", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'collected'")),
    Column("merged_into", Uuid),
    _text("undertaker"),
    Column("due_date", Date),
    _text("rule_version"),
    _text("answer"),
    _text("judgement"),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
    ForeignKeyConstraint(["district", "item"], ["agenda_item.district", "agenda_item.id"]),
    ForeignKeyConstraint(["district", "merged_into"], ["deliberation_opinion.district", "deliberation_opinion.id"]),
)


speaker = Table(
    "speaker",
    metadata,
    _district(),
    _id(),
    Column("meeting", Uuid, nullable=False),
    Column("item", Uuid, nullable=False),
    Column("attendee", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    _count("minutes_allowed"),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    _instant("began_at"),
    _instant("ended_at"),
    _text("summary"),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
    ForeignKeyConstraint(["district", "item"], ["agenda_item.district", "agenda_item.id"]),
    ForeignKeyConstraint(["district", "attendee"], ["roll.district", "roll.id"]),
)

question = Table(
    "question",
    metadata,
    _district(),
    _id(),
    Column("meeting", Uuid, nullable=False),
    Column("item", Uuid, nullable=False),
    Column("attendee", Uuid, nullable=False),
    Column("asked_of", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    _text("answer"),
    _text("answered_by"),
    _instant("answered_at"),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
    ForeignKeyConstraint(["district", "item"], ["agenda_item.district", "agenda_item.id"]),
    ForeignKeyConstraint(["district", "attendee"], ["roll.district", "roll.id"]),
)

attachment = Table(
    "attachment",
    metadata,
    _district(),
    _id(),
    Column("item", Uuid, nullable=False),
    Column("title", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("attached_by", Text, nullable=False),
    _created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "item"], ["agenda_item.district", "agenda_item.id"]),
)

preparation = Table(
    "preparation",
    metadata,
    _district(),
    _id(),
    Column("meeting", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    _text("note"),
    _created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

measure = Table(
    "measure",
    metadata,
    _district(),
    _id(),
    Column("meeting", Uuid, nullable=False),
    Column("content", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    _text("report"),
    _instant("completed_at"),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

minutes = Table(
    "minutes",
    metadata,
    _district(),
    Column("meeting", Uuid, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'draft'")),
    Column("record", Text, nullable=False),
    Column("summary", ARRAY(Text), nullable=False),
    Column("resolutions", ARRAY(Text), nullable=False),
    Column("remarks", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("edited", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("chair_attendee", Uuid),
    Column("chair_name", Text, nullable=False),
    _text("chair_subject"),
    _instant("chair_signed_at"),
    Column("secretary_attendee", Uuid),
    Column("secretary_name", Text, nullable=False),
    _text("secretary_subject"),
    _instant("secretary_signed_at"),
    _text("return_reason"),
    _text("document"),
    _text("digest"),
    Column("generated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "meeting"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)
