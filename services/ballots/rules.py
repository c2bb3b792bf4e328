"""Rules of the institutions as they hold in a district: the platform's values, and those that the registry told."""

from datetime import date

from sqlalchemy import bindparam, select

from chassis.database import ReadTx
from chassis.rules import Override, Rulebook
from chassis.sql import Sql
from services.ballots.tables import rule_override

OVERRIDES = Sql(select(rule_override).where(rule_override.c.effective_date <= bindparam("day")))


async def rulebook(tx: ReadTx, day: date) -> Rulebook:
    """The rules that hold in the transaction's district on a day."""
    return Rulebook.on(
        day,
        [
            Override(row.rule, row.value, row.effective_date, row.revision, row.enforcement or None)
            for row in await tx.all(OVERRIDES, day=day)
        ],
    )
