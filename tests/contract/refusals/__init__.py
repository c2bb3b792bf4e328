"""Calls that are refused, by service: a folder for each, with a scenario for every reason of its errors.proto.

A service that comes adds a folder of its name. Nothing else has to be changed: its scenarios are found here, and
test_refusals.py asks for them as soon as `qyt` knows the service.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

from tests.contract.office import Office

# Calls whose last one is refused.
Scenario = Callable[[Office], Awaitable[Any]]
_registered: dict[str, dict[str, list[Scenario]]] = defaultdict(lambda: defaultdict(list))


def refused_with(reason: str) -> Callable[[Scenario], Scenario]:
    """The scenario ends in this reason of the service whose folder it stands in."""

    def register(scenario: Scenario) -> Scenario:
        service = scenario.__module__.removeprefix(f"{__name__}.").partition(".")[0]
        _registered[service][reason].append(scenario)
        return scenario

    return register


def scenarios() -> Mapping[str, Mapping[str, Sequence[Scenario]]]:
    """Service -> reason -> the scenarios that end in it."""
    for module in walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
    return _registered
