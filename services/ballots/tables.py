"""The tables of the ballots service. The migrations make them; a test compares the two.

The first five are copies of what the registry and the meetings service told (see `roster.py`).
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
    LargeBinary,
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

poll = Table(
    "poll",
    metadata,
    _district(),
    _id(),
    Column("title", Text, nullable=False),
    Column("meeting", Uuid, nullable=False),
    Column("body", Text, nullable=False),
    # JSON: see `drafting.py`.
    Column("questions", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("late_papers", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False, server_default=text("'drafted'")),
    _instant("opens_at"),
    _instant("votes_at"),
    _instant("closes_at"),
    _text("open_reason"),
    _text("void_reason"),
    _text("overdue_reason"),
    Column("run_off_of", Uuid),
    # JSON, as `tally` stands on a board; empty before the count.
    _text("result"),
    # Whether the files of the tables have no dead row of this poll any more.
    Column("swept", Boolean, nullable=False, server_default=text("true")),
    _instant("opened_at"),
    _instant("voting_at"),
    _instant("closed_at"),
    _instant("certified_at"),
    _instant("announced_at"),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "run_off_of"], ["poll.district", "poll.id"]),
)

delegation = Table(
    "delegation",
    metadata,
    _district(),
    Column("poll", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("mandates", ARRAY(Uuid), nullable=False),
    PrimaryKeyConstraint("district", "poll", "number"),
    ForeignKeyConstraint(["district", "poll"], ["poll.district", "poll.id"]),
)

box = Table(
    "box",
    metadata,
    _district(),
    Column("poll", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    _text("display_name"),
    Column("electorate", Integer, nullable=False),
    _count("present"),
    _count("papers"),
    _count("ballots"),
    _text("terms"),
    _text("board"),
    PrimaryKeyConstraint("district", "poll", "number"),
    ForeignKeyConstraint(["district", "poll"], ["poll.district", "poll.id"]),
)

box_key = Table(
    "box_key",
    metadata,
    _district(),
    Column("poll", Uuid, nullable=False),
    Column("box", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    PrimaryKeyConstraint("district", "poll", "box", "purpose"),
    ForeignKeyConstraint(["district", "poll", "box"], ["box.district", "box.poll", "box.number"]),
)

elector = Table(
    "elector",
    metadata,
    _district(),
    Column("poll", Uuid, nullable=False),
    Column("mandate", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("box", Integer, nullable=False),
    PrimaryKeyConstraint("district", "poll", "mandate"),
    ForeignKeyConstraint(["district", "poll", "box"], ["box.district", "box.poll", "box.number"]),
)

certification = Table(
    "certification",
    metadata,
    _district(),
    Column("poll", Uuid, nullable=False),
    Column("scrutineer", Uuid, nullable=False),
    Column("certified_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("district", "poll", "scrutineer"),
    ForeignKeyConstraint(["district", "poll"], ["poll.district", "poll.id"]),
)

paper_count = Table(
    "paper_count",
    metadata,
    _district(),
    Column("poll", Uuid, nullable=False),
    Column("box", Integer, nullable=False),
    Column("scrutineer", Uuid, nullable=False),
    Column("content", Text, nullable=False),
    Column("entered_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("district", "poll", "box", "scrutineer"),
    ForeignKeyConstraint(["district", "poll", "box"], ["box.district", "box.poll", "box.number"]),
)

tie_decision = Table(
    "tie_decision",
    metadata,
    _district(),
    Column("poll", Uuid, nullable=False),
    Column("question", Text, nullable=False),
    Column("options", ARRAY(Text), nullable=False),
    Column("decision", Text, nullable=False),
    _created(),
    PrimaryKeyConstraint("district", "poll", "question"),
    ForeignKeyConstraint(["district", "poll"], ["poll.district", "poll.id"]),
)

# --- the secret ballot: no time, no number, no reference

paper = Table(
    "paper",
    metadata,
    _district(),
    Column("poll", Uuid, nullable=False),
    Column("box", Integer, nullable=False),
    Column("mandate", Uuid, nullable=False),
    Column("blinded", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    PrimaryKeyConstraint("district", "poll", "mandate"),
)

ballot = Table(
    "ballot",
    metadata,
    _district(),
    Column("poll", Uuid, nullable=False),
    Column("box", Integer, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("encoded", LargeBinary, nullable=False),
    PrimaryKeyConstraint("district", "poll", "box", "public_key"),
)

closed_ballot = Table(
    "closed_ballot",
    metadata,
    _district(),
    Column("poll", Uuid, nullable=False),
    Column("box", Integer, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("encoded", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    PrimaryKeyConstraint("district", "poll", "box", "public_key"),
)

SECRET = frozenset({"paper", "ballot", "closed_ballot"})
