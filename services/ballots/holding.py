"""Holding a poll: opening it, starting the vote, closing it; by the staff, or by itself at the poll's times."""

import json
from datetime import UTC, datetime
from typing import Any

import grpc
from sqlalchemy import ARRAY, LargeBinary, bindparam, select, text, update

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.errors import Refusal
from chassis.manifest import Round
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import date_message
from quanyutong.ballots.v1 import events_pb2
from quanyutong.ballots.v1 import polls_pb2 as pb
from quanyutong_client.ballot import Ballot
from quanyutong_client.board import publish
from quanyutong_client.receipt import receipt_message
from services.ballots import poll_path
from services.ballots.adoption import check_options
from services.ballots.boxes import Keys, board_key, place_box, split_roll, terms_of
from services.ballots.counting import counted, summed
from services.ballots.domain import Refused
from services.ballots.drafting import selectable
from services.ballots.polls import (
    BOXES,
    DELEGATIONS,
    load_for,
    load_poll,
    meeting_name,
    poll_message,
    poll_name,
    save_poll,
)
from services.ballots.roster import load_meeting, roll_of
from services.ballots.sweeping import FORGET_BALLOTS, FORGET_KEYS, FORGET_PAPERS, SORT_PAPERS, alone, sweep
from services.ballots.tables import ballot, box, poll

Context = grpc.aio.ServicerContext[Any, Any]
# Seconds between two looks at the times of the polls.
EVERY = 5.0
PRESENT = Sql(
    text("""SELECT e.box, count(*) FILTER (WHERE s.attended) AS present
            FROM elector e LEFT JOIN seat s ON s.meeting = :meeting AND s.mandate = e.mandate
            WHERE e.poll = :poll GROUP BY e.box""")
)
PAPERS = Sql(text("SELECT box, count(*) AS papers FROM paper WHERE poll = :poll GROUP BY box"))
HOLDERS = Sql(
    text("""SELECT p.mandate, e.person FROM paper p JOIN elector e ON e.poll = p.poll AND e.mandate = p.mandate
            WHERE p.poll = :poll ORDER BY p.mandate""")
)
CAST = Sql(
    select(ballot.c.public_key, ballot.c.encoded)
    .where(ballot.c.poll == bindparam("poll"), ballot.c.box == bindparam("box"))
    .order_by(ballot.c.public_key)
)
KEEP = Sql(
    text("""INSERT INTO closed_ballot (poll, box, public_key, encoded, receipt)
            SELECT :poll, :box, public_key, encoded, receipt
            FROM unnest(:keys, :encoded, :receipts) AS b (public_key, encoded, receipt)
            ORDER BY public_key""").bindparams(
        *(bindparam(name, type_=ARRAY(LargeBinary)) for name in ("keys", "encoded", "receipts"))
    )
)
DUE = Sql(
    select(poll).where(
        ((poll.c.state == "drafted") & (poll.c.opens_at <= bindparam("now")))
        | ((poll.c.state == "open") & (poll.c.votes_at <= bindparam("now")))
        | ((poll.c.state == "voting") & (poll.c.closes_at <= bindparam("now")))
    )
)


class Holding:
    _database: Database
    _vault: Vault

    async def OpenPoll(self, request: pb.OpenPollRequest, _: Context) -> pb.Poll:
        keys = await keys_for(self._database, request.name)
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            saved = await open_poll(tx, row, self._vault, keys, request.reason)
            return tx.reply(await poll_message(tx, saved))

    async def StartVoting(self, request: pb.StartVotingRequest, _: Context) -> pb.Poll:
        async with self._database.write() as tx:
            saved = await start_voting(tx, await load_for(tx, request))
            answer = tx.reply(await poll_message(tx, saved))
        await sweep(self._database)
        return answer

    async def ClosePoll(self, request: pb.ClosePollRequest, _: Context) -> pb.Poll:
        async with self._database.write() as tx:
            saved = await close(tx, await load_for(tx, request), self._vault)
            answer = tx.reply(await poll_message(tx, saved))
        await sweep(self._database)
        return answer


