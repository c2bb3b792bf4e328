"""Folders as people have them, and waiting without sleeping."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from chassis.embedded import EmbeddedPostgres

Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A folder yet to be made, with spaces and Chinese characters and a longer path than a Unix socket may have."""
    folder = tmp_path / "全域通 state" / ("长路径 " * 12).strip()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A state folder whose PostgreSQL, in `postgres`, need not run initdb. One for all tests, so each must stop it."""
    folder = tmp_path_factory.mktemp("全域通 home")
    async with EmbeddedPostgres(folder / "postgres"):
        pass
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def settled(home: Path) -> Path:
    """The folder of a PostgreSQL that is not started for the first time."""
    return home / "postgres"


@pytest.fixture
def beside() -> list[psutil.Process]:
    """What this process has running before the test: platforms of other tests."""
    return list(psutil.Process().children())


@pytest.fixture
def until() -> Until:
    """Returns when the condition holds; fails after ten seconds."""

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while True:
                if condition():
                    return
                await asyncio.sleep(0.01)

    return until
