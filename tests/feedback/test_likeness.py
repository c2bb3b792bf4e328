"""What is taken for alike: measured on opinions that residents might write, each matter put in several ways."""

import tomllib
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import clock
from chassis.rules import VERSIONS, ShareRule
from services.feedback.likeness import letters_of, score

MATTERS: dict[str, list[str]] = tomllib.loads((Path(__file__).parent / "paraphrases.toml").read_text("utf-8"))[
    "matters"
]
TEXTS = [(matter, text) for matter, texts in MATTERS.items() for text in texts]


def likeness(one: str, other: str) -> float:
    first, second = letters_of(one), letters_of(other)
    return score(len(first & second), len(first), len(second))


def least() -> Fraction:
    (rule,) = (rule for rule in VERSIONS if rule.id == "stations_and_voice.opinion_likeness")
    assert isinstance(rule, ShareRule)
    assert rule.effective <= clock.today()
    return rule.value.fraction


def measured(threshold: float) -> tuple[float, float]:
    """Recall and precision of what is at least so much alike, over all pairs."""
    pairs = [(one == other, likeness(text, like)) for (one, text), (other, like) in combinations(TEXTS, 2)]
    found = [same for same, how in pairs if how >= threshold]
    return sum(found) / sum(same for same, _ in pairs), sum(found) / len(found)


def test_recall_and_precision(capsys: pytest.CaptureFixture[str]) -> None:
    threshold = float(least())
    recall, precision = measured(threshold)
    with capsys.disabled():
        print(
            f"\n{len(TEXTS)} opinions on {len(MATTERS)} matters, alike from {threshold:.2f} on:"
            f" recall {recall:.2f}, precision {precision:.2f}"
        )
    assert recall >= 0.95
    assert precision >= 0.65
    # A stricter rule finds less, and is more often right.
    stricter = measured(threshold + 0.1)
    assert stricter[0] < recall
    assert stricter[1] > precision


def test_the_first_suggestion_is_mostly_right() -> None:
    right = 0
    for matter, text in TEXTS:
        others = [(likeness(text, other), of) for of, other in TEXTS if other != text]
        right += max(others)[1] == matter
    assert right / len(TEXTS) >= 0.95


@given(one=st.text(), other=st.text())
def test_of_two_texts_in_either_order(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == bool(letters_of(one))


@pytest.mark.parametrize("other", ["１２号楼路灯，不亮！", "路灯不亮：12号楼", "我们12号楼的路灯不亮"])
def test_width_marks_order_and_particles_count_nothing(other: str) -> None:
    assert likeness("12号楼路灯不亮", other) == 1
