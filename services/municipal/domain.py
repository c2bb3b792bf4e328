"""What the city looks at, as rules over figures, without input or output.

Each indicator is a part, and for a share or a mean the whole that it is of. A rule says which figures add up to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

# A count that could point at a person is told as few, and is one of these.
FEWEST, MOST_OF_FEW = 1, 4
# Fewer districts than these have no mean: it would tell a neighbour's number.
ENOUGH_FOR_A_MEAN = 5
LONGEST = 120
# `month`: what stands at its end; `year`: what happened from January on; `project_year`: what is counted in January.
Period = Literal["month", "year", "project_year"]
# Adopted by vote, whatever became of it since.
VOTED = (*("ADOPTED", "IMPLEMENTING", "INSPECTED", "EVALUATED", "ACCEPTED", "CARRIED_OVER", "POSTPONED", "ENDED"),)
OF_TOWNS = ("TOWN", "TOWNSHIP")
LEVELS = ("DISTRICT", *OF_TOWNS, "SUBDISTRICT")


class Refused(Exception):
    """The rules do not allow it. `facts` fill the places in the reason's text."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = {name: str(value) for name, value in facts.items()}


@dataclass(frozen=True, slots=True)
class Rule:
    """Figures of a kind with one of these facets, or one that begins with it and `/`; an empty one stands for all.

    They are added up, or it is counted in how many units there are any.
    """

    kind: str
    facets: tuple[str, ...] = ("",)
    over: Period = "year"
    units: bool = False


@dataclass(frozen=True, slots=True)
class Indicator:
    part: Rule
    whole: Rule | None = None


def _each(firsts: Sequence[str], seconds: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{first}/{second}" for first in firsts for second in seconds)


def _standing(kind: str, *facets: str) -> Rule:
    return Rule(kind, facets or ("",), over="month")


def _projects(kind: str, *facets: str, units: bool = False) -> Rule:
    return Rule(kind, facets or ("",), over="project_year", units=units)


SUBDISTRICTS = _standing("UNITS", "SUBDISTRICT")
TOWNS = _standing("UNITS", *OF_TOWNS)
REPRESENTATIVES = _standing("DELEGATES", "SUBDISTRICT_ASSEMBLY")
ALL_VOTED = _projects("PROJECTS", *_each(LEVELS, VOTED))
HANDLED = (
    "RECEIVED",
    "ACKNOWLEDGED",
    "ROUTED",
    "RETURNED",
    "IN_PROGRESS",
    "DEFERRED",
    "ANSWERED",
    "REOPENED",
    "CLOSED",
)
OBLIGATIONS = (
    *("ANNUAL_SESSION", "MIDYEAR_MEETING", "TOWNSHIP_SESSION", "SPECIAL_MEETING", "ASSEMBLY_MEETING"),
    *("RECEPTION_DAY", "FEEDBACK_MEETING", "SYMPOSIUM"),
)
INDICATORS: Mapping[str, Indicator] = {
    "assemblies": Indicator(_standing("ASSEMBLIES", "SUBDISTRICT_ASSEMBLY"), SUBDISTRICTS),
    "representatives": Indicator(REPRESENTATIVES),
    "women": Indicator(_standing("DELEGATES_WITH", "SUBDISTRICT_ASSEMBLY/GENDER/FEMALE"), REPRESENTATIVES),
    "assembly_meetings": Indicator(Rule("MEETINGS_HELD", ("ASSEMBLY",))),
    "district_deputies": Indicator(_standing("DELEGATES", "DISTRICT_CONGRESS")),
    "town_deputies": Indicator(_standing("DELEGATES", "TOWNSHIP_CONGRESS")),
    "midyear_meetings": Indicator(Rule("MEETINGS_HELD", ("MID_YEAR",))),
    "quarterly_towns": Indicator(Rule("MEETINGS_HELD", ("QUARTERLY",), units=True), TOWNS),
    "voting_towns": Indicator(_projects("PROJECTS", *_each(OF_TOWNS, VOTED), units=True), TOWNS),
    "district_projects": Indicator(_projects("PROJECTS", *_each(("DISTRICT",), VOTED))),
    "town_projects": Indicator(_projects("PROJECTS", *_each(OF_TOWNS, VOTED))),
    "subdistrict_projects": Indicator(_projects("PROJECTS", *_each(("SUBDISTRICT",), VOTED))),
    "projects_accepted": Indicator(_projects("PROJECTS", *_each(LEVELS, ("ACCEPTED",))), ALL_VOTED),
    "projects_late": Indicator(_projects("PROJECTS_LATE"), ALL_VOTED),
    "budget_spent": Indicator(_projects("SPENT_FEN"), _projects("BUDGET_FEN")),
    "meetings": Indicator(Rule("MEETINGS_HELD")),
    "attendance": Indicator(Rule("SEATS_PRESENT"), Rule("SEATS_EXPECTED")),
    "obligations_fulfilled": Indicator(
        Rule("OBLIGATIONS", _each(OBLIGATIONS, ("FULFILLED",))),
        Rule("OBLIGATIONS", _each(OBLIGATIONS, ("FULFILLED", "MISSED"))),
    ),
    "obligations_overdue": Indicator(Rule("OBLIGATIONS", _each(OBLIGATIONS, ("MISSED",)))),
    "deliberation_opinions_closed": Indicator(
        Rule("DELIBERATION_OPINIONS", ("CLOSED",)), Rule("DELIBERATION_OPINIONS")
    ),
    "polls": Indicator(Rule("POLLS")),
    "turnout": Indicator(Rule("BALLOTS"), Rule("ELECTORATE")),
    "opinions": Indicator(Rule("OPINIONS")),
    "opinions_done": Indicator(Rule("OPINIONS", ("CLOSED",)), Rule("OPINIONS", HANDLED)),
    "opinions_overdue": Indicator(Rule("OPINIONS_OVERDUE")),
    "opinion_days": Indicator(Rule("OPINION_ANSWER_DAYS"), Rule("OPINIONS_ANSWERED")),
    "proposals": Indicator(Rule("PROPOSALS")),
    "proposals_solved": Indicator(Rule("PROPOSALS_BY_CLASS", ("A",)), Rule("PROPOSALS_ANSWERED")),
    "proposals_overdue": Indicator(Rule("PROPOSALS_OVERDUE")),
    "proposal_days": Indicator(Rule("PROPOSAL_ANSWER_DAYS"), Rule("PROPOSALS_ANSWERED")),
    "stations": Indicator(_standing("STATIONS")),
    "activities": Indicator(Rule("ACTIVITIES")),
    "person_times": Indicator(Rule("PERSON_TIMES")),
    "people_received": Indicator(Rule("PEOPLE_RECEIVED")),
}


@dataclass(frozen=True, slots=True)
class Amount:
    """At least and at most how many: the same, but where something is only known to be few."""

    least: int = 0
    most: int = 0

    @classmethod
    def of(cls, value: int, few: int) -> "Amount":
        return cls(value + few * FEWEST, value + few * MOST_OF_FEW)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.least + other.least, self.most + other.most)


