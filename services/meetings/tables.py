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

from chassis import columns, figures, merges, rulebooks

metadata = MetaData()


def _told() -> Column[object]:
    # The event that a copy is of; a copy that only an older release told is older than all of them.
    return Column("told", Uuid, nullable=False, server_default=text("'00000000-0000-0000-0000-000000000000'"))


rule_override = rulebooks.rule_override(metadata)

assembly = Table(
    "assembly",
    metadata,
    columns.district(),
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
    columns.district(),
    Column("assembly", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    PrimaryKeyConstraint("district", "assembly", "number"),
)

mandate = Table(
    "mandate",
    metadata,
    columns.district(),
    Column("id", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("assembly", Uuid, nullable=False),
    Column("term", Integer, nullable=False),
    columns.text("capacity"),
    Column("active_from", Date),
    Column("active_to", Date),
    PrimaryKeyConstraint("district", "id"),
)

suspension = Table(
    "suspension",
    metadata,
    columns.district(),
    Column("mandate", Uuid, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date),
    _told(),
    PrimaryKeyConstraint("district", "mandate", "start_date"),
)

merged_person = merges.merged_person(metadata)

station = Table(
    "station",
    metadata,
    columns.district(),
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False),
    columns.text("display_name"),
    Column("start_date", Date),
    Column("end_date", Date),
    _told(),
    PrimaryKeyConstraint("district", "id"),
)

rota_entry = Table(
    "rota_entry",
    metadata,
    columns.district(),
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
    columns.district(),
    columns.id_(),
    Column("display_name", Text, nullable=False),
    columns.text("address"),
    columns.count("capacity"),
    Column("closed", Boolean, nullable=False, server_default=text("false")),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
)

meeting = Table(
    "meeting",
    metadata,
    columns.district(),
    columns.id_(),
    Column("assembly", Uuid),
    Column("station", Uuid),
    Column("kind", Text, nullable=False),
    columns.text("form"),
    Column("term", Integer),
    Column("number", Integer, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("venue", Uuid),
    Column("start_at", DateTime(timezone=True), nullable=False),
    Column("end_at", DateTime(timezone=True), nullable=False),
    Column("phase", Text, nullable=False, server_default=text("'preparation'")),
    columns.text("reason"),
    columns.text("overlap_reason"),
    columns.instant("notice_at"),
    columns.text("late_notice_reason"),
    columns.count("sequence"),
    columns.instant("convened_at"),
    columns.instant("adjourned_at"),
    columns.created(),
    columns.revision(),
    Column("series", Uuid),
    columns.instant("original_start_at"),
    columns.created("changed_at"),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "venue"], ["venue.district", "venue.id"]),
    ForeignKeyConstraint(["district", "series"], ["series.district", "series.id"]),
)

