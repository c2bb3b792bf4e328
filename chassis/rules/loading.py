"""The files of the rules: read strictly, and refused with the place of the fault."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chassis.rules.kinds import RULE, Rule, Text
from chassis.rules.overrides import fault
from chassis.rules.values import Strict


class RulesInvalid(Exception):
    """A rule file cannot be used. `rule` and `field` are empty where the fault lies outside of them."""

    def __init__(self, file: str, rule: str, field: str, fault: str) -> None:
        super().__init__(": ".join(part for part in (file, rule, field, fault) if part))
        self.file = file
        self.rule = rule
        self.field = field


class _Version(Strict):
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


class _Institution(Strict):
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
        raise RulesInvalid(file.name, "", _path(error), fault(error)) from None
    except ValueError as error:  # not UTF-8, or not TOML
        raise RulesInvalid(file.name, "", "", str(error)) from None
    for name, stated in institution.rules.items():
        yield from _load_rule(file.name, f"{file.name.removesuffix('.toml')}.{name}", stated, institution.sources)


def _load_rule(file: str, rule: str, stated: Any, sources: Mapping[str, Text]) -> Iterator[Rule]:
    try:
        entry = _Entry.model_validate(stated)
    except ValidationError as error:
        raise RulesInvalid(file, rule, _path(error), fault(error)) from None
    if len({version.effective for version in entry.versions}) < len(entry.versions):
        raise RulesInvalid(file, rule, "versions", "two of them begin on the same day")
    for version in entry.versions:
        if version.source not in sources:
            raise RulesInvalid(file, rule, "source", f"{version.source} is not among the sources of the file")
        given = {**(entry.model_extra or {}), **dict(version), "id": rule, "source": sources[version.source]}
        try:
            yield RULE.validate_python(given)
        except ValidationError as error:
            # The first part of the path is the kind, which chose the rule's type.
            raise RulesInvalid(file, rule, _path(error, 1) or "kind", fault(error)) from None


def _path(error: ValidationError, start: int = 0) -> str:
    return ".".join(str(part) for part in error.errors()[0]["loc"][start:])
