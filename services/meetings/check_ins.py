"""Checking in (签到) and leaving: by the delegate, by the clerk, by the code of the hall's screen."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import grpc
import segno
from sqlalchemy import bindparam, func, insert, select

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import read_time, timestamp
from quanyutong.meetings.v1 import attendance_pb2 as pb
from services.meetings import domain
from services.meetings.attendance import (
    OPEN,
    attendee_message,
    hold_meeting,
    is_clerk,
    is_present,
    load_attendee,
    save_attendee,
    seat_name,
)
from services.meetings.check_in_codes import check_code, signed
from services.meetings.convening import body_of, publish_attendance
from services.meetings.domain import Refused
from services.meetings.meetings import day_of
from services.meetings.roll import TAKE
from services.meetings.roster import seats
from services.meetings.tables import movement

Context = grpc.aio.ServicerContext[Any, Any]
MOVE = Sql(insert(movement), columns=("meeting", "attendee", "at", "came"))
MOVED = Sql(select(func.max(movement.c.at).label("moment")).where(movement.c.attendee == bindparam("attendee")))
PURPOSE = "check-in code"
# Long enough to take up a telephone, too short to pass it on to somebody at home.
LIFETIME = timedelta(minutes=1)


class CheckIns:
    _database: Database
    _vault: Vault

    async def CheckIn(self, request: pb.CheckInRequest, _: Context) -> pb.Attendee:
        received = datetime.now(UTC)
        async with self._database.write() as tx:
            row = await hold_meeting(tx, request.name, ("preparation", "convened"))
            if request.code:
                check_code(self._vault.derive_all(PURPOSE), tx.district, row.id, request.code, received)
            member = await _expected(tx, row, request.attendee)
            if not is_present(member):
                moment = datetime.now(UTC)
                domain.check_afterwards(moment, _beginning(row), moment)
                member = await _came(tx, member, moment, _method(request))
                publish_attendance(tx, row, member)
            return tx.reply(attendee_message(member))

    async def BatchCheckIn(self, request: pb.BatchCheckInRequest, _: Context) -> pb.BatchCheckInResponse:
        async with self._database.write() as tx:
            row = await hold_meeting(tx, request.name, OPEN)
            # In one order for all callers, so that no two of them wait for each other.
            order = sorted(range(len(request.presences)), key=lambda index: request.presences[index].attendee)
            found = {index: await _entered(tx, row, request.presences[index], index) for index in order}
            return tx.reply(pb.BatchCheckInResponse(attendees=(found[index] for index in sorted(found))))

    async def LeaveMeeting(self, request: pb.LeaveMeetingRequest, _: Context) -> pb.Attendee:
        async with self._database.write() as tx:
            row = await hold_meeting(tx, request.name, ("preparation", "convened"))
            member = await load_attendee(tx, row.id, request.attendee)
            if not is_present(member):
                raise Refused("NOT_PRESENT", attendee=seat_name(member))
            return tx.reply(attendee_message(await _left(tx, member, datetime.now(UTC))))

    async def IssueCheckInCode(self, request: pb.IssueCheckInCodeRequest, _: Context) -> pb.CheckInCode:
        async with self._database.write() as tx:
            row = await hold_meeting(tx, request.name, ("preparation", "convened"))
            expires = datetime.now(UTC).replace(microsecond=0) + LIFETIME
            code = signed(self._vault.derive_all(PURPOSE)[0], tx.district, row.id, expires)
            return tx.reply(pb.CheckInCode(code=code, svg=_svg(code), expire_time=timestamp(expires)))


async def _expected(tx: WriteTx, meeting: Row, name: str) -> Row:
    """Who checks in. Before the meeting is convened, whoever has a seat by now is on the roll."""
    try:
        return await load_attendee(tx, meeting.id, name)
    except Refused as refused:
        if refused.reason == "ATTENDEE_REFUSED" or meeting.phase != "preparation":
            raise
    sitting = await seats(tx, body_of(meeting), day_of(meeting.start_at))
    await tx.execute(
        TAKE,
        meeting=meeting.id,
        mandates=[seat.mandate for seat in sitting],
        persons=[seat.person for seat in sitting],
        capacities=[seat.capacity for seat in sitting],
        names=[""] * len(sitting),
    )
    return await load_attendee(tx, meeting.id, name)


async def _entered(tx: WriteTx, meeting: Row, given: pb.Presence, index: int) -> pb.Attendee:
    """One of many, at the times that were told. Who is there stays as entered first."""
    member = await _expected(tx, meeting, given.attendee)
    latest, path = meeting.adjourned_at or datetime.now(UTC), f"presences[{index}]"
    if _entered_before(member, given):
        return attendee_message(member)
    if came := not is_present(member):
        moment = latest
        if given.HasField("check_in_time"):
            moment = read_time(given, "check_in_time", f"{path}.check_in_time")
        domain.check_afterwards(moment, await _moved(tx, member) or _beginning(meeting), latest)
        member = await _came(tx, member, moment, "staff")
    if given.HasField("leave_time"):
        moment = read_time(given, "leave_time", f"{path}.leave_time")
        domain.check_afterwards(moment, await _moved(tx, member) or moment, latest)
        member = await _left(tx, member, moment)
    if came:
        publish_attendance(tx, meeting, member)
    return attendee_message(member)


def _entered_before(member: Row, given: pb.Presence) -> bool:
    """Whether just this stay is there: a list that is sent twice counts once."""
    said = attendee_message(member)
    return given.HasField("leave_time") and (said.check_in_time, said.leave_time) == (
        given.check_in_time,
        given.leave_time,
    )


def _beginning(meeting: Row) -> datetime:
    """Nobody is in the hall before the day of the meeting."""
    return clock.beginning(day_of(meeting.start_at))


async def _moved(tx: WriteTx, member: Row) -> datetime | None:
    """When somebody last came or went."""
    moment: datetime | None = (await tx.one(MOVED, attendee=member.id)).moment
    return moment


async def _came(tx: WriteTx, member: Row, moment: datetime, method: str) -> Row:
    """Who comes back stays as entered first, but for being there again."""
    first = {} if member.checked_in_at else {"checked_in_at": moment, "method": method}
    saved = await save_attendee(tx, member, **first, left_at=None, state="confirmed", leave_reason="")
    await tx.execute(MOVE, meeting=member.meeting, attendee=member.id, at=moment, came=True)
    return saved


async def _left(tx: WriteTx, member: Row, moment: datetime) -> Row:
    saved = await save_attendee(tx, member, left_at=moment)
    await tx.execute(MOVE, meeting=member.meeting, attendee=member.id, at=moment, came=False)
    return saved


def _method(request: pb.CheckInRequest) -> str:
    if request.attendee and is_clerk():
        return "staff"
    return "code" if request.code else "delegate"


def _svg(code: str) -> str:
    image = BytesIO()
    segno.make_qr(code).save(image, kind="svg", xmldecl=False)
    return image.getvalue().decode()
