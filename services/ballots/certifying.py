"""Certifying (监票人确认): two scrutineers confirm a count; of a paper poll they enter it first, each by themselves."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.json_format import MessageToDict
from sqlalchemy import bindparam, func, insert, select, update

from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.merges import kept_person
from chassis.sql import Sql
from chassis.wire import identifier
from quanyutong.ballots.v1 import polls_pb2
from quanyutong.ballots.v1 import results_pb2 as pb
from services.ballots import poll_path, scrutiny
from services.ballots.adoption import movers_of
from services.ballots.boxes import load_box, number_in
from services.ballots.counting import summed
from services.ballots.domain import Refused
from services.ballots.drafting import selectable
from services.ballots.paper_counting import checked, read_back
from services.ballots.persons import caller_in_person
from services.ballots.polls import BOXES, box_name, load_poll, poll_message, save_poll
from services.ballots.tables import box, certification, paper_count

Context = grpc.aio.ServicerContext[Any, Any]
CERTIFY = Sql(insert(certification), columns=("poll", "scrutineer"))
CERTIFIED_BY = Sql(select(certification.c.scrutineer).where(certification.c.poll == bindparam("poll")))
ENTRIES = Sql(select(paper_count).where(paper_count.c.poll == bindparam("poll")).order_by(paper_count.c.entered_at))
ENTER = Sql(insert(paper_count), columns=("poll", "box", "scrutineer", "content"))
# Entered more than this, the vote is void: more ballots returned than papers handed out.
VOID_REASON = "收回的选票多于发出的选票 more ballots returned than papers issued"


class Certifying:
    _database: Database

    async def CertifyPoll(self, request: pb.CertifyPollRequest, _: Context) -> polls_pb2.Poll:
        async with self._database.write() as tx:
            row = await load_poll(tx, request.name, lock=True)
            state = poll_path.next_state("certify", row.state)
            await _check_counted(tx, row)
            person = await scrutineer(tx, row)
            before = [await kept_person(tx, each.scrutineer) for each in await tx.all(CERTIFIED_BY, poll=row.id)]
            scrutiny.check_another(person, before)
            seen = [(each.question, each.valid, each.blank) for each in request.counts]
            scrutiny.check_seen(json.loads(row.result), request.papers, request.ballots, seen)
            await tx.execute(CERTIFY, poll=row.id, scrutineer=person)
            if len(before) + 1 == scrutiny.SCRUTINEERS:
                row = await save_poll(tx, row, state=state, certified_at=datetime.now(UTC))
            return tx.reply(await poll_message(tx, row))

    async def EnterPaperCount(self, request: pb.EnterPaperCountRequest, _: Context) -> pb.EnterPaperCountResponse:
        async with self._database.write() as tx:
            row = await load_poll(tx, request.name, lock=True)
            poll_path.check_method(row.method, "paper")
            poll_path.check_state(row.state, ("closed",))
            where = await load_box(tx, row.id, number_in(request.name))
            person = await scrutineer(tx, row)
            content = json.dumps(checked(row.questions, _given(request)), sort_keys=True)
            entries = await _entered(tx, where, person, content)
            if entries == scrutiny.SCRUTINEERS:
                await _take_over(tx, row)
            return tx.reply(pb.EnterPaperCountResponse(name=request.name, entries=entries))


async def scrutineer(tx: ReadTx, row: Row) -> UUID:
    """The caller, who is not the mover of a candidate. Raises Refused NOT_IN_PERSON, SCRUTINEER_IS_MOVER."""
    person = await caller_in_person(tx)
    named = {identifier(name) for each in json.loads(row.questions) for name in each["movers"].values()}
    moved = named | await movers_of(tx, row.id, selectable(row.questions))
    scrutiny.check_scrutineer(person, {await kept_person(tx, key) for key in moved})
    return person


async def _check_counted(tx: ReadTx, row: Row) -> None:
    """Raises Refused COUNT_MISSING for the first box of a paper poll that two have not counted alike."""
    if not row.result:
        missing = await _uncounted(tx, row)
        raise Refused("COUNT_MISSING", box=box_name(missing[0]))


async def _uncounted(tx: ReadTx, row: Row) -> list[Row]:
    entries = await tx.all(ENTRIES, poll=row.id)
    count = {each.box: sum(other.box == each.box for other in entries) for each in entries}
    return [each for each in await tx.all(BOXES, poll=row.id) if count.get(each.number, 0) < scrutiny.SCRUTINEERS]


async def _entered(tx: WriteTx, where: Row, person: UUID, content: str) -> int:
    """Keeps an entry; who counted again replaces the own one. How many there are. Raises Refused COUNTS_DIFFER."""
    others, own = [], None
    for entry in await tx.all(ENTRIES, poll=where.poll):
        if entry.box == where.number:
            if await kept_person(tx, entry.scrutineer) == person:
                own = entry
            else:
                others.append(entry)
    if any(entry.content != content for entry in others):
        raise Refused("COUNTS_DIFFER")
    if own is None:
        await tx.execute(ENTER, poll=where.poll, box=where.number, scrutineer=person, content=content)
    else:
        key = (paper_count.c.poll == own.poll, paper_count.c.box == own.box, paper_count.c.scrutineer == own.scrutineer)
        await tx.execute(update(paper_count).where(*key).values(content=content, entered_at=func.now()))
    return len(others) + 1


async def _take_over(tx: WriteTx, row: Row) -> None:
    """Once every box has a count that stands, the poll has a result; a vote with more ballots than papers is void."""
    if await _uncounted(tx, row):
        return
    contents = {each.box: json.loads(each.content) for each in await tx.all(ENTRIES, poll=row.id)}
    counts = []
    for where in await tx.all(BOXES, poll=row.id):
        counts.append(read_back(row.questions, where.electorate, where.present, contents[where.number]))
        turnout = counts[-1].turnout
        key = (box.c.poll == where.poll, box.c.number == where.number)
        await tx.execute(update(box).where(*key).values(papers=turnout.papers, ballots=turnout.ballots))
    result = summed(row.questions, counts)
    void = any(each.turnout.is_void for each in counts)
    changes = {"state": "void", "void_reason": VOID_REASON} if void else {}
    await save_poll(tx, row, result=json.dumps(result, ensure_ascii=False), **changes)


def _given(request: pb.EnterPaperCountRequest) -> Any:
    """The numbers of a request, without who sent it."""
    return MessageToDict(
        pb.EnterPaperCountRequest(issued=request.issued, returned=request.returned, questions=request.questions),
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
