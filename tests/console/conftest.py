"""A real browser at the console of a running platform."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.ballots.polling import Polling
from tests.conftest import Platforms, fresh_tenant
from tests.console.visitor import CHROMIUM, Visitor
from tests.harness import Platform


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Skips the test, and the summary says why, where this machine has no Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the browser's tests are not run")
    async with async_playwright() as playwright:
        # As root there is no sandbox; the pages are our own.
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()


class Visitors:
    """Opens the console as somebody, each in a browser profile of their own."""

    def __init__(self, chromium: Browser, stack: AsyncExitStack) -> None:
        self._chromium = chromium
        self._stack = stack

    async def come(self, platform: Platform, *roles: str, district: str = "", subject: str = "") -> Visitor:
        visitor = await self.stranger(platform)
        await visitor.log_in(*roles, district=district, subject=subject)
        return visitor

    async def stranger(self, platform: Platform) -> Visitor:
        """Somebody who has not logged in."""
        context = await self._chromium.new_context(base_url=platform.gateway, locale="zh-CN")
        self._stack.push_async_callback(context.close)
        return Visitor(await context.new_page())


@pytest.fixture
async def visitors(chromium: Browser) -> AsyncIterator[Visitors]:
    async with AsyncExitStack() as stack:
        yield Visitors(chromium, stack)


@pytest.fixture
async def polling(platforms: Platforms, tmp_path: Path) -> AsyncIterator[Polling]:
    """A polling station in a fresh district of a platform with a gateway of its own process."""
    async with fresh_tenant(platforms, "all-gateway") as tenant:
        yield Polling(tenant, tmp_path)
