"""The secretariat (会务) of a fresh district: prepares and holds meetings of the bodies that its office entered."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import grpc

from chassis import clock, development
from chassis.bus import Bus
from chassis.manifest import subject_of
from chassis.wire import timestamp
from quanyutong.meetings.v1 import attendance_pb2, events_pb2, meeting_pb2, venues_pb2
from quanyutong.registry.v1 import activities_pb2
from tests.contract.office import Office, in_days
from tests.harness import reason, until

ASSEMBLY_MEETING = meeting_pb2.MEETING_KIND_ASSEMBLY
UNHEARD = ("ERROR_REASON_BODY_NOT_FOUND", "ERROR_REASON_TERM_NOT_OPEN")


def in_hours(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def morning(days: int = 0) -> datetime:
    """When a day begins in Chongqing: whatever the time is, a meeting that begins then is on that day."""
    return clock.beginning(in_days(days))


class Secretariat(Office):
    """Calls both services, as clerk, examiner and administrator at once."""

    async def venue(self, display_name: str = "三楼会议室", **fields: Any) -> str:
        venue = venues_pb2.Venue(display_name=display_name, **fields)
        return str((await self.meet("CreateVenue", venues_pb2.CreateVenueRequest(venue=venue))).name)

    async def assembly_of(self, seats: int, unit: int = 1) -> str:
        """An assembly with so many delegates in force, of whom the meetings service has heard."""
        term = await self.term(await self.assembly(await self.unit(unit)))
        for _ in range(seats):
            await self.delegate(term)
        return term.partition("/terms/")[0]

    def planned(self, body: str, start: datetime | None = None, **fields: Any) -> meeting_pb2.Meeting:
        """A meeting of three hours; in a week unless told when."""
        start = start or in_hours(24 * 7)
        given = {"kind": ASSEMBLY_MEETING, "display_name": "第一次会议", **fields}
        times = {"start_time": timestamp(start), "end_time": timestamp(start + timedelta(hours=3))}
        return meeting_pb2.Meeting(body=body, **(times | given))

    async def meeting(self, body: str, start: datetime | None = None, **fields: Any) -> meeting_pb2.Meeting:
        """Entered as soon as the meetings service has heard of the body."""
        request = meeting_pb2.CreateMeetingRequest(meeting=self.planned(body, start, **fields))

        async def entered() -> meeting_pb2.Meeting | None:
            try:
                found: meeting_pb2.Meeting = await self.meet("CreateMeeting", request)
            except grpc.aio.AioRpcError as error:
                if reason(error) in UNHEARD:
                    return None
                raise
            return found

        made = await until(entered)
        assert made is not None
        return made

    async def do(self, verb: str, meeting: str, **fields: Any) -> meeting_pb2.Meeting:
        """`verb` is `Convene`, `Adjourn`, `Close`, `Postpone`, `Cancel` or `Reschedule`."""
        request = getattr(meeting_pb2, f"{verb}MeetingRequest")(name=meeting, **fields)
        done: meeting_pb2.Meeting = await self.meet(f"{verb}Meeting", request)
        return done

    async def called(self, meeting: str, seats: int) -> list[attendance_pb2.Attendee]:
        """The roll, as soon as so many seats are on it."""

        async def taken() -> bool:
            roll = await self.meet("InviteDelegates", attendance_pb2.InviteDelegatesRequest(name=meeting))
            return bool(roll.expected == seats and not roll.unnamed)

        await until(taken)
        return await self.roll(meeting)

    async def roll(self, meeting: str, **filters: Any) -> list[attendance_pb2.Attendee]:
        request = attendance_pb2.ListAttendeesRequest(parent=meeting, page_size=500, **filters)
        return list((await self.meet("ListAttendees", request)).attendees)

    async def quorum(self, meeting: str) -> attendance_pb2.Quorum:
        found: attendance_pb2.Quorum = await self.meet("GetQuorum", attendance_pb2.GetQuorumRequest(name=meeting))
        return found

    async def enter(self, meeting: str, *attendees: str, **fields: Any) -> list[attendance_pb2.Attendee]:
        """Checks them in as the clerk does."""
        presences = [attendance_pb2.Presence(attendee=attendee, **fields) for attendee in attendees]
        request = attendance_pb2.BatchCheckInRequest(name=meeting, presences=presences)
        return list((await self.meet("BatchCheckIn", request)).attendees)

    async def ready(
        self, seats: int, present: int, start: datetime | None = None, unit: int = 1, **fields: Any
    ) -> tuple[str, list[str]]:
        """A meeting in preparation whose roll is taken, some of it checked in; and the mandates."""
        body = await self.assembly_of(seats, unit)
        meeting = (await self.meeting(body, start or in_hours(-1), **fields)).name
        mandates = [attendee.mandate for attendee in await self.called(meeting, seats)]
        if present:
            await self.enter(meeting, *mandates[:present])
        return meeting, mandates

    async def found(self, meeting: str) -> meeting_pb2.Meeting:
        read: meeting_pb2.Meeting = await self.meet("GetMeeting", meeting_pb2.GetMeetingRequest(name=meeting))
        return read

    async def count(self, query: str, *values: Any) -> int:
        """What a counting query of the database says, seen in the district."""
        connection = await asyncpg.connect(self.tenant.platform.postgres.url)
        try:
            await connection.execute("SELECT set_config('app.district', $1, false)", self.district)
            return int(await connection.fetchval(query, *values))
        finally:
            await connection.close()

    async def movements(self, meeting: str) -> int:
        """How often somebody came or went."""
        query = "SELECT count(*) FROM meetings.movement WHERE meeting = $1"
        return await self.count(query, UUID(meeting.partition("/")[2]))

    async def attended(self, meeting: str, delegates: int) -> set[str]:
        """The mandates that took part by the performance record, as soon as they are so many."""
        request = activities_pb2.ListActivitiesRequest()

        async def recorded() -> set[str]:
            for each in (await self.call("ListActivities", request)).activities:
                if (each.source, each.delegates) == (meeting, delegates):
                    found = await self.call("GetActivity", activities_pb2.GetActivityRequest(name=each.name))
                    return set(found.mandates)
            return set()

        return await until(recorded)


def own_token(secretariat: Secretariat, person: str) -> list[tuple[str, str]]:
    """What a delegate's call carries."""
    token = development.token(secretariat.tenant.platform.settings, person, ["delegate"], secretariat.district)
    return [("authorization", f"Bearer {token}")]


async def in_person(secretariat: Secretariat, rpc: str, request: Any, person: str) -> Any:
    return await getattr(secretariat.tenant.meetings, rpc)(request, metadata=own_token(secretariat, person))


async def told_exactly(secretariat: Secretariat, number: int) -> bool:
    """Whether everything is told, and among it so many attendances. Fails when they are more."""
    if await secretariat.count("SELECT count(*) FROM meetings.outbox WHERE district = $1", secretariat.district):
        return False
    subject = subject_of(events_pb2.AttendanceRecorded.DESCRIPTOR.full_name, secretariat.district)
    bus = await Bus.connect(secretariat.tenant.platform.nats.url, "test")
    try:
        told = (await bus.js.stream_info("QYT_MEETINGS", subjects_filter=subject)).state.subjects or {}
    finally:
        await bus.close()
    assert told.get(subject, 0) <= number
    return told.get(subject, 0) == number
