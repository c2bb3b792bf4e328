"""The rules of the institutions, read from the files in `chassis/institutions`.

A quorum, a size, a share, a time limit or a way to count a vote stands there and
never in code. A rule has versions, each with the day from which it holds; a
district may hold a value of its own where the rule lets it. Whoever judges by a
rule keeps `Rule.version` with the result, so that the result can be judged again.

The files are checked when this module is imported: a process does not start on
rules that it cannot read.
"""

import calendar
import itertools
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from fractions import Fraction
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal, Self, TypeVar, overload

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)


class RulesInvalid(Exception):
    """A rule file cannot be used. `rule` and `field` are empty where the fault lies outside of them."""

    def __init__(self, file: str, rule: str, field: str, fault: str) -> None:
        super().__init__(": ".join(part for part in (file, rule, field, fault) if part))
        self.file = file
        self.rule = rule
        self.field = field


class RuleUnknown(Exception):
    """No version of the rule is in force on the day."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class OverrideRefused(Exception):
    """A district cannot give the rule this value; `detail` says which values it could give."""

    def __init__(self, reason: Literal["RULE_FIXED", "RULE_VALUE_INVALID"], rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {reason}: {detail}")
        self.reason = reason
        self.rule = rule
        self.detail = detail


# Values. Each can be given as the files and JSON write it, or as its canonical text, which travels in API fields and
# database columns.


class _Strict(BaseModel):
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


class Share(_Strict):
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


class Duration(_Strict):
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


class Window(_Strict):
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


class Hours(_Strict):
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


# Rules.


class Text(_Strict):
    """The same words in Chinese and English."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


Enforcement = Literal["enforce", "warn"]


@dataclass(frozen=True, slots=True)
class Override:
    """A district's own value from a day on, as canonical text; None: from that day the platform's value holds again.

    `enforcement` is what breaking the district's value leads to; None: what the platform says.
    """

    rule: str
    value: str | None
    effective: date
    revision: int
    enforcement: Enforcement | None = None


class _Rule(_Strict):
    """One version of a rule. Subclasses say what its value is; they name it last, so that its bounds are known."""

    id: str = Field(pattern=r"^[a-z_]+\.[a-z_]+$")
    title: Text
    effective: date
    # Where the platform's value comes from. An override rests on a decision of the district.
    source: Text
    overridable: StrictBool
    # What an assembly that does not meet the rule meets with: a refusal or a remark.
    enforcement: Enforcement | None = None
    # What the value counts; empty where it does not count things.
    unit: str = ""
    override: Override | None = None

    @property
    def revision(self) -> int | None:
        """The district's decision that the value rests on, if it is the district's own."""
        return self.override.revision if self.override and self.override.value is not None else None

    @property
    def version(self) -> str:
        """What a result cites: `votes.grades@2005-01-01`, with `+r3` after it for a district's own value."""
        return f"{self.id}@{self.effective}" + (f"+r{self.revision}" if self.revision is not None else "")

    @property
    def in_force_since(self) -> date:
        """First day of the value, counted anew when the rule changes beneath an override."""
        return max(self.effective, self.override.effective) if self.override else self.effective


def _check_bounds(value: Any, fields: ValidationInfo) -> Any:
    lowest, highest = fields.data.get("minimum"), fields.data.get("maximum")
    amount = value.length if isinstance(value, Duration) else value
    if lowest is not None and amount < lowest:
        raise ValueError(f"at least {lowest}" if not isinstance(lowest, Share) else f"no less than {lowest}")
    if highest is not None and highest < amount:
        raise ValueError(f"at most {highest}" if not isinstance(highest, Share) else f"no more than {highest}")
    return value


class WholeNumberRule(_Rule):
    kind: Literal["whole_number"]
    unit: str = Field(min_length=1)
    minimum: WholeNumber = 0
    maximum: WholeNumber | None = None
    value: WholeNumber

    _bounds = field_validator("value")(_check_bounds)


class ShareRule(_Rule):
    kind: Literal["share"]
    minimum: Share | None = None
    maximum: Share | None = None
    value: Share

    _bounds = field_validator("value")(_check_bounds)


