"""The path of a livelihood project, without any input or output. Raises Refused."""

from collections.abc import Callable, Sequence
from datetime import date

from services.ballots.domain import Refused

# What is adopted is never dropped silently: it is under way until it is accepted, carried over, or ended by a decision.
UNDER_WAY = frozenset({"adopted", "implementing", "inspected", "evaluated", "postponed"})
OPEN = UNDER_WAY | {"carried_over"}
IN_WORK = frozenset({"implementing", "inspected"})
STAYS = ""
# verb -> states that it leads from, state that it leads to.
PATH: dict[str, tuple[frozenset[str], str]] = {
    "update": (frozenset({"candidate"}), STAYS),
    "withdraw": (frozenset({"candidate"}), "withdrawn"),
    "adopt": (frozenset({"candidate"}), "adopted"),
    "turn_down": (frozenset({"candidate"}), "not_adopted"),
    "tie": (frozenset({"candidate"}), STAYS),
    "assign": (OPEN, STAYS),
    "start": (frozenset({"adopted", "postponed", "carried_over"}), "implementing"),
    "add_budget": (OPEN, STAYS),
    "add_task": (OPEN, STAYS),
    "complete_task": (OPEN, STAYS),
    "add_milestone": (OPEN, STAYS),
    "reach_milestone": (OPEN, STAYS),
    "report": (IN_WORK, STAYS),
    "pass_inspection": (IN_WORK | {"evaluated"}, "inspected"),
    "fail_inspection": (IN_WORK | {"evaluated"}, "implementing"),
    "evaluate": (frozenset({"inspected", "evaluated"}), "evaluated"),
    "measure": (OPEN | {"accepted", "ended"}, STAYS),
    "accept": (frozenset({"evaluated"}), "accepted"),
    "carry_over": (frozenset({"implementing", "inspected", "evaluated"}), "carried_over"),
    "adjust": (OPEN, STAYS),
    "postpone": (OPEN - {"postponed"}, "postponed"),
    "end": (OPEN, "ended"),
}
# Outcome of an option in an announced poll -> the verb that follows from it. Scores settle nothing.
OUTCOMES = {
    "adopted": "adopt",
    "not_adopted": "turn_down",
    "tied": "tie",
    "satisfied": "evaluate",
    "basically_satisfied": "evaluate",
    "dissatisfied": "evaluate",
}
# Whether so many of so many members are enough.
Threshold = Callable[[int, int], bool]
WHOLE = 100
# Who decides on a project, of those whom the rule names: a congress on what it has voted itself.
DECIDERS = {
    "district": "standing_committee",
    "town": "township_congress",
    "township": "township_congress",
    "subdistrict": "standing_committee",
}


def next_state(verb: str, state: str) -> str:
    allowed, result = PATH[verb]
    if state not in allowed:
        raise Refused("PROJECT_STATE_REFUSED", state=state.upper(), needed=", ".join(sorted(allowed)).upper())
    return result or state


def is_late(due: date | None, done: date | None, today: date) -> bool:
    """Whether something was done after its last day, or is not done although that is over."""
    return due is not None and (done or today) > due


def check_day(day: date, today: date) -> None:
    """What is recorded has happened."""
    if day > today:
        raise Refused("DAY_REFUSED", day=day)


def check_undone(done: date | None, reason: str) -> None:
    if done is not None:
        raise Refused(reason, day=done)


def check_undertakers(undertakers: Sequence[tuple[str, bool]]) -> None:
    """One leads, and nobody is named twice."""
    names = {name for name, _ in undertakers}
    if len(names) != len(undertakers) or sum(lead for _, lead in undertakers) != 1:
        raise Refused("UNDERTAKERS_REFUSED")


def doer(given: str, undertakers: Sequence[str]) -> str:
    """Which undertaker does a task; the first one leads."""
    check_started(len(undertakers))
    if given and given not in undertakers:
        raise Refused("UNDERTAKERS_REFUSED")
    return given or undertakers[0]


def check_started(undertakers: int) -> None:
    if not undertakers:
        raise Refused("UNDERTAKER_MISSING")


def first_due_date(year: int, old: date | None, given: date | None) -> date:
    """The first start sets the last day, in the project's year; later a decision moves it, or being carried over."""
    if given is not None and (old is not None or given.year != year):
        raise Refused("DUE_DATE_REFUSED", due=old or date(year, 12, 31))
    return old or given or date(year, 12, 31)


def check_progress(percent: int, spent: int, before: tuple[int, int], budget: int, correction: str) -> None:
    """Nothing is undone or unspent without saying why, and nothing is spent that was not granted."""
    if spent > budget:
        raise Refused("BUDGET_EXCEEDED", spent=spent, budget=budget)
    if (percent < before[0] or spent < before[1]) and not correction:
        raise Refused("PROGRESS_FELL", percent=before[0], spent=before[1])


def check_complete(percent: int, undone: int) -> None:
    if percent < WHOLE or undone:
        raise Refused("PROJECT_INCOMPLETE", percent=percent, undone=undone)


def check_counts(members: int, satisfied: int, basically: int, dissatisfied: int) -> None:
    if not 0 < satisfied + basically + dissatisfied <= members:
        raise Refused("PROJECT_EVALUATION_REFUSED")


def graded(members: int, satisfied: int, basically: int, enough: Threshold, basically_enough: Threshold) -> str:
    """The grade, counted of all members: who stays silent satisfies nobody."""
    if enough(satisfied, members):
        return "satisfied"
    return "basically_satisfied" if basically_enough(satisfied + basically, members) else "dissatisfied"


def check_decider(decider: str, level: str, allowed: str, version: str) -> None:
    """`allowed` is the rule's value, `standing_committee_or_township_congress`: of the two, the one of the level."""
    if decider != DECIDERS[level] or decider not in allowed.split("_or_"):
        raise Refused("DECIDER_REFUSED", decider=decider.upper(), version=version)


def check_reporter(reporter: str, undertakers: Sequence[str], version: str) -> None:
    if reporter not in undertakers:
        raise Refused("REPORTER_REFUSED", reporter=reporter, version=version)


def check_new_due_date(kind: str, old: date | None, new: date | None, decided: date) -> None:
    """What is put off gets a later day; what is adjusted may get another; what is ended has none."""
    refused = {
        "adjust": new is not None and new < decided,
        "postpone": new is None or new <= max(old or decided, decided),
        "end": new is not None,
    }
    if refused[kind]:
        raise Refused("DUE_DATE_REFUSED", due=old or decided)


def check_carried(year: int, due: date) -> None:
    """What is carried over ends in a later year."""
    if due.year <= year:
        raise Refused("DUE_DATE_REFUSED", due=date(year, 12, 31))
