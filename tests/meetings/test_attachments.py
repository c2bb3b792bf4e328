"""Attachments of agenda items."""

import pytest

from quanyutong.meetings.v1 import attachments_pb2 as pb
from tests.harness import refused
from tests.meetings.items import act, convened, item
from tests.meetings.secretariat import Secretariat
from tests.meetings.sitting import attach

PREFIX = "ERROR_REASON_"


async def attachments(secretariat: Secretariat, item_name: str) -> list[pb.Attachment]:
    request = pb.ListAttachmentsRequest(parent=item_name)
    return list((await secretariat.meet("ListAttachments", request)).attachments)


async def test_documents_come_and_go_until_the_meeting_is_closed(secretariat: Secretariat) -> None:
    meeting = await convened(secretariat)
    item_name = (await item(secretariat, meeting)).name
    assert await attachments(secretariat, item_name) == []
    first = await attach(secretariat, item_name)
    second = await attach(secretariat, item_name, title="附表", link="/2026/附表.xlsx", size_bytes=2**40)
    assert (first.attached_by, first.HasField("create_time")) == ("tester", True)
    assert await attachments(secretariat, item_name) == [first, second]
    await secretariat.meet("DetachDocument", pb.DetachDocumentRequest(name=first.name))
    again = secretariat.meet("DetachDocument", pb.DetachDocumentRequest(name=first.name))
    assert await refused(again) == f"{PREFIX}ENTRY_NOT_FOUND"
    await secretariat.do("Adjourn", meeting)
    await secretariat.do("Close", meeting)
    assert await refused(attach(secretariat, item_name)) == f"{PREFIX}PHASE_REFUSED"
    late = secretariat.meet("DetachDocument", pb.DetachDocumentRequest(name=second.name))
    assert await refused(late) == f"{PREFIX}PHASE_REFUSED"


async def test_what_is_off_the_agenda_takes_no_documents(secretariat: Secretariat) -> None:
    made = await item(secretariat, await convened(secretariat))
    await act(secretariat, "Withdraw", made.name, reason="材料未备齐")
    assert await refused(attach(secretariat, made.name)) == f"{PREFIX}ITEM_STATE_REFUSED"


@pytest.mark.parametrize(
    "fields", [{"sha256": "A" * 64}, {"sha256": "a" * 63}, {"media_type": "pdf"}, {"size_bytes": 0}, {"link": "/a\n"}]
)
async def test_what_is_no_document(secretariat: Secretariat, fields: dict[str, object]) -> None:
    nowhere = "agendaItems/00000000-0000-7000-8000-000000000000"
    assert await refused(attach(secretariat, nowhere, **fields)) == f"{PREFIX}FIELD_INVALID"
