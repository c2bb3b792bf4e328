"""What the city looks at: rules, ranges, means and ranks."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyutong.ballots.v1 import campaigns_pb2, projects_pb2
from quanyutong.common.v1.figures_pb2 import FigureKind
from quanyutong.feedback.v1 import opinions_pb2
from quanyutong.meetings.v1 import plan_pb2
from quanyutong.municipal.v1.indicators_pb2 import Indicator
from services.municipal import domain
from services.municipal.domain import INDICATORS, Amount, Measure, Refused, Rule, months_between, ranks, together
from services.municipal.exports import TITLES
from services.municipal.sums import RULES

amounts = st.builds(Amount.of, st.integers(0, 10_000), st.integers(0, 20))


def words(enum: object) -> set[str]:
    """The values of a generated enum, without prefix and the one that is none."""
    values = enum.DESCRIPTOR.values  # type: ignore[attr-defined]
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    return {value.name.removeprefix(prefix) for value in values[1:]}


def test_every_indicator_has_a_rule_and_a_title() -> None:
    assert [word.upper() for word in INDICATORS] == [
        Indicator.Name(number).removeprefix("INDICATOR_") for number in Indicator.values() if number
    ]
    assert list(TITLES) == list(INDICATORS)


def test_rules_speak_of_figures_that_there_are() -> None:
    assert {rule.kind for rule in RULES} <= words(FigureKind)
    assert set(domain.OBLIGATIONS) == words(plan_pb2.ObligationKind)
    assert set(domain.LEVELS) == words(campaigns_pb2.ProjectLevel)
    assert set(domain.VOTED) == words(projects_pb2.ProjectState) - {"CANDIDATE", "WITHDRAWN", "NOT_ADOPTED"}
    assert set(domain.HANDLED) == words(opinions_pb2.OpinionState) - {"DISMISSED", "MERGED"}


def test_no_facet_of_a_rule_is_counted_twice() -> None:
    for rule in RULES:
        inside = [(one, other) for one in rule.facets for other in rule.facets if f"{other}/".startswith(f"{one}/")]
        assert inside == [(facet, facet) for facet in rule.facets], rule


@given(st.lists(amounts))
def test_what_is_few_stays_a_range_in_every_sum(parts: list[Amount]) -> None:
    city = together([Measure(part) for part in parts])
    assert city.part.least == sum(part.least for part in parts)
    assert city.part.most == sum(part.most for part in parts)
    assert city.districts == sum(part.most > 0 for part in parts)


@given(st.lists(st.one_of(st.none(), st.integers(0, 5)), max_size=40), st.booleans())
def test_ranks_are_those_of_a_competition(values: list[int | None], ascending: bool) -> None:
    found = ranks(values, ascending=ascending)
    for rank, value in zip(found, values, strict=True):
        better = [v for v in values if v is not None and value is not None and (v < value if ascending else v > value)]
        assert rank == (0 if value is None else len(better) + 1)


@pytest.mark.parametrize("districts", range(domain.ENOUGH_FOR_A_MEAN))
def test_few_districts_have_no_mean(districts: int) -> None:
    assert domain.average([Measure(Amount(1, 1))] * districts) is None


def test_a_share_has_the_mean_of_the_city_and_a_count_that_of_its_districts() -> None:
    shares = [Measure(Amount(part, part), Amount(10, 10)) for part in (0, 2, 4, 6, 8)]
    assert domain.average(shares) == 0.4
    assert domain.average([Measure(each.part) for each in shares]) == 4.0


def test_a_share_of_nothing_has_no_value() -> None:
    assert Measure(Amount(), Amount()).value is None


@pytest.mark.parametrize(
    ("over", "since", "until"),
    [
        ("month", date(2023, 12, 1), date(2024, 1, 1)),
        ("year", date(2023, 1, 1), date(2024, 1, 1)),
        ("project_year", date(2023, 1, 1), date(2023, 2, 1)),
    ],
)
def test_the_months_that_count(over: domain.Period, since: date, until: date) -> None:
    assert domain.span(Rule("MEETINGS_HELD", over=over), date(2023, 12, 1)) == (since, until)


def test_a_period_is_every_month_of_it() -> None:
    assert months_between(date(2023, 11, 1), date(2024, 1, 1)) == [
        date(2023, 11, 1),
        date(2023, 12, 1),
        date(2024, 1, 1),
    ]
    assert len(months_between(date(2014, 1, 1), date(2023, 12, 1))) == domain.LONGEST


@pytest.mark.parametrize("last", [date(2023, 10, 1), date(2033, 11, 1)])
def test_no_other_period_is_shown(last: date) -> None:
    with pytest.raises(Refused) as refusal:
        months_between(date(2023, 11, 1), last)
    assert refusal.value.reason == "PERIOD_REFUSED"
