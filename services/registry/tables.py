"""The registry's tables. The migrations make them; a test compares the two.

In every table of a district the column `district` comes first in each key and
each reference, so that no row can point into another district.
"""

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from chassis import columns, figures, rulebooks

metadata = MetaData()
CITY_TABLES = frozenset({"district", "erasure"})


district = Table(
    "district",
    metadata,
    Column("code", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("suspended", Boolean, nullable=False, server_default=text("false")),
    columns.text("suspension_reason"),
    columns.count("calls_per_second"),
    columns.count("calls_in_flight"),
    columns.revision(),
    Column("successor", Text),
)

unit = Table(
    "unit",
    metadata,
    columns.district(),
    Column("code", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("predecessor", Text),
    PrimaryKeyConstraint("district", "code"),
    ForeignKeyConstraint(["district"], ["district.code"]),
)

rule_override = rulebooks.rule_override(metadata, Column("decision", Text, nullable=False), columns.created())

assembly = Table(
    "assembly",
    metadata,
    columns.district(),
    columns.id_(),
    Column("kind", Text, nullable=False),
    Column("unit", Text),
    Column("display_name", Text, nullable=False),
    columns.created(),
    columns.revision(),
    Column("predecessor", Text),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "unit"], ["unit.district", "unit.code"]),
)

term = Table(
    "term",
    metadata,
    columns.district(),
    Column("assembly", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    columns.text("rule_version"),
    columns.revision(),
    PrimaryKeyConstraint("district", "assembly", "number"),
    ForeignKeyConstraint(["district", "assembly"], ["assembly.district", "assembly.id"]),
)

person = Table(
    "person",
    metadata,
    columns.district(),
    columns.id_(),
    Column("display_name", Text, nullable=False),
    columns.text("gender"),
    Column("birth_date", Date),
    Column("nationality", Text, nullable=False, server_default=text("'CN'")),
    columns.text("schooling"),
    columns.text("occupation"),
    Column("residence", Text),
    Column("residence_since", Date),
    columns.created(),
    columns.revision(),
    Column("identity_hash", LargeBinary),
    Column("identity_last_four", Text),
    Column("phone_sealed", LargeBinary),
    Column("phone_last_four", Text),
    Column("phone_key", Integer),
    Column("pinyin", Text),
    Column("initials", Text),
    Column("merged_into", Uuid),
    Column("workplace", Text),
    Column("workplace_since", Date),
    Column("identity_key", Integer),
    Column("predecessor", Text),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "residence"], ["unit.district", "unit.code"]),
    ForeignKeyConstraint(["district", "workplace"], ["unit.district", "unit.code"]),
    ForeignKeyConstraint(["district", "merged_into"], ["person.district", "person.id"]),
)

district_key = Table(
    "district_key",
    metadata,
    columns.district(),
    Column("purpose", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    columns.created(),
    PrimaryKeyConstraint("district", "purpose", "version"),
)

mandate = Table(
    "mandate",
    metadata,
    columns.district(),
    columns.id_(),
    Column("person", Uuid, nullable=False),
    Column("assembly", Uuid, nullable=False),
    Column("term", Integer, nullable=False),
    Column("capacity", Text, nullable=False),
    Column("recommender", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("active_from", Date),
    Column("active_to", Date),
    columns.text("end_reason"),
    columns.text("remark"),
    columns.text("rule_version"),
    columns.created(),
    columns.revision(),
    # The term's own end, kept equal by a reference: the latest day that the mandate can last to.
    Column("term_end", Date),
    Column("state_since", Date),
    Column("fills", Uuid),
    Column("judged_by", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("predecessor", Text),
    Column("successor", Text),
    Column("held_since", Date),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "person"], ["person.district", "person.id"]),
    ForeignKeyConstraint(["district", "assembly", "term"], ["term.district", "term.assembly", "term.number"]),
)

suspension = Table(
    "suspension",
    metadata,
    columns.district(),
    columns.id_(),
    Column("mandate", Uuid, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date),
    Column("reason", Text, nullable=False),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "mandate"], ["mandate.district", "mandate.id"]),
)

