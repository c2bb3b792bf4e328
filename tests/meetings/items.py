"""Agenda items and opinions, as tests enter them through the API."""

from typing import Any

from chassis.wire import timestamp
from quanyutong.meetings.v1 import agenda_pb2 as agenda
from quanyutong.meetings.v1 import deliberation_pb2 as deliberation
from tests.meetings.secretariat import Secretariat, in_hours

REPORT, SPECIAL = agenda.ITEM_CLASS_REPORT, agenda.ITEM_CLASS_SPECIAL_REPORT


async def convened(secretariat: Secretariat) -> str:
    """A meeting in session, with one delegate who is there."""
    meeting, _ = await in_session(secretariat, 1)
    return meeting


async def in_session(secretariat: Secretariat, seats: int, **fields: Any) -> tuple[str, list[str]]:
    """A meeting in session since an hour ago, with all of its delegates there; and their mandates."""
    meeting, mandates = await secretariat.ready(seats, 0, in_hours(-2), **fields)
    await secretariat.enter(meeting, *mandates, check_in_time=timestamp(in_hours(-1.5)))
    await secretariat.do("Convene", meeting, convene_time=timestamp(in_hours(-1)))
    return meeting, mandates


async def item(secretariat: Secretariat, meeting: str, title: str = "报告", **fields: Any) -> agenda.AgendaItem:
    given = agenda.AgendaItem(meeting=meeting, title=title, **({"item_class": REPORT} | fields))
    made: agenda.AgendaItem = await secretariat.meet(
        "CreateAgendaItem", agenda.CreateAgendaItemRequest(agenda_item=given)
    )
    return made


async def act(secretariat: Secretariat, verb: str, name: str, **fields: Any) -> agenda.AgendaItem:
    request = getattr(agenda, f"{verb}AgendaItemRequest")(name=name, **fields)
    done: agenda.AgendaItem = await secretariat.meet(f"{verb}AgendaItem", request)
    return done


async def opinion(secretariat: Secretariat, item_name: str, content: str = "加快进度") -> str:
    given = deliberation.DeliberationOpinion(agenda_item=item_name, content=content)
    request = deliberation.CollectDeliberationOpinionRequest(deliberation_opinion=given)
    return str((await secretariat.meet("CollectDeliberationOpinion", request)).name)


async def step(secretariat: Secretariat, verb: str, name: str, **fields: Any) -> deliberation.DeliberationOpinion:
    request = getattr(deliberation, f"{verb}DeliberationOpinionRequest")(name=name, **fields)
    done: deliberation.DeliberationOpinion = await secretariat.meet(f"{verb}DeliberationOpinion", request)
    return done


def grades(members: int, satisfied: int, basically: int = 0, dissatisfied: int = 0) -> agenda.Evaluation:
    return agenda.Evaluation(
        method=agenda.EVALUATION_METHOD_GRADES,
        members=members,
        satisfied=satisfied,
        basically_satisfied=basically,
        dissatisfied=dissatisfied,
    )
