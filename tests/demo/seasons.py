"""The livelihood projects of 2023 of the whole city: voted on where they were not yet, and read back."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from quanyutong.ballots.v1 import campaigns_pb2 as campaigns
from quanyutong.ballots.v1 import polls_pb2, projects_pb2, results_pb2
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceStub
from quanyutong.meetings.v1.meeting_pb2 import (
    MEETING_KIND_ASSEMBLY,
    MEETING_KIND_CONGRESS_SESSION,
    PHASE_CLOSED,
    Meeting,
    MeetingKind,
)
from quanyutong.meetings.v1.meetings_pb2_grpc import MeetingsServiceStub
from quanyutong_client.hall import Hall
from tests.demo import plan
from tests.demo.candidates import candidates
from tests.demo.city import City
from tests.demo.holding import Holding
from tests.demo.meetings import Meetings
from tests.demo.polling import Polling
from tests.demo.programme import session
from tests.demo.registering import CONGRESS, District
from tests.demo.season import MOST, YEAR, Season, Vote
from tests.demo.voted import Voted

BODIES_AT_ONCE = 64
TOWNSHIP_ENDS = "乡"
Sessions: TypeAlias = Mapping[tuple[str, "MeetingKind.ValueType", int], Meeting]


class Seasons:
    """Held by tokens of each district's clerk, delegates and scrutineers; read by the city's overseer."""

    def __init__(
        self,
        city: City,
        meetings: Meetings,
        sessions: MeetingsServiceStub,
        stub: BallotsServiceStub,
        hall: Callable[[str], Hall],
        folder: Path,
    ) -> None:
        self._city = city
        self._meetings = meetings
        self._sessions = sessions
        self._stub = stub
        self._hall = hall
        self._folder = folder
        self._places = asyncio.Semaphore(BODIES_AT_ONCE)

    async def hold(self, districts: Iterable[District], advance: Callable[[], None]) -> int:
        """Holds all that is missing, or raises the first refusal. Returns how many bodies had not voted before."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._hold(each, advance)) for each in districts if each.projects]
        except ExceptionGroup as refusals:  # the first one ended the others
            raise first_of(refusals) from None
        return sum(task.result() for task in tasks)

    async def read(self, names: Iterable[str]) -> Voted:
        """What was voted on in the year, and by whom, as the services give it back."""
        codes = list(names)
        found = await asyncio.gather(*(self._read(code) for code in codes))
        return Voted(dict(zip(codes, found, strict=True)))

    async def board(self, district: str) -> bytes:
        """The published board of the vote of a district's congress."""
        metadata = self._city.picking(district)
        bodies = await self._meetings.bodies(metadata)
        wanted = polls_pb2.ListPollsRequest(body=bodies[CONGRESS], state=polls_pb2.POLL_STATE_ANNOUNCED, page_size=1)
        (poll,) = (await self._stub.ListPolls(wanted, metadata=metadata)).polls
        request = results_pb2.GetBoardRequest(name=f"{poll.name}/boxes/1")
        return b"".join([part.data async for part in self._stub.GetBoard(request, metadata=metadata)])

    async def _hold(self, district: District, advance: Callable[[], None]) -> int:
        metadata = self._city.staff(district.code)
        polling = Polling(
            self._stub,
            self._sessions,
            metadata,
            lambda person, role: self._city.person(district.code, person, role),
            self._city.box(district.code),
            self._hall,
            self._folder,
        )
        season = Season(self._stub, metadata, polling)
        async with self._places:
            bodies, listed, there = await asyncio.gather(
                self._meetings.bodies(metadata), self._meetings.listed([district.code]), season.there()
            )
        sessions = {(each.body, each.kind, each.number): each for each in listed[district.code]}

        async def one(vote: Vote) -> bool:
            """Gives its place up before the poll: until all are convened and listed, news of the session arrive."""
            missing = not (there.has_voted(vote.body) and _is_over(vote, sessions))
            if missing:
                async with self._places:
                    meeting = await self._in_session(district, vote, sessions)
                    candidates = await season.listed(vote, there, meeting)
                async with self._places:
                    await season.hold(vote, there, meeting, candidates)
                    await self._end(district, vote, meeting)
            advance()
            return missing

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(vote)) for vote in votes_of(district, bodies)]
        return sum(task.result() for task in tasks)

    async def _in_session(self, district: District, vote: Vote, sessions: Sessions) -> Meeting:
        """Where it votes: its congress in a session; an assembly in the first of its meetings, which is over."""
        if vote.level == campaigns.PROJECT_LEVEL_SUBDISTRICT:
            return sessions[vote.body, MEETING_KIND_ASSEMBLY, 1]
        sitting = session(district, vote.unit)
        found = sessions.get((vote.body, MEETING_KIND_CONGRESS_SESSION, sitting.number))
        return await self._holding(district).convene(sitting, vote.body, found)

    async def _end(self, district: District, vote: Vote, meeting: Meeting) -> None:
        if vote.level != campaigns.PROJECT_LEVEL_SUBDISTRICT:
            await self._holding(district).end(session(district, vote.unit), meeting)

    def _holding(self, district: District) -> Holding:
        return Holding(self._sessions, self._city.staff(district.code))

    async def _read(self, district: str) -> tuple[Sequence[polls_pb2.Poll], Sequence[projects_pb2.Project]]:
        metadata = self._city.picking(district)
        polls, projects = list[polls_pb2.Poll](), list[projects_pb2.Project]()
        asked = polls_pb2.ListPollsRequest(state=polls_pb2.POLL_STATE_ANNOUNCED, page_size=MOST)
        while True:
            found = await self._stub.ListPolls(asked, metadata=metadata)
            polls += found.polls
            if not (token := found.next_page_token):
                break
            asked.page_token = token
        wanted = projects_pb2.ListProjectsRequest(year=YEAR, page_size=MOST)
        while True:
            listed = await self._stub.ListProjects(wanted, metadata=metadata)
            projects += listed.projects
            if not (token := listed.next_page_token):
                return polls, projects
            wanted.page_token = token


def _is_over(vote: Vote, sessions: Sessions) -> bool:
    """Whether the session that voted was ended too; an assembly's meeting was over before."""
    if vote.level == campaigns.PROJECT_LEVEL_SUBDISTRICT:
        return True
    found = sessions.get((vote.body, MEETING_KIND_CONGRESS_SESSION, 1))
    return found is not None and found.phase == PHASE_CLOSED


def first_of(refusals: BaseExceptionGroup[Exception]) -> Exception:
    """Of groups within groups, the first refusal."""
    first = refusals.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first


def votes_of(district: District, bodies: Mapping[str, str]) -> Iterator[Vote]:
    """Each vote of the district's bodies. The congress votes without paper, and so do some towns."""
    for unit, places in sorted(district.projects.items()):
        place = unit or district.code
        yield Vote(
            unit=unit,
            body=bodies[unit],
            level=level_of(district, unit),
            places=places,
            candidates=list(candidates(place, plan.candidates(place, places))),
            electronic=unit == CONGRESS or unit in district.electronic,
            title=f"{district.units[unit] if unit else district.name}{YEAR}年民生实事项目票决",
        )


def level_of(district: District, unit: str) -> "campaigns.ProjectLevel.ValueType":
    if unit == CONGRESS:
        return campaigns.PROJECT_LEVEL_DISTRICT
    if unit not in district.towns:
        return campaigns.PROJECT_LEVEL_SUBDISTRICT
    township = district.units[unit].endswith(TOWNSHIP_ENDS)
    return campaigns.PROJECT_LEVEL_TOWNSHIP if township else campaigns.PROJECT_LEVEL_TOWN
