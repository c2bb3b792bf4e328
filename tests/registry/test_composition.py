"""Shares, sizes and age bands: exact, and the least that is enough."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.rules import Share as Rule
from services.registry.composition import (
    GROUPS,
    Band,
    Group,
    Member,
    Share,
    at_least,
    at_most,
    bands,
    check_share,
    in_band,
    of_occupation,
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


WOMEN = [GROUPS["women_share"]]
WORK = ("farmer", "worker", "teacher")
MAN, WOMAN = Member("resident", gender="male"), Member("resident", gender="female")


def lets_in(groups: Sequence[Group], inside: Sequence[Member], newcomer: Member, rule: Rule, most: int) -> bool:
    try:
        check_share(groups, inside, [newcomer], share_of(rule), Bound(most, SIZE.version))
    except Refused:
        return False
    return True


@given(rules, st.integers(1, 60), st.data())
def test_a_man_comes_in_while_women_can_still_have_their_share(rule: Rule, most: int, data: st.DataObject) -> None:
    """Found by trying every number of further seats, all of them given to women."""
    held = data.draw(st.integers(0, most - 1))
    women = data.draw(st.integers(0, held))
    inside = [WOMAN] * women + [MAN] * (held - women)
    tried = any(exact(rule, women + more, held + 1 + more) for more in range(most - held))
    assert lets_in(WOMEN, inside, MAN, rule, most) == tried


@given(rules, st.integers(1, 40), st.lists(st.sampled_from([MAN, WOMAN]), max_size=60))
def test_an_assembly_that_fills_can_meet_the_share(rule: Rule, most: int, asked: list[Member]) -> None:
    """Whoever comes in whatever order: who is let in never spoils it, and no woman is turned away."""
    inside: list[Member] = []
    for newcomer in asked[:most]:
        if lets_in(WOMEN, inside, newcomer, rule, most):
            inside.append(newcomer)
        else:
            assert newcomer is MAN
    assert exact(rule, inside.count(WOMAN) + most - len(inside), most)


@given(st.fractions(0, Fraction(1, 3), max_denominator=30), st.integers(3, 40), st.lists(st.sampled_from(WORK)))
def test_a_balance_stays_within_reach_of_all_groups_together(part: Fraction, most: int, asked: list[str]) -> None:
    rule = Rule(fraction=part, counts="at_least")
    needed = rule.needed(most)
    assume(len(WORK) * needed <= most)
    groups, inside = [of_occupation(work) for work in WORK], list[Member]()
    for work in asked[:most]:
        if lets_in(groups, inside, Member("resident", occupation=work), rule, most):
            inside.append(Member("resident", occupation=work))
        else:
            assert sum(member.occupation == work for member in inside) >= needed
    lacking = [max(needed - sum(map(group, inside)), 0) for group in groups]
    assert sum(lacking) <= most - len(inside)


def test_a_share_that_cannot_be_met_any_more_still_welcomes_who_is_lacking() -> None:
    """As when the district begins to enforce it late."""
    rule = Rule.model_validate(">=1/2")
    assert not lets_in(WOMEN, [MAN] * 60, MAN, rule, 100)
    assert lets_in(WOMEN, [MAN] * 60, WOMAN, rule, 100)


PEOPLE = st.lists(st.sampled_from([Member("resident", occupation=work) for work in (*WORK, "")]), max_size=40)


@given(st.fractions(0, Fraction(1, 2), max_denominator=20), st.integers(1, 60), PEOPLE, PEOPLE)
def test_a_list_is_let_in_as_a_whole_when_each_would_be_alone(
    part: Fraction, most: int, inside: list[Member], asked: list[Member]
) -> None:
    """Nobody who comes later gives back what an earlier one took, so the order decides nothing."""
    rule, groups = Rule(fraction=part, counts="at_least"), [of_occupation(work) for work in WORK]
    alone = [lets_in(groups, [*inside, *asked[:place]], each, rule, most) for place, each in enumerate(asked)]
    share, size = share_of(rule), Bound(most, SIZE.version)
    for order in (asked, asked[::-1]):
        try:
            check_share(groups, inside, order, share, size)
        except Refused:
            assert not all(alone)
        else:
            assert all(alone)


def test_a_refusal_says_what_is_lacking_and_what_is_left() -> None:
    men = [MAN] * 66
    share = share_of(Rule.model_validate(">=1/3"))
    check_share(WOMEN, men[1:], [MAN], share, SIZE)
    with pytest.raises(Refused) as refused:
        check_share(WOMEN, men, [MAN], share, SIZE)
    assert (refused.value.reason, refused.value.facts) == (
        "COMPOSITION_REFUSED",
        {"version": share.version, "required": ">=1/3", "limit": "100", "lacking": "34", "left": "33"},
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
