"""Speakers' lists (发言名单) of agenda items: who is to speak, who has the word, and who has spoken."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.duration_pb2 import Duration
from sqlalchemy import bindparam, insert, select, text, update

from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.masks import masked
from chassis.pagination import page, whole_number
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, name_in_update, number, timestamp, word
from quanyutong.meetings.v1 import events_pb2
from quanyutong.meetings.v1 import speakers_pb2 as pb
from services.meetings import speaking
from services.meetings.agenda import check_state, item_name, load_item, lock_item, lock_meeting
from services.meetings.attendance import OPEN, load_attendee, seat_name
from services.meetings.domain import Refused
from services.meetings.meetings import day_of, happened, meeting_name
from services.meetings.sitting import check_silent, load_entry
from services.meetings.tables import agenda_item, roll, speaker

Context = grpc.aio.ServicerContext[Any, Any]
# Until a meeting is over, its lists may grow and change.
LISTING, HELD = ("preparation", "convened"), ("convened",)
LISTED = (
    select(
        speaker,
        roll.c.mandate,
        roll.c.person,
        roll.c.display_name,
        roll.c.observer,
        agenda_item.c.minutes_allowed.label("minutes_of_item"),
    )
    .join(roll, roll.c.id == speaker.c.attendee)
    .join(agenda_item, agenda_item.c.id == speaker.c.item)
)
READ = Sql(LISTED.where(speaker.c.id == bindparam("key")))
ENTER = Sql(insert(speaker).returning(speaker.c.id), columns=("meeting", "item", "attendee", "position"))
LAST = Sql(text("SELECT coalesce(max(position), 0) AS position FROM speaker WHERE item = :item"))
ENLISTED = Sql(
    text("SELECT id FROM speaker WHERE item = :item AND attendee = :attendee AND state IN ('waiting', 'speaking')")
)
# Those between the old and the new place move up by one, all in one statement.
MOVE = Sql(
    text("""UPDATE speaker
            SET position = CASE WHEN position = CAST(:old AS integer) THEN CAST(:new AS integer)
                                WHEN CAST(:new AS integer) > CAST(:old AS integer) THEN position - 1
                                ELSE position + 1 END,
                revision = revision + 1
            WHERE item = :item
            AND position BETWEEN least(CAST(:old AS integer), CAST(:new AS integer))
            AND greatest(CAST(:old AS integer), CAST(:new AS integer))""")
)


class Speakers:
    _database: Database

    async def EnlistSpeaker(self, request: pb.EnlistSpeakerRequest, _: Context) -> pb.Speaker:
        async with self._database.write() as tx:
            item = await lock_item(tx, request.parent, "", LISTING)
            check_state(item, "planned", "open")
            member = await load_attendee(tx, item.meeting, request.attendee)
            if await tx.first(ENLISTED, item=item.id, attendee=member.id):
                raise Refused("SPEAKER_ENLISTED", attendee=seat_name(member))
            place = (await tx.one(LAST, item=item.id)).position + 1
            row = await tx.one(ENTER, meeting=item.meeting, item=item.id, attendee=member.id, position=place)
            return tx.reply(await _read(tx, row.id))

    async def ListSpeakers(self, request: pb.ListSpeakersRequest, _: Context) -> pb.ListSpeakersResponse:
        async with self._database.read() as tx:
            item = await load_item(tx, request.parent)
            statement = LISTED.where(speaker.c.item == item.id)
            if request.state:
                statement = statement.where(speaker.c.state == word(pb.SpeakerState, request.state))
            rows, token = await page(tx, request, statement, (speaker.c.position, whole_number))
        return pb.ListSpeakersResponse(speakers=map(_message, rows), next_page_token=token)

    async def MoveSpeaker(self, request: pb.MoveSpeakerRequest, _: Context) -> pb.Speaker:
        async with self._database.write() as tx:
            row = await _load_for(tx, request.name, request.etag, LISTING)
            speaking.check_state(row.state, ("waiting",))
            last = (await tx.one(LAST, item=row.item)).position
            await tx.execute(MOVE, item=row.item, old=row.position, new=min(request.position, last))
            return tx.reply(await _read(tx, row.id))

    async def CallSpeaker(self, request: pb.CallSpeakerRequest, _: Context) -> pb.Speaker:
        async with self._database.write() as tx:
            row = await _load_for(tx, request.name, request.etag, HELD)
            state = speaking.next_state("call", row.state)
            item = await load_item(tx, item_name(row.item))
            check_state(item, "open")
            await check_silent(tx, row.meeting)
            moment = happened(request, "begin_time", item.opened_at)
            check_present(await load_attendee(tx, row.meeting, _attendee(row)), moment)
            return tx.reply(await _save(tx, row, state=state, began_at=moment))

    async def EndSpeech(self, request: pb.EndSpeechRequest, _: Context) -> pb.Speaker:
        async with self._database.write() as tx:
            row = await _load_for(tx, request.name, request.etag, HELD)
            state = speaking.next_state("end", row.state)
            moment = happened(request, "end_time", row.began_at)
            _publish_speech(tx, row)
            return tx.reply(await _save(tx, row, state=state, ended_at=moment, summary=request.summary or row.summary))

    async def UpdateSpeaker(self, request: pb.UpdateSpeakerRequest, _: Context) -> pb.Speaker:
        given = request.speaker
        changes = {field: getattr(given, field) for field in masked(request.update_mask, [*speaking.CHANGEABLE])}
        async with self._database.write() as tx:
            row = await _load_for(tx, name_in_update(given, "speaker"), given.etag, OPEN)
            speaking.check_changes(row.state, changes)
            return tx.reply(await _save(tx, row, **changes))

    async def WithdrawSpeaker(self, request: pb.WithdrawSpeakerRequest, _: Context) -> pb.Speaker:
        async with self._database.write() as tx:
            row = await _load_for(tx, request.name, request.etag, LISTING)
            await load_attendee(tx, row.meeting, _attendee(row))  # a delegate withdraws nobody else
            return tx.reply(await _save(tx, row, state=speaking.next_state("withdraw", row.state)))


async def _load_for(tx: WriteTx, name: str, seen: str, phases: tuple[str, ...]) -> Row:
    """The speaker as it is once the meeting is locked: its lists change one call at a time."""
    await lock_meeting(tx, meeting_name((await load_entry(tx, READ, name)).meeting), phases)
    row = await load_entry(tx, READ, name)
    check_etag(seen, row.revision)
    return row


async def _save(tx: WriteTx, row: Row, **changes: Any) -> pb.Speaker:
    await tx.execute(update(speaker).where(speaker.c.id == row.id).values(**changes, revision=row.revision + 1))
    return await _read(tx, row.id)


async def _read(tx: ReadTx, key: UUID) -> pb.Speaker:
    return _message(await tx.one(READ, key=key))


def check_present(member: Row, moment: datetime) -> None:
    """Only who is in the hall has the word. Raises Refused NOT_PRESENT."""
    came, left = member.checked_in_at, member.left_at
    if came is None or moment < came or (left is not None and left <= moment):
        raise Refused("NOT_PRESENT", attendee=seat_name(member))


def _publish_speech(tx: WriteTx, row: Row) -> None:
    """Tells that somebody with a seat spoke. Observers are told of nowhere."""
    if row.observer:
        return
    event = events_pb2.SpeechGiven(
        meeting=meeting_name(row.meeting),
        item=item_name(row.item),
        mandate=f"mandates/{row.mandate}",
        person=f"persons/{row.person}",
        day=date_message(day_of(row.began_at)),
    )
    tx.publish(event, event.meeting)


def speaker_name(key: object) -> str:
    return f"speakers/{key}"


def _attendee(row: Row) -> str:
    return f"{meeting_name(row.meeting)}/attendees/{row.attendee}"


def _duration(length: timedelta) -> Duration | None:
    if not length:
        return None
    message = Duration()
    message.FromTimedelta(length)
    return message


def _message(row: Row) -> pb.Speaker:
    length = speaking.length(row.began_at, row.ended_at or datetime.now(UTC))
    limit = speaking.minutes_limit(row.minutes_allowed, row.minutes_of_item)
    return pb.Speaker(
        name=speaker_name(row.id),
        agenda_item=item_name(row.item),
        attendee=_attendee(row),
        mandate="" if row.observer else f"mandates/{row.mandate}",
        display_name=row.display_name,
        position=row.position,
        minutes_allowed=row.minutes_allowed,
        minutes_limit=limit,
        state=number(pb.SpeakerState, row.state),
        begin_time=timestamp(row.began_at) if row.began_at else None,
        end_time=timestamp(row.ended_at) if row.ended_at else None,
        duration=_duration(length),
        overtime=_duration(speaking.overtime(length, limit)),
        summary=row.summary,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
