"""What the rules of the institutions come to in a year: which meetings are due, when, and at what notice."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from chassis.rules import (
    VERSIONS,
    DurationRule,
    MonthsRule,
    Override,
    Rule,
    Rulebook,
    RuleUnknown,
    WholeNumberRule,
    WindowRule,
    WindowsRule,
)
from chassis.working_days import next_working_day
from services.meetings.obligations import Due, by_periods, in_turn, on_days, while_in_force

# A half day is the shortest time that is planned.
HALF_DAY = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of what is owed some times a year, by their names."""

    count: str
    windows: str
    length: str
    notice: str


A_YEAR: Mapping[str, Rules] = {
    "annual_session": Rules(
        "congress.district_sessions_a_year",
        "congress.district_session_window",
        "congress.district_session_length",
        "congress.session_notice",
    ),
    "township_session": Rules(
        "congress.township_sessions_a_year",
        "congress.township_session_windows",
        "congress.township_session_length",
        "congress.session_notice",
    ),
    "midyear_meeting": Rules(
        "midyear_meeting.meetings_a_year",
        "midyear_meeting.window",
        "midyear_meeting.length",
        "midyear_meeting.notice",
    ),
    "special_meeting": Rules(
        "township_quarterly.special_meetings_a_year",
        "township_quarterly.special_meeting_windows",
        "township_quarterly.length",
        "township_quarterly.notice",
    ),
    "assembly_meeting": Rules(
        "subdistrict_assembly.meetings_a_year",
        "subdistrict_assembly.meeting_windows",
        "subdistrict_assembly.meeting_length_min",
        "subdistrict_assembly.meeting_notice",
    ),
}
EVERY: Mapping[str, str] = {
    "feedback_meeting": "stations_and_voice.house_feedback_every",
    "symposium": "stations_and_voice.station_symposium_every",
}


def dues_of(year: int, overrides: Iterable[Override]) -> list[Due]:
    """What the year owes by the rules of the day on which each window opens."""
    decided = list(overrides)
    days = {date(year, 1, 1)} | {each.effective for each in (*VERSIONS, *decided) if each.effective.year == year}
    return while_in_force((day, _dues(Rulebook.on(day, decided), year)) for day in sorted(days))


def _dues(book: Rulebook, year: int) -> list[Due]:
    """What the year would owe if this book held in all of it; nothing of an institution that has no rules yet."""
    found: list[Due] = []
    for kind, rules in A_YEAR.items():
        with suppress(RuleUnknown):
            found += _some_times(book, year, kind, rules)
    for kind, every in EVERY.items():
        with suppress(RuleUnknown):
            found += _again_and_again(book, year, kind, every)
    with suppress(RuleUnknown):
        found += _reception_days(book, year)
    return found


def _some_times(book: Rulebook, year: int, kind: str, rules: Rules) -> Iterator[Due]:
    count, windows = book.rule(rules.count, WholeNumberRule), book.rule(rules.windows)
    length, notice = book.rule(rules.length, DurationRule), book.rule(rules.notice, DurationRule)
    versions = _versions(count, windows, length, notice)
    for ordinal, first, last in in_turn(count.value, _days(windows, year)):
        yield Due(kind, year, ordinal, first, last, notice.value.length, 2 * length.value.length, versions)


def _days(rule: Rule, year: int) -> list[tuple[date, date]]:
    if isinstance(rule, WindowRule):
        return [rule.value.days(year)]
    if isinstance(rule, WindowsRule):
        return [window.days(year) for window in rule.value]
    raise TypeError(f"{rule.id} has no windows")


def _again_and_again(book: Rulebook, year: int, kind: str, every: str) -> Iterator[Due]:
    period = book.rule(every, DurationRule)
    notice = book.rule("stations_and_voice.station_meeting_notice", DurationRule)
    for ordinal, first, last in by_periods(year, period.value.length):
        yield Due(kind, year, ordinal, first, last, notice.value.length, HALF_DAY, _versions(period, notice))


def _reception_days(book: Rulebook, year: int) -> Iterator[Due]:
    """Moved to the next working day, as the only choice of the rule says."""
    of = "stations_and_voice.reception_"
    months, day = book.rule(f"{of}months", MonthsRule), book.rule(f"{of}day", WholeNumberRule)
    moved, notice = book.rule(f"{of}on_holiday"), book.rule(f"{of}notice", DurationRule)
    versions = _versions(months, day, moved, notice)
    for month, first, last in on_days(year, months.value, day.value, next_working_day):
        yield Due("reception_day", year, month, first, last, notice.value.length, HALF_DAY, versions)


def _versions(*rules: Rule) -> tuple[str, ...]:
    return tuple(rule.version for rule in rules)
