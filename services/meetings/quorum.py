"""Quorum (法定人数): how many have to be present, without any input or output."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.meetings.domain import Refused

# By which rule meetings of a kind are judged. Those of stations, and consultations, have none.
RULES = {
    "congress_session": "congress.session_quorum",
    "mid_year": "midyear_meeting.quorum",
    "quarterly": "township_quarterly.quorum",
    "assembly": "subdistrict_assembly.quorum",
}
# When somebody came (+1) or went (-1).
Movement = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Quorum:
    """Those who are expected, present and needed, and the version of the rule; without a rule nobody is needed."""

    expected: int
    present: int
    needed: int = 0
    version: str = ""

    @property
    def missing(self) -> int:
        return max(self.needed - self.present, 0)

    @property
    def met(self) -> bool:
        return not self.missing


def check_met(quorum: Quorum) -> None:
    if not quorum.met:
        raise Refused(
            "QUORUM_MISSING",
            expected=quorum.expected,
            present=quorum.present,
            needed=quorum.needed,
            missing=quorum.missing,
            version=quorum.version,
        )


def present_at(movements: Iterable[Movement], moment: datetime) -> int:
    """How many were in the hall at a moment; who goes at that moment is there no more."""
    return sum(step for at, step in movements if at <= moment)


def lost_since(movements: Iterable[Movement], convened: datetime, needed: int) -> datetime | None:
    """Since when fewer than needed are present; None while there are enough."""
    moves = sorted(movements)
    present = present_at(moves, convened)
    since = convened if present < needed else None
    for at, step in moves:
        if at <= convened:
            continue
        present += step
        if present >= needed:
            since = None
        elif since is None:
            since = at
    return since
