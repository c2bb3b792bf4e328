"""An office whose audit a test can read, and tamper with."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.audit.archive import Archive
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import Office


@pytest.fixture
async def office(platforms: Platforms) -> AsyncIterator[Office]:
    async with fresh_tenant(platforms, "all-direct") as tenant:
        yield Office(tenant)


@pytest.fixture
async def archive(office: Office) -> AsyncIterator[Archive]:
    connection = await asyncpg.connect(office.tenant.platform.postgres.url)
    await connection.execute("SET search_path = registry, public")
    yield Archive(connection, office.district)
    await connection.close()
