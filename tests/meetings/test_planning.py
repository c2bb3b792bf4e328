"""The annual plan: inside the windows, on working days, nobody and nothing twice at once, no day too full."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.working_days import working_days_of
from services.meetings.half_days import Span
from services.meetings.planning import Engagement, Plan, Wish, plan

DAYS = working_days_of(2026)
MARCH = [day for day in DAYS if day.month == 3]
LIMITS = {"assemblies": 2, "stations": 4}


def wish(key: str, first: date = MARCH[0], last: date = MARCH[-1], half_days: int = 2, **given: object) -> Wish:
    values = {"body": key, "limited": "assemblies"} | given
    return Wish(key, first, last, half_days, **values)  # type: ignore[arg-type]


def halves(span: Span) -> list[tuple[date, int]]:
    """All half days from the first to the last."""
    between = [(day, half) for day in DAYS for half in (0, 1)]
    return between[between.index(span.first) : between.index(span.last) + 1]


def on(key: str, made: Plan) -> date:
    return made.places[key].first[0]


# --- properties


@st.composite
def wishes(draw: st.DrawFn) -> list[Wish]:
    """Few days, bodies, halls and delegates, so that they do get in each other's way."""
    found = []
    for number in range(draw(st.integers(0, 25))):
        first = draw(st.integers(0, 9))
        last = draw(st.integers(first, 11))
        half_days = draw(st.sampled_from([1, 1, 2, 4]))
        found.append(
            Wish(
                f"w{number:02}",
                MARCH[first],
                MARCH[last],
                half_days,
                draw(st.sampled_from(["a", "b", "c", "d", "e"])),
                draw(st.sampled_from(["", "hall", "room"])),
                tuple(sorted(draw(st.sets(st.sampled_from(["p1", "p2", "p3"]), max_size=2)))),
                draw(st.sampled_from(["", "assemblies", "stations"])),
                frozenset(draw(st.sets(st.sampled_from(MARCH[:12]), max_size=2))),
            )
        )
    return found


engagements = st.lists(
    st.builds(
        Engagement,
        st.sampled_from(MARCH[:12]) | st.just(date(2026, 3, 8)),  # a Sunday among them
        st.sampled_from([(0,), (1,), (0, 1)]),
        st.sampled_from([("a",), ("b", "hall"), ("p1", "p2"), ("room",)]),
        st.sampled_from(["", "assemblies"]),
    ),
    max_size=6,
)


@settings(deadline=None)
@given(wishes(), engagements)
def test_a_plan_keeps_windows_working_days_and_rejections(given: list[Wish], settled: list[Engagement]) -> None:
    made = plan(given, settled, DAYS, LIMITS)
    assert made.places.keys() | made.unplaced.keys() == {each.key for each in given}
    assert not made.places.keys() & made.unplaced.keys()
    for each in given:
        if span := made.places.get(each.key):
            assert len(halves(span)) == each.half_days
            assert each.half_days == 1 or span.first[1] == 0
            days = {day for day, _ in halves(span)}
            assert each.first <= min(days) <= max(days) <= each.last
            assert days <= set(DAYS) - each.avoided
            assert max(days) - min(days) == timedelta(days=len(days) - 1)


@settings(deadline=None)
@given(wishes(), engagements)
def test_nobody_and_nothing_is_in_two_places(given: list[Wish], settled: list[Engagement]) -> None:
    made = plan(given, settled, DAYS, LIMITS)
    planned = Counter(
        (holder, half)
        for each in given
        if each.key in made.places
        for half in halves(made.places[each.key])
        for holder in each.holders
    )
    fixed = {(holder, (each.day, half)) for each in settled for half in each.halves for holder in each.holders}
    assert all(count == 1 for count in planned.values())
    assert not planned.keys() & fixed


@settings(deadline=None)
@given(wishes(), engagements)
def test_no_day_has_more_meetings_than_its_limit(given: list[Wish], settled: list[Engagement]) -> None:
    made = plan(given, settled, DAYS, LIMITS)
    before = Counter((each.limited, each.day) for each in settled)
    after = before + Counter(
        (each.limited, day)
        for each in given
        if each.key in made.places
        for day in {day for day, _ in halves(made.places[each.key])}
    )
    for (limited, day), count in after.items():
        assert not limited or count <= max(LIMITS[limited], before[limited, day])


@settings(deadline=None)
@given(wishes(), engagements, st.randoms(use_true_random=False))
def test_the_same_wishes_in_any_order_give_the_same_plan(
    given: list[Wish], settled: list[Engagement], order: Random
) -> None:
    shuffled = order.sample(given, len(given))
    assert plan(given, settled, DAYS, LIMITS) == plan(shuffled, settled[::-1], DAYS, LIMITS)


