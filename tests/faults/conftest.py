"""One platform for all fault tests: what one of them breaks, it mends."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.embedded.ports import free_port
from tests.faults.clock import TOLD
from tests.faults.load import delivered
from tests.harness import Platform, platform, until


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells how long recovery took, also when nothing failed."""
    if TOLD:
        terminalreporter.section("recovery")
        terminalreporter.write("\n".join([*TOLD, ""]))


@pytest.fixture(scope="session")
async def city_to_break(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    places = ",".join(f"127.0.0.1:{free_port()}" for _ in range(2))
    known: dict[str, Any] = {"listen": places.partition(",")[0], "registry_address": places, "tally_address": places}
    async with platform("probed", tmp_path_factory.mktemp("faults"), program="tests.probe", **known) as site:
        yield site


@pytest.fixture
async def site(city_to_break: Platform) -> Platform:
    """The platform: one process of the services at the first of two places, and the gateway before both."""
    await until(lambda: delivered(city_to_break))
    return city_to_break
