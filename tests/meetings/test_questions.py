"""Questions and answers in an inquiry, and what becomes of those that stay open."""

from chassis.wire import timestamp
from quanyutong.meetings.v1 import agenda_pb2, attendance_pb2
from quanyutong.meetings.v1 import questions_pb2 as pb
from tests.harness import refused
from tests.meetings.items import act, item
from tests.meetings.secretariat import Secretariat, in_hours
from tests.meetings.sitting import INQUIRY, answer, ask, hall, in_person

PREFIX = "ERROR_REASON_"
HEARD = agenda_pb2.ITEM_OUTCOME_HEARD


async def questions(secretariat: Secretariat, item_name: str, unanswered: bool = False) -> list[pb.Question]:
    request = pb.ListQuestionsRequest(parent=item_name, unanswered=unanswered)
    return list((await secretariat.meet("ListQuestions", request)).questions)


async def test_an_inquiry_is_concluded_once_all_is_answered(secretariat: Secretariat) -> None:
    _, item_name, (mandate,) = await hall(secretariat, 1, item_class=INQUIRY)
    first, second = [
        await ask(secretariat, item_name, mandate, content) for content in ("何时完工？", "资金是否到位？")
    ]
    answered = await answer(secretariat, first)
    assert (answered.mandate, answered.display_name, answered.asked_of) == (mandate, "王小明", "区水利局")
    assert answered.answer_time.ToDatetime() >= answered.ask_time.ToDatetime()
    assert await refused(answer(secretariat, first)) == f"{PREFIX}QUESTION_ANSWERED"
    assert [one.name for one in await questions(secretariat, item_name, unanswered=True)] == [second]
    assert [one.name for one in await questions(secretariat, item_name)] == [first, second]
    early = act(secretariat, "Conclude", item_name, outcome=HEARD)
    assert await refused(early) == f"{PREFIX}QUESTIONS_UNANSWERED"
    await answer(secretariat, second)
    # A reason is kept only where there is something that it explains.
    done = await act(secretariat, "Conclude", item_name, outcome=HEARD, left_open_reason="会后书面答复")
    assert (done.state, done.left_open_reason) == (agenda_pb2.ITEM_STATE_CONCLUDED, "")


async def test_what_stays_open_is_recorded_and_answered_after_the_meeting(secretariat: Secretariat) -> None:
    meeting, item_name, (mandate,) = await hall(secretariat, 1, item_class=INQUIRY, special_inquiry=True)
    question = await ask(secretariat, item_name, mandate)
    done = await act(secretariat, "Conclude", item_name, outcome=HEARD, left_open_reason="会后书面答复")
    assert (done.special_inquiry, done.left_open_reason) == (True, "会后书面答复")
    assert await refused(ask(secretariat, item_name, mandate)) == f"{PREFIX}ITEM_STATE_REFUSED"
    await secretariat.do("Adjourn", meeting)
    await secretariat.do("Close", meeting)
    assert (await answer(secretariat, question)).answer == "年底前完工。"


async def test_a_delegate_asks_in_person_and_while_there(secretariat: Secretariat) -> None:
    meeting, item_name, (mandate,) = await hall(secretariat, 1, item_class=INQUIRY)
    (seat,) = await secretariat.roll(meeting)
    given = pb.Question(asked_of="区水利局", content="何时完工？")
    request = pb.AskQuestionRequest(parent=item_name, question=given)
    assert (await in_person(secretariat, seat.person, "AskQuestion", request)).mandate == mandate
    early = pb.AskQuestionRequest(parent=item_name, mandate=mandate, question=given, ask_time=timestamp(in_hours(-3)))
    assert await refused(secretariat.meet("AskQuestion", early)) == f"{PREFIX}TIME_REFUSED"
    await secretariat.meet("LeaveMeeting", attendance_pb2.LeaveMeetingRequest(name=meeting, attendee=mandate))
    gone = in_person(secretariat, seat.person, "AskQuestion", request)
    assert await refused(gone) == f"{PREFIX}NOT_PRESENT"


async def test_questions_belong_to_inquiries(secretariat: Secretariat) -> None:
    meeting, item_name, (mandate,) = await hall(secretariat, 1)
    assert await refused(ask(secretariat, item_name, mandate)) == f"{PREFIX}ITEM_CLASS_REFUSED"
    special = item(secretariat, meeting, special_inquiry=True)
    assert await refused(special) == f"{PREFIX}ITEM_CLASS_REFUSED"
