"""Holds a poll from its draft to its announcement: by secret electronic ballot, each delegate with the client of a
district system, or on paper, counted by two scrutineers."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import grpc

from quanyutong.ballots.v1 import polls_pb2, results_pb2
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceStub
from quanyutong.meetings.v1.attendance_pb2 import ListAttendeesRequest
from quanyutong.meetings.v1.meeting_pb2 import PHASE_CONVENED, Meeting
from quanyutong.meetings.v1.meetings_pb2_grpc import MeetingsServiceStub
from quanyutong_client import Voter
from quanyutong_client.hall import Hall
from tests.demo.candidates import marked, votes
from tests.demo.holding import RosterLate, patience
from tests.demo.identified import identified
from tests.demo.registering import Metadata
from tests.harness import reason

MOST = 500
AT_ONCE = 8
# News of the meeting that the ballots service may not have heard yet.
UNHEARD = ("ERROR_REASON_MEETING_NOT_CONVENED", "ERROR_REASON_QUORUM_MISSING")
UNTAKEN = "ERROR_REASON_NOT_PRESENT"
AFTERWARDS = "会上以纸质票表决，会后补录（演示数据） voted on paper in the session, entered afterwards"


class Polling:
    """The polling staff of one district. `token` makes that of a person in a role, `box` is that of its ballot box."""

    def __init__(
        self,
        ballots: BallotsServiceStub,
        meetings: MeetingsServiceStub,
        metadata: Metadata,
        token: Callable[[str, str], str],
        box: str,
        hall: Callable[[str], Hall],
        folder: Path,
    ) -> None:
        self._ballots = ballots
        self._meetings = meetings
        self._metadata = metadata
        self._token = token
        self._box = box
        self._hall = hall
        self._folder = folder

    async def hold(self, poll: polls_pb2.Poll, places: int, meeting: Meeting) -> None:
        """Brings it to its announcement, whatever of it is done. Raises the first refusal, or RosterLate."""
        present = await self._present(meeting)
        electronic = poll.method == polls_pb2.POLL_METHOD_ELECTRONIC
        if poll.state == polls_pb2.POLL_STATE_DRAFTED:
            poll = await self._opened(poll, meeting)
        if poll.state == polls_pb2.POLL_STATE_OPEN:
            if electronic:
                await self._each(present, lambda _, person: self._take(poll, person))
            poll = await self._staff("StartVoting", poll)
        if poll.state == polls_pb2.POLL_STATE_VOTING:
            if electronic:
                await self._each(present, lambda turn, person: self._cast(poll, places, turn, person))
            poll = await self._staff("ClosePoll", poll)
        if poll.state == polls_pb2.POLL_STATE_CLOSED:
            await self._scrutinise(poll, places, present, electronic)
            await self._staff("AnnouncePoll", poll)
        elif poll.state == polls_pb2.POLL_STATE_CERTIFIED:
            await self._staff("AnnouncePoll", poll)

    async def _present(self, meeting: Meeting) -> Sequence[str]:
        """The persons who came, in one order."""
        request = ListAttendeesRequest(parent=meeting.name, page_size=MOST)
        answer = await self._meetings.ListAttendees(request, metadata=self._metadata)
        came = [each for each in answer.attendees if each.HasField("check_in_time") and not each.observer]
        return [each.person for each in sorted(came, key=lambda each: each.mandate)]

    async def _opened(self, poll: polls_pb2.Poll, meeting: Meeting) -> polls_pb2.Poll:
        """Opened as soon as the ballots service has heard of the roll and of who came."""
        late = "" if meeting.phase == PHASE_CONVENED else AFTERWARDS
        request = identified(polls_pb2.OpenPollRequest(name=poll.name, reason=late))
        for wait in patience():
            try:
                opened: polls_pb2.Poll = await self._ballots.OpenPoll(request, metadata=self._metadata)
                return opened
            except grpc.aio.AioRpcError as error:
                if reason(error) not in UNHEARD:
                    raise
            await asyncio.sleep(wait)
        raise RosterLate("the ballots service has not heard of who came")

    async def _staff(self, rpc: str, poll: polls_pb2.Poll) -> Any:
        kept = results_pb2 if rpc == "AnnouncePoll" else polls_pb2
        request = identified(getattr(kept, f"{rpc}Request")(name=poll.name))
        return await getattr(self._ballots, rpc)(request, metadata=self._metadata)

    async def _as_scrutineer(self, rpc: str, request: Any, person: str) -> Any:
        metadata = (("authorization", f"Bearer {self._token(person, 'scrutineer')}"),)
        return await getattr(self._ballots, rpc)(request, metadata=metadata)

    # --- electronic

    async def _each(self, persons: Sequence[str], act: Callable[[int, str], Any]) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(turn: int, person: str) -> None:
            async with places:
                await act(turn, person)

        async with asyncio.TaskGroup() as group:
            for turn, person in enumerate(persons):
                group.create_task(one(turn, person))

    def _kept(self, poll: polls_pb2.Poll, person: str) -> Path:
        """Where a delegate's device keeps the vote: a run that was cut goes on with what is there."""
        return self._folder / poll.name.removeprefix("polls/") / person.removeprefix("persons/")

    async def _take(self, poll: polls_pb2.Poll, person: str) -> None:
        hall, token = self._hall(poll.name), self._token(person, "delegate")
        voter = Voter(self._kept(poll, person), await hall.terms(token))
        for wait in patience():
            try:
                return await voter.take(hall.desk(token))
            except grpc.aio.AioRpcError as error:  # the news that this delegate came is under way
                if reason(error) != UNTAKEN:
                    raise
            await asyncio.sleep(wait)
        raise RosterLate("the ballots service has not heard that a delegate came")

    async def _cast(self, poll: polls_pb2.Poll, places: int, turn: int, person: str) -> None:
        voter = Voter.resume(self._kept(poll, person))
        options = [option.id for option in poll.questions[0].options]
        await voter.cast(
            self._hall(poll.name).box(voter.terms, self._box),
            {poll.questions[0].id: marked(options, places, turn)},
        )

    # --- counting

    async def _scrutinise(self, poll: polls_pb2.Poll, places: int, present: Sequence[str], electronic: bool) -> None:
        """Two of those who came count, each by themselves, and confirm what was counted."""
        scrutineers = present[-2:]
        if electronic:
            request = results_pb2.GetResultRequest(name=poll.name)
            seen = confirmed(await self._as_scrutineer("GetResult", request, scrutineers[0]))
        else:
            count = paper_count(poll, places, len(present))
            seen = confirmed_count(count)
            for person in scrutineers:
                entry = results_pb2.EnterPaperCountRequest.FromString(count.SerializeToString())
                await self._as_scrutineer("EnterPaperCount", identified(entry, person), person)
        for person in scrutineers:
            certified = results_pb2.CertifyPollRequest.FromString(seen.SerializeToString())
            await self._as_scrutineer("CertifyPoll", identified(certified, person), person)


