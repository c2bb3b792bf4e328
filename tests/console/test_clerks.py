"""What a clerk does in the browser: registers a delegate, calls and convenes a meeting, answers an opinion."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from tests.conftest import Platforms, fresh_tenant
from tests.console.conftest import Visitors
from tests.feedback.hearing import Hearing
from tests.harness import until
from tests.meetings.secretariat import Secretariat

NOW = datetime.now(ZoneInfo("Asia/Shanghai"))


@pytest.fixture
async def hearing(platforms: Platforms):  # type: ignore[no-untyped-def]
    async with fresh_tenant(platforms, "all-gateway") as tenant:
        yield Hearing(tenant)


async def test_a_delegate_is_registered_vetted_and_confirmed(platforms: Platforms, visitors: Visitors) -> None:
    async with fresh_tenant(platforms, "all-gateway") as tenant:
        office = Secretariat(tenant)
        await office.term(await office.assembly(await office.unit(1)))
        base = f"/console/districts/{office.district}/mandates"
        clerk = await visitors.come(tenant.platform, "clerk", district=office.district)
        page = await clerk.at(f"{base}/new")
        await page.fill("#display_name", "王某某")
        await page.select_option("#gender", "GENDER_FEMALE")
        await page.fill("#birth_date", "1980-06-01")
        await page.select_option("#residence", index=1)
        await page.fill("#residence_since", "2005-01-01")
        await page.select_option("#term", index=1)
        await page.select_option("#capacity", "CAPACITY_RESIDENT")
        await page.fill("#recommender", "社区党委")
        await page.fill("#phone", "13")
        await clerk.press("登记并推荐")
        await expect(page.locator(".error")).to_be_visible()  # refused, and nothing that was filled in is lost
        await expect(page.locator("#display_name")).to_have_value("王某某")
        await page.fill("#phone", "13800138000")
        await clerk.press("登记并推荐")
        await expect(page.locator("h1")).to_contain_text("已推荐")

        examiner = await visitors.come(tenant.platform, "examiner", district=office.district)
        seen = await examiner.at(page.url)
        await examiner.press("审查通过")
        await examiner.press("确认任职")
        await expect(seen.locator("h1")).to_contain_text("履职中")
        listed = await clerk.at(base)
        await expect(listed.locator("tbody tr")).to_have_count(1)
        assert clerk.complaints == examiner.complaints == []


async def test_a_meeting_is_called_and_convened(platforms: Platforms, visitors: Visitors) -> None:
    async with fresh_tenant(platforms, "all-gateway") as tenant:
        office = Secretariat(tenant)
        body = await office.assembly_of(3)
        await office.meeting(body)  # from now on the meetings service knows the body
        clerk = await visitors.come(tenant.platform, "clerk", district=office.district)
        page = await clerk.at(f"/console/districts/{office.district}/meetings/new")
        await page.select_option("#body", body)
        await page.select_option("#kind", "MEETING_KIND_ASSEMBLY")
        await page.fill("#display_name", "第二次会议")
        await page.fill("#start", f"{NOW:%Y-%m-%dT%H:%M}")
        await page.fill("#end", f"{NOW - timedelta(hours=1):%Y-%m-%dT%H:%M}")
        await clerk.press("召集")
        await expect(page.locator(".error")).to_be_visible()
        await page.fill("#end", f"{NOW + timedelta(hours=2):%Y-%m-%dT%H:%M}")
        await clerk.press("召集")
        await expect(page.locator("h1")).to_contain_text("第二次会议")

        async def invited() -> bool:
            await clerk.press("按名册通知")
            return await page.locator("#roll ~ .scroll tbody tr").count() == 3

        await until(invited)
        for _ in range(2):
            await clerk.press("签到 ", exact=False)
        await expect(page.locator("#present")).to_have_text("2")
        await clerk.press("宣布开会")
        await expect(page.locator("#phase")).to_have_text("进行中")
        month = await clerk.at(f"/console/districts/{office.district}/meetings?month={NOW:%Y-%m}")
        await expect(month.locator(".calendar")).to_contain_text("第二次会议")
        assert clerk.complaints == []


async def test_a_resident_says_something_and_is_answered(hearing: Hearing, visitors: Visitors) -> None:
    platform = hearing.tenant.platform
    intake = await hearing.intake()
    secret = re.fullmatch(r"/v1/intakes/(\d+/[^:]+):submit", intake.address)
    assert secret
    resident = await visitors.stranger(platform)
    page = await resident.at(f"/i/{secret[1]}")
    words = "小区东门路灯不亮 <b>三天</b>了"
    await page.fill("#content", words)
    await page.select_option("#category", "OPINION_CATEGORY_TRANSPORT")
    await resident.press("提交")
    code = await page.locator("#code").inner_text()

    clerk = await visitors.come(platform, "clerk", district=hearing.district)
    desk = await clerk.at(f"/console/districts/{hearing.district}/opinions")
    await desk.get_by_role("link", name="小区东门").click()
    await expect(desk.locator("blockquote")).to_have_text(words)
    await clerk.press("受理")
    await desk.fill("#undertaker", "区城市管理局")
    await clerk.press("交办")
    await clerk.press("开始办理")
    await desk.fill("#content", "已经修好，请查看。")
    await clerk.press("答复")

    await page.get_by_role("link", name="查询办理情况").click()
    await page.fill("#code", "0000-0000")
    await resident.press("查询")
    await expect(page.locator(".error")).to_be_visible()
    await page.fill("#code", code)
    await resident.press("查询")
    await expect(page.locator("main")).to_contain_text("已经修好")
    await page.select_option("#judgement", "JUDGEMENT_SATISFIED")
    await resident.press("评价")
    await expect(page.locator("h1")).to_contain_text("已办结")
    assert clerk.complaints == resident.complaints == []


async def test_a_station_gets_its_code(hearing: Hearing, visitors: Visitors) -> None:
    await hearing.intake()
    clerk = await visitors.come(hearing.tenant.platform, "clerk", district=hearing.district)
    page = await clerk.at(f"/console/districts/{hearing.district}/stations")
    await page.get_by_role("button", name="更换").first.click()
    address = await page.locator("#address").inner_text()
    assert address.startswith(f"{hearing.tenant.platform.gateway}/i/{hearing.district}/")
    await expect(page.locator("#qr")).to_be_visible()
    assert clerk.complaints == []
