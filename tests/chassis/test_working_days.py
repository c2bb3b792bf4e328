"""Working days: announced years to the day, later ones by weekends and fixed holidays, and said to be provisional."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import working_days
from chassis.rules import Duration
from chassis.working_days import (
    AnnouncedDaysInvalid,
    add_working_days,
    announce,
    end_of,
    is_provisional,
    is_working_day,
    next_working_day,
    working_days_of,
)

# Far beyond what can be announced: the tests hold when the shipped calendar grows.
UNANNOUNCED = 2060
days = st.dates(date(2005, 1, 1), date(2062, 12, 31))


@pytest.fixture(autouse=True)
def nothing_announced() -> Iterator[None]:
    announce(None)
    yield
    announce(None)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2024, 2, 9), True),  # the eve of the spring festival, a working day in that year
        (date(2024, 2, 10), False),
        (date(2024, 2, 16), False),
        (date(2024, 2, 17), False),  # its last day, a Saturday
        (date(2024, 2, 18), True),  # a Sunday that makes up for it
        (date(2024, 2, 4), True),
        (date(2024, 9, 14), True),  # a Saturday before the mid-autumn festival
        (date(2024, 9, 17), False),
        (date(2025, 1, 1), False),
        (date(2024, 12, 31), True),
        (date(2022, 12, 31), False),  # a holiday of the year after
        (date(2026, 10, 7), False),
        (date(2026, 10, 10), True),
        (date(2015, 9, 3), False),  # announced for that year alone
    ],
)
def test_a_day_of_an_announced_year(day: date, working: bool) -> None:
    assert is_working_day(day) == working


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2024, 2, 10), date(2024, 2, 18)),
        (date(2022, 12, 31), date(2023, 1, 3)),  # over the year's end
        (date(2024, 6, 20), date(2024, 6, 20)),
        (date(2024, 4, 20), date(2024, 4, 22)),
        (date(2026, 2, 20), date(2026, 2, 24)),  # the reception day in the week of the spring festival
    ],
)
def test_the_next_working_day_may_be_the_day_itself(day: date, following: date) -> None:
    assert next_working_day(day) == following


@pytest.mark.parametrize(
    ("day", "count", "end"),
    [
        (date(2024, 2, 8), 7, date(2024, 2, 23)),  # eight days of festival, a Sunday made up
        (date(2024, 9, 13), 1, date(2024, 9, 14)),  # a Saturday made up
        (date(2024, 12, 30), 3, date(2025, 1, 3)),
        (date(2024, 2, 10), 1, date(2024, 2, 18)),
        (date(2024, 2, 10), 0, date(2024, 2, 10)),
    ],
)
def test_working_days_are_counted_from_the_day_after(day: date, count: int, end: date) -> None:
    assert add_working_days(day, count) == end


@given(days, st.integers(0, 30))
def test_as_many_working_days_lie_between_as_were_added(day: date, count: int) -> None:
    end = add_working_days(day, count)
    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(map(is_working_day, between)) == count
    assert count == 0 or is_working_day(end)


def test_working_days_are_not_counted_backward() -> None:
    with pytest.raises(ValueError, match="forward"):
        add_working_days(date(2024, 2, 8), -1)


def test_the_days_of_a_year() -> None:
    assert len(working_days_of(2024)) == 251
    assert working_days_of(2024) == tuple(sorted(working_days_of(2024)))
    assert all(map(is_working_day, working_days_of(UNANNOUNCED)))


def test_a_year_that_is_not_announced_is_provisional() -> None:
    assert [is_provisional(year) for year in (2004, 2026, UNANNOUNCED)] == [False, False, True]
    fixed = [date(UNANNOUNCED, month, day) for month, day in working_days.FIXED_HOLIDAYS]
    assert not any(map(is_working_day, fixed))
    weekdays = [date(UNANNOUNCED, 6, day) for day in range(1, 31)]
    assert [is_working_day(day) for day in weekdays] == [day.weekday() < 5 for day in weekdays]


# --- what an operator announces


def announced(folder: Path, text: str) -> None:
    file = folder / "days.toml"
    file.write_text(text, "utf-8")
    announce(file)


def test_an_announced_year_is_provisional_no_more(tmp_path: Path) -> None:
    assert len(working_days_of(UNANNOUNCED)) > 250
    text = "years = [2060]\nholidays = [2060-02-02, 2060-02-03]\nworking_days = [2060-02-07]\n"
    announced(tmp_path, text)
    assert not is_provisional(UNANNOUNCED)
    found = [is_working_day(date(2060, 2, day)) for day in (2, 3, 4, 7, 8)]
    assert found == [False, False, True, True, False]
    assert date(2060, 2, 7) in working_days_of(UNANNOUNCED)


def test_a_day_of_a_shipped_year_can_be_announced_later(tmp_path: Path) -> None:
    announced(tmp_path, "holidays = [2024-09-03]")
    assert not is_working_day(date(2024, 9, 3))
    assert not is_working_day(date(2024, 2, 12))


@pytest.mark.parametrize(
    "text",
    [
        "years = [",
        'years = ["soon"]',
        "holiday = [2060-02-02]",
        "holidays = [2060-02-02]\nworking_days = [2060-02-02]",
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(AnnouncedDaysInvalid, match=r"days\.toml"):
        announced(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnnouncedDaysInvalid, match="absent"):
        announce(tmp_path / "absent.toml")


# --- durations


@pytest.mark.parametrize(
    ("duration", "end"),
    [
        ("7 working_days", date(2024, 2, 23)),
        ("7 days", date(2024, 2, 15)),
        ("1 months", date(2024, 3, 8)),
    ],
)
def test_a_duration_ends_by_what_it_is_counted_in(duration: str, end: date) -> None:
    assert end_of(Duration.model_validate(duration), date(2024, 2, 8)) == end


def test_hours_end_on_no_day() -> None:
    with pytest.raises(ValueError, match="calendar"):
        end_of(Duration.model_validate("24 hours"), date(2024, 2, 8))
