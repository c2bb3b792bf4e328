"""The registry's decisions, without any input or output.

Raises Refused; the reason is the name of a value in errors.proto.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

# Which kinds of unit have an assembly of which kind; None: the district itself.
UNIT_KINDS: dict[str, frozenset[str | None]] = {
    "district_congress": frozenset({None}),
    "township_congress": frozenset({"town", "township"}),
    "subdistrict_assembly": frozenset({"subdistrict"}),
}
# The path of a mandate (代表资格): verb -> states that it leads from, state that it leads to.
PATH: dict[str, tuple[frozenset[str], str]] = {
    "vet": (frozenset({"recommended"}), "vetted"),
    "confirm": (frozenset({"vetted"}), "active"),
    "reject": (frozenset({"recommended", "vetted"}), "rejected"),
    "end": (frozenset({"active", "suspended"}), "ended"),
    "suspend": (frozenset({"active"}), "suspended"),
    "reinstate": (frozenset({"suspended"}), "active"),
}
# A suspended mandate keeps its seat.
IN_FORCE = ("active", "suspended")
# Of a mandate that nobody has decided on yet.
AWAITED = ("recommended", "vetted")


class Refused(Exception):
    """The rules do not allow it. `facts` fill the places in the reason's text."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = {name: str(value) for name, value in facts.items()}


@dataclass(frozen=True, slots=True)
class Bound:
    """A number that a rule sets, and the version of the rule."""

    value: int
    version: str


def check_unit_of_district(unit: str, district: str) -> None:
    """A unit's nine digits begin with its district's six."""
    if not unit.startswith(district):
        raise Refused("UNIT_OF_OTHER_DISTRICT", unit=unit, district=district)


def check_assembly_unit(kind: str, unit_kind: str | None) -> None:
    if unit_kind not in UNIT_KINDS[kind]:
        raise Refused("ASSEMBLY_UNIT_REFUSED", kind=kind.upper())


def check_suspension(district: str, suspended: bool, suspend: bool) -> None:
    """Suspending a suspended district, or resuming one that is not, is a mistake that its caller should see."""
    if suspended == suspend:
        raise Refused("DISTRICT_STATE_REFUSED", district=district, state="suspended" if suspended else "active")


def check_term(start: date, end: date) -> None:
    if end <= start:
        raise Refused("TERM_DATES_REFUSED")


def check_next_term(start: date, end: date) -> None:
    """The next term begins when the one before it is over, or later."""
    if start < end:
        raise Refused("TERM_OVERLAPS")


def check_term_running(term: str, end: date, today: date) -> None:
    """A term that is over takes nobody any more; who sat in it before the platform is registered, not confirmed."""
    if end <= today:
        raise Refused("TERM_OVER", term=term, end=end)


def check_term_over(term: str, end: date, today: date) -> None:
    if today < end:
        raise Refused("TERM_NOT_OVER", term=term, end=end)


def standing(state: str, term_end: date | None, today: date) -> str:
    """Where a mandate stands: its term ends it, whether or not that has been entered yet."""
    return "ended" if state in IN_FORCE and term_end is not None and term_end <= today else state


def check_vacancy(vacancy: str, state: str, same_term: bool) -> None:
    """Only who has left the same term leaves a seat to fill."""
    if state != "ended" or not same_term:
        raise Refused("VACANCY_REFUSED", vacancy=vacancy)


def check_vacancies_filled(filled: bool, version: str) -> None:
    if not filled:
        raise Refused("VACANCIES_STAY_OPEN", version=version)


def check_overlaps(others: int, most: Bound) -> None:
    """`others`: mandates of the same person in the assembly at the same time."""
    if others + 1 > most.value:
        raise Refused("MANDATE_OVERLAPS", version=most.version, required=most.value, found=others + 1)


def next_state(verb: str, state: str) -> str:
    """Where the verb leads from this state."""
    allowed, result = PATH[verb]
    if state not in allowed:
        raise Refused("MANDATE_STATE_REFUSED", state=state.upper(), needed=_words(allowed))
    return result


def check_mandate_date(day: date, earliest: date, latest: date) -> None:
    """Both ends are allowed."""
    if not earliest <= day <= latest:
        raise Refused("MANDATE_DATE_REFUSED", date=day, earliest=earliest, latest=latest)


def check_end_date(day: date, expiry: bool, since: date, term_end: date, today: date) -> None:
    """An expiry is on the day after the term; anything else in the term, and not before the mandate's present state."""
    check_mandate_date(day, term_end if expiry else since, min(term_end, today))


def check_room(present: int, added: int, limit: Bound) -> None:
    """An assembly never has more delegates than its rule allows."""
    if present + added > limit.value:
        raise Refused("ASSEMBLY_FULL", limit=limit.value, version=limit.version, present=present, added=added)


def check_rule_date(day: date, earliest: date) -> None:
    """A change of a rule holds from today at the earliest, and after the change before it: results stay as judged."""
    if day < earliest:
        raise Refused("RULE_DATE_REFUSED", earliest=earliest)


def _words(states: Collection[str]) -> str:
    return ", ".join(sorted(state.upper() for state in states))
