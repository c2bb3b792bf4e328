"""Holds one meeting through the API, from wherever an earlier run left it.

Prepared, called, checked in, convened by its quorum, dealt with item by item, adjourned, summed up and closed: with the
times of its day, as an office does that enters afterwards what it has on paper.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import grpc

from chassis.wire import timestamp
from quanyutong.meetings.v1 import agenda_pb2, attendance_pb2, deliberation_pb2, meeting_pb2
from quanyutong.meetings.v1.deliberation_pb2 import DeliberationOpinion
from quanyutong.meetings.v1.meeting_pb2 import PHASE_CONVENED, PHASE_PREPARATION, PHASE_SUMMARY, Meeting
from quanyutong.meetings.v1.meetings_pb2_grpc import MeetingsServiceStub
from tests.demo.agendas import Item
from tests.demo.identified import identified
from tests.demo.papers import evaluation
from tests.demo.programme import BEGIN, COMING, END, Sitting
from tests.demo.registering import Metadata
from tests.harness import reason

MOST = 500
SHORTEST_WAIT, LONGEST_WAIT = 0.25, 4.0
# The roster comes from the registry by events: after the first registration thousands of them are under way.
HEARD_WITHIN = 120.0
UNHEARD = ("ERROR_REASON_BODY_NOT_FOUND", "ERROR_REASON_TERM_NOT_OPEN")
ANSWER = "已按意见办理（演示数据）"
# What is done next with an opinion that was handed over, and with what.
NEXT: Mapping[int, tuple[str, Mapping[str, Any]]] = {
    deliberation_pb2.OPINION_STATE_HANDED: ("Answer", {"answer": ANSWER}),
    deliberation_pb2.OPINION_STATE_ANSWERED: ("Judge", {"judgement": agenda_pb2.SATISFACTION_SATISFIED}),
    deliberation_pb2.OPINION_STATE_JUDGED: ("Close", {}),
}


class RosterLate(Exception):
    """The meetings service did not hear of all delegates in time."""


class Holding:
    """The meetings of one district, by a token of its clerk."""

    def __init__(self, stub: MeetingsServiceStub, metadata: Metadata) -> None:
        self._stub = stub
        self._metadata = metadata

    async def hold(self, sitting: Sitting, body: str, there: Meeting | None) -> Meeting:
        """Brings it to its end, whatever of it is there. Raises the first refusal, or RosterLate."""
        return await self.end(sitting, await self.convene(sitting, body, there))

    async def convene(self, sitting: Sitting, body: str, there: Meeting | None) -> Meeting:
        """In session, or later."""
        meeting = there or await self._entered(sitting, body)
        if meeting.phase == PHASE_PREPARATION:
            await self._come_together(sitting, meeting)
            meeting = await self._step("Convene", meeting, convene_time=timestamp(sitting.at(BEGIN)))
        return meeting

    async def end(self, sitting: Sitting, meeting: Meeting) -> Meeting:
        if meeting.phase == PHASE_CONVENED:
            await self._deal_with(sitting, meeting)
            meeting = await self._step("Adjourn", meeting, adjourn_time=timestamp(sitting.at(END)))
        if meeting.phase == PHASE_SUMMARY:
            await self._follow_up(sitting, meeting)
            meeting = await self._step("Close", meeting)
        return meeting

    async def _call(self, rpc: str, request: Any) -> Any:
        return await getattr(self._stub, rpc)(request, metadata=self._metadata)

    async def _step(self, verb: str, meeting: Meeting, **fields: Any) -> Meeting:
        request = getattr(meeting_pb2, f"{verb}MeetingRequest")(name=meeting.name, **fields)
        done: Meeting = await self._call(f"{verb}Meeting", identified(request))
        return done

    async def _entered(self, sitting: Sitting, body: str) -> Meeting:
        """As soon as the meetings service has heard of the body."""
        entry = Meeting(
            body=body,
            kind=sitting.kind,
            form=sitting.form,
            number=sitting.number,
            display_name=sitting.display_name,
            start_time=timestamp(sitting.at(BEGIN)),
            end_time=timestamp(sitting.at(END)),
        )
        request = identified(meeting_pb2.CreateMeetingRequest(meeting=entry))
        for wait in patience():
            try:
                made: Meeting = await self._call("CreateMeeting", request)
            except grpc.aio.AioRpcError as error:
                if reason(error) not in UNHEARD:
                    raise
                await asyncio.sleep(wait)
            else:
                return made
        raise RosterLate(f"the meetings service has not heard of the body of {sitting.display_name}")

    async def _come_together(self, sitting: Sitting, meeting: Meeting) -> None:
        """Calls everybody who has a seat, and checks in those who came."""
        for item in sitting.agenda.items:
            await self._item(meeting, item)
        await self._called(sitting, meeting)
        roll = attendance_pb2.ListAttendeesRequest(parent=meeting.name, page_size=MOST)
        seats = [each.mandate for each in (await self._call("ListAttendees", roll)).attendees if not each.observer]
        came = timestamp(sitting.at(COMING))
        presences = [attendance_pb2.Presence(attendee=seat, check_in_time=came) for seat in seats[: sitting.present]]
        request = attendance_pb2.BatchCheckInRequest(name=meeting.name, presences=presences)
        await self._call("BatchCheckIn", identified(request))

    async def _called(self, sitting: Sitting, meeting: Meeting) -> None:
        """The roll with all seats and names, as soon as the meetings service has heard of them."""
        for wait in patience():
            taken = await self._call("InviteDelegates", attendance_pb2.InviteDelegatesRequest(name=meeting.name))
            if taken.expected >= sitting.seats and not taken.unnamed:
                return
            await asyncio.sleep(wait)
        raise RosterLate(f"the meetings service has not heard of all delegates of {sitting.display_name}")

    async def _deal_with(self, sitting: Sitting, meeting: Meeting) -> None:
        if not sitting.agenda.items:
            return
        quorum = await self._call("GetQuorum", attendance_pb2.GetQuorumRequest(name=meeting.name))
        for item in sitting.agenda.items:
            entry = await self._item(meeting, item)
            await self._collect(meeting, entry, item.opinions)
            await self._concluded(entry, item, quorum)

    async def _item(self, meeting: Meeting, item: Item) -> agenda_pb2.AgendaItem:
        """The item of the agenda, put there where it is missing."""
        request = agenda_pb2.ListAgendaItemsRequest(meeting=meeting.name, page_size=MOST)
        agenda: Sequence[agenda_pb2.AgendaItem] = (await self._call("ListAgendaItems", request)).agenda_items
        for there in agenda:
            if there.title == item.title:
                return there
        entry = agenda_pb2.AgendaItem(
            meeting=meeting.name, item_class=item.item_class, title=item.title, reporter=item.reporter
        )
        added: agenda_pb2.AgendaItem = await self._call(
            "CreateAgendaItem", identified(agenda_pb2.CreateAgendaItemRequest(agenda_item=entry))
        )
        return added

    async def _concluded(self, entry: agenda_pb2.AgendaItem, item: Item, quorum: attendance_pb2.Quorum) -> None:
        if entry.state == agenda_pb2.ITEM_STATE_PLANNED:
            entry = await self._call("OpenAgendaItem", identified(agenda_pb2.OpenAgendaItemRequest(name=entry.name)))
        if entry.state == agenda_pb2.ITEM_STATE_OPEN:
            request = agenda_pb2.ConcludeAgendaItemRequest(
                name=entry.name, outcome=item.outcome, evaluation=evaluation(item, quorum.expected, quorum.present)
            )
            await self._call("ConcludeAgendaItem", identified(request))

    async def _collect(self, meeting: Meeting, entry: agenda_pb2.AgendaItem, contents: Sequence[str]) -> None:
        there = {opinion.content for opinion in await self._opinions(meeting)} if contents else ()
        for content in contents:
            if content not in there:
                raised = DeliberationOpinion(agenda_item=entry.name, content=content)
                request = deliberation_pb2.CollectDeliberationOpinionRequest(deliberation_opinion=raised)
                await self._call("CollectDeliberationOpinion", identified(request))

    async def _follow_up(self, sitting: Sitting, meeting: Meeting) -> None:
        """Hands opinions to their undertaker, and follows each until it is closed."""
        undertakers = {content: item.undertaker for item in sitting.agenda.items for content in item.opinions}
        if not any(undertakers.values()):
            return
        for opinion in await self._opinions(meeting):
            if undertakers.get(opinion.content):
                await self._close(opinion, undertakers[opinion.content])

    async def _close(self, opinion: DeliberationOpinion, undertaker: str) -> None:
        steps = {**NEXT, deliberation_pb2.OPINION_STATE_COLLECTED: ("Hand", {"undertaker": undertaker})}
        while opinion.state in steps:
            verb, fields = steps[opinion.state]
            request = getattr(deliberation_pb2, f"{verb}DeliberationOpinionRequest")(name=opinion.name, **fields)
            opinion = await self._call(f"{verb}DeliberationOpinion", identified(request))

    async def _opinions(self, meeting: Meeting) -> Sequence[DeliberationOpinion]:
        request = deliberation_pb2.ListDeliberationOpinionsRequest(meeting=meeting.name, page_size=MOST)
        return list((await self._call("ListDeliberationOpinions", request)).deliberation_opinions)


def patience() -> Iterator[float]:
    """How long to wait before each further try: short at first, since what is waited for may be at the door."""
    deadline, wait = time.monotonic() + HEARD_WITHIN, SHORTEST_WAIT
    while time.monotonic() < deadline:
        yield wait
        wait = min(2 * wait, LONGEST_WAIT)
