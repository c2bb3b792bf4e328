"""Quorum: the arithmetic, without a platform."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Rulebook, Share, ShareRule
from services.meetings.domain import BODIES, Refused
from services.meetings.quorum import RULES, Movement, Quorum, check_met, lost_since, present_at

BEGINNING = datetime(2026, 7, 20, 1, tzinfo=UTC)
HALF, MORE, THIRDS = (Share.model_validate(text) for text in (">=1/2", ">1/2", ">=2/3"))


def at(minutes: int) -> datetime:
    return BEGINNING + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("share", "expected", "needed"),
    [
        (HALF, 85, 43),
        (HALF, 84, 42),
        (MORE, 84, 43),
        (MORE, 85, 43),
        (THIRDS, 100, 67),
        (THIRDS, 99, 66),
        (HALF, 1, 1),
        (HALF, 0, 1),
        (THIRDS, 3, 2),
    ],
)
def test_how_many_are_needed(share: Share, expected: int, needed: int) -> None:
    assert share.needed(expected) == needed
    assert Quorum(expected, needed, needed).met
    assert Quorum(expected, needed - 1, needed).missing == 1


def test_each_kind_of_an_assembly_has_a_rule_and_those_of_stations_have_none() -> None:
    assert set(RULES) < set(BODIES)
    assert {BODIES[kind] & {"house", "station", "liaison_point"} for kind in RULES} == {frozenset()}
    book = Rulebook.on(BEGINNING.date(), [])
    for key in RULES.values():
        assert 0 < book.rule(key, ShareRule).value.fraction < 1


def test_a_refusal_says_how_many_are_missing() -> None:
    with pytest.raises(Refused) as refused:
        check_met(Quorum(85, 40, 43, "subdistrict_assembly.quorum@2015-01-01"))
    assert refused.value.reason == "QUORUM_MISSING"
    facts = {"expected": "85", "present": "40", "needed": "43", "missing": "3"}
    assert refused.value.facts == {**facts, "version": "subdistrict_assembly.quorum@2015-01-01"}


def test_a_meeting_without_a_rule_needs_nobody() -> None:
    assert Quorum(0, 0).met
    assert Quorum(9, 0).missing == 0


def test_since_when_it_is_lost() -> None:
    came: list[Movement] = [(at(-9), 1), (at(-8), 1), (at(-7), 1), (at(-6), 1)]
    assert lost_since(came, BEGINNING, 3) is None
    gone = [*came, (at(10), -1), (at(20), -1)]
    assert lost_since(gone, BEGINNING, 3) == at(20)
    assert lost_since([*gone, (at(30), -1), (at(40), 1)], BEGINNING, 3) == at(20)
    assert lost_since([*gone, (at(30), 1)], BEGINNING, 3) is None
    assert lost_since([*gone, (at(30), 1), (at(40), -1)], BEGINNING, 3) == at(40)


steps = st.lists(st.tuples(st.integers(-30, 30), st.integers(1, 30)), max_size=12)


@given(steps, st.integers(0, 12))
def test_it_is_lost_exactly_while_too_few_are_present(stays: list[tuple[int, int]], needed: int) -> None:
    moves = [move for start, length in stays for move in ((at(start), 1), (at(start + length), -1))]
    since = lost_since(moves, BEGINNING, needed)
    assert (since is None) == (present_at(moves, at(99)) >= needed)
    assert since is None or present_at(moves, since) < needed
    assert since is None or since >= BEGINNING


@given(st.integers(0, 3000), st.sampled_from([HALF, MORE, THIRDS]))
def test_nobody_is_never_enough_and_everybody_always(expected: int, share: Share) -> None:
    needed = share.needed(expected)
    assert not Quorum(expected, 0, needed).met
    assert Quorum(expected, expected, needed).met == (expected > 0)
    assert Quorum(expected, needed, needed).missing == 0
