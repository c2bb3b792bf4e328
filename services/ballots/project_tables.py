"""The tables of livelihood projects, beside those of polls. A migration makes them; a test compares the two."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from services.ballots.tables import metadata


def _district() -> Column[object]:
    # Filled by the database from the transaction's tenant: no statement names a district to write to.
    return Column("district", Text, nullable=False, server_default=text("current_setting('app.district')"))


def _id() -> Column[object]:
    return Column("id", Uuid, nullable=False, server_default=text("uuidv7()"))


def _text(name: str) -> Column[object]:
    return Column(name, Text, nullable=False, server_default=text("''"))


def _given(name: str) -> Column[object]:
    return Column(name, Text, nullable=False)


def _state(first: str) -> Column[object]:
    return Column("state", Text, nullable=False, server_default=text(f"'{first}'"))


def _count(name: str, kind: type[Integer] = Integer) -> Column[object]:
    return Column(name, kind, nullable=False, server_default=text("0"))


def _day(name: str) -> Column[object]:
    return Column(name, Date, nullable=False)


def _created(name: str = "created_at") -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=text("now()"))


def _revision() -> Column[object]:
    return Column("revision", BigInteger, nullable=False, server_default=text("1"))


def _of_project() -> tuple[Column[object], ForeignKeyConstraint]:
    key = ForeignKeyConstraint(["district", "project"], ["project.district", "project.id"])
    return Column("project", Uuid, nullable=False), key


campaign = Table(
    "campaign",
    metadata,
    _district(),
    _id(),
    Column("assembly", Uuid, nullable=False),
    _given("level"),
    _text("unit"),
    Column("year", Integer, nullable=False),
    _given("title"),
    Column("places", Integer, nullable=False),
    _day("start_date"),
    _day("end_date"),
    Column("channels", ARRAY(Text), nullable=False),
    _given("notice"),
    _state("drafted"),
    Column("notice_at", DateTime(timezone=True)),
    Column("list_date", Date),
    Column("listed_late", Boolean, nullable=False, server_default=text("false")),
    Column("rule_versions", ARRAY(Text), nullable=False),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
)

project = Table(
    "project",
    metadata,
    _district(),
    _id(),
    Column("campaign", Uuid, nullable=False),
    Column("assembly", Uuid, nullable=False),
    _given("level"),
    _text("unit"),
    Column("year", Integer, nullable=False),
    _given("title"),
    _given("content"),
    Column("cost_fen", BigInteger, nullable=False),
    _given("feasibility"),
    _given("department"),
    _count("beneficiaries"),
    _state("candidate"),
    _text("poll"),
    Column("due_date", Date),
    Column("budget_fen", BigInteger, nullable=False),
    _count("spent_fen", BigInteger),
    _count("percent"),
    _text("evaluation_poll"),
    _count("members"),
    _count("satisfied"),
    _count("basically_satisfied"),
    _count("dissatisfied"),
    _text("evaluation_result"),
    Column("evaluation_rules", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    _text("closing_note"),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "campaign"], ["campaign.district", "campaign.id"]),
)

suggestion = Table(
    "suggestion",
    metadata,
    _district(),
    _id(),
    Column("campaign", Uuid, nullable=False),
    _given("source"),
    _given("channel"),
    _text("origin"),
    _given("content"),
    _text("unit"),
    _day("receive_date"),
    _state("collected"),
    Column("merged_into", Uuid),
    _text("reject_reason"),
    Column("project", Uuid),
    Column("voices", Integer, nullable=False, server_default=text("1")),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "campaign"], ["campaign.district", "campaign.id"]),
    ForeignKeyConstraint(["district", "merged_into"], ["suggestion.district", "suggestion.id"]),
    ForeignKeyConstraint(["district", "project"], ["project.district", "project.id"]),
)

project_undertaker = Table(
    "project_undertaker",
    metadata,
    _district(),
    *_of_project(),
    _given("display_name"),
    Column("lead", Boolean, nullable=False),
    PrimaryKeyConstraint("district", "project", "display_name"),
)

budget_addition = Table(
    "budget_addition",
    metadata,
    _district(),
    _id(),
    *_of_project(),
    Column("amount_fen", BigInteger, nullable=False),
    _given("funds"),
    _given("reason"),
    _day("day"),
    _created(),
    PrimaryKeyConstraint("district", "id"),
)

task = Table(
    "task",
    metadata,
    _district(),
    _id(),
    *_of_project(),
    _given("title"),
    _given("undertaker"),
    _day("due_date"),
    Column("done_date", Date),
    PrimaryKeyConstraint("district", "id"),
)

milestone = Table(
    "milestone",
    metadata,
    _district(),
    _id(),
    *_of_project(),
    _given("title"),
    _day("due_date"),
    Column("done_date", Date),
    PrimaryKeyConstraint("district", "id"),
)

progress_report = Table(
    "progress_report",
    metadata,
    _district(),
    _id(),
    *_of_project(),
    Column("percent", Integer, nullable=False),
    Column("spent_fen", BigInteger, nullable=False),
    _given("content"),
    _text("correction_reason"),
    _day("day"),
    _created(),
    PrimaryKeyConstraint("district", "id"),
)

inspection = Table(
    "inspection",
    metadata,
    _district(),
    _id(),
    *_of_project(),
    _given("inspectors"),
    _given("findings"),
    Column("passed", Boolean, nullable=False),
    _day("day"),
    _created(),
    PrimaryKeyConstraint("district", "id"),
)

decision = Table(
    "decision",
    metadata,
    _district(),
    _id(),
    *_of_project(),
    _given("kind"),
    _given("decider"),
    _given("reporter"),
    _given("reason"),
    _given("content"),
    _day("decide_date"),
    _text("project_title"),
    _text("project_content"),
    Column("due_date", Date),
    Column("notice_needed", Boolean, nullable=False),
    Column("notice_date", Date),
    Column("report_needed", Boolean, nullable=False),
    _text("reported_to"),
    Column("rule_versions", ARRAY(Text), nullable=False),
    _created(),
    _revision(),
    PrimaryKeyConstraint("district", "id"),
)

project_step = Table(
    "project_step",
    metadata,
    _district(),
    _id(),
    *_of_project(),
    _given("verb"),
    _given("state"),
    _given("subject"),
    _text("resource"),
    _text("note"),
    _created("at"),
    PrimaryKeyConstraint("district", "id"),
)
