"""What the tests of meetings share: the secretariat (会务) of a fresh district."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Platforms, fresh_tenant
from tests.meetings.secretariat import Secretariat


@pytest.fixture(params=["all-direct", "split-gateway"])
async def secretariat(request: pytest.FixtureRequest, platforms: Platforms) -> AsyncIterator[Secretariat]:
    """At two opposite places, so that each topology and each door sees every behaviour once."""
    async with fresh_tenant(platforms, request.param) as tenant:
        yield Secretariat(tenant)
