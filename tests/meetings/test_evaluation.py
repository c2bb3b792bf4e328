"""What an evaluation comes to, at its thresholds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import clock
from chassis.rules import ChoiceRule, Rulebook
from services.meetings.domain import Refused
from services.meetings.evaluating import BASES
from services.meetings.evaluation import average_hundredths, graded


def half(part: int, whole: int) -> bool:
    return 2 * part >= whole


@given(st.integers(1, 500), st.data())
def test_the_grade_turns_exactly_at_half_of_all_members(members: int, data: st.DataObject) -> None:
    least = -(-members // 2)
    assert graded(members, least, 0, 0, half, half) == "satisfied"
    if least > 1:
        fewer = data.draw(st.integers(0, least - 1))
        assert graded(members, fewer, least - fewer, 0, half, half) == "basically_satisfied"
        assert graded(members, least - 1, 0, 0, half, half) == "dissatisfied"


@pytest.mark.parametrize("counts", [(5, 6, 0, 0), (5, 0, 0, 0), (0, 0, 0, 0), (5, 2, 2, 2)])
def test_counts_that_cannot_be(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(Refused, match="EVALUATION_REFUSED"):
        graded(*counts, half, half)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=60))
def test_an_average_lies_between_the_scores(scores: list[int]) -> None:
    assert min(scores) * 100 <= average_hundredths(scores, 0, 100, 0) <= max(scores) * 100


def test_a_trimmed_average_leaves_the_ends_out() -> None:
    assert average_hundredths([0, 90, 91, 100], 0, 100, 1) == 9050


@pytest.mark.parametrize(("scores", "trimmed"), [([], 0), ([101], 0), ([-1], 0), ([50, 60], 1), ([50], 1)])
def test_scores_that_make_no_average(scores: list[int], trimmed: int) -> None:
    with pytest.raises(Refused, match="EVALUATION_REFUSED"):
        average_hundredths(scores, 0, 100, trimmed)


def test_each_base_that_the_rule_may_name_is_known() -> None:
    rule = Rulebook.on(clock.today(), []).rule("votes.grade_base", ChoiceRule)
    assert set(rule.allowed) == set(BASES)
