"""Working days (工作日): the national calendar with its holidays and the make-up working days around them.

The State Council announces the days of a year in the autumn before it. A year that is neither in the calendar shipped
with the platform nor in the operator's file is counted by weekends and the holidays that have a fixed day; whoever
counts in such a year says that the result is provisional, since the lunar holidays and the make-up days are missing.
"""

import tomllib
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import chinese_calendar
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis.faults import OperatorFault
from chassis.rules import Duration

DAY = timedelta(days=1)
# New Year, Labour Day, National Day: the statutory holidays of the solar calendar, by the Regulation on Public Holidays
# for National Annual Festivals and Memorial Days (《全国年节及纪念日放假办法》) as of 2025.
FIXED_HOLIDAYS = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})


class AnnouncedDaysInvalid(OperatorFault):
    """The operator's file of announced days cannot be used. The text says why."""


class Announced(BaseModel):
    """What the operator adds to the shipped calendar: years that are announced in full, and the days that are no usual
    ones in them, or in any other year.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    years: frozenset[int] = frozenset()
    holidays: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()


_announced = Announced()


def announce(file: Path | None) -> None:
    """Reads the operator's file, at the start of a process. Raises AnnouncedDaysInvalid."""
    global _announced
    _announced = _read(file) if file else Announced()
    for counted in (is_working_day, working_days_of):
        counted.cache_clear()


def _read(file: Path) -> Announced:
    try:
        found = Announced.model_validate(tomllib.loads(file.read_text("utf-8")))
    except (OSError, ValidationError, ValueError) as error:
        raise AnnouncedDaysInvalid(f"QYT_ANNOUNCED_DAYS: {file}: {error}") from None
    if both := found.holidays & found.working_days:
        raise AnnouncedDaysInvalid(f"QYT_ANNOUNCED_DAYS: {file}: {min(both)} is both a holiday and a working day")
    return found


def is_provisional(year: int) -> bool:
    """Whether the days of the year are not announced yet, as far as is known here."""
    return year not in _announced.years and not _is_shipped(year)


@cache
def _is_shipped(year: int) -> bool:
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@cache
def working_days_of(year: int) -> tuple[date, ...]:
    """All of them, in order."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = (first + number * DAY for number in range((last - first).days + 1))
    return tuple(filter(is_working_day, days))


@cache
def is_working_day(day: date) -> bool:
    if day in _announced.working_days:
        return True
    if day in _announced.holidays:
        return False
    if _is_shipped(day.year) and day.year not in _announced.years:
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5 and (day.month, day.day) not in FIXED_HOLIDAYS


def next_working_day(day: date) -> date:
    """The first working day from this one on: the day itself where it is one."""
    while not is_working_day(day):
        day += DAY
    return day


def add_working_days(day: date, count: int) -> date:
    """The working day that is so many after the day, which is not counted itself (《民法典》第二百零一条)."""
    if count < 0:
        raise ValueError("working days are counted forward")
    for _ in range(count):
        day = next_working_day(day + DAY)
    return day


def end_of(duration: Duration, start: date) -> date:
    """The day that ends it, whatever it is counted in but hours, which have none."""
    if duration.unit == "working_days":
        return add_working_days(start, duration.length)
    return duration.end(start)
