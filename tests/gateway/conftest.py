"""One Envoy for each module: what a test changes, it changes back or changes for a district of its own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.backend import Probes
from tests.gateway.gate import Gate, running, stub


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gate]:
    async with running(tmp_path_factory.mktemp("gate")) as gate:
        yield gate


@pytest_asyncio.fixture(loop_scope="session")
async def probe(gate: Gate) -> AsyncIterator[Any]:
    """The stub, on a connection of its own."""
    async with stub(gate) as made:
        yield made


@pytest.fixture
def probes(gate: Gate) -> Probes:
    """The servicer behind the gateway, with nothing remembered of earlier tests."""
    gate.backend.probes.forget()
    return gate.backend.probes
