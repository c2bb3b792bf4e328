"""The tables of the ballots service. The migrations make them; a test compares the two.

The first five are copies of what the registry and the meetings service told (see `roster.py`).
"""

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
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

from chassis import columns, figures, merges, rulebooks

metadata = MetaData()


rule_override = rulebooks.rule_override(metadata)

assembly = Table(
    "assembly",
    metadata,
    columns.district(),
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text),
    Column("display_name", Text, nullable=False),
    PrimaryKeyConstraint("district", "id"),
)

meeting = Table(
    "meeting",
    metadata,
    columns.district(),
    Column("id", Uuid, nullable=False),
    # `assemblies/<uuid>` or `stations/<uuid>`.
    columns.text("body"),
    columns.text("kind"),
    Column("phase", Text, nullable=False),
    columns.instant("convened_at"),
    columns.count("expected"),
    columns.count("present"),
    columns.count("needed"),
    columns.text("rule_version"),
    PrimaryKeyConstraint("district", "id"),
)

seat = Table(
    "seat",
    metadata,
    columns.district(),
    Column("meeting", Uuid, nullable=False),
    Column("mandate", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("attended", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("district", "meeting", "mandate"),
)

merged_person = merges.merged_person(metadata)

COPIES = frozenset(metadata.tables)

poll = Table(
    "poll",
    metadata,
    columns.district(),
    columns.id_(),
    Column("title", Text, nullable=False),
    Column("meeting", Uuid, nullable=False),
    Column("body", Text, nullable=False),
    # JSON: see `drafting.py`.
    Column("questions", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("late_papers", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False, server_default=text("'drafted'")),
    columns.instant("opens_at"),
    columns.instant("votes_at"),
    columns.instant("closes_at"),
    columns.text("open_reason"),
    columns.text("void_reason"),
    columns.text("overdue_reason"),
    Column("run_off_of", Uuid),
    # JSON, as `tally` stands on a board; empty before the count.
    columns.text("result"),
    # Whether the files of the tables have no dead row of this poll any more.
    Column("swept", Boolean, nullable=False, server_default=text("true")),
    columns.instant("opened_at"),
    columns.instant("voting_at"),
    columns.instant("closed_at"),
    columns.instant("certified_at"),
    columns.instant("announced_at"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "run_off_of"], ["poll.district", "poll.id"]),
)

delegation = Table(
    "delegation",
    metadata,
    columns.district(),
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
    columns.district(),
    Column("poll", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    columns.text("display_name"),
    Column("electorate", Integer, nullable=False),
    columns.count("present"),
    columns.count("papers"),
    columns.count("ballots"),
    columns.text("terms"),
    columns.text("board"),
    PrimaryKeyConstraint("district", "poll", "number"),
    ForeignKeyConstraint(["district", "poll"], ["poll.district", "poll.id"]),
)

box_key = Table(
    "box_key",
    metadata,
    columns.district(),
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
    columns.district(),
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
    columns.district(),
    Column("poll", Uuid, nullable=False),
    Column("scrutineer", Uuid, nullable=False),
    columns.created("certified_at"),
    PrimaryKeyConstraint("district", "poll", "scrutineer"),
    ForeignKeyConstraint(["district", "poll"], ["poll.district", "poll.id"]),
)

paper_count = Table(
    "paper_count",
    metadata,
    columns.district(),
    Column("poll", Uuid, nullable=False),
    Column("box", Integer, nullable=False),
    Column("scrutineer", Uuid, nullable=False),
    Column("content", Text, nullable=False),
    columns.created("entered_at"),
    PrimaryKeyConstraint("district", "poll", "box", "scrutineer"),
    ForeignKeyConstraint(["district", "poll", "box"], ["box.district", "box.poll", "box.number"]),
)

tie_decision = Table(
    "tie_decision",
    metadata,
    columns.district(),
    Column("poll", Uuid, nullable=False),
    Column("question", Text, nullable=False),
    Column("options", ARRAY(Text), nullable=False),
    Column("decision", Text, nullable=False),
    columns.created(),
    PrimaryKeyConstraint("district", "poll", "question"),
    ForeignKeyConstraint(["district", "poll"], ["poll.district", "poll.id"]),
)

# --- the secret ballot: no time, no number, no reference

paper = Table(
    "paper",
    metadata,
    columns.district(),
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
    columns.district(),
    Column("poll", Uuid, nullable=False),
    Column("box", Integer, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("encoded", LargeBinary, nullable=False),
    PrimaryKeyConstraint("district", "poll", "box", "public_key"),
)

closed_ballot = Table(
    "closed_ballot",
    metadata,
    columns.district(),
    Column("poll", Uuid, nullable=False),
    Column("box", Integer, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("encoded", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    PrimaryKeyConstraint("district", "poll", "box", "public_key"),
)

SECRET = frozenset({"paper", "ballot", "closed_ballot"})

told_month = figures.told_month(metadata)
