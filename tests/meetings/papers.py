"""Minutes, as tests have them generated and signed through the API."""

import io
from typing import Any

from docx import Document

from chassis import development
from chassis.wire import timestamp
from quanyutong.meetings.v1 import agenda_pb2, attendance_pb2
from quanyutong.meetings.v1 import minutes_pb2 as pb
from tests.meetings.items import act, grades, in_session, item
from tests.meetings.secretariat import Secretariat, in_hours

CHAIR, SECRETARY = pb.SIGNER_ROLE_CHAIR, pb.SIGNER_ROLE_SECRETARY
CLERK = "周敏"


async def over(secretariat: Secretariat, **fields: Any) -> str:
    """A meeting without any item that is over, with one delegate who was there."""
    meeting, _ = await in_session(secretariat, 1, **fields)
    return (await secretariat.do("Adjourn", meeting)).name


async def held(secretariat: Secretariat) -> tuple[str, list[attendance_pb2.Attendee], str]:
    """A meeting in summary, its roll, and a special report on its agenda: two of three came, the third is on leave."""
    venue = await secretariat.venue()
    meeting = (await secretariat.meeting(await secretariat.assembly_of(3), in_hours(-3), venue=venue)).name
    mandates = [attendee.mandate for attendee in await secretariat.called(meeting, 3)]
    await secretariat.enter(meeting, *mandates[:2], check_in_time=timestamp(in_hours(-2.5)))
    leave = attendance_pb2.RequestLeaveRequest(name=meeting, mandate=mandates[2], reason="住院治疗")
    await secretariat.meet("RequestLeave", leave)
    await secretariat.do("Convene", meeting, convene_time=timestamp(in_hours(-2)))
    fields: dict[str, Any] = {"item_class": agenda_pb2.ITEM_CLASS_SPECIAL_REPORT, "reporter": "镇农业服务中心"}
    report = (await item(secretariat, meeting, "水库移民后期扶持", **fields)).name
    await act(secretariat, "Open", report)
    evaluated = {"outcome": agenda_pb2.ITEM_OUTCOME_EVALUATED, "evaluation": grades(3, 2)}
    await act(secretariat, "Conclude", report, outcome_text="请镇政府落实", **evaluated)
    await secretariat.do("Adjourn", meeting, adjourn_time=timestamp(in_hours(-1)))
    return meeting, await secretariat.roll(meeting), report


async def generate(secretariat: Secretariat, meeting: str, chair: str = "", **fields: Any) -> pb.Minutes:
    """Chaired by the attendee, or else by somebody who is not on the roll."""
    signers = {
        "chair": pb.Signer(attendee=chair) if chair else pb.Signer(display_name="陈主任"),
        "secretary": pb.Signer(display_name=CLERK),
    }
    request = pb.GenerateMinutesRequest(parent=meeting, **(signers | fields))
    made: pb.Minutes = await secretariat.meet("GenerateMinutes", request)
    return made


def token_of(secretariat: Secretariat, subject: str, role: str) -> list[tuple[str, str]]:
    """Metadata of somebody else than the tester."""
    token = development.token(secretariat.tenant.platform.settings, subject, [role], secretariat.district)
    return [("authorization", f"Bearer {token}")]


async def sign(secretariat: Secretariat, name: str, role: Any, subject: str = "tester", **fields: Any) -> pb.Minutes:
    """As a delegate in person, or as a clerk of this account."""
    request = pb.SignMinutesRequest(name=name, role=role, **fields)
    metadata = token_of(secretariat, subject, "delegate" if subject.startswith("persons/") else "clerk")
    signed: pb.Minutes = await secretariat.tenant.meetings.SignMinutes(request, metadata=metadata)
    return signed


async def signed(secretariat: Secretariat, meeting: str) -> pb.Minutes:
    """Minutes that two clerks have signed."""
    name = (await generate(secretariat, meeting)).name
    await sign(secretariat, name, CHAIR, "office")
    return await sign(secretariat, name, SECRETARY)


async def read(secretariat: Secretariat, meeting: str) -> pb.Minutes:
    request = pb.GetMinutesRequest(name=f"{meeting}/minutes")
    found: pb.Minutes = await secretariat.meet("GetMinutes", request)
    return found


async def export(secretariat: Secretariat, name: str, file: Any = pb.MINUTES_FORMAT_DOCX) -> bytes:
    request = pb.ExportMinutesRequest(name=name, format=file)
    call = secretariat.tenant.meetings.ExportMinutes(request, metadata=secretariat.tenant.metadata())
    return b"".join([part.data async for part in call])


def paragraphs(content: bytes) -> list[str]:
    """The texts of a DOCX: of its table first, then of its paragraphs."""
    document = Document(io.BytesIO(content))
    cells = [f"{row.cells[0].text}：{row.cells[1].text}" for table in document.tables for row in table.rows]
    return [*cells, *(paragraph.text for paragraph in document.paragraphs)]


async def papers(secretariat: Secretariat) -> dict[str, str]:
    """A meeting that is over without minutes, and minutes in each state that a call changes."""
    names = {"unwritten": await over(secretariat, unit=33)}
    for number, name in enumerate(("draft", "to_sign", "to_return"), 34):
        names[name] = (await generate(secretariat, await over(secretariat, unit=number))).name
    await sign(secretariat, names["to_sign"], CHAIR, "office")
    await sign(secretariat, names["to_return"], SECRETARY)
    return names
