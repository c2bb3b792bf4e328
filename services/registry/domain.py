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
    "end": (frozenset({"active"}), "ended"),
}


class Refused(Exception):
    """The rules do not allow it. `facts` fill the places in the reason's text."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = {name: str(value) for name, value in facts.items()}


@dataclass(frozen=True, slots=True)
class Limit:
    """The most delegates that an assembly may have, and the version of the rule that says so."""

    most: int
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


def check_room(present: int, added: int, limit: Limit) -> None:
    """An assembly never has more delegates than its rule allows."""
    if present + added > limit.most:
        raise Refused("ASSEMBLY_FULL", limit=limit.most, version=limit.version, present=present, added=added)


def check_rule_date(day: date, earliest: date) -> None:
    """A change of a rule holds from today at the earliest, and after the change before it: results stay as judged."""
    if day < earliest:
        raise Refused("RULE_DATE_REFUSED", earliest=earliest)


def _words(states: Collection[str]) -> str:
    return ", ".join(sorted(state.upper() for state in states))
