"""A secret vote in the browser: keys made there, the board checked there."""

import json
from pathlib import Path

from playwright.async_api import expect

from quanyutong_client import verify
from tests.ballots.polling import SCRUTINEERS, Polling, grades, motion, projects, scores
from tests.console.conftest import Visitors
from tests.console.visitor import Visitor

CHOICES = [
    {"projects": ["p01"], "reports": {"r01": 90}, "offices": {"o01": "satisfied"}, "motions": {"m01": "for"}},
    {"projects": ["p02"], "motions": {"m01": "against"}},
    {"projects": ["p03"], "offices": {"o01": "basically_satisfied"}},
]


async def take(visitor: Visitor, base: str) -> None:
    page = await visitor.at(f"{base}/vote")
    await page.locator("#take:enabled").click()
    await expect(page.locator("#take")).to_have_text("已领票")


async def test_delegates_vote_and_check_in_the_browser(polling: Polling, visitors: Visitors, tmp_path: Path) -> None:
    vote = await polling.opened(5, projects(), scores(), grades(), motion())
    platform, district = polling.tenant.platform, polling.district
    base = f"/console/districts/{district}/{vote.poll}"
    clerk = await visitors.come(platform, "clerk", district=district)
    screen = await visitors.come(platform, "viewer", district=district)
    hall = await screen.at(base)
    delegates = [
        await visitors.come(platform, "delegate", district=district, subject=person) for person in vote.persons[:2]
    ]
    for delegate in delegates:
        await take(delegate, base)
    vote.voters = [await polling.voter(vote, place) for place in (2, 3, 4)]
    await expect(hall.locator("#now-papers")).to_have_text("5")  # live, in steps of five

    await clerk.at(base)
    await clerk.press("停止领票，开始投票")
    first, second = delegates
    await first.at(f"{base}/vote")  # the paper is still there
    for name in ("p01", "p02", "p03"):
        await first.page.check(f"[name='projects:{name}']")
    await first.page.click("#cast")
    await expect(first.page.locator("#said")).to_contain_text("选得过多")
    await first.page.uncheck("[name='projects:p03']")
    await first.page.select_option("[name='motions:m01']", label="赞成")
    await first.page.select_option("[name='reports:r01']", label="85")
    await first.page.click("#cast")
    await expect(first.page.locator("#receipt")).to_contain_text("选票指纹")
    await second.at(f"{base}/vote")
    await second.page.click("#cast")  # blank: an abstention
    await expect(second.page.locator("#receipt")).to_contain_text("选票指纹")
    for voter, choice in zip(vote.voters, CHOICES, strict=True):
        await polling.cast(vote, voter, choice)
    await expect(hall.locator("#now-ballots")).to_have_text("5")
    assert await hall.locator("text=赞成").count() == 0  # turnout only

    await clerk.at(base)
    await clerk.press("截止投票")
    await certified(visitors, polling, base)
    await clerk.at(base)
    await clerk.press("宣布结果")
    await expect(clerk.page.locator("main")).to_contain_text("已宣布")

    page = await first.at(f"{base}/verify")
    await page.click(".check-box")
    await expect(page.locator("#verify[data-verdict=true]")).to_be_visible()
    await expect(page.locator("#found")).to_contain_text("您的选票是第")
    await expect(page.locator("#found")).to_contain_text("民生实事1，民生实事2")
    board = await polling.board(vote.poll)
    assert verify(board).is_sound
    await tampered(first, board, tmp_path)
    for visitor in (clerk, screen, *delegates):
        assert visitor.complaints == []


async def certified(visitors: Visitors, polling: Polling, base: str) -> None:
    """Two scrutineers type what they counted."""
    seen = await polling.result(f"polls/{base.rpartition('/')[2]}")
    for person in SCRUTINEERS:
        scrutineer = await visitors.come(
            polling.tenant.platform, "scrutineer", district=polling.district, subject=person
        )
        page = await scrutineer.at(base)
        await page.fill("#papers", str(seen.papers))
        await page.fill("#ballots", str(seen.ballots))
        for each in seen.questions:
            await page.fill(f"[name='valid:{each.question.id}']", str(each.valid))
            await page.fill(f"[name='blank:{each.question.id}']", str(each.blank))
        await scrutineer.press("确认计票")


async def tampered(visitor: Visitor, board: bytes, folder: Path) -> None:
    """A board that says something else is shown as false, whatever was changed."""
    page = visitor.page
    honest = json.loads(board)
    changed = {
        "tally": honest | {"tally": honest["tally"] | {"turnout": honest["tally"]["turnout"] | {"papers": 9}}},
        "ballot": honest | {"ballots": honest["ballots"][1:]},
        "papers": honest | {"papers": 3},
    }
    for name, content in changed.items():
        file = folder / f"{name}.json"
        file.write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        await page.set_input_files("#file", file)
        await expect(page.locator("#verify[data-verdict=false]")).to_be_visible()
        await expect(page.locator("#verdict")).to_contain_text("不符")
        assert not verify(file.read_bytes()).is_sound
    nothing = folder / "nothing.json"
    nothing.write_text("{}")
    await page.set_input_files("#file", nothing)
    await expect(page.locator("#verdict")).to_contain_text("无法读取")
