"""What bodies owe in a year, and how far it is: windows, periods, moved days, states."""

from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.working_days import next_working_day
from services.meetings.obligations import (
    Body,
    Due,
    Meeting,
    Standing,
    by_periods,
    counted,
    in_turn,
    obligations,
    on_days,
    standings,
    while_in_force,
)

SYMPOSIUM = Due("symposium", 2026, 1, date(2026, 1, 1), date(2026, 3, 31), 3, 1, ("rule@2015-01-01",))
STATION = Body("a", "station", "500102013", ((date(2020, 1, 1), None),))


def standing(today: date, *meetings: Meeting) -> Standing:
    (found,) = standings(obligations([SYMPOSIUM], [STATION]), meetings, today)
    return found


def meeting(day: date, held: bool = False, kind: str = "symposium", body: str = "a") -> Meeting:
    return Meeting(f"meetings/{day}", body, kind, day, held)


# --- when


def test_meetings_of_a_year_take_the_windows_in_turn() -> None:
    spring, autumn = (date(2026, 1, 1), date(2026, 3, 31)), (date(2026, 7, 1), date(2026, 9, 30))
    assert in_turn(0, [spring, autumn]) == []
    assert in_turn(3, [spring, autumn]) == [(1, *spring), (2, *autumn), (3, *spring)]


@pytest.mark.parametrize(
    ("months", "ends"),
    [
        (3, [(3, 31), (6, 30), (9, 30), (12, 31)]),
        (6, [(6, 30), (12, 31)]),
        (12, [(12, 31)]),
        (1, [(m, monthrange(2026, m)[1]) for m in range(1, 13)]),
    ],
)
def test_once_in_every_so_many_months(months: int, ends: list[tuple[int, int]]) -> None:
    assert [last for _, _, last in by_periods(2026, months)] == [date(2026, *end) for end in ends]


@given(st.integers(1, 60), st.integers(2015, 2040))
def test_periods_leave_no_day_out_over_the_years(months: int, year: int) -> None:
    found = [period for each in range(year, year + 12) for period in by_periods(each, months)]
    assert all(last.year in range(year, year + 12) for _, _, last in found)
    for (_, _, last), (_, first, _) in pairwise(found):
        assert first == last + timedelta(days=1)


def test_a_reception_day_moves_to_the_next_working_day() -> None:
    found = on_days(2026, [2, 4, 6, 12], 20, next_working_day)
    assert found == [
        (month, day, day) for month, day in [(2, date(2026, 2, 24)), (4, date(2026, 4, 20)), (6, date(2026, 6, 22))]
    ] + [(12, date(2026, 12, 21), date(2026, 12, 21))]


def test_a_change_of_the_rules_holds_for_what_opens_after_it() -> None:
    before = [replace(SYMPOSIUM, ordinal=n, first=date(2026, 3 * n - 2, 1)) for n in (1, 2, 3, 4)]
    after = [replace(SYMPOSIUM, ordinal=n, first=date(2026, 6 * n - 5, 1), versions=("r1",)) for n in (1, 2)]
    found = while_in_force([(date(2026, 1, 1), before), (date(2026, 5, 1), after)])
    assert [(due.ordinal, due.first.month, due.versions) for due in found] == [
        (1, 1, SYMPOSIUM.versions),
        (2, 4, SYMPOSIUM.versions),
    ]
    found = while_in_force([(date(2026, 1, 1), before), (date(2026, 7, 1), [])])
    assert [due.ordinal for due in found] == [1, 2]


# --- who


