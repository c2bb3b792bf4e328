"""Somebody with a browser. Whatever a page complains of in its console fails the test."""

import shutil

from playwright.async_api import ConsoleMessage, Page, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# A page may wait for events that come by the bus.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


class Visitor:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        # A refused form is a page with its status, which the browser reports too.
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)

    async def log_in(self, *roles: str, district: str = "", subject: str = "") -> None:
        """By the development login."""
        await self.page.goto("/console/login")
        await self.page.select_option("#district", district)
        for role in roles:
            await self.page.check(f"input[value={role}]")
        await self.page.fill("#subject", subject)
        await self.page.click("main form button")
        await expect(self.page.locator("nav.nav")).to_be_visible()

    async def at(self, path: str) -> Page:
        """The page at a path. Raises AssertionError when it is not there."""
        answer = await self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status} {await self.said()}"
        return self.page

    async def press(self, name: str, *, exact: bool = True) -> None:
        """Presses a button by what it says, and waits for the page behind it."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("button", name=name, exact=exact).first.click()

    async def said(self) -> str:
        return " ".join(await self.page.locator(".error").all_inner_texts())
