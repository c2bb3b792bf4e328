"""Platforms for the tests: one of each topology for many tests, and a fresh district for each test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceStub
from quanyutong.feedback.v1.feedback_pb2_grpc import FeedbackServiceStub
from quanyutong.meetings.v1.meetings_pb2_grpc import MeetingsServiceStub
from quanyutong.municipal.v1.municipal_pb2_grpc import MunicipalServiceStub
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.harness import Platform, platform

# A platform goes the rounds of all its districts, so that those of tests that are over take time from the next ones.
DISTRICTS = 300


class Platforms:
    """Starts the platform of a topology when the first test asks for it."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._running: dict[str, tuple[Platform, AsyncExitStack]] = {}

    async def get(self, topology: str) -> Platform:
        if topology not in self._running:
            folder, stack = self._folders.mktemp(topology), AsyncExitStack()
            self._running[topology] = await stack.enter_async_context(platform(topology, folder)), stack
        return self._running[topology][0]

    async def stop(self, *, full: int = 0) -> None:
        """Those that have made so many districts; the next test that asks is given a new one."""
        for topology, (running, stack) in list(self._running.items()):
            if running.made >= full:
                del self._running[topology]
                await stack.aclose()


@pytest.fixture(scope="session")
async def platforms(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platforms]:
    platforms = Platforms(tmp_path_factory)
    yield platforms
    await platforms.stop()


@pytest.fixture(scope="module", autouse=True)
async def _emptier(platforms: Platforms) -> None:
    """Between two modules, when no fixture holds a platform."""
    await platforms.stop(full=DISTRICTS)


@pytest.fixture
async def city(platforms: Platforms) -> Platform:
    """A whole platform in one process."""
    return await platforms.get("all")


@dataclass
class Tenant:
    """A fresh district, as a client of one door sees it."""

    platform: Platform
    door: str
    district: str
    registry: Any
    meetings: Any
    ballots: Any
    feedback: Any
    municipal: Any

    def metadata(self, *roles: str, **more: str) -> list[tuple[str, str]]:
        return self.platform.metadata(roles or ("clerk", "examiner", "administrator"), self.district, **more)


STUBS = {
    "registry": RegistryServiceStub,
    "meetings": MeetingsServiceStub,
    "ballots": BallotsServiceStub,
    "feedback": FeedbackServiceStub,
    "municipal": MunicipalServiceStub,
}


@asynccontextmanager
async def tenant_of(platform: Platform, door: str, district: str = "") -> AsyncIterator[Tenant]:
    """A district of a platform through one of its doors; a fresh one where none is named."""
    async with AsyncExitStack() as stack:
        made = {}
        for service, stub in STUBS.items():
            address = platform.address(door, service)
            made[service] = stub(await stack.enter_async_context(grpc.aio.insecure_channel(address)))
        yield Tenant(platform, door, district or await platform.fresh_district(), **made)


@asynccontextmanager
async def fresh_tenant(platforms: Platforms, place: str) -> AsyncIterator[Tenant]:
    """A fresh district at a place: a topology and one of its doors."""
    topology, _, door = place.partition("-")
    async with tenant_of(await platforms.get(topology), door) as made:
        yield made


@pytest.fixture(params=["all-gateway", "all-direct", "split-gateway", "split-direct"])
async def tenant(request: pytest.FixtureRequest, platforms: Platforms) -> AsyncIterator[Tenant]:
    """A fresh district, through each door of each topology in turn."""
    async with fresh_tenant(platforms, request.param) as made:
        yield made
