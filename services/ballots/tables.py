"""The tables of the ballots service. The migrations make them; a test compares the two.

The first five are copies of what the registry and the meetings service told (see `roster.py`).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

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


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


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
    PrimaryKeyConstraint("district", "id"),
)

meeting = Table(
    "meeting",
    metadata,
    _district(),
    Column("id", Uuid, nullable=False),
    # `assemblies/<uuid>` or `stations/<uuid>`.
    _text("body"),
    _text("kind"),
    Column("phase", Text, nullable=False),
    _instant("convened_at"),
    _count("expected"),
    _count("present"),
    _count("needed"),
    _text("rule_version"),
    PrimaryKeyConstraint("district", "id"),
)

seat = Table(
    "seat",
    metadata,
    _district(),
    Column("meeting", Uuid, nullable=False),
    Column("mandate", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("attended", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("district", "meeting", "mandate"),
)

merged_person = Table(
    "merged_person",
    metadata,
    _district(),
    Column("id", Uuid, nullable=False),
    Column("kept", Uuid, nullable=False),
    PrimaryKeyConstraint("district", "id"),
)

COPIES = frozenset(metadata.tables)
