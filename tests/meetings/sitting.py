"""What happens in a sitting, as tests bring it about through the API."""

from typing import Any

from chassis import development
from quanyutong.meetings.v1 import (
    agenda_pb2,
    attachments_pb2,
    measures_pb2,
    meeting_pb2,
    preparations_pb2,
    questions_pb2,
    speakers_pb2,
)
from tests.contract.office import in_days, on
from tests.meetings.items import act, in_session, item
from tests.meetings.secretariat import Secretariat

INQUIRY, SPEECHES = agenda_pb2.ITEM_CLASS_INQUIRY, agenda_pb2.ITEM_CLASS_SPEECHES
CONSULTATION = meeting_pb2.MEETING_KIND_CONSULTATION
SHA256 = "a" * 64


async def in_person(secretariat: Secretariat, person: str, rpc: str, request: Any) -> Any:
    """As the delegate with an own token."""
    token = development.token(secretariat.tenant.platform.settings, person, ["delegate"], secretariat.district)
    return await getattr(secretariat.tenant.meetings, rpc)(request, metadata=[("authorization", f"Bearer {token}")])


async def opened(secretariat: Secretariat, meeting: str, **fields: Any) -> str:
    """An item that is being dealt with; speeches unless told otherwise."""
    given: dict[str, Any] = {"title": "大会发言", "item_class": SPEECHES}
    made = await item(secretariat, meeting, **(given | fields))
    return (await act(secretariat, "Open", made.name)).name


async def hall(secretariat: Secretariat, seats: int, **fields: Any) -> tuple[str, str, list[str]]:
    """A meeting in session, an item of it that is open, and the mandates of all who are there."""
    meeting, mandates = await in_session(secretariat, seats)
    return meeting, await opened(secretariat, meeting, **fields), mandates


async def enlist(secretariat: Secretariat, item_name: str, attendee: str) -> speakers_pb2.Speaker:
    request = speakers_pb2.EnlistSpeakerRequest(parent=item_name, attendee=attendee)
    listed: speakers_pb2.Speaker = await secretariat.meet("EnlistSpeaker", request)
    return listed


async def speak(secretariat: Secretariat, rpc: str, name: str, **fields: Any) -> speakers_pb2.Speaker:
    """`rpc` is `MoveSpeaker`, `CallSpeaker`, `EndSpeech` or `WithdrawSpeaker`."""
    request = getattr(speakers_pb2, f"{rpc}Request")(name=name, **fields)
    done: speakers_pb2.Speaker = await secretariat.meet(rpc, request)
    return done


async def speakers(secretariat: Secretariat, item_name: str, **filters: Any) -> list[speakers_pb2.Speaker]:
    request = speakers_pb2.ListSpeakersRequest(parent=item_name, **filters)
    return list((await secretariat.meet("ListSpeakers", request)).speakers)


async def ask(secretariat: Secretariat, item_name: str, mandate: str, content: str = "何时完工？") -> str:
    question = questions_pb2.Question(asked_of="区水利局", content=content)
    request = questions_pb2.AskQuestionRequest(parent=item_name, mandate=mandate, question=question)
    return str((await secretariat.meet("AskQuestion", request)).name)


async def answer(secretariat: Secretariat, question: str) -> questions_pb2.Question:
    request = questions_pb2.AnswerQuestionRequest(name=question, answer="年底前完工。", answered_by="区水利局局长")
    answered: questions_pb2.Question = await secretariat.meet("AnswerQuestion", request)
    return answered


def document(**fields: Any) -> attachments_pb2.Attachment:
    given: dict[str, Any] = {"title": "报告全文", "media_type": "application/pdf", "sha256": SHA256}
    return attachments_pb2.Attachment(
        **(given | {"size_bytes": 20_480, "link": "https://store.example.gov.cn/1.pdf"} | fields)
    )


async def attach(secretariat: Secretariat, item_name: str, **fields: Any) -> attachments_pb2.Attachment:
    request = attachments_pb2.AttachDocumentRequest(parent=item_name, attachment=document(**fields))
    attached: attachments_pb2.Attachment = await secretariat.meet("AttachDocument", request)
    return attached


async def link(secretariat: Secretariat, meeting: str, source: str, kind: Any = 0, note: str = "") -> str:
    kind = kind or preparations_pb2.PREPARATION_KIND_INSPECTION
    given = preparations_pb2.Preparation(kind=kind, source=source, note=note)
    request = preparations_pb2.LinkPreparationRequest(parent=meeting, preparation=given)
    return str((await secretariat.meet("LinkPreparation", request)).name)


async def consultation(secretariat: Secretariat, unit: int = 1) -> str:
    """A consultation on a single matter, of a delegate and in session."""
    meeting, _ = await in_session(secretariat, 1, unit=unit, kind=CONSULTATION)
    return meeting


async def agree(secretariat: Secretariat, meeting: str, days: int = 30, **fields: Any) -> measures_pb2.Measure:
    given = {"content": "更换路灯", "owner": "镇建设管理办", "due_date": on(in_days(days))}
    request = measures_pb2.SetMeasureRequest(parent=meeting, measure=measures_pb2.Measure(**(given | fields)))
    agreed: measures_pb2.Measure = await secretariat.meet("SetMeasure", request)
    return agreed


async def complete(secretariat: Secretariat, measure: str) -> measures_pb2.Measure:
    request = measures_pb2.CompleteMeasureRequest(name=measure, report="路灯已全部更换。")
    done: measures_pb2.Measure = await secretariat.meet("CompleteMeasure", request)
    return done
