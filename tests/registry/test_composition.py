"""Shares, sizes and age bands: exact, and the least that is enough."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Share as Rule
from services.registry.composition import (
    GROUPS,
    Band,
    Member,
    Share,
    at_least,
    at_most,
    bands,
    check_share,
    in_band,
    in_reach,
)
from services.registry.domain import Bound, Refused
from services.registry.eligibility import full_years

DAY = date(2026, 11, 23)
SIZE = Bound(100, "subdistrict_assembly.size_max@2015-01-01")
rules = st.builds(
    Rule,
    fraction=st.fractions(min_value=0, max_value=Fraction(59, 60), max_denominator=60),
    counts=st.sampled_from(["at_least", "more_than"]),
)
seats = st.integers(0, 120)


def share_of(rule: Rule) -> Share:
    return Share(str(rule), "subdistrict_assembly.women_share@2015-01-01", rule.needed)


def exact(rule: Rule, found: int, whole: int) -> bool:
    """What the share says, by fractions alone; of nobody only nothing can be asked."""
    if whole == 0:
        return rule.fraction == 0 and rule.counts == "at_least"
    part = Fraction(found, whole)
    return part > rule.fraction if rule.counts == "more_than" else part >= rule.fraction


# --- sizes and shares


@given(rules, seats, st.data())
def test_missing_is_the_least_number_that_meets_the_share(rule: Rule, whole: int, data: st.DataObject) -> None:
    found = data.draw(st.integers(0, whole))
    verdict = share_of(rule).judge(found, whole)
    assert verdict.met == exact(rule, found, whole)
    assert verdict.missing == max(verdict.required - found, 0)
    if whole:
        assert exact(rule, found + verdict.missing, whole)
        if verdict.missing:
            assert not exact(rule, found + verdict.missing - 1, whole)


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_size_is_missed_or_passed_by_the_difference(required: int, found: int) -> None:
    least, most = at_least(required, found), at_most(required, found)
    assert (least.met, most.met) == (found >= required, found <= required)
    assert (least.missing, most.excess) == (max(required - found, 0), max(found - required, 0))
    assert (least.excess, most.missing) == (0, 0)


@pytest.mark.parametrize(
    ("value", "found", "whole", "required", "missing"),
    [
        (">=1/3", 1, 3, 1, 0),  # where a binary fraction goes wrong
        (">=1/3", 23, 71, 24, 1),
        (">1/2", 35, 70, 36, 1),  # the half is not more than half
        (">=1/2", 35, 70, 35, 0),
        (">=0", 0, 71, 0, 0),
        (">=1/3", 0, 0, 1, 1),  # nobody is no third of nobody
    ],
)
def test_shares_of_an_assembly(value: str, found: int, whole: int, required: int, missing: int) -> None:
    verdict = share_of(Rule.model_validate(value)).judge(found, whole)
    assert (verdict.required, verdict.missing) == (required, missing)


# --- what an enforced share leaves


@given(rules, st.integers(1, 60), st.data())
def test_in_reach_while_seats_enough_are_left(rule: Rule, most: int, data: st.DataObject) -> None:
    """Found by trying every number of further seats, all of them given to the group."""
    held = data.draw(st.integers(0, most))
    found = data.draw(st.integers(0, held))
    tried = any(exact(rule, found + more, held + more) for more in range(most - held + 1) if held + more)
    assert in_reach(found, held, most, share_of(rule)) == tried


@given(rules, st.integers(1, 40), st.lists(st.booleans(), max_size=60))
def test_an_assembly_that_fills_by_consent_can_meet_the_share(rule: Rule, most: int, asked: list[bool]) -> None:
    """Whoever comes in whatever order: who is let in never spoils it, and of the group nobody is turned away."""
    inside: list[Member] = []
    if rule.needed(most) > most:
        return
    for woman in asked:
        newcomer = Member("resident", gender="female" if woman else "male")
        try:
            check_share("women_share", inside, newcomer, share_of(rule), Bound(most, SIZE.version))
        except Refused:
            assert not woman
            continue
        if len(inside) < most:
            inside.append(newcomer)
    women = sum(map(GROUPS["women_share"], inside))
    assert exact(rule, women + most - len(inside), most)


def test_a_refusal_says_what_is_asked_and_what_there_would_be() -> None:
    men = [Member("resident", gender="male")] * 66
    share = share_of(Rule.model_validate(">=1/3"))
    check_share("women_share", men[1:], men[0], share, SIZE)
    with pytest.raises(Refused) as refused:
        check_share("women_share", men, men[0], share, SIZE)
    assert (refused.value.reason, refused.value.facts) == (
        "COMPOSITION_REFUSED",
        {"version": share.version, "required": ">=1/3", "needed": "34", "limit": "100", "others": "67"},
    )


def test_who_is_not_said_to_belong_does_not() -> None:
    assert not any(belongs(Member("deputy")) for belongs in GROUPS.values())
    assert [name for name, belongs in GROUPS.items() if belongs(Member("resident", occupation="mediator"))] == [
        "residents_share",
        "mediators_share",
    ]


# --- ages

ages = st.sets(st.integers(1, 150), min_size=1, max_size=8).map(sorted)


@given(ages, st.integers(0, 200))
def test_every_age_is_in_one_band(begins: list[int], age: int) -> None:
    assert sum(band.includes(age) for band in bands(begins)) == 1


@given(ages, st.lists(st.none() | st.dates(date(1900, 1, 1), DAY), max_size=30))
def test_everybody_with_a_birth_date_is_counted_once(begins: list[int], births: list[date | None]) -> None:
    members = [Member("resident", birth_date=birth) for birth in births]
    counted = sum(in_band(members, band, DAY) for band in bands(begins))
    assert counted == sum(birth is not None for birth in births)


def test_a_band_begins_on_the_birthday() -> None:
    assert bands([36, 46]) == [Band(None, 35), Band(36, 45), Band(46, None)]
    for birth, counts in ((date(1990, 11, 23), [0, 1, 0]), (date(1990, 11, 24), [1, 0, 0])):
        assert [in_band([Member("resident", birth_date=birth)], band, DAY) for band in bands([36, 46])] == counts
        assert full_years(birth, DAY) in (35, 36)
