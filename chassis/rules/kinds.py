"""Rules: one version of one of them, by the kind of its value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, TypeAdapter, ValidationInfo, field_validator

from chassis.rules.values import (
    Ages,
    Duration,
    DurationUnit,
    Flag,
    Hours,
    Months,
    Share,
    Strict,
    WholeNumber,
    Window,
    Windows,
)


class Text(Strict):
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


class AnyRule(Strict):
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


class WholeNumberRule(AnyRule):
    kind: Literal["whole_number"]
    unit: str = Field(min_length=1)
    minimum: WholeNumber = 0
    maximum: WholeNumber | None = None
    value: WholeNumber

    _bounds = field_validator("value")(_check_bounds)


class ShareRule(AnyRule):
    kind: Literal["share"]
    minimum: Share | None = None
    maximum: Share | None = None
    value: Share

    _bounds = field_validator("value")(_check_bounds)


class DurationRule(AnyRule):
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


class ChoiceRule(AnyRule):
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


class WindowRule(AnyRule):
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


class WindowsRule(AnyRule):
    """The windows of what happens several times a year: the first in the first window, and so on."""

    kind: Literal["windows"]
    value: Windows


class HoursRule(AnyRule):
    kind: Literal["hours"]
    value: Hours


class MonthsRule(AnyRule):
    kind: Literal["months"]
    value: Months


class AgesRule(AnyRule):
    """Ages, in full years, at which one band ends and the next begins."""

    kind: Literal["ages"]
    value: Ages


class FlagRule(AnyRule):
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
RULE: TypeAdapter[Rule] = TypeAdapter(Annotated[Rule, Field(discriminator="kind")])