def confirmed(seen: results_pb2.PollResult) -> results_pb2.CertifyPollRequest:
    """What a scrutineer says of the result that they were shown."""
    counts = [
        results_pb2.CountSeen(question=each.question.id, valid=each.valid, blank=each.blank) for each in seen.questions
    ]
    return results_pb2.CertifyPollRequest(name=seen.name, papers=seen.papers, ballots=seen.ballots, counts=counts)


def confirmed_count(entry: results_pb2.EnterPaperCountRequest) -> results_pb2.CertifyPollRequest:
    """What a scrutineer says of the count that they have made themselves."""
    counts = [
        results_pb2.CountSeen(
            question=each.question, valid=entry.returned - each.invalid - each.blank, blank=each.blank
        )
        for each in entry.questions
    ]
    return results_pb2.CertifyPollRequest(
        name=entry.name.partition("/boxes/")[0], papers=entry.issued, ballots=entry.returned, counts=counts
    )


def paper_count(poll: polls_pb2.Poll, places: int, papers: int) -> results_pb2.EnterPaperCountRequest:
    """What a scrutineer counted of the papers, all of which came back."""
    question = poll.questions[0]
    options = [
        results_pb2.OptionCount(option=option, marks=[results_pb2.MarkCount(mark=1, ballots=count)])
        for option, count in votes([option.id for option in question.options], places, papers).items()
    ]
    counts = [results_pb2.QuestionCount(question=question.id, options=options)]
    return results_pb2.EnterPaperCountRequest(
        name=f"{poll.name}/boxes/1", issued=papers, returned=papers, questions=counts
    )