async def keys_for(database: Database, name: str) -> list[Keys]:
    """Keys for as many boxes as the poll will have, made before the transaction that opens it."""
    async with database.read() as tx:
        row = await load_poll(tx, name)
        boxes = len(await tx.all(DELEGATIONS, poll=row.id)) or 1
    if row.state != "drafted" or row.method != "electronic":
        return []
    return [await Keys.generate() for _ in range(boxes)]


async def open_poll(tx: WriteTx, row: Row, vault: Vault, keys: list[Keys], reason: str) -> Row:
    """Freezes the electorate from the roll of the meeting. Raises Refused."""
    state = poll_path.next_state("open", row.state)
    where = await load_meeting(tx, meeting_name(row))
    poll_path.check_meeting(meeting_name(row), where.phase, convened=where.convened_at is not None, reason=reason)
    roll = await roll_of(tx, row.meeting)
    present = sum(seat.attended for seat in roll)
    poll_path.check_quorum(present, where.needed, where.rule_version, reason)
    await check_options(tx, row.body, selectable(row.questions))
    boxes = split_roll(roll, await tx.all(DELEGATIONS, poll=row.id))
    if len(keys) != (len(boxes) if row.method == "electronic" else 0):
        raise Refusal("CONCURRENT_CHANGE")  # the draft was changed while its keys were made
    for place, electors in enumerate(boxes):
        await place_box(tx, row, vault, electors, keys[place] if keys else None)
    event = events_pb2.PollOpened(poll=poll_name(row.id), meeting=meeting_name(row), electorate=len(roll))
    tx.publish(event, event.poll)
    changes = {"open_reason": reason, "overdue_reason": "", "opened_at": datetime.now(UTC)}
    return await save_poll(tx, row, state=state, **changes)


async def start_voting(tx: WriteTx, row: Row) -> Row:
    """Ends the handing out. Where late papers are allowed, the keys live and the papers are told at the close."""
    state = poll_path.next_state("start_voting", row.state)
    await alone(tx, row.id)
    if not row.late_papers:
        await tx.execute(FORGET_KEYS, poll=row.id, purposes=["paper"])
        await _tell_holders(tx, row)
    await tx.execute(SORT_PAPERS, poll=row.id)
    swept = _leaves_nothing(row)
    return await save_poll(tx, row, state=state, overdue_reason="", voting_at=datetime.now(UTC), swept=swept)


async def close(tx: WriteTx, row: Row, vault: Vault) -> Row:
    """Ends the vote: ballots are written anew by key, signed, published on the boards, and counted."""
    state = poll_path.next_state("close", row.state)
    await alone(tx, row.id)
    if row.late_papers:
        await _tell_holders(tx, row)
    boxes = await _numbers(tx, row)
    result = ""
    if row.method == "electronic":
        counts = [await _close_box(tx, row, each, vault) for each in boxes]
        result = json.dumps(summed(row.questions, counts), ensure_ascii=False)
    await tx.execute(FORGET_KEYS, poll=row.id, purposes=["paper", "board"])
    for statement in (FORGET_PAPERS, FORGET_BALLOTS):
        await tx.execute(statement, poll=row.id)
    saved = await save_poll(
        tx,
        row,
        state=state,
        overdue_reason="",
        closed_at=datetime.now(UTC),
        result=result,
        swept=_leaves_nothing(row),
    )
    tx.publish(_closed(saved, await tx.all(BOXES, poll=row.id)), poll_name(row.id))
    return saved


def _leaves_nothing(row: Row) -> bool:
    """A poll on paper has neither papers nor ballots in the database: no table is rewritten for it."""
    return bool(row.method == "paper")


