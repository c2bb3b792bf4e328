"""Minutes as files: all that a meeting came to stands in them, and the same minutes are the same file."""

import io
from collections.abc import AsyncIterator

import httpx
import pytest
from docx import Document
from docx.oxml.ns import qn
from google.protobuf import json_format

from quanyutong.meetings.v1 import agenda_pb2, preparations_pb2
from quanyutong.meetings.v1 import minutes_pb2 as pb
from services.meetings import minutes_document
from tests.contract.office import NOBODY, in_days
from tests.meetings.items import act, grades, in_session, item, opinion
from tests.meetings.papers import export, generate, held, over, paragraphs, signed
from tests.meetings.secretariat import ASSEMBLY_MEETING, Secretariat
from tests.meetings.sitting import (
    CONSULTATION,
    INQUIRY,
    SHA256,
    agree,
    answer,
    ask,
    attach,
    enlist,
    link,
    opened,
    speak,
)

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


async def sitting(secretariat: Secretariat) -> str:
    """A meeting in session in which everything happens that can: what is open then, stays so."""
    meeting, mandates = await in_session(secretariat, 2)
    note = "走访三个村"
    kind = preparations_pb2.PREPARATION_KIND_OPINION
    await link(secretariat, meeting, f"opinions/{NOBODY}", kind, note)
    inquiry = await opened(secretariat, meeting, title="专题询问饮水安全", item_class=INQUIRY, special_inquiry=True)
    await answer(secretariat, await ask(secretariat, inquiry, mandates[0]))
    await ask(secretariat, inquiry, mandates[1], "经费何来？")
    reasons = {"outcome": agenda_pb2.ITEM_OUTCOME_HEARD, "left_open_reason": "会后书面答复"}
    await act(secretariat, "Conclude", inquiry, **reasons)
    await attach(secretariat, inquiry, title="饮水安全报告")
    speeches = await opened(secretariat, meeting)
    speaker = (await enlist(secretariat, speeches, mandates[0])).name
    await speak(secretariat, "CallSpeaker", speaker)
    await speak(secretariat, "EndSpeech", speaker, summary="建议加快管网改造")
    await enlist(secretariat, speeches, mandates[1])
    await act(secretariat, "Conclude", speeches, outcome=agenda_pb2.ITEM_OUTCOME_REFERRED)
    await opinion(secretariat, speeches, "加快管网改造进度")
    withdrawn = (await item(secretariat, meeting, "表决办法")).name
    await act(secretariat, "Withdraw", withdrawn, reason="准备不足")
    return meeting


async def test_all_that_happened_stands_in_it(secretariat: Secretariat) -> None:
    meeting = await sitting(secretariat)
    await secretariat.do("Adjourn", meeting)
    minutes = await generate(secretariat, meeting)
    inquiry, speeches, withdrawn = minutes.record.items
    assert [question.answer for question in inquiry.questions] == ["年底前完工。", ""]
    assert [speech.summary for speech in speeches.speeches] == ["建议加快管网改造"]
    assert (withdrawn.state, withdrawn.outcome_text) == (agenda_pb2.ITEM_STATE_WITHDRAWN, "准备不足")
    texts = paragraphs(await export(secretariat, minutes.name))
    for expected in (
        f"群众意见（opinions/{NOBODY}）：走访三个村",
        "（一）专题询问饮水安全（专题询问）",
        f"附件：饮水安全报告（SHA-256 {SHA256}）",
        "询问：王小明向区水利局询问：何时完工？",
        "答复（区水利局局长）：年底前完工。",
        "答复：当场未答复",
        "未答复询问的说明：会后书面答复",
        "审议意见：加快管网改造进度",
        "（三）表决办法（工作报告）",
        "结果：撤回议题。准备不足",
        "会议对《大会发言》予以交办。",
        "草稿，尚未经主持人和记录人签署，不具效力。",
    ):
        assert expected in texts, expected
    (speech,) = [text for text in texts if text.startswith("发言：")]
    assert speech.startswith("发言：王小明（")
    assert speech.endswith("）：建议加快管网改造")


async def test_a_consultation_ends_with_its_measure(secretariat: Secretariat) -> None:
    meeting, _ = await in_session(secretariat, 1, kind=CONSULTATION)
    await agree(secretariat, meeting)
    await secretariat.do("Adjourn", meeting)
    minutes = await generate(secretariat, meeting)
    due = in_days(30)
    day = f"{due.year}年{due.month}月{due.day}日"
    assert list(minutes.resolutions) == [f"会议议定：更换路灯。由镇建设管理办承办，最迟于{day}完成。"]
    texts = paragraphs(await export(secretariat, minutes.name))
    assert "会议类别：一事一议协商会" in texts
    assert texts[texts.index("更换路灯") + 1] == f"承办：镇建设管理办；期限：{day}"
    # A consultation has no quorum to speak of.
    assert not any("法定人数" in text for text in texts)


