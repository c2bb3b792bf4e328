"""What the planner is asked: who is taken when, by what is there already."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from chassis.clock import SHANGHAI
from chassis.rules import Override, Rulebook
from services.meetings.figures import figures_of
from services.meetings.half_days import Span
from services.meetings.obligations import Body, Due, Obligation
from services.meetings.planning import Engagement
from services.meetings.wishing import Known, Settled, engagements, half_days, in_several, receptions, wishes

DAY, NEXT = date(2026, 3, 2), date(2026, 3, 3)
DUE = Due("symposium", 2026, 1, date(2026, 1, 1), date(2026, 3, 31), 3, 1, ())
OWED = Obligation(Body("a", "station", "", ()), DUE)
KNOWN = Known({"a": "hall"}, {"a": frozenset({"p", "q"}), "b": frozenset({"q", "r"})}, {OWED.key: frozenset({DAY})})


def at(day: date, text: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), SHANGHAI)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (at(DAY, "09:00"), at(DAY, "11:30"), [(DAY, (0,))]),
        (at(DAY, "09:00"), at(DAY, "12:00"), [(DAY, (0,))]),
        (at(DAY, "12:00"), at(DAY, "13:00"), [(DAY, (1,))]),
        (at(DAY, "11:59"), at(DAY, "12:01"), [(DAY, (0, 1))]),
        (at(DAY, "14:30"), at(NEXT, "11:30"), [(DAY, (1,)), (NEXT, (0,))]),
        (at(DAY, "09:00"), at(NEXT, "17:00"), [(DAY, (0, 1)), (NEXT, (0, 1))]),
        (at(DAY, "20:00"), at(NEXT, "00:00"), [(DAY, (1,))]),
    ],
)
def test_the_halves_of_days_that_a_meeting_touches(
    start: datetime, end: datetime, found: list[tuple[date, tuple[int, ...]]]
) -> None:
    assert list(half_days(start, end)) == found


def test_those_who_sit_in_several_bodies_are_looked_at() -> None:
    assert in_several(KNOWN.delegates) == {"q"}
    (wish,) = wishes([OWED], KNOWN, date(2025, 1, 1))
    assert (wish.venue, wish.delegates, wish.avoided, wish.limited) == ("hall", ("q",), frozenset({DAY}), "stations")
    met = Settled(at(DAY, "09:00"), at(DAY, "11:30"), "b", "", "assemblies")
    assert list(engagements([met], KNOWN)) == [Engagement(DAY, (0,), ("b", "q"), "assemblies")]


def test_receptions_run_side_by_side_and_keep_the_morning_free_of_other_meetings() -> None:
    due = Due("reception_day", 2026, 3, DAY, DAY, 3, 1, ())
    owed = [Obligation(Body(body, "station", "", ()), due) for body in ("a", "b", "c")]
    assert [wish.delegates for wish in wishes(owed, KNOWN, date(2025, 1, 1))] == [(), (), ()]
    assert list(receptions([*owed, OWED], KNOWN)) == [Engagement(DAY, (0,), ("q",))] * 2


@pytest.mark.parametrize(
    ("today", "first"),
    [(date(2025, 12, 1), DUE.first), (date(2025, 12, 30), date(2026, 1, 2)), (DAY, date(2026, 3, 5))],
)
def test_notice_is_given_in_time(today: date, first: date) -> None:
    assert wishes([OWED], KNOWN, today)[0].first == first


@pytest.mark.parametrize(
    ("body", "kind", "limited"),
    [
        ("house", "reception_day", ""),
        ("house", "feedback_meeting", "stations"),
        ("township_congress", "township_session", "assemblies"),
    ],
)
def test_the_daily_limit_under_which_a_meeting_falls(body: str, kind: str, limited: str) -> None:
    owed = Obligation(Body("a", body, "", ()), Due(kind, 2026, 1, DAY, DAY, 0, 1, ()))
    assert wishes([owed], KNOWN, DAY)[0].limited == limited


def test_the_hours_are_those_of_the_district() -> None:
    own = Override("planning.afternoon", "15:00..17:30", date(2026, 1, 1), 1)
    found = figures_of(Rulebook.on(DAY, [own]))
    assert found.limits == {"assemblies": 3, "stations": 20}
    assert found.times(Span((DAY, 0), (NEXT, 1))) == (at(DAY, "09:00"), at(NEXT, "17:30"))
    assert found.times(Span((DAY, 1), (DAY, 1)))[0].astimezone(ZoneInfo("UTC")).hour == 7
    assert found.versions[-1] == "planning.afternoon@2015-01-01+r1"
