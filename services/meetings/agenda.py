"""Agenda items (议题): planned, opened and concluded, in the order of the meeting."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import bindparam, insert, select, text

from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.masks import masked
from chassis.pagination import page, whole_number
from chassis.sql import Sql
from chassis.wire import check_etag, etag, identifier, name_in_update, number, timestamp, word
from quanyutong.meetings.v1 import agenda_pb2 as pb
from quanyutong.meetings.v1 import events_pb2
from services.meetings import domain
from services.meetings.domain import Refused
from services.meetings.evaluating import evaluate, evaluation_message
from services.meetings.evaluation import check_evaluated
from services.meetings.meetings import happened, load_meeting, meeting_name
from services.meetings.sitting import check_silent, left_open
from services.meetings.tables import agenda_item

Context = grpc.aio.ServicerContext[Any, Any]
CHANGEABLE = ("title", "reporter", "minutes_allowed")
# The agenda is set until the session is over; what an item came to may still be entered while the meeting is summed up.
SETTING, SUMMING = ("preparation", "convened"), ("convened", "summary")
BY_ID = select(agenda_item).where(agenda_item.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
ENTER = Sql(
    insert(agenda_item).returning(agenda_item),
    columns=("meeting", "item_class", "special_inquiry", "position", *CHANGEABLE),
)
COUNT = Sql(text("SELECT count(*) AS total FROM agenda_item WHERE meeting = :meeting"))
# The items between the old and the new place move up by one, all in one statement.
MOVE = Sql(
    text("""UPDATE agenda_item
            SET position = CASE WHEN position = CAST(:old AS integer) THEN CAST(:new AS integer)
                                WHEN CAST(:new AS integer) > CAST(:old AS integer) THEN position - 1
                                ELSE position + 1 END,
                revision = revision + 1
            WHERE meeting = :meeting
            AND position BETWEEN least(CAST(:old AS integer), CAST(:new AS integer))
            AND greatest(CAST(:old AS integer), CAST(:new AS integer))""")
)


class Agenda:
    _database: Database

    async def CreateAgendaItem(self, request: pb.CreateAgendaItemRequest, _: Context) -> pb.AgendaItem:
        given = request.agenda_item
        item_class = word(pb.ItemClass, given.item_class)
        if given.special_inquiry:
            domain.check_class(item_class, "inquiry")
        async with self._database.write() as tx:
            meeting = await lock_meeting(tx, given.meeting, SETTING)
            position = (await tx.one(COUNT, meeting=meeting.id)).total + 1
            values = _columns(given, CHANGEABLE) | {"item_class": item_class, "special_inquiry": given.special_inquiry}
            return tx.reply(item_message(await tx.one(ENTER, meeting=meeting.id, position=position, **values)))

    async def GetAgendaItem(self, request: pb.GetAgendaItemRequest, _: Context) -> pb.AgendaItem:
        async with self._database.read() as tx:
            return item_message(await load_item(tx, request.name))

    async def ListAgendaItems(self, request: pb.ListAgendaItemsRequest, _: Context) -> pb.ListAgendaItemsResponse:
        async with self._database.read() as tx:
            meeting = await load_meeting(tx, request.meeting)
            statement = select(agenda_item).where(agenda_item.c.meeting == meeting.id)
            rows, token = await page(tx, request, statement, (agenda_item.c.position, whole_number))
        return pb.ListAgendaItemsResponse(agenda_items=map(item_message, rows), next_page_token=token)

    async def UpdateAgendaItem(self, request: pb.UpdateAgendaItemRequest, _: Context) -> pb.AgendaItem:
        given = request.agenda_item
        changes = _columns(given, masked(request.update_mask, CHANGEABLE))
        async with self._database.write() as tx:
            row = await lock_item(tx, name_in_update(given, "agenda_item"), given.etag, SETTING)
            check_state(row, "planned", "open")
            return tx.reply(item_message(await _save(tx, row, **changes)))

    async def MoveAgendaItem(self, request: pb.MoveAgendaItemRequest, _: Context) -> pb.AgendaItem:
        async with self._database.write() as tx:
            row = await lock_item(tx, request.name, request.etag, SETTING)
            last = (await tx.one(COUNT, meeting=row.meeting)).total
            await tx.execute(MOVE, meeting=row.meeting, old=row.position, new=min(request.position, last))
            return tx.reply(item_message(await load_item(tx, request.name)))

    async def OpenAgendaItem(self, request: pb.OpenAgendaItemRequest, _: Context) -> pb.AgendaItem:
        async with self._database.write() as tx:
            row = await lock_item(tx, request.name, request.etag, ("convened",))
            check_state(row, "planned")
            meeting = await load_meeting(tx, meeting_name(row.meeting))
            moment = happened(request, "open_time", meeting.convened_at)
            return tx.reply(item_message(await _save(tx, row, state="open", opened_at=moment)))

    async def ConcludeAgendaItem(self, request: pb.ConcludeAgendaItemRequest, _: Context) -> pb.AgendaItem:
        outcome = word(pb.ItemOutcome, request.outcome)
        check_evaluated(outcome, request.HasField("evaluation"))
        async with self._database.write() as tx:
            row = await lock_item(tx, request.name, request.etag, SUMMING)
            check_state(row, "open")
            saved = await _save(tx, row, state="concluded", outcome=outcome, **await _result(tx, row, request))
            tx.publish(_concluded(saved), request.name)
            return tx.reply(item_message(saved))

    async def WithdrawAgendaItem(self, request: pb.WithdrawAgendaItemRequest, _: Context) -> pb.AgendaItem:
        async with self._database.write() as tx:
            row = await lock_item(tx, request.name, request.etag, SETTING)
            check_state(row, "planned")
            return tx.reply(item_message(await _save(tx, row, state="withdrawn", outcome_text=request.reason)))


async def _result(tx: WriteTx, row: Row, request: pb.ConcludeAgendaItemRequest) -> dict[str, Any]:
    """What else an item has when it is concluded. Raises Refused."""
    await check_silent(tx, row.meeting, row.id)
    left_open_reason = await left_open(tx, row.id, request.left_open_reason)
    meeting = await load_meeting(tx, meeting_name(row.meeting))
    judged = await evaluate(tx, meeting, request.evaluation) if request.HasField("evaluation") else {}
    return judged | {
        "outcome_text": request.outcome_text,
        "left_open_reason": left_open_reason,
        "concluded_at": happened(request, "conclude_time", row.opened_at),
    }


async def load_item(tx: ReadTx, name: str, how: Sql = READ) -> Row:
    """Raises Refused AGENDA_ITEM_NOT_FOUND."""
    row = await tx.first(how, key=identifier(name))
    if row is None:
        raise Refused("AGENDA_ITEM_NOT_FOUND", item=name)
    return row


async def lock_item(tx: WriteTx, name: str, seen: str, phases: Iterable[str]) -> Row:
    """The item as it is once its meeting is locked: the agenda of a meeting changes one call at a time."""
    await lock_meeting(tx, meeting_name((await load_item(tx, name)).meeting), phases)
    row = await load_item(tx, name, LOCK)
    check_etag(seen, row.revision)
    return row


async def lock_meeting(tx: WriteTx, name: str, phases: Iterable[str]) -> Row:
    row = await load_meeting(tx, name, lock=True)
    domain.check_phase(row.phase, tuple(phases))
    return row


def check_state(row: Row, *needed: str) -> None:
    if row.state not in needed:
        raise Refused("ITEM_STATE_REFUSED", state=row.state.upper(), needed=", ".join(needed).upper())


async def _save(tx: WriteTx, row: Row, **changes: Any) -> Row:
    return await tx.change(agenda_item, row, **changes)


def _columns(given: pb.AgendaItem, fields: Iterable[str]) -> dict[str, Any]:
    return {field: getattr(given, field) for field in fields}


def item_name(key: object) -> str:
    return f"agendaItems/{key}"


def _concluded(row: Row) -> events_pb2.ItemConcluded:
    return events_pb2.ItemConcluded(
        item=item_name(row.id),
        meeting=meeting_name(row.meeting),
        item_class=number(pb.ItemClass, row.item_class),
        outcome=number(pb.ItemOutcome, row.outcome),
        evaluation=evaluation_message(row),
    )


def _instant(moment: datetime | None) -> Timestamp | None:
    return timestamp(moment) if moment else None


def item_message(row: Row) -> pb.AgendaItem:
    return pb.AgendaItem(
        name=item_name(row.id),
        meeting=meeting_name(row.meeting),
        item_class=number(pb.ItemClass, row.item_class),
        title=row.title,
        reporter=row.reporter,
        minutes_allowed=row.minutes_allowed,
        position=row.position,
        state=number(pb.ItemState, row.state),
        outcome=number(pb.ItemOutcome, row.outcome),
        outcome_text=row.outcome_text,
        evaluation=evaluation_message(row),
        open_time=_instant(row.opened_at),
        conclude_time=_instant(row.concluded_at),
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
        special_inquiry=row.special_inquiry,
        left_open_reason=row.left_open_reason,
    )
