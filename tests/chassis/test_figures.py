"""What is told of counts: nothing that is few, and nothing from which it follows; whole months, in a fixed form."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from chassis.figures import FEW, Cell, by_month, coarsened, sheet_of
from chassis.wire import date_message

traits = st.dictionaries(st.sampled_from("ABCDEF"), st.integers(0, 30), min_size=1)
MONTH = date(2026, 7, 1)


@given(traits)
def test_what_is_few_is_not_told(counts: dict[str, int]) -> None:
    told = coarsened(counts)
    assert told.keys() == counts.keys()
    assert all(value == counts[trait] for trait, value in told.items() if value is not None)
    assert not any(0 < value <= FEW for value in told.values() if value is not None)


@given(traits)
def test_what_is_few_does_not_follow_from_the_rest(counts: dict[str, int]) -> None:
    """The total is known. If one alone were left out, the others would tell it."""
    hidden = [trait for trait, value in coarsened(counts).items() if value is None]
    others = [trait for trait, value in counts.items() if value > FEW]
    assert len(hidden) != 1 or not others


@given(traits)
def test_nothing_is_left_out_without_need(counts: dict[str, int]) -> None:
    told = coarsened(counts)
    few = [trait for trait, value in counts.items() if 0 < value <= FEW]
    hidden = [trait for trait, value in told.items() if value is None]
    assert len(hidden) <= len(few) + (len(few) == 1)


def test_a_month_of_which_nothing_is_left_is_told_empty() -> None:
    counts = {Cell(MONTH, "OPINIONS", "900001001", "RECEIVED"): 2, Cell(date(2026, 8, 1), "OPINIONS"): 0}
    months = by_month(counts, {date(2026, 6, 1): b"", MONTH: b""})
    assert {month: len(cells) for month, cells in months.items()} == {date(2026, 6, 1): 0, MONTH: 1}


def test_a_sheet_is_the_same_whatever_the_order_of_counting() -> None:
    cells = {Cell(MONTH, "OPINIONS", "", "RECEIVED"): 2, Cell(MONTH, "DELEGATES_WITH", "", "A/AGE/B"): None}
    sheet = sheet_of(MONTH, cells)
    assert sheet == sheet_of(MONTH, dict(reversed(cells.items())))
    assert sheet.month == date_message(MONTH)
    assert [(figure.value, figure.few) for figure in sheet.figures] == [(0, True), (2, False)]
