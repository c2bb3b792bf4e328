"""Convening a meeting: the roll is taken once more and frozen, and without a quorum nothing is convened."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import grpc

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.peers import Peers, as_caller
from chassis.wire import date_message, number, read_time, timestamp
from quanyutong.meetings.v1 import attendance_pb2, events_pb2
from quanyutong.meetings.v1 import meeting_pb2 as pb
from services.meetings import domain
from services.meetings.meetings import (
    body_name,
    day_of,
    happened,
    load_for,
    load_meeting,
    meeting_message,
    meeting_name,
    save,
)
from services.meetings.names import names_of
from services.meetings.quorum import Quorum
from services.meetings.roll import ATTENDING, MEMBERS, freeze, take, without_names

Context = grpc.aio.ServicerContext[Any, Any]


class Convening:
    _database: Database
    _peers: Peers

    async def InviteDelegates(
        self, request: attendance_pb2.InviteDelegatesRequest, context: Context
    ) -> attendance_pb2.InviteDelegatesResponse:
        names = await self._names(request.name, context)
        async with self._database.write() as tx:
            row = await load_meeting(tx, request.name, lock=True)
            domain.check_phase(row.phase, ("preparation",))
            taken = await take(tx, row.id, body_of(row), day_of(row.start_at), names)
            members = await tx.all(MEMBERS, meeting=row.id)
            return tx.reply(
                attendance_pb2.InviteDelegatesResponse(
                    expected=len(members),
                    added=taken.added,
                    removed=taken.removed,
                    unnamed=sum(not member.display_name for member in members),
                )
            )

    async def ConveneMeeting(self, request: pb.ConveneMeetingRequest, context: Context) -> pb.Meeting:
        given = read_time(request, "convene_time") if request.HasField("convene_time") else datetime.now(UTC)
        names = await self._names(request.name, context, day_of(given))
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            phase = domain.next_phase("convene", row.phase)
            moment = happened(request, "convene_time", clock.beginning(day_of(row.start_at)))
            await take(tx, row.id, body_of(row), day_of(moment), names)
            quorum = await freeze(tx, row, day_of(moment), moment)
            saved = await save(tx, row, phase=phase, convened_at=moment, sequence=row.sequence + 1)
            tx.publish(_convened(saved, quorum, await tx.all(MEMBERS, meeting=row.id)), request.name)
            for member in await tx.all(ATTENDING, meeting=row.id, moment=moment):
                publish_attendance(tx, saved, member)
            return tx.reply(meeting_message(saved))

    async def _names(self, meeting: str, context: Context, day: date | None = None) -> Mapping[UUID, str]:
        """Of those who have none on the roll, asked before the transaction that takes it."""
        async with self._database.read() as tx:
            row = await load_meeting(tx, meeting)
            unknown = await without_names(tx, row.id, body_of(row), day or day_of(row.start_at))
        return await names_of(self._peers, as_caller(context), unknown)


def body_of(row: Row) -> UUID:
    key: UUID = row.assembly or row.station
    return key


def publish_attendance(tx: WriteTx, meeting: Row, member: Row) -> None:
    """Tells that somebody with a seat attends a meeting that was convened. Observers are told of nowhere.

    Who comes back is told of again, which counts once; who left before the meeting was convened did not attend it.
    """
    convened = meeting.convened_at
    if convened is None or member.observer or (member.left_at and member.left_at <= convened):
        return
    event = events_pb2.AttendanceRecorded(
        meeting=meeting_name(meeting.id),
        body=body_name(meeting),
        kind=number(pb.MeetingKind, meeting.kind),
        mandate=f"mandates/{member.mandate}",
        person=f"persons/{member.person}",
        day=date_message(day_of(convened)),
    )
    tx.publish(event, event.meeting)


def _convened(row: Row, quorum: Quorum, members: Iterable[Row]) -> events_pb2.MeetingConvened:
    return events_pb2.MeetingConvened(
        meeting=meeting_name(row.id),
        body=body_name(row),
        kind=number(pb.MeetingKind, row.kind),
        convene_time=timestamp(row.convened_at),
        expected=quorum.expected,
        present=quorum.present,
        needed=quorum.needed,
        rule_version=quorum.version,
        roll=[
            events_pb2.Seat(mandate=f"mandates/{member.mandate}", person=f"persons/{member.person}")
            for member in members
        ],
    )
