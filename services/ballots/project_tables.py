"""The tables of livelihood projects, beside those of polls. A migration makes them; a test compares the two."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from chassis import columns
from services.ballots.tables import metadata


def _given(name: str) -> Column[object]:
    return Column(name, Text, nullable=False)


def _state(first: str) -> Column[object]:
    return Column("state", Text, nullable=False, server_default=text(f"'{first}'"))


def _day(name: str) -> Column[object]:
    return Column(name, Date, nullable=False)


def _of_project() -> tuple[Column[object], ForeignKeyConstraint]:
    key = ForeignKeyConstraint(["district", "project"], ["project.district", "project.id"])
    return Column("project", Uuid, nullable=False), key


campaign = Table(
    "campaign",
    metadata,
    columns.district(),
    columns.id_(),
    Column("assembly", Uuid, nullable=False),
    _given("level"),
    columns.text("unit"),
    Column("year", Integer, nullable=False),
    _given("title"),
    Column("places", Integer, nullable=False),
    _day("start_date"),
    _day("end_date"),
    Column("channels", ARRAY(Text), nullable=False),
    _given("notice"),
    _state("drafted"),
    columns.instant("notice_at"),
    Column("list_date", Date),
    Column("listed_late", Boolean, nullable=False, server_default=text("false")),
    Column("rule_versions", ARRAY(Text), nullable=False),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
)

project = Table(
    "project",
    metadata,
    columns.district(),
    columns.id_(),
    Column("campaign", Uuid, nullable=False),
    Column("assembly", Uuid, nullable=False),
    _given("level"),
    columns.text("unit"),
    Column("year", Integer, nullable=False),
    _given("title"),
    _given("content"),
    Column("cost_fen", BigInteger, nullable=False),
    _given("feasibility"),
    _given("department"),
    columns.count("beneficiaries"),
    _state("candidate"),
    columns.text("poll"),
    Column("due_date", Date),
    Column("budget_fen", BigInteger, nullable=False),
    columns.count("spent_fen", BigInteger),
    columns.count("percent"),
    columns.text("evaluation_poll"),
    columns.count("members"),
    columns.count("satisfied"),
    columns.count("basically_satisfied"),
    columns.count("dissatisfied"),
    columns.text("evaluation_result"),
    Column("evaluation_rules", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    columns.text("closing_note"),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "campaign"], ["campaign.district", "campaign.id"]),
)

suggestion = Table(
    "suggestion",
    metadata,
    columns.district(),
    columns.id_(),
    Column("campaign", Uuid, nullable=False),
    _given("source"),
    _given("channel"),
    columns.text("origin"),
    _given("content"),
    columns.text("unit"),
    _day("receive_date"),
    _state("collected"),
    Column("merged_into", Uuid),
    columns.text("reject_reason"),
    Column("project", Uuid),
    Column("voices", Integer, nullable=False, server_default=text("1")),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
    ForeignKeyConstraint(["district", "campaign"], ["campaign.district", "campaign.id"]),
    ForeignKeyConstraint(["district", "merged_into"], ["suggestion.district", "suggestion.id"]),
    ForeignKeyConstraint(["district", "project"], ["project.district", "project.id"]),
)

nomination = Table(
    "nomination",
    metadata,
    columns.district(),
    _given("nominated"),
    _given("content"),
    columns.text("unit"),
    columns.text("place"),
    Column("year", Integer, nullable=False),
    Column("settled", Boolean, nullable=False, server_default=text("false")),
    columns.created("told_at"),
    PrimaryKeyConstraint("district", "nominated"),
)

project_undertaker = Table(
    "project_undertaker",
    metadata,
    columns.district(),
    *_of_project(),
    _given("display_name"),
    Column("lead", Boolean, nullable=False),
    PrimaryKeyConstraint("district", "project", "display_name"),
)

budget_addition = Table(
    "budget_addition",
    metadata,
    columns.district(),
    columns.id_(),
    *_of_project(),
    Column("amount_fen", BigInteger, nullable=False),
    _given("funds"),
    _given("reason"),
    _day("day"),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
)

task = Table(
    "task",
    metadata,
    columns.district(),
    columns.id_(),
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
    columns.district(),
    columns.id_(),
    *_of_project(),
    _given("title"),
    _day("due_date"),
    Column("done_date", Date),
    PrimaryKeyConstraint("district", "id"),
)

progress_report = Table(
    "progress_report",
    metadata,
    columns.district(),
    columns.id_(),
    *_of_project(),
    Column("percent", Integer, nullable=False),
    Column("spent_fen", BigInteger, nullable=False),
    _given("content"),
    columns.text("correction_reason"),
    _day("day"),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
)

inspection = Table(
    "inspection",
    metadata,
    columns.district(),
    columns.id_(),
    *_of_project(),
    _given("inspectors"),
    _given("findings"),
    Column("passed", Boolean, nullable=False),
    _day("day"),
    columns.created(),
    PrimaryKeyConstraint("district", "id"),
)

decision = Table(
    "decision",
    metadata,
    columns.district(),
    columns.id_(),
    *_of_project(),
    _given("kind"),
    _given("decider"),
    _given("reporter"),
    _given("reason"),
    _given("content"),
    _day("decide_date"),
    columns.text("project_title"),
    columns.text("project_content"),
    Column("due_date", Date),
    Column("notice_needed", Boolean, nullable=False),
    Column("notice_date", Date),
    Column("report_needed", Boolean, nullable=False),
    columns.text("reported_to"),
    Column("rule_versions", ARRAY(Text), nullable=False),
    columns.created(),
    columns.revision(),
    PrimaryKeyConstraint("district", "id"),
)

project_step = Table(
    "project_step",
    metadata,
    columns.district(),
    columns.id_(),
    *_of_project(),
    _given("verb"),
    _given("state"),
    _given("subject"),
    columns.text("resource"),
    columns.text("note"),
    columns.created("at"),
    PrimaryKeyConstraint("district", "id"),
)
