"""Agenda items and deliberation opinions."""

from quanyutong.meetings.v1 import agenda_pb2
from tests.contract.office import Office
from tests.contract.refusals import refused_with
from tests.meetings.items import act, convened, item, opinion, step
from tests.meetings.secretariat import Secretariat

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
