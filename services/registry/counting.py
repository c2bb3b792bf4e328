"""What may be recorded as an act of duty (履职活动), and by how much it changes the counts, without input or output.

An act that has a source is the same act for whoever tells of it: its kind, its
day and its source make it one, and it is counted once.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.registry.domain import Refused

PAPER = "ballot_paper_taken"
RECEPTION = "reception"
Origin = tuple[str, date, str]
# (kind, first day of the month) and what is counted there -> by how much it changed.
Changes = Counter[tuple[str, date, str]]


@dataclass(frozen=True, slots=True)
class Act:
    """One act of duty of one or several delegates, by their mandates."""

    kind: str
    day: date
    mandates: tuple[UUID, ...]
    people_received: int = 0
    subject: str = ""
    unit: str | None = None
    source: str = ""

    @property
    def origin(self) -> Origin | None:
        """What makes it one; None for an act that was entered without a source."""
        return (self.kind, self.day, self.source) if self.source else None


@dataclass(frozen=True, slots=True)
class Known:
    """What the register knows of what acts name."""

    today: date
    # First day in force and first day no longer, for each mandate that there is.
    days: Mapping[UUID, tuple[date | None, date | None]]
    # First day of a suspension and first day no longer, None while it lasts, of each mandate that has any.
    suspensions: Mapping[UUID, Sequence[tuple[date, date | None]]]
    units: Collection[str]
    # The activities that are counted already, by origin.
    counted: Mapping[Origin, str]


Fault = tuple[str, Refused]


def faults(act: Act, known: Known, by_event: bool = False) -> Iterator[Fault]:
    """Everything that forbids recording the act: the field, and the refusal."""
    if act.kind == PAPER and not by_event:
        yield "kind", Refused("PAPER_BY_POLL_ALONE")
    if act.day > known.today:
        yield "day", Refused("ACTIVITY_DATE_REFUSED", date=act.day, latest=known.today)
    if act.people_received and act.kind != RECEPTION:
        yield "people_received", Refused("PEOPLE_RECEIVED_REFUSED", kind=act.kind.upper())
    if act.unit is not None and act.unit not in known.units:
        yield "unit", Refused("UNIT_NOT_FOUND", unit=act.unit)
    yield from _of_mandates(act, known)
    if act.origin and act.origin in known.counted:
        yield "source", Refused("ACTIVITY_EXISTS", activity=known.counted[act.origin])


def _of_mandates(act: Act, known: Known) -> Iterator[Fault]:
    for index, mandate in enumerate(act.mandates):
        name = f"mandates/{mandate}"
        if mandate not in known.days:
            yield f"mandates[{index}]", Refused("MANDATE_NOT_FOUND", mandate=name)
        elif not _in_force(act.day, *known.days[mandate]):
            yield f"mandates[{index}]", Refused("MANDATE_NOT_IN_FORCE", mandate=name, date=act.day)
        elif suspended(mandate, act.day, known):
            yield f"mandates[{index}]", Refused("MANDATE_SUSPENDED", mandate=name, date=act.day)


def suspended(mandate: UUID, day: date, known: Known) -> bool:
    """Who is suspended keeps the seat and does not act in it."""
    return any(_in_force(day, *period) for period in known.suspensions.get(mandate, ()))


def check_nothing_later(mandate: str, day: date, count: int, latest: date | None) -> None:
    """Before the mandate stops on a day that has passed, the office says what became of the acts since."""
    if count:
        raise Refused("ACTIVITIES_LATER", mandate=mandate, date=day, count=count, latest=latest)


def _in_force(day: date, since: date | None, until: date | None) -> bool:
    return since is not None and since <= day and (until is None or day < until)


def check_counted(activity: str, withdrawal_reason: str) -> None:
    """What was withdrawn stays as it is."""
    if withdrawal_reason:
        raise Refused("ACTIVITY_WITHDRAWN", activity=activity)


def check_correctable(kind: str) -> None:
    """What a poll told is not for hands to change."""
    if kind == PAPER:
        raise Refused("PAPER_BY_POLL_ALONE")


def check_period(start: date | None, end: date | None) -> None:
    if start and end and end <= start:
        raise Refused("PERIOD_REFUSED")


def counts(act: Act) -> Changes:
    """What the act adds to the district's counts."""
    month = act.day.replace(day=1)
    return Counter(
        {
            (act.kind, month, "activities"): 1,
            (act.kind, month, "person_times"): len(act.mandates),
            (act.kind, month, "people_received"): act.people_received,
        }
    )


def changes(before: Collection[Act], after: Collection[Act]) -> Changes:
    """By how much the counts changed; what did not change is left out."""
    changed: Changes = Counter()
    for act in after:
        changed.update(counts(act))
    for act in before:
        changed.subtract(counts(act))
    return Counter({key: count for key, count in changed.items() if count})
