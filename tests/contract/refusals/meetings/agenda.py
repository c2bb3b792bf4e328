"""Agenda items, what happens in them, and deliberation opinions."""

from quanyutong.meetings.v1 import agenda_pb2
from quanyutong.meetings.v1.preparations_pb2 import PREPARATION_KIND_OPINION as OPINION
from tests.contract.office import Office
from tests.contract.refusals import refused_with
from tests.meetings.items import act, convened, item, opinion, step
from tests.meetings.secretariat import Secretariat
from tests.meetings.sitting import (
    INQUIRY,
    agree,
    answer,
    ask,
    attach,
    complete,
    consultation,
    enlist,
    hall,
    link,
    speak,
)

NOWHERE = "00000000-0000-7000-8000-000000000000"


@refused_with("AGENDA_ITEM_NOT_FOUND")
async def item_that_is_not_there(office: Office) -> None:
    await act(Secretariat(office.tenant), "Open", f"agendaItems/{NOWHERE}")


@refused_with("ITEM_STATE_REFUSED")
async def item_concluded_before_it_is_opened(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    made = await item(secretariat, await convened(secretariat))
    await act(secretariat, "Conclude", made.name, outcome=agenda_pb2.ITEM_OUTCOME_HEARD)


@refused_with("EVALUATION_REFUSED")
async def evaluated_without_counts(office: Office) -> None:
    outcome = agenda_pb2.ITEM_OUTCOME_EVALUATED
    await act(Secretariat(office.tenant), "Conclude", f"agendaItems/{NOWHERE}", outcome=outcome)


@refused_with("DELIBERATION_OPINION_NOT_FOUND")
async def opinion_that_is_not_there(office: Office) -> None:
    await step(Secretariat(office.tenant), "Close", f"deliberationOpinions/{NOWHERE}")


@refused_with("OPINION_STATE_REFUSED")
async def opinion_closed_before_it_is_handed_over(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    made = await item(secretariat, await convened(secretariat))
    await step(secretariat, "Close", await opinion(secretariat, made.name))


@refused_with("OPINIONS_APART")
async def opinion_merged_into_itself(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    name = await opinion(secretariat, (await item(secretariat, await convened(secretariat))).name)
    await step(secretariat, "Merge", name, into=name)


@refused_with("ENTRY_NOT_FOUND")
async def speaker_who_is_on_no_list(office: Office) -> None:
    await speak(Secretariat(office.tenant), "CallSpeaker", f"speakers/{NOWHERE}")


@refused_with("ENTRY_NOT_FOUND")
async def answer_to_nothing(office: Office) -> None:
    await answer(Secretariat(office.tenant), f"questions/{NOWHERE}")


@refused_with("ENTRY_NOT_FOUND")
async def measure_that_nobody_agreed_on(office: Office) -> None:
    await complete(Secretariat(office.tenant), f"measures/{NOWHERE}")


@refused_with("SPEAKER_STATE_REFUSED")
async def speech_that_ends_before_it_begins(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    _, item_name, (mandate,) = await hall(secretariat, 1)
    await speak(secretariat, "EndSpeech", (await enlist(secretariat, item_name, mandate)).name)


@refused_with("SPEAKER_ENLISTED")
async def twice_on_a_list(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    _, item_name, (mandate,) = await hall(secretariat, 1)
    for _ in range(2):
        await enlist(secretariat, item_name, mandate)


@refused_with("SPEECH_RUNNING")
async def adjourned_in_the_middle_of_a_speech(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting, item_name, (mandate,) = await hall(secretariat, 1)
    await speak(secretariat, "CallSpeaker", (await enlist(secretariat, item_name, mandate)).name)
    await secretariat.do("Adjourn", meeting)


@refused_with("QUESTION_ANSWERED")
async def another_answer(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    _, item_name, (mandate,) = await hall(secretariat, 1, item_class=INQUIRY)
    question = await ask(secretariat, item_name, mandate)
    for _ in range(2):
        await answer(secretariat, question)


@refused_with("QUESTIONS_UNANSWERED")
async def inquiry_without_answers(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    _, item_name, (mandate,) = await hall(secretariat, 1, item_class=INQUIRY)
    await ask(secretariat, item_name, mandate)
    await act(secretariat, "Conclude", item_name, outcome=agenda_pb2.ITEM_OUTCOME_HEARD)


@refused_with("ITEM_CLASS_REFUSED")
async def report_as_a_special_inquiry(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    await item(secretariat, f"meetings/{NOWHERE}", special_inquiry=True)


@refused_with("LINK_REFUSED")
async def link_with_a_password(office: Office) -> None:
    await attach(Secretariat(office.tenant), f"agendaItems/{NOWHERE}", link="https://a:b@store.example.gov.cn/1.pdf")


@refused_with("PREPARATION_SOURCE_REFUSED")
async def inspection_that_the_registry_does_not_have(office: Office) -> None:
    await link(Secretariat(office.tenant), f"meetings/{NOWHERE}", f"activities/{NOWHERE}")


@refused_with("PREPARATION_LINKED")
async def opinion_linked_twice(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting = (await secretariat.meeting(await secretariat.assembly_of(0))).name
    for _ in range(2):
        await link(secretariat, meeting, f"opinions/{NOWHERE}", OPINION)


@refused_with("MEASURE_REFUSED")
async def measure_of_an_assembly(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    await agree(secretariat, await convened(secretariat))


@refused_with("MEASURE_DONE")
async def measure_done_twice(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    measure = await agree(secretariat, await consultation(secretariat))
    for _ in range(2):
        await complete(secretariat, measure.name)


@refused_with("MEASURE_MISSING")
async def consultation_that_agrees_on_nothing(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting = await consultation(secretariat)
    await secretariat.do("Adjourn", meeting)
    await secretariat.do("Close", meeting)


@refused_with("ITEMS_OPEN")
async def closed_before_an_item_has_an_outcome(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting, _, _ = await hall(secretariat, 1)
    await secretariat.do("Adjourn", meeting)
    await secretariat.do("Close", meeting)