async def test_a_signed_document_shows_who_signed_and_the_digest(secretariat: Secretariat) -> None:
    meeting, _, _ = await held(secretariat)
    final = await signed(secretariat, meeting)
    texts = paragraphs(await export(secretariat, final.name))
    assert texts[0] == "会议主体：试验街道议事代表会议"
    assert "届次：第一届第一次" in texts
    assert "地点：三楼会议室" in texts
    assert "第一次会议纪要" in texts
    assert "应到3人，实到2人，请假1人，缺席0人；列席0人。" in texts
    assert "请假：王小明" in texts
    assert not any("住院" in text for text in texts)
    assert "结果：已测评。请镇政府落实" in texts
    (evaluation,) = [text for text in texts if text.startswith("满意度测评：")]
    assert evaluation.startswith(
        "满意度测评：应测评3人，满意2票，基本满意0票，不满意0票，结果为满意（依据规则votes.satisfied@"
    )
    assert texts[-1] == f"SHA-256：{final.digest}"
    assert [text.rpartition("签署")[2] for text in texts[-3:-1]] == ["（账号office）", "（账号tester）"]


async def test_a_browser_downloads_it(secretariat: Secretariat, rest: httpx.AsyncClient) -> None:
    final = await signed(secretariat, await over(secretariat))
    answered = await rest.get(f"/v1/{final.name}:export")
    assert (answered.status_code, answered.headers["content-type"]) == (200, DOCX)
    assert answered.headers["content-disposition"] == 'attachment; filename="minutes.docx"'
    assert answered.content == await export(secretariat, final.name)
    as_json = await rest.get(f"/v1/{final.name}:export?format=MINUTES_FORMAT_JSON")
    assert as_json.headers["content-type"] == "application/json"
    assert as_json.content == await export(secretariat, final.name, pb.MINUTES_FORMAT_JSON)
    assert json_format.Parse(as_json.content, pb.Minutes()).digest == final.digest


@pytest.fixture
async def rest(secretariat: Secretariat) -> AsyncIterator[httpx.AsyncClient]:
    tenant = secretariat.tenant
    headers = {"authorization": f"Bearer {tenant.platform.token(['clerk'], tenant.district)}"}
    async with httpx.AsyncClient(base_url=tenant.platform.gateway, trust_env=False, headers=headers) as client:
        yield client


def plain(digest: str = "") -> pb.Minutes:
    record = pb.MinutesRecord(display_name="第一次会议", kind=ASSEMBLY_MEETING, number=1)
    return pb.Minutes(name=f"meetings/{NOBODY}/minutes", record=record, digest=digest)


def test_the_same_minutes_are_the_same_file() -> None:
    assert minutes_document.write(plain()) == minutes_document.write(plain())
    assert minutes_document.write(plain()) != minutes_document.write(plain(digest="a" * 64))


def test_characters_are_east_asian() -> None:
    """Else an office program takes another face for them."""
    document = Document(io.BytesIO(minutes_document.write(plain())))
    used = {paragraph.style.name for paragraph in document.paragraphs if paragraph.style}
    assert used == {"Title", "Heading 1", "Body Text"}
    for name in used:
        fonts = document.styles[name].element.rPr.rFonts
        assert fonts.get(qn("w:eastAsia")) in ("宋体", "黑体", "仿宋")
        assert fonts.get(qn("w:eastAsiaTheme")) is None


def test_what_xml_cannot_hold_loses_no_file() -> None:
    minutes = plain()
    minutes.remarks.append("甲\ufffe乙\uffff丙\x0b")
    minutes.remarks.append("<w:p>&=1+1")
    texts = paragraphs(minutes_document.write(minutes))
    assert "甲\ufffd乙\ufffd丙\ufffd" in texts
    assert "<w:p>&=1+1" in texts


def test_scores_are_shown_with_two_places() -> None:
    minutes = plain()
    scored = minutes.record.items.add(title="部门工作", item_class=agenda_pb2.ITEM_CLASS_EVALUATION, position=1)
    method = agenda_pb2.EVALUATION_METHOD_SCORE
    scored.evaluation.CopyFrom(agenda_pb2.Evaluation(method=method, score_count=7, average_hundredths=8605))
    assert "满意度测评：收回评分7份，平均86.05分。" in paragraphs(minutes_document.write(minutes))
    scored.evaluation.CopyFrom(grades(4, 1, 1, 2))
    scored.evaluation.result = agenda_pb2.SATISFACTION_DISSATISFIED
    expected = "满意度测评：应测评4人，满意1票，基本满意1票，不满意2票，结果为不满意。"
    assert expected in paragraphs(minutes_document.write(minutes))
