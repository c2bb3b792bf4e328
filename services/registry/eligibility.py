"""Who may hold a mandate (代表资格条件), without any input or output: facts and criteria in, a verdict out.

Ages and lengths of stay are counted in full years: a year is full on the day of the same date, and on the last of the
month where that year lacks the date (Civil Code, article 202), so that a person born on 29 February is a year older on
28 February of a common year.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.registry.domain import Bound, Refused


@dataclass(frozen=True, slots=True)
class Facts:
    """What a person's entry states; None is not stated."""

    nationality: str
    birth_date: date | None = None
    residence: str | None = None
    residence_since: date | None = None
    workplace: str | None = None
    workplace_since: date | None = None


@dataclass(frozen=True, slots=True)
class Country:
    """The nationality that a rule asks for, and the version of the rule."""

    value: str
    version: str


@dataclass(frozen=True, slots=True)
class Settled:
    """Full years lived or worked in a unit. None at all: whoever lives or works there, since when is not asked."""

    unit: str
    years: Bound


@dataclass(frozen=True, slots=True)
class Criteria:
    nationality: Country
    age_min: Bound
    # A congress asks nothing of the kind.
    settled: Settled | None = None

    @property
    def versions(self) -> list[str]:
        asked = [self.nationality.version, self.age_min.version]
        return [*asked, self.settled.years.version] if self.settled else asked


@dataclass(frozen=True, slots=True)
class Missing:
    """A rule that cannot be judged, and the field that it lacks."""

    field: str
    version: str
    required: str

    def refusal(self) -> Refused:
        return Refused("PERSON_FACT_MISSING", field=self.field, version=self.version, required=self.required)


@dataclass(frozen=True, slots=True)
class Unmet:
    """A rule that is not met."""

    field: str
    version: str
    required: str
    found: str

    def refusal(self) -> Refused:
        rule = f"rules/{self.version.partition('@')[0]}"
        return Refused("PERSON_NOT_ELIGIBLE", rule=rule, version=self.version, required=self.required, found=self.found)


Fault = Missing | Unmet


def check(facts: Facts, criteria: Criteria, day: date) -> None:
    """Raises Refused for the first fault."""
    for fault in faults(facts, criteria, day):
        raise fault.refusal()


def faults(facts: Facts, criteria: Criteria, day: date) -> Iterator[Fault]:
    """All that stands against the person on the day."""
    yield from _nationality(facts, criteria.nationality)
    yield from _age(facts, criteria.age_min, day)
    if criteria.settled:
        yield from _settled(facts, criteria.settled, day)


def full_years(since: date, day: date) -> int:
    """How many years are full on the day; less than none before the first day."""
    return day.year - since.year - (day < _in_year(since, day.year))


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 2, 28)


def _nationality(facts: Facts, wanted: Country) -> Iterator[Fault]:
    if facts.nationality != wanted.value:
        yield Unmet("nationality", wanted.version, wanted.value, facts.nationality)


def _age(facts: Facts, least: Bound, day: date) -> Iterator[Fault]:
    if facts.birth_date is None:
        yield Missing("birth_date", least.version, str(least.value))
    elif (age := full_years(facts.birth_date, day)) < least.value:
        yield Unmet("birth_date", least.version, str(least.value), str(age))


def _settled(facts: Facts, wanted: Settled, day: date) -> Iterator[Fault]:
    """Living there is enough and so is working there; a stay without a first day is enough where no length is asked."""
    required = f"{wanted.years.value} years in units/{wanted.unit}"
    stays = {
        "residence": (facts.residence, facts.residence_since),
        "workplace": (facts.workplace, facts.workplace_since),
    }
    here = {field: since for field, (unit, since) in stays.items() if unit == wanted.unit}
    if any(_long_enough(since, wanted.years.value, day) for since in here.values()):
        return
    undated = [field for field, since in here.items() if since is None]
    if undated:
        yield Missing(f"{undated[0]}_since", wanted.years.version, required)
    elif facts.residence is None and facts.workplace is None:
        yield Missing("residence", wanted.years.version, required)
    else:
        years = max((full_years(since, day) for since in here.values() if since), default=None)
        found = "elsewhere" if years is None else f"{max(years, 0)} years"
        yield Unmet(next(iter(here), "residence"), wanted.years.version, required, found)


def _long_enough(since: date | None, years: int, day: date) -> bool:
    return years == 0 if since is None else full_years(since, day) >= years