@settings(deadline=None)
@given(wishes(), st.data())
def test_what_was_accepted_stays_and_the_rest_finds_room_again(given: list[Wish], data: st.DataObject) -> None:
    made = plan(given, [], DAYS, LIMITS)
    accepted = data.draw(st.sets(st.sampled_from(sorted(made.places)))) if made.places else set()
    settled = [part for each in given if each.key in accepted for part in engaged(each, made.places[each.key])]
    again = plan([each for each in given if each.key not in accepted], settled, DAYS, LIMITS)
    clash = {(holder, half) for part in settled for half in halves_of(part) for holder in part.holders}
    for each in given:
        if span := again.places.get(each.key):
            assert not {(holder, half) for half in halves(span) for holder in each.holders} & clash


def engaged(accepted: Wish, span: Span) -> list[Engagement]:
    days: dict[date, list[int]] = {}
    for day, half in halves(span):
        days.setdefault(day, []).append(half)
    return [Engagement(day, tuple(taken), accepted.holders, accepted.limited) for day, taken in days.items()]


def halves_of(part: Engagement) -> Sequence[tuple[date, int]]:
    return [(part.day, half) for half in part.halves]


# --- what is chosen


def test_meetings_are_spread_from_the_middle_of_the_window() -> None:
    made = plan([wish(f"w{number}") for number in range(3)], [], DAYS, LIMITS)
    middle = MARCH.index(on("w0", made))
    assert abs(middle - len(MARCH) // 2) <= 1
    assert len({on(key, made) for key in made.places}) == 3


def test_the_narrow_window_goes_first() -> None:
    day = MARCH[10]
    made = plan([wish("a", venue="hall"), wish("b", day, day, venue="hall")], [], DAYS, LIMITS)
    assert on("b", made) == day != on("a", made)


def test_the_one_in_the_way_is_moved() -> None:
    """By their room alone `a` goes first and takes the day that `b` needs, since a delegate of `b` is engaged."""
    first, second, third = MARCH[:3]
    a, b = wish("a", first, second, venue="hall"), wish("b", first, third, venue="hall", delegates=("p",))
    settled = [Engagement(day, (0, 1), ("p",)) for day in (first, third)]
    made = plan([a, b], settled, DAYS, LIMITS)
    assert (on("a", made), on("b", made)) == (first, second)
    c = wish("c", first, third, venue="hall", delegates=("p",))
    assert plan([a, b, c], settled, DAYS, LIMITS).unplaced == {"c": "delegates_engaged"}


def test_a_full_day_makes_room() -> None:
    day, next_day = MARCH[:2]
    limits = {"assemblies": 1}
    a, b = wish("a", day, next_day), wish("b", day, next_day)
    settled = [Engagement(next_day, (0, 1), ("b",))]
    made = plan([a, b], settled, DAYS, limits)
    assert (on("a", made), on("b", made)) == (next_day, day)


def test_a_session_of_days_does_not_break_at_a_weekend() -> None:
    friday = date(2026, 3, 13)
    made = plan([wish("a", friday, friday + timedelta(days=5), half_days=6)], [], DAYS, LIMITS)
    assert made.places["a"] == Span((date(2026, 3, 16), 0), (date(2026, 3, 18), 1))


def test_reception_days_are_on_one_day_whatever_the_limit() -> None:
    day = MARCH[0]
    receptions = [wish(f"s{number}", day, day, half_days=1, limited="") for number in range(50)]
    made = plan(receptions, [], DAYS, LIMITS)
    assert {span.first for span in made.places.values()} == {(day, 0)}


def test_a_delegate_of_two_stations_is_at_one_in_the_afternoon() -> None:
    day = MARCH[0]
    receptions = [wish(key, day, day, half_days=1, limited="", delegates=("p",)) for key in ("a", "b", "c")]
    made = plan(receptions, [], DAYS, LIMITS)
    assert [span.first for span in made.places.values()] == [(day, 0), (day, 1)]
    assert made.unplaced == {"c": "delegates_engaged"}


# --- what finds no time


def busy(*holders: str) -> list[Engagement]:
    return [Engagement(day, (0, 1), holders) for day in MARCH]


@pytest.mark.parametrize(
    ("asked", "settled", "reason"),
    [
        (wish("a", date(2026, 3, 7), date(2026, 3, 8)), [], "no_working_days"),  # a weekend
        (wish("a", date(2026, 3, 9), date(2026, 3, 10), half_days=6), [], "no_working_days"),
        (wish("a", date(2026, 3, 10), date(2026, 3, 9)), [], "no_working_days"),  # a window that is over
        (wish("a", avoided=frozenset(MARCH)), [], "days_rejected"),
        (wish("a", venue="hall", delegates=("p",)), busy("a"), "body_engaged"),
        (wish("a", venue="hall", delegates=("p",)), busy("hall"), "venue_taken"),
        (wish("a", venue="hall", delegates=("p",)), busy("p"), "delegates_engaged"),
        (wish("a"), [replace(each, limited="assemblies") for each in busy("x") + busy("y")], "daily_limit"),
    ],
)
def test_why_there_is_no_time(asked: Wish, settled: list[Engagement], reason: str) -> None:
    assert plan([asked], settled, DAYS, LIMITS) == Plan({}, {"a": reason})
