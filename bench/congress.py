"""A congress in session with a poll: its delegates, their papers, their ballots, the close."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from bench.delegates import Devices
from bench.measure import all_at_once
from chassis import development
from quanyutong.ballots.v1 import polls_pb2, questions_pb2, voting_pb2
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceStub
from tests.harness import Platform

# What a process of the services lets one district have under way.
AT_ONCE = 64
PATIENCE = 120.0
CANDIDATES, PLACES = 15, 10
# The roster as the events of the registry and of the meetings service would fill it.
MEETING = """INSERT INTO ballots.meeting (district, id, body, kind, phase, convened_at, expected, present, needed)
             VALUES ($1, uuidv7(), 'assemblies/' || uuidv7(), 'congress_session', 'convened', now(), $2, $2, $2)
             RETURNING id"""
SEATS = """INSERT INTO ballots.seat (district, meeting, mandate, person, attended)
           SELECT $1, $2, uuidv7(), uuidv7(), true FROM generate_series(1, $3) RETURNING person"""
BOARD = "SELECT board FROM ballots.box WHERE poll = $1"

Token = Sequence[tuple[str, str]]


@dataclass
class Congress:
    """Its poll is open; the lists have an entry for each delegate."""

    stub: BallotsServiceStub
    poll: str
    terms: str
    clerk: Token
    box: Token
    delegates: list[Token]
    secrets: list[bytes] = field(default_factory=list)
    blinded: list[bytes] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    ballots: list[bytes] = field(default_factory=list)

    @property
    def key(self) -> UUID:
        return UUID(self.poll.partition("/")[2])

    async def ask(self) -> None:
        """Every delegate asks where to vote, and gets the terms."""
        request = voting_pb2.GetEntitlementRequest(name=self.poll)

        async def one(delegate: Token) -> None:
            found = await self.stub.GetEntitlement(request, metadata=delegate, timeout=PATIENCE)
            assert found.box.terms == self.terms

        await all_at_once(one, self.delegates, AT_ONCE)

    async def blind(self, devices: Devices) -> None:
        for secret, message in await devices.blind(self.terms, len(self.delegates)):
            self.secrets.append(secret)
            self.blinded.append(message)

    async def take(self) -> float:
        """Every delegate takes a paper; seconds."""
        self.answers = [b""] * len(self.delegates)

        async def one(place: int) -> None:
            request = voting_pb2.TakePaperRequest(name=self.poll, blinded_message=self.blinded[place])
            answer = await self.stub.TakePaper(request, metadata=self.delegates[place], timeout=PATIENCE)
            self.answers[place] = answer.blind_signature

        return await all_at_once(one, range(len(self.delegates)), AT_ONCE)

    async def start(self) -> None:
        request = polls_pb2.StartVotingRequest(name=self.poll)
        await self.stub.StartVoting(request, metadata=self.clerk, timeout=PATIENCE)

    async def fill_in(self, devices: Devices) -> None:
        self.ballots = await devices.fill_in(self.terms, self.secrets, self.answers)

    async def cast(self) -> float:
        """Every ballot goes into the box; seconds."""

        async def one(ballot: bytes) -> None:
            request = voting_pb2.CastBallotRequest(name=f"{self.poll}/boxes/1", ballot=ballot)
            await self.stub.CastBallot(request, metadata=self.box, timeout=PATIENCE)

        return await all_at_once(one, self.ballots, AT_ONCE)

    async def close(self) -> None:
        request = polls_pb2.ClosePollRequest(name=self.poll)
        await self.stub.ClosePoll(request, metadata=self.clerk, timeout=PATIENCE)

    async def board(self, pool: asyncpg.Pool) -> bytes:
        """As it will be published."""
        text: str = await pool.fetchval(BOARD, self.key)
        return text.encode()


async def convened(city: Platform, pool: asyncpg.Pool, stub: BallotsServiceStub, district: str, seats: int) -> Congress:
    """In this district, with so many delegates who are all there, and an open poll."""
    async with pool.acquire() as connection, connection.transaction():
        meeting = await connection.fetchval(MEETING, district, seats)
        persons = [row["person"] for row in await connection.fetch(SEATS, district, meeting, seats)]
    clerk = city.metadata(["clerk"], district)
    entry = polls_pb2.Poll(
        title="民生实事项目票决",
        meeting=f"meetings/{meeting}",
        method=polls_pb2.POLL_METHOD_ELECTRONIC,
        questions=[_projects()],
    )
    draft = await stub.CreatePoll(polls_pb2.CreatePollRequest(poll=entry), metadata=clerk, timeout=PATIENCE)
    poll = await stub.OpenPoll(polls_pb2.OpenPollRequest(name=draft.name), metadata=clerk, timeout=PATIENCE)

    def token(subject: str, role: str) -> Token:
        return [("authorization", f"Bearer {development.token(city.settings, subject, [role], district)}")]

    delegates = [token(f"persons/{person}", "delegate") for person in persons]
    return Congress(stub, poll.name, poll.boxes[0].terms, clerk, token("box", "ballot_box"), delegates)


def _projects() -> questions_pb2.Question:
    """As in Nan'an: the ten with most votes of fifteen."""
    options = [
        questions_pb2.Option(id=f"p{number:02}", title=f"民生实事{number}") for number in range(1, CANDIDATES + 1)
    ]
    rule = questions_pb2.SelectRule(places=PLACES)
    return questions_pb2.Question(id="projects", title="票决民生实事项目", options=options, select=rule)
