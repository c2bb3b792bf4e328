"""What the contract tests share: the office of a fresh district."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Platforms, Tenant, fresh_tenant
from tests.contract.office import Office


@pytest.fixture(params=["all-direct", "split-gateway"])
async def office(request: pytest.FixtureRequest, platforms: Platforms) -> AsyncIterator[Office]:
    """At two opposite places, so that each topology and each door sees every behaviour once."""
    async with fresh_tenant(platforms, request.param) as tenant:
        yield Office(tenant)


@pytest.fixture
def office_everywhere(tenant: Tenant) -> Office:
    """At all four places: for what a door or a topology could change."""
    return Office(tenant)