@pytest.mark.parametrize(
    ("periods", "owes"),
    [
        ([(date(2026, 1, 1), None)], True),
        ([(date(2026, 1, 2), None)], False),  # not there for the whole of the window
        ([(date(2020, 1, 1), date(2026, 4, 1))], True),
        ([(date(2020, 1, 1), date(2026, 3, 31))], False),  # gone on the day it is due
        ([(date(2026, 2, 1), date(2031, 2, 1)), (date(2021, 2, 1), date(2026, 2, 1))], True),  # a term follows
        ([(date(2021, 2, 1), date(2026, 2, 1)), (date(2026, 2, 2), None)], False),  # a day without a term
        ([(date(2021, 2, 1), None), (date(2022, 2, 1), date(2023, 2, 1))], True),
        ([], False),
    ],
)
def test_a_body_owes_what_it_had_the_whole_window_for(periods: list[tuple[date, date | None]], owes: bool) -> None:
    body = replace(STATION, periods=tuple(periods))
    assert bool(obligations([SYMPOSIUM], [body])) == owes


def test_each_kind_of_body_owes_its_own() -> None:
    kinds = ("district_congress", "township_congress", "subdistrict_assembly", "house", "station", "liaison_point")
    dues = [
        replace(SYMPOSIUM, kind=kind)
        for kind in (
            *("annual_session", "midyear_meeting", "township_session", "special_meeting", "assembly_meeting"),
            *("reception_day", "feedback_meeting", "symposium"),
        )
    ]
    found = {kind: {each.due.kind for each in obligations(dues, [replace(STATION, kind=kind)])} for kind in kinds}
    assert found == {
        "district_congress": {"annual_session", "midyear_meeting"},
        "township_congress": {"township_session", "special_meeting"},
        "subdistrict_assembly": {"assembly_meeting"},
        "house": {"reception_day", "feedback_meeting"},
        "station": {"reception_day", "symposium"},
        "liaison_point": {"reception_day"},
    }


def test_obligations_come_in_the_order_of_their_days_and_keep_their_key() -> None:
    later = replace(SYMPOSIUM, ordinal=2, first=date(2026, 4, 1), last=date(2026, 6, 30))
    found = obligations([later, SYMPOSIUM], [replace(STATION, id="b"), STATION])
    assert [each.key for each in found] == [
        "2026.symposium.1.a", "2026.symposium.1.b", "2026.symposium.2.a", "2026.symposium.2.b",
    ]  # fmt: skip


# --- how far


def test_due_planned_fulfilled_missed() -> None:
    inside, after = date(2026, 2, 2), date(2026, 4, 1)
    assert standing(date(2026, 3, 31)).state == "due"
    assert standing(after).state == "missed"
    planned = standing(date(2026, 1, 5), meeting(inside))
    assert (planned.state, planned.meeting) == ("planned", "meetings/2026-02-02")
    assert standing(after, meeting(inside)).state == "missed"  # planned, but nobody closed it as held
    assert standing(date(2026, 1, 5), meeting(inside, held=True)).state == "fulfilled"
    assert standing(after, meeting(inside, held=True)).state == "fulfilled"


@pytest.mark.parametrize(
    "other",
    [
        meeting(date(2025, 12, 31), held=True),
        meeting(date(2026, 4, 1), held=True),
        meeting(date(2026, 2, 2), held=True, kind="reception_day"),
        meeting(date(2026, 2, 2), held=True, body="b"),
    ],
)
def test_a_meeting_outside_of_the_window_or_of_another_kind_settles_nothing(other: Meeting) -> None:
    assert standing(date(2026, 4, 2), other).state == "missed"


def test_one_that_was_held_goes_before_one_that_is_planned() -> None:
    found = standing(date(2026, 2, 1), meeting(date(2026, 1, 5)), meeting(date(2026, 1, 20), held=True))
    assert (found.state, found.meeting) == ("fulfilled", "meetings/2026-01-20")


def test_a_meeting_settles_one_obligation() -> None:
    twice = [SYMPOSIUM, replace(SYMPOSIUM, ordinal=2)]
    found = standings(obligations(twice, [STATION]), [meeting(date(2026, 2, 2))], date(2026, 1, 1))
    assert [each.state for each in found] == ["planned", "due"]
    assert counted(found) == {("symposium", "planned"): 1, ("symposium", "due"): 1}