@dataclass(frozen=True, slots=True)
class Measure:
    """An indicator's value. `districts`: of the city, in how many the part is not 0."""

    part: Amount = Amount()
    whole: Amount | None = None
    districts: int = 0

    @property
    def value(self) -> float | None:
        """By which it is ranked: the part, or the part over the whole; None where there is no whole."""
        if self.whole is None:
            return float(self.part.least)
        return self.part.least / self.whole.least if self.whole.least else None


def measure_of(name: str, amounts: Mapping[Rule, Amount]) -> Measure:
    indicator = INDICATORS[name]
    whole = amounts.get(indicator.whole, Amount()) if indicator.whole else None
    return Measure(amounts.get(indicator.part, Amount()), whole)


def together(measures: Sequence[Measure]) -> Measure:
    """Of all districts, from those of each."""
    wholes = [each.whole for each in measures if each.whole is not None]
    return Measure(
        sum((each.part for each in measures), Amount()),
        sum(wholes, Amount()) if wholes else None,
        sum(each.part.most > 0 for each in measures),
    )


def average(measures: Sequence[Measure]) -> float | None:
    """What is usual among these districts; None where they are too few, or nothing is there to compare."""
    if len(measures) < ENOUGH_FOR_A_MEAN:
        return None
    city = together(measures)
    return city.value if city.whole is not None else city.part.least / len(measures)


def first_of(day: date) -> date:
    return date(day.year, day.month, 1)


def following(month: date) -> date:
    """The first day of the month after it."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def span(rule: Rule, month: date) -> tuple[date, date]:
    """The months that count: the first one, and the one after the last."""
    january = date(month.year, 1, 1)
    return {
        "month": (month, following(month)),
        "year": (january, following(month)),
        "project_year": (january, date(month.year, 2, 1)),
    }[rule.over]


def months_between(first: date, last: date) -> list[date]:
    """Every month of a period. Raises Refused PERIOD_REFUSED."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if not 0 < count <= LONGEST:
        raise Refused("PERIOD_REFUSED", most=LONGEST)
    number = first.year * 12 + first.month - 1
    return [date(each // 12, each % 12 + 1, 1) for each in range(number, number + count)]


def check_unit(unit: str, district: str) -> None:
    """A unit's nine digits begin with its district's six; empty stands for the whole district."""
    if unit and not unit.startswith(district):
        raise Refused("UNIT_REFUSED", unit=f"units/{unit}")


def ranks(values: Sequence[float | None], *, ascending: bool = False) -> list[int]:
    """The rank of each from 1 on, equal ones sharing the first of their places; 0 for what has no value."""
    known = sorted((value for value in values if value is not None), reverse=not ascending)
    return [0 if value is None else known.index(value) + 1 for value in values]
