"""Values of rules.

Each can be given as the files and JSON write it, or as its canonical text, which travels in API fields and database
columns.
"""

import calendar
import itertools
import math
import re
from datetime import date, time, timedelta
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _read(notation: str, text: str, example: str) -> dict[str, str]:
    """The named parts of a canonical text. Raises ValueError with an example of how to write it."""
    if match := re.fullmatch(notation, text):
        return match.groupdict()
    raise ValueError(f"written as {example}")


def _whole_number(given: Any) -> Any:
    return int(_read("(?P<digits>[0-9]{1,9})", given, "30")["digits"]) if isinstance(given, str) else given


def _flag(given: Any) -> Any:
    return _read("(?P<flag>true|false)", given, "true or false")["flag"] == "true" if isinstance(given, str) else given


def _months(given: Any) -> Any:
    if isinstance(given, str):
        return [int(month) for month in _read("(?P<months>[0-9,]{1,40})", given, "2,4,6")["months"].split(",")]
    return given


def _listed(given: Any) -> Any:
    return given.split(",") if isinstance(given, str) else given


def _ages(given: Any) -> Any:
    if isinstance(given, str):
        return [
            int(age) for age in _read("(?P<ages>[0-9]{1,3}(,[0-9]{1,3}){0,19})", given, "36,46,61")["ages"].split(",")
        ]
    return given


def _ascending(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if not numbers or list(numbers) != sorted(set(numbers)):
        raise ValueError("each once, in order, at least one")
    return numbers


def _fraction(given: Any) -> Any:
    # Only an exact notation: a binary 0.1 is not a tenth.
    if isinstance(given, str):
        return Fraction(_read("(?P<exact>[0-9]{1,4}(/[1-9][0-9]{0,3})?)", given, "1/2")["exact"])
    if isinstance(given, Fraction):
        return given
    raise ValueError("written as 1/2")


def _day_of_year(text: str) -> str:
    try:
        date.fromisoformat(f"2000-{text}")  # a leap year: 02-29 is a day
    except ValueError:
        raise ValueError("days are written as 07-01") from None
    return text


def _day_in(year: int, text: str) -> date:
    month, day = map(int, text.split("-"))
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


WholeNumber = Annotated[int, BeforeValidator(_whole_number), Field(strict=True, ge=0, le=999_999_999)]
Flag = Annotated[StrictBool, BeforeValidator(_flag)]
Month = Annotated[int, Field(strict=True, ge=1, le=12)]
Months = Annotated[tuple[Month, ...], BeforeValidator(_months), AfterValidator(_ascending)]
Age = Annotated[int, Field(strict=True, ge=1, le=150)]
Ages = Annotated[tuple[Age, ...], BeforeValidator(_ages), AfterValidator(_ascending)]
DayOfYear = Annotated[str, Field(pattern="^[0-9]{2}-[0-9]{2}$"), AfterValidator(_day_of_year)]
DurationUnit = Literal["hours", "days", "working_days", "months", "years"]


class Share(Strict):
    """A part of a whole, exact: at least half, or more than half."""

    fraction: Annotated[Fraction, BeforeValidator(_fraction), Field(ge=0, le=1)]
    counts: Literal["at_least", "more_than"]

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        parts = _read("(?P<sign>>=?)(?P<fraction>[0-9/]+)", given, ">=1/2 or >1/2")
        return {"fraction": parts["fraction"], "counts": "at_least" if parts["sign"] == ">=" else "more_than"}

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.fraction == 1 and self.counts == "more_than":
            raise ValueError("nothing is more than the whole")
        return self

    def needed(self, whole: int) -> int:
        """The smallest part of the whole that meets the share.

        A share above 0 needs at least one, so an assembly without members never has its quorum.
        """
        if whole < 0:
            raise ValueError("a whole is not negative")
        exact = self.fraction * whole
        least = math.ceil(exact) if self.counts == "at_least" else math.floor(exact) + 1
        return max(least, 1) if self.fraction else least

    def met(self, part: int, whole: int) -> bool:
        """Whether the part is enough. Raises ValueError where it is no part of the whole: somebody miscounted."""
        if not 0 <= part <= whole:
            raise ValueError(f"{part} is no part of {whole}")
        return part >= self.needed(whole)

    def __lt__(self, other: "Share") -> bool:
        """Asks for less."""
        return (self.fraction, self.counts == "more_than") < (other.fraction, other.counts == "more_than")

    def __str__(self) -> str:
        return f"{'>=' if self.counts == 'at_least' else '>'}{self.fraction}"


class Duration(Strict):
    """A time limit or a length of time."""

    length: Annotated[WholeNumber, Field(le=9999)]
    unit: DurationUnit

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        return _read("(?P<length>[0-9]+) (?P<unit>[a-z_]+)", given, "3 months") if isinstance(given, str) else given

    def end(self, start: date) -> date:
        """The day that ends it by the calendar; the last of the month where the month lacks that day.

        Raises ValueError for hours, which have no day, and working days, which need the calendar of holidays.
        """
        if self.unit == "days":
            return start + timedelta(days=self.length)
        if self.unit not in ("months", "years"):
            raise ValueError(f"{self} cannot be counted by the calendar alone")
        months = start.month - 1 + self.length * (12 if self.unit == "years" else 1)
        year, month = start.year + months // 12, months % 12 + 1
        return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))

    def __str__(self) -> str:
        return f"{self.length} {self.unit}"


class Window(Strict):
    """The days of a calendar year on which something may happen, both ends included."""

    first: DayOfYear
    last: DayOfYear

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        return _read(r"(?P<first>[0-9-]+)\.\.(?P<last>[0-9-]+)", given, "07-01..08-31")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("the first day comes before the last one of the same year")
        return self

    def includes(self, day: date) -> bool:
        return self.first <= f"{day:%m-%d}" <= self.last

    def days(self, year: int) -> tuple[date, date]:
        """Its first and its last day in the year; 02-29 is the last of February there."""
        return _day_in(year, self.first), _day_in(year, self.last)

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


def _apart(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    if not windows or any(later.first <= earlier.last for earlier, later in itertools.pairwise(windows)):
        raise ValueError("one after the other, at least one")
    return windows


Windows = Annotated[tuple[Window, ...], BeforeValidator(_listed), AfterValidator(_apart), Field(max_length=12)]


class Hours(Strict):
    """A part of a day in Chongqing, from a time to a time."""

    begin: time
    end: time

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        if not isinstance(given, str):
            raise ValueError("written as 09:00..11:30")
        clock = "([01][0-9]|2[0-3]):[0-5][0-9]"
        return _read(rf"(?P<begin>{clock})\.\.(?P<end>{clock})", given, "09:00..11:30")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.begin:
            raise ValueError("they end after they begin, on the same day")
        return self

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}..{self.end:%H:%M}"


Value = int | Share | Duration | str | Window | Hours | tuple[int, ...] | tuple[Window, ...] | bool


def value_text(value: Value) -> str:
    """The canonical text of a value: 30, >=1/2, 7 working_days, include_all, 07-01..08-31, 2,4,6, 36,46,61, true,
    01-01..03-31,07-01..09-30 or 09:00..11:30.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
