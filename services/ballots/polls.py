"""Polls (表决): drafting them, changing drafts, finding them, and declaring one void."""

import json
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import Text, bindparam, cast, delete, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.masks import masked
from chassis.pagination import page
from chassis.rulebooks import rulebook
from chassis.sql import Sql
from chassis.wire import check_etag, etag, identifier, name_in_update, number, read_time, timestamp, word
from quanyutong.ballots.v1 import events_pb2, questions_pb2
from quanyutong.ballots.v1 import polls_pb2 as pb
from services.ballots import poll_path
from services.ballots.boxes import BESIDE_THE_BOARD
from services.ballots.domain import Refused
from services.ballots.drafting import drafted, question_messages
from services.ballots.roster import load_meeting
from services.ballots.sweeping import erase_vote
from services.ballots.tables import box, delegation, poll

Context = grpc.aio.ServicerContext[Any, Any]
BY_ID = select(poll).where(poll.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
WHEN = ("opens_at", "votes_at", "closes_at")
DRAFT = Sql(
    insert(poll).returning(poll),
    columns=("title", "meeting", "body", "questions", "method", "late_papers", "run_off_of", *WHEN),
)
BOXES = Sql(select(*BESIDE_THE_BOARD).where(box.c.poll == bindparam("poll")).order_by(box.c.number))
DELEGATIONS = Sql(select(delegation).where(delegation.c.poll == bindparam("poll")).order_by(delegation.c.number))
FORM = Sql(insert(delegation), columns=("poll", "number", "display_name", "mandates"))
DISSOLVE = Sql(delete(delegation).where(delegation.c.poll == bindparam("poll")))
TIMES = {"open_time": "opens_at", "voting_time": "votes_at", "close_time": "closes_at"}
CHANGEABLE = ("title", "questions", "delegations", "method", "late_papers", *TIMES)


class Polls:
    _database: Database

    async def CreatePoll(self, request: pb.CreatePollRequest, _: Context) -> pb.Poll:
        async with self._database.write() as tx:
            row = await draft(tx, request.poll)
            return tx.reply(await poll_message(tx, row))

    async def GetPoll(self, request: pb.GetPollRequest, _: Context) -> pb.Poll:
        async with self._database.read() as tx:
            return await poll_message(tx, await load_poll(tx, request.name))

    async def ListPolls(self, request: pb.ListPollsRequest, _: Context) -> pb.ListPollsResponse:
        statement = select(poll)
        if request.meeting:
            statement = statement.where(poll.c.meeting == identifier(request.meeting))
        if request.body:
            statement = statement.where(poll.c.body == request.body)
        if request.state:
            statement = statement.where(poll.c.state == word(pb.PollState, request.state))
        if request.method:
            statement = statement.where(poll.c.method == word(pb.PollMethod, request.method))
        if request.kind:
            asked = json.dumps([{"question": {"kind": word(questions_pb2.QuestionKind, request.kind)}}])
            statement = statement.where(cast(poll.c.questions, JSONB).contains(cast(literal(asked, Text), JSONB)))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (poll.c.id, identifier))
        return pb.ListPollsResponse(polls=map(_plain, rows), next_page_token=token)

    async def UpdatePoll(self, request: pb.UpdatePollRequest, _: Context) -> pb.Poll:
        given = request.poll
        fields = masked(request.update_mask, CHANGEABLE)
        async with self._database.write() as tx:
            row = await load_poll(tx, name_in_update(given, "poll"), lock=True)
            check_etag(given.etag, row.revision)
            poll_path.check_state(row.state, ("drafted",))
            values = await _values(tx, given, fields)
            times = {column: values.get(column, row[column]) for column in TIMES.values()}
            poll_path.check_times(*times.values())
            if "delegations" in fields:
                await _form(tx, row.id, given)
            saved = await save_poll(tx, row, **values, overdue_reason="")
            return tx.reply(await poll_message(tx, saved))

    async def VoidPoll(self, request: pb.VoidPollRequest, _: Context) -> pb.Poll:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            state = poll_path.next_state("void", row.state)
            if row.state in ("open", "voting"):
                await erase_vote(tx, row.id)
            saved = await save_poll(tx, row, state=state, void_reason=request.reason, swept=False)
            tx.publish(events_pb2.PollVoided(poll=request.name, meeting=meeting_name(row)), request.name)
            return tx.reply(await poll_message(tx, saved))


