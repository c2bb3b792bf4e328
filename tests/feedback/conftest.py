"""What the tests of feedback share: the office that hears residents, in a fresh district."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Platforms, fresh_tenant
from tests.feedback.hearing import Hearing


@pytest.fixture(params=["all-direct", "split-gateway"])
async def hearing(request: pytest.FixtureRequest, platforms: Platforms) -> AsyncIterator[Hearing]:
    """At two opposite places, so that each topology and each door sees every behaviour once."""
    async with fresh_tenant(platforms, request.param) as tenant:
        yield Hearing(tenant)
