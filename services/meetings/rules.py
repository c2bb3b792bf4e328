"""Rules of the institutions as they hold in a district: the platform's values, and those that the registry told."""

from datetime import date
from typing import TypeVar

from chassis.database import ReadTx
from chassis.rulebooks import rulebook
from chassis.rules import Rule, RuleUnknown
from services.meetings.domain import Refused

R = TypeVar("R", bound=Rule)


async def rule_on(tx: ReadTx, day: date, key: str, kind: type[R]) -> R:
    """One rule as it holds on a day. Raises Refused RULE_NOT_FOUND."""
    try:
        return (await rulebook(tx, day)).rule(key, kind)
    except RuleUnknown:
        raise Refused("RULE_NOT_FOUND", rule=f"rules/{key}") from None
