"""The tables of the feedback service. The migrations make them; a test compares the two.

The first four are copies of what the registry told (see `roster.py`).
"""

from sqlalchemy import (
    ARRAY,
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

from chassis import columns, figures, merges, rulebooks

metadata = MetaData()


def _given(name: str) -> Column[object]:
    return Column(name, Text, nullable=False)


def _of(table: str) -> tuple[Column[object], ForeignKeyConstraint]:
    key = ForeignKeyConstraint(["district", table], [f"{table}.district", f"{table}.id"])
    return Column(table, Uuid, nullable=False), key


rule_override = rulebooks.rule_override(metadata)

station = Table(
    "station",
    metadata,
    columns.district(),
    Column("id", Uuid, nullable=False),
    _given("unit"),
    PrimaryKeyConstraint("district", "id"),
)

mandate = Table(
    "mandate",
    metadata,
    columns.district(),
    Column("id", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    PrimaryKeyConstraint("district", "id"),
)

merged_person = merges.merged_person(metadata)

COPIES = frozenset(metadata.tables)
# What follows from an opinion's own row.
DERIVED = frozenset({"opinion_letter"})

reception = Table(
    "reception",
    metadata,
    columns.district(),
    columns.id_(),
    Column("station", Uuid, nullable=False),
    _given("unit"),
    Column("day", Date, nullable=False),
    Column("mandates", ARRAY(Uuid), nullable=False),
    Column("people_received", Integer, nullable=False),
    columns.text("note"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
)

intake = Table(
    "intake",
    metadata,
    columns.district(),
    columns.id_(),
    Column("station", Uuid, nullable=False),
    _given("unit"),
    # SHA-256 of the secret in the address; none once it was revoked.
    Column("secret_hash", LargeBinary),
    columns.instant("revoked_at"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
)

route = Table(
    "route",
    metadata,
    columns.district(),
    columns.id_(),
    _given("category"),
    # Empty: wherever no route of the unit's own leads.
    columns.text("unit"),
    # The first one leads.
    Column("undertakers", ARRAY(Text), nullable=False),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
)

opinion = Table(
    "opinion",
    metadata,
    columns.district(),
    columns.id_(),
    _given("channel"),
    _given("category"),
    _given("content"),
    columns.text("unit"),
    columns.text("place"),
    Column("receive_date", Date, nullable=False),
    Column("station", Uuid),
    Column("mandate", Uuid),
    Column("reception", Uuid),
    Column("intake", Uuid),
    # JSON: see `attachments.py`.
    Column("attachments", Text, nullable=False, server_default=text("'[]'")),
    # Sealed: see `contacts.py`.
    Column("contact", LargeBinary),
    Column("receipt_hash", LargeBinary, nullable=False),
    # How many different ones it has: see `likeness.py`.
    Column("letters", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'received'")),
    Column("acknowledge_due", DateTime(timezone=True), nullable=False),
    Column("due_date", Date),
    # Working days that were left when the handling was paused; none while it goes on.
    Column("paused_left", Integer),
    columns.text("reason"),
    columns.count("reopenings"),
    columns.instant("warned_at"),
    columns.instant("escalated_at"),
    # The one that stands for it, and the state that it was in before.
    Column("merged_into", Uuid),
    Column("merged_from", Text),
    Column("rule_versions", ARRAY(Text), nullable=False),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "reception"], ["reception.district", "reception.id"]),
    ForeignKeyConstraint(["district", "intake"], ["intake.district", "intake.id"]),
    ForeignKeyConstraint(["district", "merged_into"], ["opinion.district", "opinion.id"]),
)

opinion_letter = Table(
    "opinion_letter",
    metadata,
    columns.district(),
    _given("letter"),
    *_of("opinion"),
    PrimaryKeyConstraint("district", "letter", "opinion"),
)

opinion_undertaker = Table(
    "opinion_undertaker",
    metadata,
    columns.district(),
    *_of("opinion"),
    _given("display_name"),
    Column("lead", Boolean, nullable=False),
    PrimaryKeyConstraint("district", "opinion", "display_name"),
)

opinion_answer = Table(
    "opinion_answer",
    metadata,
    columns.district(),
    columns.id_(),
    *_of("opinion"),
    _given("undertaker"),
    _given("content"),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
)

opinion_judgement = Table(
    "opinion_judgement",
    metadata,
    columns.district(),
    Column("answer", Uuid, nullable=False),
    # Whose asker judged.
    *_of("opinion"),
    _given("judgement"),
    columns.text("reason"),
    columns.created(),
    PrimaryKeyConstraint("district", "answer", "opinion"),
    ForeignKeyConstraint(["district", "answer"], ["opinion_answer.district", "opinion_answer.id"]),
)

opinion_step = Table(
    "opinion_step",
    metadata,
    columns.district(),
    columns.id_(),
    *_of("opinion"),
    _given("verb"),
    _given("state"),
    _given("subject"),
    columns.text("note"),
    columns.created("at"),
    PrimaryKeyConstraint("district", "id"),
)

proposal = Table(
    "proposal",
    metadata,
    columns.district(),
    columns.id_(),
    _given("title"),
    _given("content"),
    _given("category"),
    columns.text("unit"),
    # The first one leads.
    Column("mandates", ARRAY(Uuid), nullable=False),
    # As it was named; the meetings service knows it.
    columns.text("meeting"),
    _given("disclosure"),
    Column("submit_date", Date, nullable=False),
    Column("year", Integer, nullable=False),
    Column("number", Integer),
    Column("state", Text, nullable=False, server_default=text("'submitted'")),
    columns.text("supervisor"),
    Column("assign_date", Date),
    Column("due_date", Date),
    Column("extended", Boolean, nullable=False, server_default=text("false")),
    columns.text("reason"),
    columns.count("reopenings"),
    columns.instant("warned_at"),
    columns.instant("escalated_at"),
    Column("rule_versions", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
)

proposal_undertaker = Table(
    "proposal_undertaker",
    metadata,
    columns.district(),
    *_of("proposal"),
    _given("display_name"),
    Column("lead", Boolean, nullable=False),
    Column("co_due_date", Date),
    columns.text("co_answer"),
    PrimaryKeyConstraint("district", "proposal", "display_name"),
)

proposal_answer = Table(
    "proposal_answer",
    metadata,
    columns.district(),
    columns.id_(),
    *_of("proposal"),
    _given("undertaker"),
    _given("content"),
    _given("outcome"),
    Column("on_time", Boolean, nullable=False),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
)

proposal_judgement = Table(
    "proposal_judgement",
    metadata,
    columns.district(),
    Column("answer", Uuid, nullable=False),
    Column("mandate", Uuid, nullable=False),
    _given("judgement"),
    columns.text("reason"),
    columns.created(),
    PrimaryKeyConstraint("district", "answer", "mandate"),
    ForeignKeyConstraint(["district", "answer"], ["proposal_answer.district", "proposal_answer.id"]),
)

nomination = Table(
    "nomination",
    metadata,
    columns.district(),
    columns.id_(),
    Column("opinion", Uuid),
    Column("proposal", Uuid),
    _given("title"),
    columns.text("description"),
    columns.text("unit"),
    columns.text("place"),
    Column("year", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    columns.text("reason"),
    # As the ballots service names them.
    columns.text("suggestion"),
    columns.text("project"),
    columns.text("poll"),
    # The event that said so.
    Column("told", Uuid, nullable=False, server_default=text("'00000000-0000-0000-0000-000000000000'")),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "opinion"], ["opinion.district", "opinion.id"]),
    ForeignKeyConstraint(["district", "proposal"], ["proposal.district", "proposal.id"]),
)

proposal_step = Table(
    "proposal_step",
    metadata,
    columns.district(),
    columns.id_(),
    *_of("proposal"),
    _given("verb"),
    _given("state"),
    _given("subject"),
    columns.text("note"),
    columns.created("at"),
    PrimaryKeyConstraint("district", "id"),
)

told_month = figures.told_month(metadata)
