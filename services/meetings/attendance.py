"""Who is on the roll, what they answered to the invitation, the observers (列席人员), and the quorum."""

from functools import cache
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import and_, bindparam, delete, insert, not_, select, update

from chassis import auth
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.merges import kept_person
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import identifier, number, timestamp, word
from quanyutong.meetings.v1 import attendance_pb2 as pb
from quanyutong.options.v1 import options_pb2
from quanyutong.registry.v1 import mandates_pb2
from services.meetings import domain
from services.meetings.domain import Refused
from services.meetings.meetings import day_of, load_meeting, meeting_name
from services.meetings.roll import COUNTS, FORGET, quorum_of
from services.meetings.tables import meeting, roll, speaker

Context = grpc.aio.ServicerContext[Any, Any]
HERE = and_(roll.c.checked_in_at.is_not(None), roll.c.left_at.is_(None))
OF_MEETING = select(roll).where(roll.c.meeting == bindparam("meeting")).with_for_update()
BY_MANDATE = Sql(OF_MEETING.where(roll.c.mandate == bindparam("key")))
BY_ID = Sql(OF_MEETING.where(roll.c.id == bindparam("key")))
# Of two seats of one person, as after a merge, the first.
BY_PERSON = Sql(OF_MEETING.where(roll.c.person == bindparam("key")).order_by(roll.c.id).limit(1))
# Many hold it at once; convening, which changes the meeting, waits for all of them.
HOLD = Sql(select(meeting).where(meeting.c.id == bindparam("key")).with_for_update(read=True))
OBSERVE = Sql(
    insert(roll).values(observer=True).returning(roll),
    columns=("meeting", "display_name"),
)
ON_A_LIST = Sql(select(speaker.c.id).where(speaker.c.attendee == bindparam("attendee")).limit(1))
SAVE = update(roll).where(roll.c.id == bindparam("key")).returning(roll)
REMOVE = Sql(delete(roll).where(roll.c.id == bindparam("key")))
# Until a meeting is over, and afterwards while it is summed up.
OPEN = ("preparation", "convened", "summary")


class Attendance:
    _database: Database

    async def ListAttendees(self, request: pb.ListAttendeesRequest, _: Context) -> pb.ListAttendeesResponse:
        statement = select(roll).where(roll.c.meeting == identifier(request.parent))
        if request.state:
            statement = statement.where(roll.c.state == word(pb.AttendeeState, request.state))
        if request.presence:
            statement = statement.where(HERE if request.presence == pb.PRESENCE_FILTER_PRESENT else not_(HERE))
        async with self._database.read() as tx:
            await load_meeting(tx, request.parent)
            rows, token = await page(tx, request, statement, (roll.c.id, identifier))
        return pb.ListAttendeesResponse(attendees=map(attendee_message, rows), next_page_token=token)

    async def ConfirmAttendance(self, request: pb.ConfirmAttendanceRequest, _: Context) -> pb.Attendee:
        async with self._database.write() as tx:
            row = await hold_meeting(tx, request.name, ("preparation", "convened"))
            member = await load_attendee(tx, row.id, request.mandate)
            if member.state != "confirmed":
                member = await save_attendee(tx, member, state="confirmed", leave_reason="")
            return tx.reply(attendee_message(member))

    async def RequestLeave(self, request: pb.RequestLeaveRequest, _: Context) -> pb.Attendee:
        async with self._database.write() as tx:
            row = await hold_meeting(tx, request.name, OPEN)
            member = await load_attendee(tx, row.id, request.mandate)
            if is_present(member):
                raise Refused("ALREADY_PRESENT", attendee=seat_name(member))
            saved = await save_attendee(tx, member, state="on_leave", leave_reason=request.reason)
            return tx.reply(attendee_message(saved))

    async def AddObserver(self, request: pb.AddObserverRequest, _: Context) -> pb.Attendee:
        async with self._database.write() as tx:
            row = await hold_meeting(tx, request.parent, OPEN)
            observer = await tx.one(OBSERVE, meeting=row.id, display_name=request.display_name)
            return tx.reply(attendee_message(observer))

    async def RemoveObserver(self, request: pb.RemoveObserverRequest, _: Context) -> pb.RemoveObserverResponse:
        async with self._database.write() as tx:
            row = await hold_meeting(tx, request.name.partition("/attendees/")[0], OPEN)
            found = await load_attendee(tx, row.id, request.name)
            if not found.observer:
                raise Refused("NOT_AN_OBSERVER", attendee=request.name)
            if await tx.first(ON_A_LIST, attendee=found.id):
                raise Refused("SPEAKER_ENLISTED", attendee=request.name)
            await tx.execute(FORGET, keys=[found.id])
            await tx.execute(REMOVE, key=found.id)
            return tx.reply(pb.RemoveObserverResponse())

    async def GetQuorum(self, request: pb.GetQuorumRequest, _: Context) -> pb.Quorum:
        async with self._database.read() as tx:
            row = await load_meeting(tx, request.name)
            return await quorum_message(tx, row, await tx.one(COUNTS, meeting=row.id))


