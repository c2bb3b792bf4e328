"""The registry's tables. The migrations make them; a test compares the two.

In every table of a district the column `district` comes first in each key and
each reference, so that no row can point into another district.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
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

metadata = MetaData()
CITY_TABLES = frozenset({"district", "erasure"})


def _id() -> Column[object]:
    return Column("id", Uuid, nullable=False, server_default=text("uuidv7()"))


def _created() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()"))


def _revision() -> Column[object]:
    return Column("revision", BigInteger, nullable=False, server_default=text("1"))


def _district() -> Column[object]:
    # Filled by the database from the transaction's tenant: no statement names a district to write to.
    return Column("district", Text, nullable=False, server_default=text("current_setting('app.district')"))


district = Table(
    "district",
    metadata,
    Column("code", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("suspended", Boolean, nullable=False, server_default=text("false")),
    Column("suspension_reason", Text, nullable=False, server_default=text("''")),
    Column("calls_per_second", Integer, nullable=False, server_default=text("0")),
    Column("calls_in_flight", Integer, nullable=False, server_default=text("0")),
    _revision(),
    Column("successor", Text),
)

unit = Table(
    "unit",
    metadata,
    _district(),
    Column("code", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("predecessor", Text),
    PrimaryKeyConstraint("district", "code"),
    ForeignKeyConstraint(["district"], ["district.code"]),
)

rule_override = Table(
    "rule_override",
    metadata,
    _district(),
    Column("rule", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("value", Text),
    Column("effective_date", Date, nullable=False),
    Column("decision", Text, nullable=False),
    _created(),
    Column("enforcement", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("district", "rule", "revision"),
)

assembly = Table(
    "assembly",
    metadata,
    _district(),
    _id(),
    Column("kind", Text, nullable=False),
    Column("unit", Text),
    Column("display_name", Text, nullable=False),
    _created(),
    _revision(),
    Column("predecessor", Text),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "unit"], ["unit.district", "unit.code"]),
)

term = Table(
    "term",
    metadata,
    _district(),
    Column("assembly", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    Column("rule_version", Text, nullable=False, server_default=text("''")),
    _revision(),
    PrimaryKeyConstraint("district", "assembly", "number"),
    ForeignKeyConstraint(["district", "assembly"], ["assembly.district", "assembly.id"]),
)

person = Table(
    "person",
    metadata,
    _district(),
    _id(),
    Column("display_name", Text, nullable=False),
    Column("gender", Text, nullable=False, server_default=text("''")),
    Column("birth_date", Date),
    Column("nationality", Text, nullable=False, server_default=text("'CN'")),
    Column("schooling", Text, nullable=False, server_default=text("''")),
    Column("occupation", Text, nullable=False, server_default=text("''")),
    Column("residence", Text),
    Column("residence_since", Date),
    _created(),
    _revision(),
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
    _district(),
    Column("purpose", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    _created(),
    PrimaryKeyConstraint("district", "purpose", "version"),
)

mandate = Table(
    "mandate",
    metadata,
    _district(),
    _id(),
    Column("person", Uuid, nullable=False),
    Column("assembly", Uuid, nullable=False),
    Column("term", Integer, nullable=False),
    Column("capacity", Text, nullable=False),
    Column("recommender", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("active_from", Date),
    Column("active_to", Date),
    Column("end_reason", Text, nullable=False, server_default=text("''")),
    Column("remark", Text, nullable=False, server_default=text("''")),
    Column("rule_version", Text, nullable=False, server_default=text("''")),
    _created(),
    _revision(),
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
    _district(),
    _id(),
    Column("mandate", Uuid, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date),
    Column("reason", Text, nullable=False),
    _created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "mandate"], ["mandate.district", "mandate.id"]),
)

station = Table(
    "station",
    metadata,
    _district(),
    _id(),
    Column("kind", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("belongs_to", Uuid),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date),
    Column("close_reason", Text, nullable=False, server_default=text("''")),
    _created(),
    _revision(),
    Column("predecessor", Text),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "unit"], ["unit.district", "unit.code"]),
    ForeignKeyConstraint(["district", "belongs_to"], ["station.district", "station.id"]),
)

rota_entry = Table(
    "rota_entry",
    metadata,
    _district(),
    _id(),
    Column("station", Uuid, nullable=False),
    Column("mandate", Uuid, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    _created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "station"], ["station.district", "station.id"]),
    ForeignKeyConstraint(["district", "mandate"], ["mandate.district", "mandate.id"]),
)

contact = Table(
    "contact",
    metadata,
    _district(),
    _id(),
    Column("mandate", Uuid, nullable=False),
    Column("person", Uuid),
    Column("unit", Text),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("households", Integer, nullable=False, server_default=text("0")),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    _created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "mandate"], ["mandate.district", "mandate.id"]),
    ForeignKeyConstraint(["district", "person"], ["person.district", "person.id"]),
    ForeignKeyConstraint(["district", "unit"], ["unit.district", "unit.code"]),
)

oversight_group = Table(
    "oversight_group",
    metadata,
    _district(),
    _id(),
    Column("assembly", Uuid, nullable=False),
    Column("term", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("rule_version", Text, nullable=False),
    _created(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "assembly", "term"], ["term.district", "term.assembly", "term.number"]),
)


def _in_oversight_group(name: str) -> Table:
    """Who is in a group from a day to a day: as a member, or as its leader."""
    return Table(
        name,
        metadata,
        _district(),
        _id(),
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
    _district(),
    _id(),
    Column("kind", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("people_received", Integer, nullable=False, server_default=text("0")),
    Column("subject", Text, nullable=False, server_default=text("''")),
    Column("unit", Text),
    Column("source", Text, nullable=False, server_default=text("''")),
    Column("confirmed", Boolean, nullable=False, server_default=text("false")),
    Column("withdrawal_reason", Text, nullable=False, server_default=text("''")),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "unit"], ["unit.district", "unit.code"]),
)

participation = Table(
    "participation",
    metadata,
    _district(),
    Column("activity", Uuid, nullable=False),
    Column("mandate", Uuid, nullable=False),
    PrimaryKeyConstraint("district", "activity", "mandate"),
    ForeignKeyConstraint(["district", "activity"], ["activity.district", "activity.id"]),
    ForeignKeyConstraint(["district", "mandate"], ["mandate.district", "mandate.id"]),
)

participation_told = Table(
    "participation_told",
    metadata,
    _district(),
    Column("event_type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("mandate", Uuid, nullable=False),
    PrimaryKeyConstraint("district", "event_type", "source", "mandate"),
)

succession = Table(
    "succession",
    metadata,
    _district(),
    Column("predecessor", Text, nullable=False),
    Column("successor", Text, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("decision", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    _created(),
    PrimaryKeyConstraint("district", "predecessor"),
)