async def draft(tx: WriteTx, given: pb.Poll, run_off_of: UUID | None = None) -> Row:
    """Enters a draft. Raises Refused MEETING_NOT_FOUND and what `drafted` and `poll_path` refuse."""
    where = await load_meeting(tx, given.meeting)
    values = await _values(tx, given, CHANGEABLE)
    poll_path.check_times(*(values[column] for column in TIMES.values()))
    row = await tx.one(DRAFT, **values, meeting=where.id, body=where.body, run_off_of=run_off_of)
    await _form(tx, row.id, given)
    return row


async def _values(tx: ReadTx, given: pb.Poll, fields: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields:
        if field in TIMES:
            at = read_time(given, field, f"poll.{field}") if given.HasField(field) else None
            values[TIMES[field]] = at
        elif field == "questions":
            values[field] = drafted(given.questions, await rulebook(tx, clock.today()))
        elif field == "method":
            values[field] = word(pb.PollMethod, given.method)
        elif field != "delegations":
            values[field] = getattr(given, field)
    return values


async def _form(tx: WriteTx, key: UUID, given: pb.Poll) -> None:
    poll_path.check_delegations((each.display_name, each.mandates) for each in given.delegations)
    await tx.execute(DISSOLVE, poll=key)
    await tx.each(
        FORM,
        [
            {
                "poll": key,
                "number": place,
                "display_name": each.display_name,
                "mandates": [identifier(name) for name in each.mandates],
            }
            for place, each in enumerate(given.delegations, 1)
        ],
    )


async def load_poll(tx: ReadTx, name: str, lock: bool = False) -> Row:
    """The poll of its name or of that of one of its boxes. Raises Refused POLL_NOT_FOUND."""
    name = name.partition("/boxes/")[0]
    row = await tx.first(LOCK if lock else READ, key=identifier(name))
    if row is None:
        raise Refused("POLL_NOT_FOUND", poll=name)
    return row


async def load_for(tx: WriteTx, request: Any) -> Row:
    row = await load_poll(tx, request.name, lock=True)
    check_etag(request.etag, row.revision)
    return row


async def save_poll(tx: WriteTx, row: Row, **changes: Any) -> Row:
    return await tx.change(poll, row, **changes)


def poll_name(key: object) -> str:
    return f"polls/{key}"


def box_name(row: Row) -> str:
    return f"{poll_name(row.poll)}/boxes/{row.number}"


def meeting_name(row: Row) -> str:
    return f"meetings/{row.meeting}"


def box_message(row: Row) -> pb.BallotBox:
    return pb.BallotBox(name=box_name(row), display_name=row.display_name, electorate=row.electorate, terms=row.terms)


async def poll_message(tx: ReadTx, row: Row) -> pb.Poll:
    found = _plain(row)
    found.boxes.extend(map(box_message, await tx.all(BOXES, poll=row.id)))
    found.delegations.extend(
        pb.Delegation(display_name=each.display_name, mandates=[f"mandates/{mandate}" for mandate in each.mandates])
        for each in await tx.all(DELEGATIONS, poll=row.id)
    )
    return found


def _plain(row: Row) -> pb.Poll:
    def at(moment: Any) -> Any:
        return timestamp(moment) if moment else None

    return pb.Poll(
        name=poll_name(row.id),
        title=row.title,
        meeting=meeting_name(row),
        body=row.body,
        questions=question_messages(row.questions),
        method=number(pb.PollMethod, row.method),
        late_papers=row.late_papers,
        open_time=at(row.opens_at),
        voting_time=at(row.votes_at),
        close_time=at(row.closes_at),
        state=number(pb.PollState, row.state),
        open_reason=row.open_reason,
        void_reason=row.void_reason,
        overdue_reason=row.overdue_reason,
        run_off_of=poll_name(row.run_off_of) if row.run_off_of else "",
        create_time=timestamp(row.created_at),
        opened_time=at(row.opened_at),
        voting_started_time=at(row.voting_at),
        closed_time=at(row.closed_at),
        announced_time=at(row.announced_at),
        etag=etag(row.revision),
    )
