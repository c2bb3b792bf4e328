"""How many deputies check in a second, all at once and each by an own token and the code of the hall's screen.

The floor does what a check-in changes, with bare asyncpg, as many at once: it locks the row of the roll, updates it and
adds the movement, one transaction a deputy.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import grpc

from bench.measure import all_at_once, ratio
from chassis import development
from chassis.wire import timestamp
from quanyutong.meetings.v1 import attendance_pb2 as pb
from quanyutong.meetings.v1 import meeting_pb2
from quanyutong.meetings.v1.meetings_pb2_grpc import MeetingsServiceStub
from tests.harness import Platform

# The largest congress of the city, and what the gateway lets a district have under way.
DEPUTIES, AT_ONCE, ROUNDS = 450, 64, 3
POOL = 16
PATIENCE = 60.0
# The roster as the registry's events would fill it.
CONGRESS = """INSERT INTO meetings.assembly (district, id, kind, display_name)
              VALUES ($1, uuidv7(), 'district_congress', '某区人民代表大会') RETURNING id"""
TERM = """INSERT INTO meetings.term (district, assembly, number, start_date, end_date)
          VALUES ($1, $2, 1, '2020-01-01', '2120-01-01')"""
MANDATES = """INSERT INTO meetings.mandate (district, id, person, assembly, term, capacity, active_from)
              SELECT $1, uuidv7(), uuidv7(), $2, 1, 'deputy', '2020-01-01' FROM generate_series(1, $3)
              RETURNING person"""
TABLES = """
    DROP TABLE IF EXISTS floor_movement, floor_roll;
    CREATE TABLE floor_roll (meeting uuid, id uuid PRIMARY KEY, person uuid NOT NULL, state text NOT NULL,
        checked_in_at timestamptz, method text NOT NULL DEFAULT '', revision bigint NOT NULL DEFAULT 1,
        UNIQUE (meeting, person));
    CREATE TABLE floor_movement (id uuid PRIMARY KEY DEFAULT uuidv7(), attendee uuid NOT NULL REFERENCES floor_roll,
        at timestamptz NOT NULL, came boolean NOT NULL)"""
SEATS = "INSERT INTO floor_roll (meeting, id, person, state) SELECT $1, uuidv7(), unnest($2::uuid[]), 'invited'"
FIND = "SELECT * FROM floor_roll WHERE meeting = $1 AND person = $2 FOR UPDATE"
UPDATE = """UPDATE floor_roll
            SET (checked_in_at, method, state, revision) = ($2, 'code', 'confirmed', revision + 1) WHERE id = $1"""
MOVE = "INSERT INTO floor_movement (attendee, at, came) VALUES ($1, $2, true)"


@dataclass
class CheckedIn:
    """Seconds of each round for all deputies, through the service and bare; and of single check-ins."""

    service: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    each: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return ratio(self.service, self.bare)


async def checking_in(city: Platform) -> CheckedIn:
    """A meeting of one congress each round: whoever is there already would not be checked in again."""
    found, district = CheckedIn(), await city.fresh_district()
    async with (
        asyncpg.create_pool(city.postgres.url, min_size=POOL, max_size=POOL) as pool,
        grpc.aio.insecure_channel(city.address("gateway", "meetings")) as channel,
    ):
        congress, persons = await _seated(pool, district)
        await pool.execute(TABLES)
        hall = _Hall(city, MeetingsServiceStub(channel), district, congress, persons)
        for _ in range(ROUNDS):
            found.bare.append(await _bare(pool, persons))
            found.service.append(await hall.filled(found.each))
    return found


async def _seated(pool: asyncpg.Pool, district: str) -> tuple[UUID, Sequence[UUID]]:
    congress = await pool.fetchval(CONGRESS, district)
    await pool.execute(TERM, district, congress)
    return congress, [row["person"] for row in await pool.fetch(MANDATES, district, congress, DEPUTIES)]


class _Hall:
    """One congress and its deputies, each with a token."""

    def __init__(
        self, city: Platform, stub: MeetingsServiceStub, district: str, congress: UUID, persons: Sequence[UUID]
    ) -> None:
        self._stub = stub
        self._congress = congress
        self._clerk = city.metadata(["clerk"], district)
        tokens = (development.token(city.settings, f"persons/{one}", ["delegate"], district) for one in persons)
        self._deputies = [[("authorization", f"Bearer {token}")] for token in tokens]

    async def filled(self, each: list[float]) -> float:
        """Seconds until all have checked in to a meeting of their own."""
        meeting = await self._called()
        shown = await self._stub.IssueCheckInCode(pb.IssueCheckInCodeRequest(name=meeting), metadata=self._clerk)

        async def come(deputy: list[tuple[str, str]]) -> None:
            begun = time.perf_counter()
            request = pb.CheckInRequest(name=meeting, code=shown.code, request_id=str(uuid4()))
            await self._stub.CheckIn(request, metadata=deputy, timeout=PATIENCE)
            each.append(time.perf_counter() - begun)

        seconds = await all_at_once(come, self._deputies, AT_ONCE)
        quorum = await self._stub.GetQuorum(pb.GetQuorumRequest(name=meeting), metadata=self._clerk)
        assert quorum.present == DEPUTIES, quorum
        return seconds

    async def _called(self) -> str:
        """A meeting of this very hour, like those of the rounds before, with the roll taken."""
        start = datetime.now(UTC)
        entry = meeting_pb2.Meeting(
            body=f"assemblies/{self._congress}",
            kind=meeting_pb2.MEETING_KIND_CONGRESS_SESSION,
            display_name="签到试验",
            start_time=timestamp(start),
            end_time=timestamp(start + timedelta(hours=1)),
        )
        request = meeting_pb2.CreateMeetingRequest(meeting=entry, overlap_reason="试验", request_id=str(uuid4()))
        meeting = await self._stub.CreateMeeting(request, metadata=self._clerk)
        invite = pb.InviteDelegatesRequest(name=meeting.name)
        taken = await self._stub.InviteDelegates(invite, metadata=self._clerk, timeout=PATIENCE)
        assert taken.expected == DEPUTIES, taken
        return str(meeting.name)


async def _bare(pool: asyncpg.Pool, persons: Sequence[UUID]) -> float:
    meeting = uuid4()
    await pool.execute(SEATS, meeting, persons)

    async def come(person: UUID) -> None:
        now = datetime.now(UTC)
        async with pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(FIND, meeting, person)
            await connection.execute(UPDATE, row["id"], now)
            await connection.execute(MOVE, row["id"], now)

    return await all_at_once(come, persons, AT_ONCE)