async def hold_meeting(tx: WriteTx, name: str, phases: tuple[str, ...]) -> Row:
    """The meeting, whose phase nobody changes before the transaction ends.

    Raises Refused MEETING_NOT_FOUND, PHASE_REFUSED.
    """
    row = await tx.first(HOLD, key=identifier(name))
    if row is None:
        raise Refused("MEETING_NOT_FOUND", meeting=name)
    domain.check_phase(row.phase, phases)
    return row


async def load_attendee(tx: WriteTx, meeting: UUID, name: str) -> Row:
    """Somebody on the roll, locked; the caller in person where there is no name.

    Raises Refused ATTENDEE_NOT_FOUND, ATTENDEE_REFUSED.
    """
    own = await _own(tx) if not name or not is_clerk() else None
    if name:
        found = await _named(tx, meeting, name)
        if own is not None and (found is None or found.person != own):
            raise Refused("ATTENDEE_REFUSED")
    else:
        name, found = f"persons/{own}", await tx.first(BY_PERSON, meeting=meeting, key=own)
    if found is None:
        raise Refused("ATTENDEE_NOT_FOUND", attendee=name, meeting=meeting_name(meeting))
    return found


async def _named(tx: WriteTx, meeting: UUID, name: str) -> Row | None:
    """By the mandate or by the place on the roll; None where the name is of another meeting's roll."""
    owner, _, _ = name.partition("/attendees/")
    if owner not in (name, meeting_name(meeting)):
        return None
    return await tx.first(BY_ID if owner != name else BY_MANDATE, meeting=meeting, key=identifier(name))


async def _own(tx: WriteTx) -> UUID:
    """The person who calls; where two entries were merged, the one that was kept."""
    subject = auth.caller.get().subject
    try:
        if not subject.startswith("persons/"):
            raise ValueError(subject)
        key = identifier(subject)
    except ValueError:
        raise Refused("ATTENDEE_REFUSED") from None
    return await kept_person(tx, key)


def is_clerk() -> bool:
    return options_pb2.ROLE_CLERK in auth.caller.get().roles


async def save_attendee(tx: WriteTx, row: Row, **changes: Any) -> Row:
    changes["revision"] = row.revision + 1
    return await tx.one(_saving(tuple(changes)), key=row.id, **changes)


@cache
def _saving(columns: tuple[str, ...]) -> Sql:
    """Made once for each of the few choices of columns: a hall that fills asks for little else."""
    return Sql(SAVE, columns=columns)


def is_present(row: Row) -> bool:
    return row.checked_in_at is not None and row.left_at is None


def seat_name(row: Row) -> str:
    return attendee_name(row) if row.observer else f"mandates/{row.mandate}"


def attendee_name(row: Row) -> str:
    return f"{meeting_name(row.meeting)}/attendees/{row.id}"


def attendee_message(row: Row) -> pb.Attendee:
    return pb.Attendee(
        name=attendee_name(row),
        mandate=f"mandates/{row.mandate}" if row.mandate else "",
        person=f"persons/{row.person}" if row.person else "",
        capacity=number(mandates_pb2.Capacity, row.capacity),
        display_name=row.display_name,
        observer=row.observer,
        state=number(pb.AttendeeState, row.state),
        leave_reason=row.leave_reason,
        check_in_time=timestamp(row.checked_in_at) if row.checked_in_at else None,
        method=number(pb.CheckInMethod, row.method),
        leave_time=timestamp(row.left_at) if row.left_at else None,
        present=is_present(row),
    )


async def quorum_message(tx: ReadTx, row: Row, counts: Row) -> pb.Quorum:
    found, frozen, lost = await quorum_of(tx, row, day_of(row.start_at), counts)
    return pb.Quorum(
        expected=found.expected,
        present=found.present,
        needed=found.needed,
        missing=found.missing,
        met=found.met,
        rule_version=found.version,
        frozen=frozen,
        lost_time=timestamp(lost) if lost else None,
    )