booking = Table(
    "booking",
    metadata,
    columns.district(),
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
    columns.district(),
    Column("year", Integer, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("rule_versions", ARRAY(Text), nullable=False),
    columns.created("planned_at"),
    columns.revision(),
    PrimaryKeyConstraint("district", "year"),
)

proposal = Table(
    "proposal",
    metadata,
    columns.district(),
    columns.id_(),
    Column("year", Integer, nullable=False),
    Column("obligation", Text, nullable=False),
    Column("body", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    columns.instant("start_at"),
    columns.instant("end_at"),
    Column("day", Date),
    Column("notice_date", Date),
    Column("venue", Uuid),
    columns.text("unplaced_reason"),
    columns.text("reject_reason"),
    Column("meeting", Uuid),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "year"], ["plan.district", "plan.year"]),
    ForeignKeyConstraint(["district", "venue"], ["venue.district", "venue.id"]),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

obligation_count = Table(
    "obligation_count",
    metadata,
    columns.district(),
    Column("year", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("obligations", Integer, nullable=False),
    PrimaryKeyConstraint("district", "year", "kind", "state"),
)

series = Table(
    "series",
    metadata,
    columns.district(),
    columns.id_(),
    Column("assembly", Uuid),
    Column("station", Uuid),
    Column("kind", Text, nullable=False),
    columns.text("form"),
    Column("display_name", Text, nullable=False),
    Column("venue", Uuid),
    Column("start_at", DateTime(timezone=True), nullable=False),
    Column("duration", Interval, nullable=False),
    Column("recurrence", Text, nullable=False),
    Column("exception_dates", ARRAY(Date), nullable=False, server_default=text("'{}'")),
    Column("occurrence_count", Integer, nullable=False),
    Column("cancelled", Boolean, nullable=False, server_default=text("false")),
    columns.text("reason"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "venue"], ["venue.district", "venue.id"]),
)

calendar = Table(
    "calendar",
    metadata,
    columns.district(),
    columns.id_(),
    Column("assembly", Uuid),
    Column("station", Uuid),
    Column("person", Uuid),
    # SHA-256 of the secret in its address: nobody can read the address here.
    Column("secret_hash", LargeBinary),
    columns.instant("revoked_at"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
)

roll = Table(
    "roll",
    metadata,
    columns.district(),
    columns.id_(),
    Column("meeting", Uuid, nullable=False),
    Column("mandate", Uuid),
    Column("person", Uuid),
    columns.text("capacity"),
    columns.text("display_name"),
    Column("observer", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False, server_default=text("'invited'")),
    columns.text("leave_reason"),
    columns.instant("checked_in_at"),
    columns.text("method"),
    columns.instant("left_at"),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

movement = Table(
    "movement",
    metadata,
    columns.district(),
    columns.id_(),
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
    columns.district(),
    Column("meeting", Uuid, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("present", Integer, nullable=False),
    Column("needed", Integer, nullable=False),
    Column("rule_version", Text, nullable=False),
    PrimaryKeyConstraint("district", "meeting"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)


agenda_item = Table(
    "agenda_item",
    metadata,
    columns.district(),
    columns.id_(),
    Column("meeting", Uuid, nullable=False),
    Column("item_class", Text, nullable=False),
    Column("title", Text, nullable=False),
    columns.text("reporter"),
    columns.count("minutes_allowed"),
    Column("position", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'planned'")),
    columns.text("outcome"),
    columns.text("outcome_text"),
    columns.text("evaluation_method"),
    columns.count("members"),
    columns.count("satisfied"),
    columns.count("basically_satisfied"),
    columns.count("dissatisfied"),
    columns.count("score_count"),
    columns.count("average_hundredths"),
    columns.text("evaluation_result"),
    Column("evaluation_rules", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    columns.instant("opened_at"),
    columns.instant("concluded_at"),
    columns.created(),
    columns.revision(),
    Column("special_inquiry", Boolean, nullable=False, server_default=text("false")),
    columns.text("left_open_reason"),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

deliberation_opinion = Table(
    "deliberation_opinion",
    metadata,
    columns.district(),
    columns.id_(),
    Column("meeting", Uuid, nullable=False),
    Column("item", Uuid, nullable=False),
    Column("content", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'collected'")),
    Column("merged_into", Uuid),
    columns.text("undertaker"),
    Column("due_date", Date),
    columns.text("rule_version"),
    columns.text("answer"),
    columns.text("judgement"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
    ForeignKeyConstraint(["district", "item"], ["agenda_item.district", "agenda_item.id"]),
    ForeignKeyConstraint(["district", "merged_into"], ["deliberation_opinion.district", "deliberation_opinion.id"]),
)


speaker = Table(
    "speaker",
    metadata,
    columns.district(),
    columns.id_(),
    Column("meeting", Uuid, nullable=False),
    Column("item", Uuid, nullable=False),
    Column("attendee", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    columns.count("minutes_allowed"),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    columns.instant("began_at"),
    columns.instant("ended_at"),
    columns.text("summary"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
    ForeignKeyConstraint(["district", "item"], ["agenda_item.district", "agenda_item.id"]),
    ForeignKeyConstraint(["district", "attendee"], ["roll.district", "roll.id"]),
)

question = Table(
    "question",
    metadata,
    columns.district(),
    columns.id_(),
    Column("meeting", Uuid, nullable=False),
    Column("item", Uuid, nullable=False),
    Column("attendee", Uuid, nullable=False),
    Column("asked_of", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    columns.text("answer"),
    columns.text("answered_by"),
    columns.instant("answered_at"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
    ForeignKeyConstraint(["district", "item"], ["agenda_item.district", "agenda_item.id"]),
    ForeignKeyConstraint(["district", "attendee"], ["roll.district", "roll.id"]),
)

attachment = Table(
    "attachment",
    metadata,
    columns.district(),
    columns.id_(),
    Column("item", Uuid, nullable=False),
    Column("title", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("attached_by", Text, nullable=False),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "item"], ["agenda_item.district", "agenda_item.id"]),
)

preparation = Table(
    "preparation",
    metadata,
    columns.district(),
    columns.id_(),
    Column("meeting", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    columns.text("note"),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

measure = Table(
    "measure",
    metadata,
    columns.district(),
    columns.id_(),
    Column("meeting", Uuid, nullable=False),
    Column("content", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    columns.text("report"),
    columns.instant("completed_at"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

minutes = Table(
    "minutes",
    metadata,
    columns.district(),
    Column("meeting", Uuid, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'draft'")),
    Column("record", Text, nullable=False),
    Column("summary", ARRAY(Text), nullable=False),
    Column("resolutions", ARRAY(Text), nullable=False),
    Column("remarks", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("edited", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("chair_attendee", Uuid),
    Column("chair_name", Text, nullable=False),
    columns.text("chair_subject"),
    columns.instant("chair_signed_at"),
    Column("secretary_attendee", Uuid),
    Column("secretary_name", Text, nullable=False),
    columns.text("secretary_subject"),
    columns.instant("secretary_signed_at"),
    columns.text("return_reason"),
    columns.text("document"),
    columns.text("digest"),
    columns.created("generated_at"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "meeting"),
    ForeignKeyConstraint(["district", "meeting"], ["meeting.district", "meeting.id"]),
)

told_month = figures.told_month(metadata)
