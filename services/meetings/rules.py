"""Rules of the institutions as they hold in a district: the platform's values, and those that the registry told."""

from datetime import date
from typing import TypeVar

from sqlalchemy import select

from chassis.database import ReadTx
from chassis.rules import Override, Rule, Rulebook, RuleUnknown
from services.meetings.domain import Refused
from services.meetings.tables import rule_override

R = TypeVar("R", bound=Rule)


async def rulebook(tx: ReadTx, day: date) -> Rulebook:
    """The rules that hold in the transaction's district on a day."""
    rows = await tx.all(select(rule_override).where(rule_override.c.effective_date <= day))
    return Rulebook.on(
        day,
        [Override(row.rule, row.value, row.effective_date, row.revision, row.enforcement or None) for row in rows],
    )


async def rule_on(tx: ReadTx, day: date, key: str, kind: type[R]) -> R:
    """One rule as it holds on a day. Raises Refused RULE_NOT_FOUND."""
    try:
        return (await rulebook(tx, day)).rule(key, kind)
    except RuleUnknown:
        raise Refused("RULE_NOT_FOUND", rule=f"rules/{key}") from None
