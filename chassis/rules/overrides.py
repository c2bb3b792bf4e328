"""Overrides: the values that a district may give a rule in place of the platform's."""

from typing import Literal

from pydantic import ValidationError

from chassis.rules.kinds import Enforcement, Override, Rule
from chassis.rules.values import Value, value_text


class OverrideRefused(Exception):
    """A district cannot give the rule this value; `detail` says which values it could give."""

    def __init__(self, reason: Literal["RULE_FIXED", "RULE_VALUE_INVALID"], rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {reason}: {detail}")
        self.reason = reason
        self.rule = rule
        self.detail = detail


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
        raise OverrideRefused("RULE_VALUE_INVALID", rule.id, fault(error)) from None


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


def overridden(rule: Rule, override: Override) -> Rule:
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


def fault(error: ValidationError) -> str:
    return error.errors()[0]["msg"].removeprefix("Value error, ")