class DurationRule(_Rule):
    """Its bounds are lengths in its unit: days, working days and months cannot be compared."""

    kind: Literal["duration"]
    unit: DurationUnit
    minimum: WholeNumber = 0
    maximum: WholeNumber | None = None
    value: Duration

    _bounds = field_validator("value")(_check_bounds)

    @field_validator("value")
    @classmethod
    def _in_unit(cls, value: Duration, fields: ValidationInfo) -> Duration:
        if value.unit != fields.data.get("unit", value.unit):
            raise ValueError(f"counted in {fields.data['unit']}")
        return value


class ChoiceRule(_Rule):
    kind: Literal["choice"]
    allowed: Mapping[str, Text] = Field(min_length=1)
    value: str

    @field_validator("value")
    @classmethod
    def _is_allowed(cls, value: str, fields: ValidationInfo) -> str:
        allowed = fields.data.get("allowed", {value})
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return value


class WindowRule(_Rule):
    kind: Literal["window"]
    within: Window | None = None
    value: Window

    @field_validator("value")
    @classmethod
    def _is_within(cls, value: Window, fields: ValidationInfo) -> Window:
        outer = fields.data.get("within")
        if outer and not (outer.first <= value.first and value.last <= outer.last):
            raise ValueError(f"within {outer}")
        return value


class WindowsRule(_Rule):
    """The windows of what happens several times a year: the first in the first window, and so on."""

    kind: Literal["windows"]
    value: Windows


class HoursRule(_Rule):
    kind: Literal["hours"]
    value: Hours


class MonthsRule(_Rule):
    kind: Literal["months"]
    value: Months


class AgesRule(_Rule):
    """Ages, in full years, at which one band ends and the next begins."""

    kind: Literal["ages"]
    value: Ages


class FlagRule(_Rule):
    kind: Literal["flag"]
    value: Flag


Rule = (
    WholeNumberRule
    | ShareRule
    | DurationRule
    | ChoiceRule
    | WindowRule
    | WindowsRule
    | HoursRule
    | MonthsRule
    | AgesRule
    | FlagRule
)
R = TypeVar("R", bound=_Rule)

_RULE: TypeAdapter[Rule] = TypeAdapter(Annotated[Rule, Field(discriminator="kind")])


def parse_value(rule: Rule, text: str) -> Value:
    """The value that a canonical text stands for. Raises ValueError where the rule cannot have it."""
    return _with_value(rule, text).value


def check_override(rule: Rule, given: object) -> Value:
    """The value that a district may give the rule, read from JSON or canonical text. Raises OverrideRefused."""
    if not rule.overridable:
        raise OverrideRefused("RULE_FIXED", rule.id, value_text(rule.value))
    try:
        return _with_value(rule, given).value
    except ValidationError as error:
        raise OverrideRefused("RULE_VALUE_INVALID", rule.id, _fault(error)) from None


def check_enforcement(rule: Rule, given: Enforcement | None) -> None:
    """A district may enforce what the platform remarks on, and never only remark on what it enforces.

    Raises OverrideRefused.
    """
    if given == "enforce" and rule.enforcement is None:
        raise OverrideRefused("RULE_VALUE_INVALID", rule.id, "nothing is judged by this rule as it stands")
    if given == "warn" and rule.enforcement != "warn":
        raise OverrideRefused("RULE_VALUE_INVALID", rule.id, "a district may enforce it, not relax it")


def _with_value(rule: Rule, given: object) -> Rule:
    return type(rule).model_validate({**dict(rule), "value": given})


def _overridden(rule: Rule, override: Override) -> Rule:
    """Raises OverrideRefused."""
    if override.value is None:
        return rule.model_copy(update={"override": override})
    check_enforcement(rule, override.enforcement)
    update = {
        "value": check_override(rule, override.value),
        "enforcement": override.enforcement or rule.enforcement,
        "override": override,
    }
    return rule.model_copy(update=update)


def _fault(error: ValidationError) -> str:
    return error.errors()[0]["msg"].removeprefix("Value error, ")


# Files.


class _Version(_Strict):
    effective: date
    value: Any
    source: str