station = Table(
    "station",
    metadata,
    columns.district(),
    columns.id_(),
    Column("kind", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("belongs_to", Uuid),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date),
    columns.text("close_reason"),
    columns.created(),
    columns.revision(),
    Column("predecessor", Text),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "unit"], ["unit.district", "unit.code"]),
    ForeignKeyConstraint(["district", "belongs_to"], ["station.district", "station.id"]),
)

rota_entry = Table(
    "rota_entry",
    metadata,
    columns.district(),
    columns.id_(),
    Column("station", Uuid, nullable=False),
    Column("mandate", Uuid, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "station"], ["station.district", "station.id"]),
    ForeignKeyConstraint(["district", "mandate"], ["mandate.district", "mandate.id"]),
)

contact = Table(
    "contact",
    metadata,
    columns.district(),
    columns.id_(),
    Column("mandate", Uuid, nullable=False),
    Column("person", Uuid),
    Column("unit", Text),
    columns.text("description"),
    columns.count("households"),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "mandate"], ["mandate.district", "mandate.id"]),
    ForeignKeyConstraint(["district", "person"], ["person.district", "person.id"]),
    ForeignKeyConstraint(["district", "unit"], ["unit.district", "unit.code"]),
)

oversight_group = Table(
    "oversight_group",
    metadata,
    columns.district(),
    columns.id_(),
    Column("assembly", Uuid, nullable=False),
    Column("term", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("rule_version", Text, nullable=False),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "assembly", "term"], ["term.district", "term.assembly", "term.number"]),
)


def _in_oversight_group(name: str) -> Table:
    """Who is in a group from a day to a day: as a member, or as its leader."""
    return Table(
        name,
        metadata,
        columns.district(),
        columns.id_(),
        Column("oversight_group", Uuid, nullable=False),
        Column("mandate", Uuid, nullable=False),
        Column("start_date", Date, nullable=False),
        Column("end_date", Date, nullable=False),
        PrimaryKeyConstraint("district", "id"),
        ForeignKeyConstraint(["district", "oversight_group"], ["oversight_group.district", "oversight_group.id"]),
        ForeignKeyConstraint(["district", "mandate"], ["mandate.district", "mandate.id"]),
    )


oversight_member = _in_oversight_group("oversight_member")
oversight_leader = _in_oversight_group("oversight_leader")

activity = Table(
    "activity",
    metadata,
    columns.district(),
    columns.id_(),
    Column("kind", Text, nullable=False),
    Column("day", Date, nullable=False),
    columns.count("people_received"),
    columns.text("subject"),
    Column("unit", Text),
    columns.text("source"),
    Column("confirmed", Boolean, nullable=False, server_default=text("false")),
    columns.text("withdrawal_reason"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "unit"], ["unit.district", "unit.code"]),
)

participation = Table(
    "participation",
    metadata,
    columns.district(),
    Column("activity", Uuid, nullable=False),
    Column("mandate", Uuid, nullable=False),
    PrimaryKeyConstraint("district", "activity", "mandate"),
    ForeignKeyConstraint(["district", "activity"], ["activity.district", "activity.id"]),
    ForeignKeyConstraint(["district", "mandate"], ["mandate.district", "mandate.id"]),
)

participation_told = Table(
    "participation_told",
    metadata,
    columns.district(),
    Column("event_type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("mandate", Uuid, nullable=False),
    PrimaryKeyConstraint("district", "event_type", "source", "mandate"),
)

succession = Table(
    "succession",
    metadata,
    columns.district(),
    Column("predecessor", Text, nullable=False),
    Column("successor", Text, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("decision", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    columns.created(),
    PrimaryKeyConstraint("district", "predecessor"),
)

told_month = figures.told_month(metadata)
