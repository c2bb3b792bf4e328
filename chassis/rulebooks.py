"""The rules that hold in a district: the platform's, and the district's own as the registry told them.

Each service keeps a copy of what districts decided, in a table of the same shape, and judges by it alone.
"""

from datetime import date

from sqlalchemy import Column, Date, Integer, MetaData, PrimaryKeyConstraint, Table, Text, bindparam, text

from chassis import columns
from chassis.database import ReadTx, WriteTx
from chassis.manifest import Event
from chassis.rules import Override, Rulebook
from chassis.sql import Sql
from chassis.wire import read_date, word
from quanyutong.registry.v1 import rules_pb2
from quanyutong.registry.v1.events_pb2 import RuleChanged

OVERRIDES = Sql(
    text("""SELECT rule, value, effective_date, revision, enforcement FROM rule_override
            WHERE effective_date <= :day""").bindparams(bindparam("day", type_=Date))
)
KEEP = Sql(
    text("""INSERT INTO rule_override (rule, revision, value, effective_date, enforcement)
            VALUES (:rule, :revision, :value, :day, :enforcement) ON CONFLICT DO NOTHING""")
)


def rule_override(metadata: MetaData, *more: Column[object]) -> Table:
    """The table, with what a service has more of."""
    return Table(
        "rule_override",
        metadata,
        columns.district(),
        Column("rule", Text, nullable=False),
        Column("revision", Integer, nullable=False),
        Column("value", Text),
        Column("effective_date", Date, nullable=False),
        *more,
        columns.text("enforcement"),
        PrimaryKeyConstraint("district", "rule", "revision"),
    )


async def rulebook(tx: ReadTx, day: date) -> Rulebook:
    """The rules that hold in the transaction's district on a day."""
    return Rulebook.on(day, await overrides(tx, day))


async def overrides(tx: ReadTx, day: date) -> list[Override]:
    """What the transaction's district decided until a day."""
    return [
        Override(row.rule, row.value, row.effective_date, row.revision, row.enforcement or None)
        for row in await tx.all(OVERRIDES, day=day)
    ]


async def rule_changed(tx: WriteTx, event: RuleChanged, _: Event) -> None:
    """What was told before changes nothing."""
    await tx.execute(
        KEEP,
        rule=event.rule.removeprefix("rules/"),
        revision=event.revision,
        value=event.value or None,
        day=read_date(event, "effective_date"),
        enforcement=word(rules_pb2.Enforcement, event.enforcement),
    )
