"""Shares, durations and windows, and every value as text and back."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import (
    VERSIONS,
    ChoiceRule,
    Duration,
    DurationRule,
    Hours,
    HoursRule,
    Rule,
    Rulebook,
    Share,
    ShareRule,
    WholeNumberRule,
    Window,
    WindowRule,
    WindowsRule,
    parse_value,
    value_text,
)
from tests.rules.written import DAY, SIZE_MAX, rule

shares = st.builds(
    Share,
    fraction=st.fractions(min_value=0, max_value=Fraction(99, 100), max_denominator=1000),
    counts=st.sampled_from(["at_least", "more_than"]),
) | st.just(Share.model_validate(">=1"))


@pytest.mark.parametrize(
    ("share", "whole", "needed"),
    [
        (">=1/2", 5, 3),  # half of an odd number
        (">=1/2", 6, 3),
        (">1/2", 6, 4),  # more than half of an even number
        (">1/2", 5, 3),
        (">=2/3", 450, 300),
        (">=2/3", 322, 215),
        (">=1/3", 3, 1),  # where a binary fraction goes wrong
        (">=0", 71, 0),
        (">0", 71, 1),
        (">=1", 71, 71),
        (">=1/2", 0, 1),  # nobody has no quorum
        (">1/2", 0, 1),
        (">=0", 0, 0),
    ],
)
def test_the_fewest_that_meet_a_share(share: str, whole: int, needed: int) -> None:
    assert Share.model_validate(share).needed(whole) == needed


@given(shares, st.integers(1, 13_000), st.data())
def test_a_share_is_met_as_exact_fractions_say(share: Share, whole: int, data: st.DataObject) -> None:
    edge = int(share.fraction * whole)
    part = data.draw(st.integers(max(0, edge - 1), min(whole, edge + 1)) | st.integers(0, whole))
    exact = Fraction(part, whole)
    meets = exact > share.fraction if share.counts == "more_than" else exact >= share.fraction
    assert share.met(part, whole) == meets


@given(shares, st.integers(1, 13_000))
def test_needed_is_met_and_one_fewer_is_not(share: Share, whole: int) -> None:
    needed = share.needed(whole)
    assert share.met(needed, whole)
    assert needed == 0 or not share.met(needed - 1, whole)
    assert share.met(whole, whole)


@pytest.mark.parametrize(("part", "whole"), [(6, 5), (-1, 5), (0, -1)])
def test_what_is_no_part_of_the_whole_is_a_mistake(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match="no part"):
        Share.model_validate(">=1/2").met(part, whole)


@pytest.mark.parametrize(
    ("duration", "start", "end"),
    [
        ("5 years", date(2021, 11, 1), date(2026, 11, 1)),
        ("1 years", date(2024, 2, 29), date(2025, 2, 28)),
        ("3 months", date(2023, 11, 30), date(2024, 2, 29)),
        ("1 months", date(2023, 12, 31), date(2024, 1, 31)),
        ("3 days", date(2024, 2, 28), date(2024, 3, 2)),
        ("0 months", date(2024, 2, 29), date(2024, 2, 29)),
    ],
)
def test_a_duration_ends_on_the_calendar(duration: str, start: date, end: date) -> None:
    assert Duration.model_validate(duration).end(start) == end


@pytest.mark.parametrize("duration", ["24 hours", "7 working_days"])
def test_hours_and_working_days_have_no_end_on_the_bare_calendar(duration: str) -> None:
    with pytest.raises(ValueError, match="calendar"):
        Duration.model_validate(duration).end(DAY)


def test_a_window_includes_both_ends() -> None:
    window = Rulebook.on(DAY).rule("midyear_meeting.window", WindowRule).value
    days = [date(2024, 6, 30), date(2024, 7, 1), date(2024, 8, 31), date(2024, 9, 1)]
    assert [window.includes(day) for day in days] == [False, True, True, False]


def test_a_window_has_days_in_every_year() -> None:
    window = Window.model_validate("02-01..02-29")
    assert window.days(2024) == (date(2024, 2, 1), date(2024, 2, 29))
    assert window.days(2025) == (date(2025, 2, 1), date(2025, 2, 28))


def values_of(target: Rule) -> st.SearchStrategy[Any]:
    """Values that the rule can have."""
    match target:
        case WholeNumberRule():
            return st.integers(target.minimum, target.maximum or 999_999_999)
        case ShareRule():
            return shares.filter(lambda share: target.minimum is None or not share < target.minimum)
        case DurationRule():
            lengths = st.integers(target.minimum, target.maximum or 9999)
            return lengths.map(lambda length: Duration(length=length, unit=target.unit))
        case ChoiceRule():
            return st.sampled_from(sorted(target.allowed))
        case WindowRule():
            outer = target.within or Window(first="01-01", last="12-31")
            days = st.dates(date.fromisoformat(f"2000-{outer.first}"), date.fromisoformat(f"2000-{outer.last}")).map(
                lambda day: f"{day:%m-%d}"
            )
            return st.tuples(days, days).map(lambda ends: Window(first=min(ends), last=max(ends)))
        case WindowsRule():
            months = st.sets(st.integers(1, 12), min_size=1).map(sorted)
            return months.map(
                lambda chosen: tuple(Window(first=f"{month:02}-05", last=f"{month:02}-25") for month in chosen)
            )
        case HoursRule():
            times = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
            ends = st.sets(times, min_size=2, max_size=2).map(sorted)
            return ends.map(lambda pair: Hours.model_validate(f"{pair[0]:%H:%M}..{pair[1]:%H:%M}"))
        case _ if target.kind == "ages":
            return st.sets(st.integers(1, 150), min_size=1, max_size=20).map(lambda ages: tuple(sorted(ages)))
        case _ if target.kind == "months":
            return st.sets(st.integers(1, 12), min_size=1).map(lambda months: tuple(sorted(months)))
        case _:
            return st.booleans()


@given(st.sampled_from(VERSIONS).flatmap(lambda target: st.tuples(st.just(target), values_of(target))))
def test_a_value_survives_the_journey_as_text(pair: tuple[Rule, Any]) -> None:
    target, value = pair
    read = parse_value(target, value_text(value))
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["", "30 seats", "1e2", "+30", "30\n"])
def test_a_text_that_stands_for_no_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="30"):
        parse_value(rule(SIZE_MAX), text)