class _Entry(BaseModel):
    """A rule as a file states it: what all of its versions share, and the versions."""

    model_config = ConfigDict(frozen=True, extra="allow")
    # Not for a file to state: the one is the rule's place in it, the other is a district's.
    id: None = None
    override: None = None
    versions: tuple[_Version, ...] = Field(min_length=1)


class _Institution(_Strict):
    sources: dict[str, Text]
    rules: dict[str, Any]


def load(folder: Traversable) -> tuple[Rule, ...]:
    """Every version of every rule in the files of the folder, by rule and then oldest first. Raises RulesInvalid."""
    tables = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    versions = [rule for file in tables for rule in _load_file(file)]
    if not versions:
        raise RulesInvalid(folder.name, "", "", "holds no rule")
    return tuple(sorted(versions, key=lambda rule: (rule.id, rule.effective)))


def _load_file(file: Traversable) -> Iterator[Rule]:
    try:
        institution = _Institution.model_validate(tomllib.loads(file.read_text("utf-8")))
    except ValidationError as error:
        raise RulesInvalid(file.name, "", _path(error), _fault(error)) from None
    except ValueError as error:  # not UTF-8, or not TOML
        raise RulesInvalid(file.name, "", "", str(error)) from None
    for name, stated in institution.rules.items():
        yield from _load_rule(file.name, f"{file.name.removesuffix('.toml')}.{name}", stated, institution.sources)


def _load_rule(file: str, rule: str, stated: Any, sources: Mapping[str, Text]) -> Iterator[Rule]:
    try:
        entry = _Entry.model_validate(stated)
    except ValidationError as error:
        raise RulesInvalid(file, rule, _path(error), _fault(error)) from None
    if len({version.effective for version in entry.versions}) < len(entry.versions):
        raise RulesInvalid(file, rule, "versions", "two of them begin on the same day")
    for version in entry.versions:
        if version.source not in sources:
            raise RulesInvalid(file, rule, "source", f"{version.source} is not among the sources of the file")
        given = {**(entry.model_extra or {}), **dict(version), "id": rule, "source": sources[version.source]}
        try:
            yield _RULE.validate_python(given)
        except ValidationError as error:
            # The first part of the path is the kind, which chose the rule's type.
            raise RulesInvalid(file, rule, _path(error, 1) or "kind", _fault(error)) from None


def _path(error: ValidationError, start: int = 0) -> str:
    return ".".join(str(part) for part in error.errors()[0]["loc"][start:])


VERSIONS = load(files("chassis") / "institutions")


class Rulebook:
    """The rules that hold on one day, for one district."""

    def __init__(self, rules: Mapping[str, Rule], set_aside: tuple[Override, ...] = ()) -> None:
        self._rules = rules
        # Overrides that would hold had the rule not changed since: it ended, was fixed, or has other bounds now. The
        # platform's value holds in their place, and the version says so.
        self.set_aside = set_aside

    @classmethod
    def on(cls, day: date, overrides: Iterable[Override] = (), versions: Iterable[Rule] = VERSIONS) -> Self:
        """The latest version and the latest override of each rule that are not after the day."""
        rules = {rule.id: rule for rule in versions if rule.effective <= day}
        due = sorted((o for o in overrides if o.effective <= day), key=lambda o: (o.effective, o.revision))
        set_aside = []
        for override in {o.rule: o for o in due}.values():
            try:
                rules[override.rule] = _overridden(rules[override.rule], override)
            except (KeyError, OverrideRefused):
                set_aside.append(override)
        return cls(rules, tuple(set_aside))

    @overload
    def rule(self, rule_id: str) -> Rule: ...
    @overload
    def rule(self, rule_id: str, kind: type[R]) -> R: ...
    def rule(self, rule_id: str, kind: type[_Rule] = _Rule) -> _Rule:
        """The rule, typed as the `kind` that its reader counts on. Raises RuleUnknown."""
        if (rule := self._rules.get(rule_id)) is None:
            raise RuleUnknown(rule_id)
        if not isinstance(rule, kind):
            raise TypeError(f"{rule_id} is a {rule.kind}")
        return rule

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules.values())

    def __len__(self) -> int:
        return len(self._rules)
