"""The terms of a poll: what cannot be voted on is refused, and whatever is changed in them changes their digest."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyutong_client.encoding import Malformed, canonical, read_json
from quanyutong_client.terms import Terms
from tests.client.hall import grades, motion, paper_key, scores, select, terms_of

TERMS = terms_of()


def test_terms_come_back() -> None:
    again = Terms.of(read_json(canonical(TERMS.json())))
    assert again == TERMS
    assert again.digest == TERMS.digest


def _places(value: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in _places(inner, (*place, name))]
    if isinstance(value, list):
        return [found for at, inner in enumerate(value) for found in _places(inner, (*place, at))]
    return [place]


def _changed(value: Any, place: tuple[str | int, ...], new: Any) -> Any:
    copy = read_json(canonical(value))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = new
    return copy


@given(st.sampled_from(_places(TERMS.json())), st.none() | st.booleans() | st.integers() | st.text() | st.just([]))
def test_whatever_is_changed_is_refused_or_another_poll(place: tuple[str | int, ...], new: Any) -> None:
    try:
        changed = Terms.of(_changed(TERMS.json(), place, new))
    except Malformed:
        return
    assert (changed.digest == TERMS.digest) == (changed == TERMS)


@pytest.mark.parametrize("place", [place for place in _places(TERMS.json()) if isinstance(place[-1], str)], ids=str)
def test_nothing_can_be_left_out(place: tuple[str | int, ...]) -> None:
    value = read_json(canonical(TERMS.json()))
    inner: Any = value
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    with pytest.raises(Malformed):
        Terms.of(value)


REFUSED: list[dict[str, Any]] = [
    {"district": "5001"},
    {"poll": "../x"},
    {"electorate": -1},
    {"electorate": True},
    {"title": ""},
    {"more": 1},
    {"questions": [select(), select()]},
    {"questions": [select(2, 3)]},
    {"questions": [select(0, 1)]},
    {"questions": [select(places=0)]},
    {"questions": [select(over_full_ballot="valid")]},
    {"questions": [select(tie_at_last_place="lot")]},
    {"questions": [select(majority={"fraction": "2/4", "counts": "more_than"})]},
    {"questions": [select(majority={"fraction": "3/2", "counts": "more_than"})]},
    {"questions": [select(majority={"fraction": "1/0", "counts": "more_than"})]},
    {"questions": [select(majority={"fraction": "½", "counts": "more_than"})]},
    {"questions": [scores(score_lowest=100)]},
    {"questions": [scores(score_highest=300)]},
    {"questions": [grades(grade_base="none")]},
    {"questions": [motion(majority_base="everybody")]},
    {"questions": [motion() | {"kind": "applause"}]},
    {"questions": [motion() | {"kind": []}]},
]


@pytest.mark.parametrize("more", REFUSED, ids=str)
def test_terms_that_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        Terms.of(TERMS.json() | more)


def test_no_questions_and_another_key() -> None:
    with pytest.raises(Malformed):
        Terms.of(TERMS.json() | {"questions": []})
    assert terms_of(key=paper_key(1)).digest != TERMS.digest
