"""What the console refuses: other sites' forms, foreign districts, cookies that are not ours, addresses elsewhere."""

import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from chassis import development
from chassis.auth import Keys, Verifier
from gateway.console.serve import keys
from gateway.console.sessions import Sessions
from tests.conftest import Platforms, Tenant, fresh_tenant
from tests.harness import Platform, until

UUID = "01990000-0000-7000-8000-000000000001"


@asynccontextmanager
async def browser(platform: Platform, *roles: str, district: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who has logged in, without a browser's manners."""
    async with httpx.AsyncClient(base_url=platform.gateway, trust_env=False) as client:
        if roles:
            form = {"district": district, "role": list(roles), "subject": "", "next": ""}
            answer = await client.post("/console/login", data=form, headers={"origin": platform.gateway})
            assert answer.status_code == 303, answer.text
        yield client


@pytest.fixture
async def tenant(platforms: Platforms) -> AsyncIterator[Tenant]:
    async with fresh_tenant(platforms, "all-gateway") as made:
        yield made


def csrf_in(text: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', text)
    assert found
    return found[1]


async def test_every_answer_says_what_a_page_may_load(tenant: Tenant) -> None:
    async with browser(tenant.platform) as client:
        for path in ("/console/login", "/console/static/style.css", "/console/nothing", "/i/status", "/"):
            answer = await client.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await client.get("/console/nothing")).status_code == 404


async def test_a_page_of_a_person_wants_a_login_and_comes_back(tenant: Tenant) -> None:
    path = f"/console/districts/{tenant.district}/polls?state=POLL_STATE_VOTING"
    async with browser(tenant.platform) as client:
        answer = await client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/console/login?next=%2Fconsole%2Fdistricts")
        login = await client.get(answer.headers["location"])
        assert f'value="{path}"' in login.text


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/console/", "/\\evil.example", "/v1/units"])
async def test_a_login_leads_to_no_other_site(tenant: Tenant, path: str) -> None:
    async with browser(tenant.platform) as client:
        form = {"district": tenant.district, "role": "clerk", "subject": "", "next": path}
        answer = await client.post("/console/login", data=form, headers={"origin": tenant.platform.gateway})
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/")


async def test_the_session_is_for_the_console_alone(tenant: Tenant) -> None:
    async with browser(tenant.platform, "clerk", district=tenant.district) as client:
        answer = await client.post(
            "/console/login",
            data={"district": tenant.district, "role": "clerk", "subject": "", "next": ""},
            headers={"origin": tenant.platform.gateway},
        )
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "Path=/console" in cookie
        assert "SameSite=lax" in cookie
        # The cookie opens no API: its calls want a token.
        assert (await client.get("/v1/units")).status_code == 401


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:1"])
async def test_another_sites_form_changes_nothing(tenant: Tenant, origin: str | None) -> None:
    async with browser(tenant.platform, "clerk", district=tenant.district) as client:
        page = await client.get(f"/console/districts/{tenant.district}/mandates/new")
        form = {"csrf": csrf_in(page.text), "display_name": "陈某"}
        headers = {"origin": origin} if origin else {}
        for path in (f"/console/districts/{tenant.district}/mandates/new", "/console/logout", "/ballot-box/500101"):
            assert (await client.post(path, data=form, headers=headers)).status_code == 403


async def test_a_form_without_its_secret_changes_nothing(tenant: Tenant) -> None:
    async with browser(tenant.platform, "clerk", district=tenant.district) as client:
        for csrf in ("", "0" * 32):
            answer = await client.post(
                f"/console/districts/{tenant.district}/mandates/new",
                data={"csrf": csrf, "display_name": "陈某"},
                headers={"origin": tenant.platform.gateway},
            )
            assert answer.status_code == 403
            assert "表单已失效" in answer.text


async def test_another_districts_pages_are_closed(tenant: Tenant, platforms: Platforms) -> None:
    async with (
        fresh_tenant(platforms, "all-gateway") as other,
        browser(tenant.platform, "clerk", "administrator", district=tenant.district) as client,
    ):
        base = f"/console/districts/{other.district}"
        things = ("meetings", "polls", "projects", "opinions", "mandates")
        paths = [base, f"{base}/obligations", f"{base}/stations", f"{base}/mandates/new", f"{base}/meetings/new"]
        paths += [f"{base}/{thing}" for thing in things] + [f"{base}/{thing}/{UUID}" for thing in things]
        for path in (*paths, "/console/city", "/console/city/overdue", "/console/city/export?format=CSV"):
            answer = await client.get(path)
            assert answer.status_code in (403, 404), path
            assert 'class="error"' in answer.text


async def test_a_cookie_that_is_not_ours_is_no_login(tenant: Tenant) -> None:
    forged = base64.urlsafe_b64encode(b"01234567" + b"x" * 60).decode()
    for cookie in ("", "x", forged, "ü"):
        async with browser(tenant.platform) as client:
            answer = await client.get("/console/city", headers=[(b"cookie", f"qyt-session={cookie}".encode())])
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/console/login")


async def test_a_role_that_may_not_is_told_so(tenant: Tenant) -> None:
    async with browser(tenant.platform, "viewer", district=tenant.district) as client:
        answer = await client.get(f"/console/districts/{tenant.district}/opinions")
        assert answer.status_code == 403
        assert "clerk" in answer.text


async def test_without_the_token_of_a_box_nothing_is_cast(tenant: Tenant) -> None:
    async with browser(tenant.platform) as client:
        headers = {"origin": tenant.platform.gateway}
        unknown = await client.post("/ballot-box/000000", json={}, headers=headers)
        assert (unknown.status_code, unknown.json()["reason"]) == (404, "")
        for content in (b"[]", b"{", b'{"ballot": 1}', b'{"ballot": "%"}'):
            answer = await client.post(f"/ballot-box/{tenant.district}", content=content, headers=headers)
            assert answer.status_code == 400
        refused = await client.post(
            f"/ballot-box/{tenant.district}", json={"box": f"polls/{UUID}/boxes/1", "ballot": "AAAA"}, headers=headers
        )
        assert refused.status_code in (400, 404)
        assert refused.json()["reason"]


async def test_a_body_without_end_is_refused(tenant: Tenant) -> None:
    async with browser(tenant.platform) as client:
        answer = await client.post(
            "/console/login", content=b"x" * 300_000, headers={"origin": tenant.platform.gateway}
        )
        assert answer.status_code == 413


async def test_an_expired_login_is_over(tenant: Tenant) -> None:
    settings = tenant.platform.settings
    token = development.token(settings, "console", ["clerk"], tenant.district, -1)
    sessions = Sessions(keys(settings), Verifier(Keys(development.jwks(settings)), settings.issuer, settings.audience))
    sealed = sessions.seal({"token": token, "csrf": "0"})
    async with browser(tenant.platform) as client:
        answer = await client.get("/console/", headers={"cookie": f"qyt-session={sealed}"})
        assert answer.headers["location"].startswith("/console/login")


async def test_no_log_tells_of_a_ballot_or_of_a_secret_address(tenant: Tenant) -> None:
    headers = {"origin": tenant.platform.gateway}
    secret = "a-secret-that-no-log-may-hold"
    async with browser(tenant.platform, "delegate", district=tenant.district) as client:
        await client.post(f"/ballot-box/{tenant.district}", json={}, headers=headers)
        await client.post(f"/console/ballot-paper/{tenant.district}/{UUID}", json={}, headers=headers)
        await client.get(f"/i/{tenant.district}/{secret}")
        await client.get("/console/after-them")
    log = tenant.platform.settings.state / "gateway" / "envoy.log"

    async def written() -> bool:
        return "/console/after-them" in log.read_text()

    await until(written)
    for hidden in ("/ballot-box/", "/console/ballot-paper/", secret):
        assert hidden not in log.read_text()
