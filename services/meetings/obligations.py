"""What an assembly or a station owes in a year, and how far that is, without input or output.

An obligation (年度会议义务) is one meeting that the rules ask of one body, in a window of days. It is due until a
meeting in the window is planned, planned until one is held there, and missed when the window closes before that.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

State = Literal["due", "planned", "fulfilled", "missed"]
STATIONS = frozenset({"house", "station", "liaison_point"})
# Which bodies owe which meeting. Every station holds the reception day.
OWED_BY: Mapping[str, frozenset[str]] = {
    "annual_session": frozenset({"district_congress"}),
    "midyear_meeting": frozenset({"district_congress"}),
    "township_session": frozenset({"township_congress"}),
    "special_meeting": frozenset({"township_congress"}),
    "assembly_meeting": frozenset({"subdistrict_assembly"}),
    "reception_day": STATIONS,
    "feedback_meeting": frozenset({"house"}),
    "symposium": frozenset({"station"}),
}
# As which kind of meeting it is held; for a session of a congress the body tells which it is.
HELD_AS: Mapping[str, str] = {
    "annual_session": "congress_session",
    "midyear_meeting": "mid_year",
    "township_session": "congress_session",
    "special_meeting": "quarterly",
    "assembly_meeting": "assembly",
    "reception_day": "reception_day",
    "feedback_meeting": "house_feedback",
    "symposium": "symposium",
}


@dataclass(frozen=True, slots=True)
class Due:
    """One meeting that every body of a kind owes: from the first day to the last, which is the day it is due."""

    kind: str
    year: int
    # Which of the year: the month of a reception day, else counted from 1.
    ordinal: int
    first: date
    last: date
    # Days between the notice and the meeting.
    notice: int
    half_days: int
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """A body that meets, and the days on which it exists: the first of each period counts, the last does not."""

    id: str
    kind: str
    unit: str
    periods: tuple[tuple[date, date | None], ...]

    def exists(self, first: date, last: date) -> bool:
        """Through all of these days: nobody is held to a window that it did not have in full."""
        return any(begin <= first and (end is None or last < end) for begin, end in self._joined())

    def _joined(self) -> list[tuple[date, date | None]]:
        """Periods of which one follows the other are one: the assembly goes on when its term changes."""
        joined: list[tuple[date, date | None]] = []
        for begin, end in sorted(self.periods, key=lambda period: period[0]):
            before = joined[-1][1] if joined else begin
            if joined and (before is None or begin <= before):
                joined[-1] = (joined[-1][0], None if before is None or end is None else max(before, end))
            else:
                joined.append((begin, end))
        return joined


@dataclass(frozen=True, slots=True)
class Obligation:
    """What one body owes."""

    body: Body
    due: Due

    @property
    def key(self) -> str:
        """The same for as long as the body owes it, whatever day it is moved to."""
        return f"{self.due.year}.{self.due.kind}.{self.due.ordinal}.{self.body.id}"

    @property
    def sort_key(self) -> str:
        return f"{self.due.last}.{self.key}"


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting that is planned or was held, as far as obligations ask; `kind` is a kind of meeting."""

    name: str
    body: str
    kind: str
    day: date
    held: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an obligation is, and by which meeting."""

    obligation: Obligation
    state: State
    meeting: str = ""


# --- when something is due


def in_turn(count: int, windows: Sequence[tuple[date, date]]) -> list[tuple[int, date, date]]:
    """So many a year, each in the next window; beyond the last one the first comes again."""
    return [(number + 1, *windows[number % len(windows)]) for number in range(count)]


def by_periods(year: int, months: int) -> list[tuple[int, date, date]]:
    """Once in every so many months, counted without a gap over the years; of the year is what is due in it."""
    first, beyond = year * 12, (year + 1) * 12
    ends = [end for end in range(first + 1, beyond + 1) if end % months == 0]
    return [(number, _first_of(end - months), _first_of(end) - timedelta(days=1)) for number, end in enumerate(ends, 1)]


def on_days(year: int, months: Iterable[int], day: int, moved: Callable[[date], date]) -> list[tuple[int, date, date]]:
    """A day of some months, moved where it cannot be held."""
    return [(month, moved(date(year, month, day)), moved(date(year, month, day))) for month in months]


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def while_in_force(books: Iterable[tuple[date, Sequence[Due]]]) -> list[Due]:
    """What a year owes when its rules change in it: each book gives what opens while it holds.

    `books` in order, each with its first day. What a change moves to a window that is open by then is not owed.
    """
    found: dict[tuple[str, int], Due] = {}
    ordered = list(books)
    ends = [begin for begin, _ in ordered[1:]] + [date.max]
    for (begin, dues), end in zip(ordered, ends, strict=True):
        for due in dues:
            if begin <= due.first < end:
                found.setdefault((due.kind, due.ordinal), due)
    return list(found.values())


# --- who owes it, and how far it is


def obligations(dues: Iterable[Due], bodies: Iterable[Body]) -> list[Obligation]:
    """In the order of the days on which they are due."""
    of_kind = defaultdict(list)
    for due in dues:
        for kind in OWED_BY[due.kind]:
            of_kind[kind].append(due)
    found = (Obligation(body, due) for body in bodies for due in of_kind[body.kind])
    existing = [each for each in found if each.body.exists(each.due.first, each.due.last)]
    return sorted(existing, key=lambda each: each.sort_key)


def standings(owed: Iterable[Obligation], meetings: Iterable[Meeting], today: date) -> list[Standing]:
    """A meeting stands for one obligation: of its body and kind, with its day in the window."""
    free: dict[tuple[str, str], list[Meeting]] = defaultdict(list)
    # What was held comes first: it settles more than what is planned.
    for meeting in sorted(meetings, key=lambda each: (not each.held, each.day, each.name)):
        free[meeting.body, meeting.kind].append(meeting)
    return [_standing(each, free[each.body.id, HELD_AS[each.due.kind]], today) for each in owed]


def _standing(obligation: Obligation, free: list[Meeting], today: date) -> Standing:
    due = obligation.due
    meeting = next((each for each in free if due.first <= each.day <= due.last), None)
    if meeting:
        free.remove(meeting)
    if meeting and meeting.held:
        return Standing(obligation, "fulfilled", meeting.name)
    if due.last < today:
        return Standing(obligation, "missed", meeting.name if meeting else "")
    return Standing(obligation, "planned", meeting.name) if meeting else Standing(obligation, "due")


def counted(found: Iterable[Standing]) -> Counter[tuple[str, State]]:
    """How many obligations of each kind are how far."""
    return Counter((each.obligation.due.kind, each.state) for each in found)
