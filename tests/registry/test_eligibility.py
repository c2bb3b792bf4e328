"""Who may hold a mandate: the edges of dates, and what is missing."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Duration
from services.registry.domain import Bound, Refused
from services.registry.eligibility import (
    Country,
    Criteria,
    Facts,
    Missing,
    Settled,
    Unmet,
    check,
    faults,
    full_years,
)

DAY = date(2026, 11, 23)
HERE, ELSEWHERE = "500102013", "500103001"
AGE = Bound(18, "subdistrict_assembly.age_min@2015-01-01")
STAY = Settled(HERE, Bound(1, "subdistrict_assembly.residence_min@2015-01-01"))
BY_RIGHT = Settled(HERE, Bound(0, "subdistrict_assembly.deputies_attend@2015-01-01"))
NATIONAL = Country("CN", "subdistrict_assembly.nationality@2015-01-01")
ASSEMBLY, CONGRESS = Criteria(NATIONAL, AGE, STAY), Criteria(NATIONAL, AGE)
LONG_AGO = date(2000, 1, 1)
GROWN = date(1980, 6, 1)
days = st.dates(date(1900, 1, 1), date(2200, 12, 31))
years = st.integers(0, 120)


def named(facts: Facts, criteria: Criteria = ASSEMBLY, day: date = DAY) -> list[str]:
    """`missing` or `unmet`, and the field, of each fault."""
    return [f"{type(fault).__name__.lower()} {fault.field}" for fault in faults(facts, criteria, day)]


def resident(**given: object) -> Facts:
    stated = {"nationality": "CN", "birth_date": GROWN, "residence": HERE, "residence_since": LONG_AGO}
    return Facts(**(stated | given))  # type: ignore[arg-type]


# --- full years


@pytest.mark.parametrize(
    ("since", "day", "full"),
    [
        (date(2008, 11, 23), DAY, 18),  # the birthday itself
        (date(2008, 11, 24), DAY, 17),  # the day before it
        (date(2008, 2, 29), date(2026, 2, 27), 17),
        (date(2008, 2, 29), date(2026, 2, 28), 18),  # no such day in the year: the last of the month
        (date(2008, 2, 29), date(2028, 2, 28), 19),  # there is such a day, and it is tomorrow
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2008, 3, 1), date(2026, 2, 28), 17),
        (date(2025, 11, 24), DAY, 0),  # a year less a day
        (date(2025, 11, 23), DAY, 1),
        (DAY, DAY, 0),
        (date(2026, 11, 24), DAY, -1),  # tomorrow
        (date(9999, 12, 31), DAY, -7974),
        (date(1, 1, 1), date(9999, 12, 31), 9998),
    ],
)
def test_years_that_are_full(since: date, day: date, full: int) -> None:
    assert full_years(since, day) == full


@given(days, days, years)
def test_years_are_full_when_a_duration_of_them_has_ended(since: date, day: date, length: int) -> None:
    """The same calendar as that of every other length of time."""
    ended = Duration(length=length, unit="years").end(since) <= day
    assert (full_years(since, day) >= length) == ended


@given(days, years)
def test_a_year_begins_to_be_full_on_a_single_day(since: date, length: int) -> None:
    day = Duration(length=length, unit="years").end(since)
    assert full_years(since, day) == length
    assert full_years(since, day - timedelta(days=1)) == length - 1


@given(days, days)
def test_years_never_become_fewer(since: date, day: date) -> None:
    tomorrow = day + timedelta(days=1)
    assert full_years(since, tomorrow) - full_years(since, day) in (0, 1)


# --- age


@given(days)
def test_of_age_from_the_birthday_on(birth: date) -> None:
    birthday = Duration(length=18, unit="years").end(birth)
    assert named(resident(birth_date=birth), CONGRESS, birthday) == []
    assert named(resident(birth_date=birth), CONGRESS, birthday - timedelta(days=1)) == ["unmet birth_date"]


def test_who_says_no_birth_date_is_not_judged_but_asked() -> None:
    assert named(resident(birth_date=None)) == ["missing birth_date"]


# --- nationality


@given(st.text("ABCMNZ", min_size=2, max_size=2))
def test_only_nationals(code: str) -> None:
    assert named(resident(nationality=code), CONGRESS) == ([] if code == "CN" else ["unmet nationality"])


# --- living or working there


@given(days)
def test_settled_when_the_year_is_full_whether_living_or_working_there(since: date) -> None:
    full = Duration(length=1, unit="years").end(since)
    living = resident(birth_date=date(1850, 1, 1), residence_since=since)
    working = Facts("CN", date(1850, 1, 1), ELSEWHERE, LONG_AGO, HERE, since)
    for facts, field in ((living, "residence"), (working, "workplace")):
        assert named(facts, ASSEMBLY, full) == []
        assert named(facts, ASSEMBLY, full - timedelta(days=1)) == [f"unmet {field}"]


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (Facts("CN", GROWN), ["missing residence"]),
        (Facts("CN", GROWN, HERE), ["missing residence_since"]),
        (Facts("CN", GROWN, None, None, HERE), ["missing workplace_since"]),
        (Facts("CN", GROWN, HERE, DAY, HERE), ["missing workplace_since"]),
        (Facts("CN", GROWN, HERE, None, HERE, LONG_AGO), []),
        (Facts("CN", GROWN, ELSEWHERE, LONG_AGO), ["unmet residence"]),
        (Facts("CN", GROWN, ELSEWHERE, LONG_AGO, ELSEWHERE, LONG_AGO), ["unmet residence"]),
        (Facts("CN", GROWN, None, None, ELSEWHERE, LONG_AGO), ["unmet residence"]),
        (Facts("CN", GROWN, HERE, DAY, HERE, DAY), ["unmet residence"]),
        (Facts("CN", GROWN, HERE, DAY, HERE, LONG_AGO), []),
        (Facts("MN", DAY, ELSEWHERE), ["unmet nationality", "unmet birth_date", "unmet residence"]),
    ],
)
def test_what_is_said_of_a_stay(facts: Facts, found: list[str]) -> None:
    assert named(facts) == found


def test_a_congress_does_not_ask_where_its_deputies_live() -> None:
    assert named(Facts("CN", GROWN), CONGRESS) == []


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (resident(residence_since=DAY), []),
        (resident(residence_since=None), []),
        (resident(residence_since=DAY + timedelta(days=1)), ["unmet residence"]),
        (resident(residence=ELSEWHERE), ["unmet residence"]),
        (Facts("CN", GROWN), ["missing residence"]),
    ],
)
def test_who_attends_by_right_has_to_be_there_however_short(facts: Facts, found: list[str]) -> None:
    assert named(facts, Criteria(NATIONAL, AGE, BY_RIGHT)) == found


# --- refusals


def test_a_refusal_says_rule_version_and_values() -> None:
    with pytest.raises(Refused) as refused:
        check(resident(birth_date=date(2008, 11, 24)), ASSEMBLY, DAY)
    assert (refused.value.reason, refused.value.facts) == (
        "PERSON_NOT_ELIGIBLE",
        {"rule": "rules/subdistrict_assembly.age_min", "version": AGE.version, "required": "18", "found": "17"},
    )


def test_a_missing_fact_is_named() -> None:
    with pytest.raises(Refused) as refused:
        check(resident(birth_date=None), ASSEMBLY, DAY)
    assert (refused.value.reason, refused.value.facts) == (
        "PERSON_FACT_MISSING",
        {"field": "birth_date", "version": AGE.version, "required": "18"},
    )


dates_or_none = st.none() | days
units = st.sampled_from([None, HERE, ELSEWHERE])
anybody = st.builds(Facts, st.sampled_from(["CN", "MN"]), dates_or_none, units, dates_or_none, units, dates_or_none)


@given(anybody, days)
def test_a_person_is_refused_for_a_fault_and_for_nothing_else(facts: Facts, day: date) -> None:
    found = list(faults(facts, ASSEMBLY, day))
    if found:
        with pytest.raises(Refused) as refused:
            check(facts, ASSEMBLY, day)
        assert refused.value.facts["version"] == found[0].version
    else:
        check(facts, ASSEMBLY, day)
    assert {fault.version for fault in found} <= set(ASSEMBLY.versions)


@given(anybody, days)
def test_stating_what_is_missing_settles_it(facts: Facts, day: date) -> None:
    """What is asked for is what was lacking: after it the same is not asked again."""
    for fault in faults(facts, ASSEMBLY, day):
        if isinstance(fault, Missing):
            value = HERE if fault.field == "residence" else LONG_AGO
            stated = Facts(**{name: getattr(facts, name) for name in Facts.__slots__} | {fault.field: value})
            asked = {each.field for each in faults(stated, ASSEMBLY, day) if isinstance(each, Missing)}
            assert fault.field not in asked


@given(anybody, days, st.integers(1, 4000))
def test_the_eligible_stay_so(facts: Facts, day: date, later: int) -> None:
    if not list(faults(facts, ASSEMBLY, day)):
        assert not [f for f in faults(facts, ASSEMBLY, day + timedelta(days=later)) if isinstance(f, Unmet)]
