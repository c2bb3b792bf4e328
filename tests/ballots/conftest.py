"""What the tests of ballots share: a polling station in a fresh district."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ballots.polling import Polling
from tests.ballots.season import Season
from tests.conftest import Platforms, fresh_tenant


@pytest.fixture(params=["all-direct", "split-gateway"])
async def polling(request: pytest.FixtureRequest, platforms: Platforms, tmp_path: Path) -> AsyncIterator[Polling]:
    """At two opposite places, so that each topology and each door sees every behaviour once."""
    async with fresh_tenant(platforms, request.param) as tenant:
        yield Polling(tenant, tmp_path)


@pytest.fixture(params=["all-direct", "split-gateway"])
async def season(request: pytest.FixtureRequest, platforms: Platforms) -> AsyncIterator[Season]:
    async with fresh_tenant(platforms, request.param) as tenant:
        yield Season(tenant)
