"""Until when something is to be done: a rule of the institutions, counted in its own unit from a day."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chassis import clock
from chassis.database import ReadTx
from chassis.rulebooks import rulebook
from chassis.rules import DurationRule, Rulebook
from chassis.working_days import add_working_days, end_of, is_working_day, next_working_day

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day, and the version of the rule that says so."""

    day: date
    version: str


async def deadline(tx: ReadTx, rule: str, start: date | None = None) -> Deadline:
    """By the rule of today, from a day on, which is not counted itself."""
    return counted(await rulebook(tx, clock.today()), rule, start or clock.today())


def counted(book: Rulebook, rule: str, start: date) -> Deadline:
    """Where the last day would be none on which anybody works, it is the next one that is (《民法典》第二百零三条)."""
    found = book.rule(f"stations_and_voice.{rule}", DurationRule)
    return Deadline(next_working_day(end_of(found.value, start)), found.version)


def due_by(row: Any, end: Deadline) -> dict[str, Any]:
    """The columns of a new last day: it has not been warned of, and its rule is among those that were followed."""
    versions = [*row.rule_versions, *({end.version} - set(row.rule_versions))]
    return {"due_date": end.day, "warned_at": None, "rule_versions": versions}


def working_days_left(today: date, due: date) -> int:
    """The working days after today, the last one included: what a pause keeps."""
    days = (today + number * DAY for number in range(1, (due - today).days + 1))
    return sum(map(is_working_day, days))


def resumed(today: date, left: int) -> date:
    return add_working_days(today, left)
