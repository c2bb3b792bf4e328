"""The rulebook: which rules hold on a day, for a district."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from importlib.resources import files
from typing import Self, TypeVar, overload

from chassis.rules.kinds import AnyRule, Override, Rule
from chassis.rules.loading import load
from chassis.rules.overrides import OverrideRefused, overridden

R = TypeVar("R", bound=AnyRule)
VERSIONS = load(files("chassis") / "institutions")


class RuleUnknown(Exception):
    """No version of the rule is in force on the day."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


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
                rules[override.rule] = overridden(rules[override.rule], override)
            except (KeyError, OverrideRefused):
                set_aside.append(override)
        return cls(rules, tuple(set_aside))

    @overload
    def rule(self, rule_id: str) -> Rule: ...
    @overload
    def rule(self, rule_id: str, kind: type[R]) -> R: ...
    def rule(self, rule_id: str, kind: type[AnyRule] = AnyRule) -> AnyRule:
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
