"""The rules of the institutions, read from the files in `chassis/institutions`.

A quorum, a size, a share, a time limit or a way to count a vote stands there and
never in code. A rule has versions, each with the day from which it holds; a
district may hold a value of its own where the rule lets it. Whoever judges by a
rule keeps `Rule.version` with the result, so that the result can be judged again.

The files are checked when this package is imported: a process does not start on
rules that it cannot read.
"""

from chassis.rules.kinds import (
    AgesRule,
    ChoiceRule,
    DurationRule,
    Enforcement,
    FlagRule,
    HoursRule,
    MonthsRule,
    Override,
    Rule,
    ShareRule,
    Text,
    WholeNumberRule,
    WindowRule,
    WindowsRule,
)
from chassis.rules.loading import RulesInvalid, load
from chassis.rules.overrides import OverrideRefused, check_enforcement, check_override, parse_value
from chassis.rules.rulebook import VERSIONS, Rulebook, RuleUnknown
from chassis.rules.values import Duration, DurationUnit, Hours, Share, Value, Window, value_text

__all__ = [
    "VERSIONS",
    "AgesRule",
    "ChoiceRule",
    "Duration",
    "DurationRule",
    "DurationUnit",
    "Enforcement",
    "FlagRule",
    "Hours",
    "HoursRule",
    "MonthsRule",
    "Override",
    "OverrideRefused",
    "Rule",
    "RuleUnknown",
    "Rulebook",
    "RulesInvalid",
    "Share",
    "ShareRule",
    "Text",
    "Value",
    "WholeNumberRule",
    "Window",
    "WindowRule",
    "WindowsRule",
    "check_enforcement",
    "check_override",
    "load",
    "parse_value",
    "value_text",
]
