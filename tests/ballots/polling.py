"""The polling staff (票务) of a fresh district: holds a vote as it is held in a hall, through the test's own door."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import UUID

import asyncpg
import grpc

from chassis import development
from quanyutong.ballots.v1 import polls_pb2, questions_pb2, results_pb2, voting_pb2
from quanyutong_client import Voter
from quanyutong_client.hall import Hall
from quanyutong_client.marking import Choices
from tests.conftest import Tenant
from tests.contract.office import Office
from tests.harness import reason, refused, until
from tests.meetings.secretariat import Secretariat, in_hours

ELECTRONIC, PAPER = polls_pb2.POLL_METHOD_ELECTRONIC, polls_pb2.POLL_METHOD_PAPER
SCRUTINEERS = ("persons/0190a1b2-0000-7000-8000-0000000000a1", "persons/0190a1b2-0000-7000-8000-0000000000a2")


def candidates(count: int) -> list[questions_pb2.Option]:
    return [questions_pb2.Option(id=f"p{number:02}", title=f"民生实事{number}") for number in range(1, count + 1)]


def projects(count: int = 3, places: int = 2, **rule: Any) -> questions_pb2.Question:
    rule = {"places": places, **rule}
    return questions_pb2.Question(
        id="projects", title="票决民生实事项目", options=candidates(count), select=questions_pb2.SelectRule(**rule)
    )


def scores(**rule: Any) -> questions_pb2.Question:
    options = [questions_pb2.Option(id="r01", title="半年工作报告")]
    return questions_pb2.Question(
        id="reports", title="满意度测评", options=options, scores=questions_pb2.ScoresRule(**rule)
    )


def grades(**rule: Any) -> questions_pb2.Question:
    options = [questions_pb2.Option(id="o01", title="派出法庭")]
    return questions_pb2.Question(
        id="offices", title="工作评议", options=options, grades=questions_pb2.GradesRule(**rule)
    )


def motion(**rule: Any) -> questions_pb2.Question:
    options = [questions_pb2.Option(id="m01", title="关于财政决算的决议")]
    return questions_pb2.Question(
        id="motions", title="议案表决", options=options, motion=questions_pb2.MotionRule(**rule)
    )


@dataclass
class Vote:
    """A poll that is held: its name, and the delegates who may vote."""

    poll: str
    meeting: str
    mandates: list[str]
    persons: list[str]
    voters: list[Voter] = field(default_factory=list)


class Polling(Secretariat):
    """Calls all services, as clerk, examiner and administrator at once."""

    def __init__(self, tenant: Tenant, folder: Path) -> None:
        super().__init__(tenant)
        self._folder = folder

    def token(self, subject: str, role: str) -> str:
        return development.token(self.tenant.platform.settings, subject, [role], self.district)

    async def as_person(self, rpc: str, request: Any, person: str, role: str = "delegate") -> Any:
        metadata = [("authorization", f"Bearer {self.token(person, role)}")]
        return await getattr(self.tenant.ballots, rpc)(request, metadata=metadata)

    def hall(self, poll: str) -> Hall:
        return Hall(self.tenant.platform.address(self.tenant.door, "ballots"), poll)

    async def convened(self, seats: int, present: int | None = None) -> tuple[str, list[str], list[str]]:
        """A meeting in session of which the ballots service has heard; the mandates and persons on its roll."""
        meeting, _ = await self.ready(seats, seats if present is None else present)
        await self.do("Convene", meeting)
        roll = await self.roll(meeting)
        return meeting, [attendee.mandate for attendee in roll], [attendee.person for attendee in roll]

    async def draft(self, meeting: str, *questions: questions_pb2.Question, **fields: Any) -> polls_pb2.Poll:
        """Entered as soon as the ballots service has heard of the meeting."""
        given = {"title": "民生实事项目票决", "method": ELECTRONIC, **fields}
        poll = polls_pb2.Poll(meeting=meeting, questions=questions or [projects()], **given)
        request = polls_pb2.CreatePollRequest(poll=poll)

        async def entered() -> polls_pb2.Poll | None:
            found: polls_pb2.Poll | None = await self._unless(
                ("ERROR_REASON_MEETING_NOT_FOUND",), "CreatePoll", request
            )
            return found

        drafted = await until(entered)
        assert drafted is not None
        return drafted

    async def _unless(self, waiting: Sequence[str], rpc: str, request: Any) -> Any:
        """The answer; None where the call is refused because news have not arrived yet."""
        try:
            return await self.vote(rpc, request)
        except grpc.aio.AioRpcError as error:
            if reason(error) in waiting:
                return None
            raise

    async def do_poll(self, verb: str, poll: str, **fields: Any) -> polls_pb2.Poll:
        """`verb` is `Open`, `Close`, `Void` or `StartVoting`."""
        rpc = verb if verb == "StartVoting" else f"{verb}Poll"
        done: polls_pb2.Poll = await self.vote(rpc, getattr(polls_pb2, f"{rpc}Request")(name=poll, **fields))
        return done

    async def opened(
        self, seats: int, *questions: questions_pb2.Question, present: int | None = None, **fields: Any
    ) -> Vote:
        """A poll whose papers can be taken."""
        meeting, mandates, persons = await self.convened(seats, present)
        poll = await self.draft(meeting, *questions, **fields)
        await self.open(poll.name, present=seats if present is None else present)
        return Vote(poll.name, meeting, mandates, persons)

    async def opened_at(self, assembly: str, seats: int) -> Vote:
        """A poll of a meeting that this assembly holds, beside no other of today; it has so many delegates."""
        meeting = (await self.meeting(assembly, in_hours(-6))).name
        roll = await self.called(meeting, seats)
        await self.enter(meeting, *(attendee.mandate for attendee in roll))
        await self.do("Convene", meeting)
        poll = await self.draft(meeting)
        await self.open(poll.name, present=seats)
        return Vote(poll.name, meeting, [each.mandate for each in roll], [each.person for each in roll])

    async def announced_at(self, assembly: str) -> Vote:
        """A poll of its one delegate, who took no paper: everything of it can be read."""
        vote = await self.opened_at(assembly, 1)
        await self.voted(vote, [])
        await self.certified(vote.poll)
        await self.announce(vote.poll)
        return vote

    async def open(self, poll: str, present: int, **fields: Any) -> polls_pb2.Poll:
        """Opened as soon as the ballots service has heard that the meeting was convened, and who is there."""
        request = polls_pb2.OpenPollRequest(name=poll, **fields)
        waiting = ("ERROR_REASON_MEETING_NOT_CONVENED", "ERROR_REASON_QUORUM_MISSING") if present else ()

        async def done() -> polls_pb2.Poll | None:
            opened: polls_pb2.Poll | None = await self._unless(waiting, "OpenPoll", request)
            return opened

        found = await until(done)
        assert found is not None
        # A quorum opens a poll, but whoever checked in last is to get a paper too.
        await until(lambda: self._seen(found.meeting, present))
        return found

    async def _seen(self, meeting: str, present: int) -> bool:
        """Whether the ballots service has heard of so many who checked in."""
        connection = await asyncpg.connect(self.tenant.platform.postgres.url)
        try:
            await connection.execute("SELECT set_config('app.district', $1, false)", self.district)
            query = "SELECT count(*) FROM ballots.seat WHERE district = $1 AND meeting = $2 AND attended"
            heard: int = await connection.fetchval(query, self.district, UUID(meeting[9:]))
        finally:
            await connection.close()
        return heard >= present

    async def voter(self, vote: Vote, place: int) -> Voter:
        """The delegate at this place of the roll, with a paper."""
        token, hall = self.token(vote.persons[place], "delegate"), self.hall(vote.poll)
        voter = Voter(self.folder_of(vote, place), await hall.terms(token))
        await voter.take(hall.desk(token))
        return voter

    async def papers(self, vote: Vote, count: int | None = None) -> None:
        places = range(len(vote.persons) if count is None else count)
        vote.voters = list(await asyncio.gather(*(self.voter(vote, place) for place in places)))

    async def cast(self, vote: Vote, voter: Voter, choices: Choices, spoil: bool = False) -> None:
        await voter.cast(self.hall(vote.poll).box(voter.terms, self.token("box", "ballot_box")), choices, spoil=spoil)

    async def voted(self, vote: Vote, choices: Sequence[Choices], spoil: bool = False) -> None:
        """Everybody takes a paper, and as many as there are choices vote; then the poll is closed."""
        await self.papers(vote)
        await self.do_poll("StartVoting", vote.poll)
        chosen = zip(vote.voters, choices, strict=False)
        await asyncio.gather(*(self.cast(vote, voter, choice, spoil) for voter, choice in chosen))
        await self.do_poll("Close", vote.poll)

    async def result(self, poll: str, role: str = "scrutineer") -> results_pb2.PollResult:
        found: results_pb2.PollResult = await self.vote("GetResult", results_pb2.GetResultRequest(name=poll), role)
        return found

    async def certify(self, poll: str, person: str, **changed: Any) -> polls_pb2.Poll:
        """Confirms what was counted, but for what is changed."""
        seen = await self.result(poll)
        counts = [
            results_pb2.CountSeen(question=each.question.id, valid=each.valid, blank=each.blank)
            for each in seen.questions
        ]
        given: dict[str, Any] = {"papers": seen.papers, "ballots": seen.ballots, "counts": counts} | changed
        request = results_pb2.CertifyPollRequest(name=poll, **given)
        done: polls_pb2.Poll = await self.as_person("CertifyPoll", request, person, "scrutineer")
        return done

    async def certified(self, poll: str) -> None:
        for person in SCRUTINEERS:
            await self.certify(poll, person)

    async def announce(self, poll: str) -> results_pb2.PollResult:
        done: results_pb2.PollResult = await self.vote("AnnouncePoll", results_pb2.AnnouncePollRequest(name=poll))
        return done

    async def board(self, poll: str, box: int = 1, role: str = "viewer") -> bytes:
        request = results_pb2.GetBoardRequest(name=f"{poll}/boxes/{box}")
        parts = self.tenant.ballots.GetBoard(request, metadata=self.tenant.metadata(role))
        return b"".join([part.data async for part in parts])

    def folder_of(self, vote: Vote, place: int) -> Path:
        """Where the delegate at this place of the roll keeps the vote."""
        return self._folder / vote.poll / f"{place}"

    async def absent(self, vote: Vote) -> str:
        """A person on the roll of whom nobody has said that they attend."""
        request = voting_pb2.GetEntitlementRequest(name=vote.poll)
        for person in vote.persons:
            if not (await self.as_person("GetEntitlement", request, person)).present:
                return person
        raise AssertionError("everybody is there")

    async def until_over(self, meeting: str) -> None:
        """Until the ballots service has heard that the session is over: no poll is opened then any more."""

        async def over() -> bool:
            request = polls_pb2.OpenPollRequest(name=(await self.draft(meeting)).name)
            return await self._unless(("ERROR_REASON_SESSION_OVER",), "OpenPoll", request) is None

        await until(over)

    async def lose_attendance(self, meeting: str) -> None:
        """As if a meeting had been convened at which nobody was seen: meetings convenes none without its quorum."""
        connection = await asyncpg.connect(self.tenant.platform.postgres.url)
        try:
            await connection.execute("SELECT set_config('app.district', $1, false)", self.district)
            await connection.execute("UPDATE ballots.seat SET attended = false WHERE meeting = $1", UUID(meeting[9:]))
        finally:
            await connection.close()

    async def turnout(self, poll: str) -> voting_pb2.Turnout:
        found: voting_pb2.Turnout = await self.vote("GetTurnout", voting_pb2.GetTurnoutRequest(name=poll))
        return found

    async def refused(self, rpc: str, request: Any, *roles: str) -> str:
        return (await refused(self.vote(rpc, request, *roles))).removeprefix("ERROR_REASON_")


def outcomes(result: results_pb2.PollResult, question: int = 0) -> Mapping[str, str]:
    return {
        option.id: results_pb2.Outcome.Name(option.outcome).removeprefix("OUTCOME_").lower()
        for option in result.questions[question].options
    }


def polling_of(office: Office) -> Polling:
    """The polling staff of an office's district, with a folder that nobody else has."""
    return Polling(office.tenant, Path(mkdtemp()))
