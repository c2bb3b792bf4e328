"""The decisions of the meetings service, without any input or output.

Raises Refused; the reason is the name of a value in errors.proto.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta

# Which kinds of body hold meetings of which kind. Houses, stations and liaison points are kinds of station.
BODIES: dict[str, frozenset[str]] = {
    "congress_session": frozenset({"district_congress", "township_congress"}),
    "mid_year": frozenset({"district_congress"}),
    "quarterly": frozenset({"township_congress"}),
    "assembly": frozenset({"subdistrict_assembly"}),
    "reception_day": frozenset({"house", "station", "liaison_point"}),
    "house_feedback": frozenset({"house"}),
    "symposium": frozenset({"station"}),
    "consultation": frozenset(
        {"district_congress", "township_congress", "subdistrict_assembly", "house", "station", "liaison_point"}
    ),
}
# The path of a meeting: verb -> phases that it leads from, phase that it leads to.
PATH: dict[str, tuple[frozenset[str], str]] = {
    "convene": (frozenset({"preparation"}), "convened"),
    "adjourn": (frozenset({"convened"}), "summary"),
    "close": (frozenset({"summary"}), "closed"),
    "postpone": (frozenset({"preparation"}), "postponed"),
    "reschedule": (frozenset({"preparation", "postponed"}), "preparation"),
    "cancel": (frozenset({"preparation", "postponed"}), "cancelled"),
}
# No meeting is longer: a sitting, however solemn, is over within a month.
LONGEST = timedelta(days=31)


class Refused(Exception):
    """The rules do not allow it. `facts` fill the places in the reason's text."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = {name: str(value) for name, value in facts.items()}


def check_kind(kind: str, form: str, body_kind: str) -> None:
    """A body holds only meetings of its kinds; a mid-year meeting has a form, and no other has."""
    if body_kind not in BODIES[kind] or bool(form) != (kind == "mid_year"):
        raise Refused("KIND_REFUSED", kind=kind.upper())


def check_times(start: datetime, end: datetime) -> None:
    if not start < end <= start + LONGEST:
        raise Refused("TIMES_REFUSED")


def next_phase(verb: str, phase: str) -> str:
    """Where the verb leads from this phase."""
    allowed, result = PATH[verb]
    check_phase(phase, allowed)
    return result


def check_phase(phase: str, allowed: Collection[str]) -> None:
    if phase not in allowed:
        raise Refused("PHASE_REFUSED", phase=phase.upper(), needed=", ".join(sorted(allowed)).upper())


def check_afterwards(given: datetime, earliest: datetime, now: datetime) -> None:
    """What is entered afterwards has happened, and not before what it follows."""
    if not earliest <= given <= now:
        raise Refused("TIME_REFUSED", earliest=earliest.isoformat())


def check_notice(day: date, latest: date, version: str, late_reason: str) -> None:
    if day > latest and not late_reason:
        raise Refused("NOTICE_LATE", version=version, latest=latest)


def check_class(item_class: str, needed: str) -> None:
    """Some things are done in agenda items of one class alone."""
    if item_class != needed:
        raise Refused("ITEM_CLASS_REFUSED", item_class=item_class.upper(), needed=needed.upper())