async def _close_box(tx: WriteTx, row: Row, where: Row, vault: Vault) -> Any:
    key = await board_key(tx, vault, row.id, where.number)
    if key is None:
        raise LookupError("a box without the key that signs its board")
    terms = terms_of(where.terms)
    rows = await tx.all(CAST, poll=row.id, box=where.number)
    ballots = [Ballot.decode(each.encoded) for each in rows]
    board = publish(terms, where.present, where.papers, ballots, key)
    await tx.execute(
        KEEP,
        poll=row.id,
        box=where.number,
        keys=[each.public_key for each in rows],
        encoded=[each.encoded for each in rows],
        receipts=[key.sign(receipt_message(terms, each.leaf())) for each in ballots],
    )
    await _save_box(tx, where, ballots=len(ballots), board=board.text().decode())
    return counted(terms, where.present, where.papers, [each.marks for each in ballots])


async def _numbers(tx: WriteTx, row: Row) -> list[Row]:
    """The boxes with those present and the papers that were taken, as they are from now on."""
    present = {each.box: each.present for each in await tx.all(PRESENT, meeting=row.meeting, poll=row.id)}
    papers = {each.box: each.papers for each in await tx.all(PAPERS, poll=row.id)}
    return [
        await _save_box(tx, each, present=present.get(each.number, 0), papers=papers.get(each.number, 0))
        for each in await tx.all(BOXES, poll=row.id)
    ]


async def _save_box(tx: WriteTx, row: Row, **changes: Any) -> Row:
    of_box = (box.c.poll == row.poll, box.c.number == row.number)
    return await tx.one(update(box).where(*of_box).values(**changes).returning(box))


async def _tell_holders(tx: WriteTx, row: Row) -> None:
    """Who has a paper, all at once and by mandate: nobody learns from it who came when."""
    found = await tx.all(HOLDERS, poll=row.id)
    if found:
        event = events_pb2.PapersTaken(
            poll=poll_name(row.id),
            meeting=meeting_name(row),
            day=date_message(row.opened_at.astimezone(clock.SHANGHAI).date()),
            holders=[
                events_pb2.PaperHolder(mandate=f"mandates/{each.mandate}", person=f"persons/{each.person}")
                for each in found
            ],
        )
        tx.publish(event, event.poll)


def _closed(row: Row, boxes: Any) -> events_pb2.PollClosed:
    return events_pb2.PollClosed(
        poll=poll_name(row.id),
        meeting=meeting_name(row),
        electorate=sum(each.electorate for each in boxes),
        papers=sum(each.papers for each in boxes),
        ballots=sum(each.ballots for each in boxes),
    )


# --- by itself


async def keep_times(database: Database, vault: Vault) -> None:
    """Makes the steps that are due, for the district of the task. What refuses one is kept with the poll and shown."""
    now = datetime.now(UTC)
    async with database.read() as tx:
        due = await tx.all(DUE, now=now)
    for row in due:
        try:
            await _step(database, vault, row, now)
        except (Refused, Refusal) as refused:
            await _overdue(database, row, refused.reason)
    if due:
        await sweep(database)


async def _step(database: Database, vault: Vault, seen: Row, now: datetime) -> None:
    keys = await keys_for(database, poll_name(seen.id))
    async with database.write() as tx:
        row = await load_poll(tx, poll_name(seen.id), lock=True)
        times = {time: row[time] for _, time, _ in poll_path.SCHEDULE}
        match poll_path.step_due(row.state, times, now):
            case "open":
                await open_poll(tx, row, vault, keys, "")
            case "start_voting":
                await start_voting(tx, row)
            case "close":
                await close(tx, row, vault)


async def _overdue(database: Database, seen: Row, reason: str) -> None:
    async with database.write() as tx:
        row = await load_poll(tx, poll_name(seen.id), lock=True)
        if row.state == seen.state and row.overdue_reason != reason:
            await save_poll(tx, row, overdue_reason=reason)


ROUND = Round("times of polls", EVERY, keep_times)
