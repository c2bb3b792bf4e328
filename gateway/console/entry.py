"""Coming and going: login, logout, the language, and where the console begins."""

import logging
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chassis import development
from chassis.auth import ROLES
from chassis.errors import Refusal
from chassis.settings import SettingsInvalid
from gateway.console.guard import scheme
from gateway.console.login import LoginFailed, Pending
from gateway.console.page import LANGUAGE_COOKIE, Console, Page, local_path
from gateway.console.sessions import TokenTooLong

log = logging.getLogger(__name__)
PENDING_COOKIE = "qyt-login"
# The roles that people of a district and of the city log in with.
OF_DISTRICT = ("clerk", "examiner", "scrutineer", "administrator", "delegate", "viewer")
# Who has this role alone begins there.
BEGINS = {"delegate": "/me", "scrutineer": "/polls"}
OF_CITY = ("overseer", "operator")


async def begin(page: Page) -> Response:
    """To the page that whoever logged in wants to see first."""
    district = page.session.caller.district
    if district is None:
        return page.go("/console/city")
    roles = page.session.caller.roles
    begins = next((path for role, path in BEGINS.items() if roles == {ROLES[role]}), "")
    return page.go(f"/console/districts/{district}{begins}")


async def login(page: Page) -> Response:
    """The ways to log in that there are here."""
    return _login(page, page.request.query_params.get("next", ""))


async def develop(page: Page) -> Response:
    """The development login: anybody as anybody, which only `QYT_ENVIRONMENT=development` has."""
    form = await page.request.form(max_files=0)
    given = {name: str(form.get(name, "")).strip() for name in ("district", "subject", "next")}
    roles = [str(role) for role in form.getlist("role")]
    try:
        token = development.token(
            page.console.settings, given["subject"] or "console", roles, given["district"] or None, 8 * 3600
        )
    except SettingsInvalid as fault:
        return _login(page, given["next"], str(fault), 400)
    return await _enter(page, token, given["next"])


async def leave(page: Page) -> Response:
    """To the identity provider."""
    provider = page.console.provider
    if provider is None:
        return page.go("/console/login")
    try:
        url, pending = await provider.leave(page.request.query_params.get("next", ""))
    except LoginFailed as fault:
        log.warning("login: %s", fault)
        return _login(page, "", _unavailable(page), 503)
    response = RedirectResponse(url, 303)
    sealed = page.console.sessions.seal(pending.json())
    secure = scheme(page.request.headers) == "https"
    response.set_cookie(
        PENDING_COOKIE, sealed, max_age=600, path="/console/login", secure=secure, httponly=True, samesite="lax"
    )
    return response


async def arrive(page: Page) -> Response:
    """Back from the identity provider."""
    provider = page.console.provider
    pending = Pending.read(page.console.sessions.open(page.request.cookies.get(PENDING_COOKIE, "")))
    if provider is None or pending is None:
        return _login(page, "", page.say("登录已超时，请重新登录。", "The login took too long: begin again."), 400)
    try:
        token = await provider.arrive(str(page.request.url), pending)
    except LoginFailed as fault:
        log.warning("login: %s", fault)
        return _login(page, pending.next, _unavailable(page), 502)
    response = await _enter(page, token, pending.next)
    response.delete_cookie(PENDING_COOKIE, path="/console/login")
    return response


async def logout(page: Page) -> Response:
    """Forgets the session here; at the identity provider too, where it offers that."""
    await page.form()
    provider = page.console.provider
    response = page.go((provider and await provider.farewell()) or "/console/login")
    page.console.sessions.end(response)
    return response


async def language(request: Request) -> Response:
    """Changes the language of the pages, and goes back to where it was asked for."""
    response = RedirectResponse(_back(request), 303)
    to = "en" if request.path_params["to"] == "en" else "zh"
    response.set_cookie(LANGUAGE_COOKIE, to, max_age=365 * 86400, path="/", httponly=True, samesite="lax")
    return response


def _back(request: Request) -> str:
    asked = request.query_params.get("back", "")
    return asked if asked.startswith("/i/") and "\\" not in asked else local_path(asked)


async def _enter(page: Page, token: str, path: str) -> Response:
    response = page.go(local_path(path))
    try:
        await page.console.sessions.begin(token, response, secure=scheme(page.request.headers) == "https")
    except Refusal:
        text = page.say(
            "平台不接受身份提供方签发的令牌：请核对签发者、受众和区县、角色声明。",
            "The platform does not take the identity provider's token: check its issuer, audience, district and roles.",
        )
        return _login(page, path, text, 403)
    except TokenTooLong:
        text = page.say("令牌过长，无法登录：请减少其中的声明。", "The token is too long: let it carry fewer claims.")
        return _login(page, path, text, 502)
    return response


def _unavailable(page: Page) -> str:
    return page.say(
        "身份提供方未能确认登录，请稍后重试。", "The identity provider did not confirm the login: try again later."
    )


def _login(page: Page, path: str, error: str = "", status: int = 200) -> Response:
    console: Console = page.console
    districts: list[Any] = sorted(console.directory.entries.values(), key=lambda entry: entry.code)
    return page.show(
        "login.html",
        status,
        title=page.say("登录", "Log in"),
        error=error,
        next=local_path(path),
        provider=console.provider is not None,
        districts=districts,
        of_district=OF_DISTRICT,
        of_city=OF_CITY,
    )
