"""What the annual plan counts with: how many meetings a day, and the hours of a morning and an afternoon."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chassis.clock import SHANGHAI
from chassis.rules import Hours, HoursRule, Rulebook, WholeNumberRule
from services.meetings.half_days import Span
from services.meetings.wishing import OF_ASSEMBLIES, OF_STATIONS

LIMITS = {
    OF_ASSEMBLIES: "planning.assembly_meetings_a_day_max",
    OF_STATIONS: "planning.station_meetings_a_day_max",
}
HALVES = ("planning.morning", "planning.afternoon")


@dataclass(frozen=True, slots=True)
class Figures:
    """`hours` are those of a morning and of an afternoon."""

    limits: Mapping[str, int]
    hours: tuple[Hours, ...]
    versions: tuple[str, ...]

    def times(self, span: Span) -> tuple[datetime, datetime]:
        """When a meeting that fills these half days begins and ends."""
        (first, begin), (last, end) = span.first, span.last
        return (
            datetime.combine(first, self.hours[begin].begin, SHANGHAI),
            datetime.combine(last, self.hours[end].end, SHANGHAI),
        )


def figures_of(book: Rulebook) -> Figures:
    """Raises RuleUnknown for a day before the figures."""
    limits = {name: book.rule(rule, WholeNumberRule) for name, rule in LIMITS.items()}
    hours = [book.rule(rule, HoursRule) for rule in HALVES]
    return Figures(
        {name: rule.value for name, rule in limits.items()},
        tuple(rule.value for rule in hours),
        tuple(rule.version for rule in (*limits.values(), *hours)),
    )
