"""Turnout (领票、投票情况): how many papers were taken and ballots cast, read once or watched on the screens of a hall.

Each message of a watch is the whole turnout, so nothing is lost with one that was missed. While counts grow, they are
shown in steps, or whoever sees delegates at the desk and at the box could note the moment of each paper and ballot.
Only those who keep the poll see each, and only when they ask.
"""

import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import grpc
from sqlalchemy import text

from chassis import auth, clock, ending
from chassis.database import Database, ReadTx, Row
from chassis.errors import Refusal
from chassis.rulebooks import rulebook
from chassis.rules import WholeNumberRule
from chassis.sql import Sql
from chassis.wire import number, timestamp
from quanyutong.ballots.v1 import polls_pb2
from quanyutong.ballots.v1 import voting_pb2 as pb
from services.ballots import poll_path
from services.ballots.boxes import number_in
from services.ballots.policy import is_staff
from services.ballots.polls import BOXES, box_name, load_poll

Context = grpc.aio.ServicerContext[Any, Any]
INTERVAL = 2.0
HEARTBEAT = 15.0
RUNNING = (polls_pb2.POLL_STATE_DRAFTED, polls_pb2.POLL_STATE_OPEN, polls_pb2.POLL_STATE_VOTING)
COME = Sql(
    text("""SELECT b.number, (SELECT count(*) FROM paper p WHERE p.poll = b.poll AND p.box = b.number) AS papers,
                   (SELECT count(*) FROM ballot c WHERE c.poll = b.poll AND c.box = b.number) AS ballots
            FROM box b WHERE b.poll = :poll""")
)


class Turnouts:
    _database: Database

    async def GetTurnout(self, request: pb.GetTurnoutRequest, _: Context) -> pb.Turnout:
        async with self._database.read() as tx:
            return await _turnout(tx, request.name, exact=is_staff(auth.caller.get()))

    async def WatchTurnout(self, request: pb.WatchTurnoutRequest, _: Context) -> AsyncIterator[pb.WatchTurnoutResponse]:
        seen, spoken = request.after, time.monotonic()
        while True:
            async with self._database.read() as tx:
                turnout = await _turnout(tx, request.name, exact=False)
            revision = hashlib.sha256(turnout.SerializeToString(deterministic=True)).hexdigest()[:16]
            if revision != seen or time.monotonic() - spoken >= HEARTBEAT:
                seen, spoken = revision, time.monotonic()
                yield pb.WatchTurnoutResponse(
                    turnout=turnout, revision=revision, as_of_time=timestamp(datetime.now(UTC))
                )
            if turnout.state not in RUNNING:
                return
            # No transaction is open meanwhile. With the process the watch ends, and its screen goes to another one.
            await ending.pause(INTERVAL)
            if auth.caller.get().expires <= time.time():
                raise Refusal("TOKEN_EXPIRED")


async def _turnout(tx: ReadTx, name: str, *, exact: bool) -> pb.Turnout:
    row = await load_poll(tx, name)
    boxes = [_kept(each) for each in await tx.all(BOXES, poll=row.id)]
    if row.state in ("open", "voting"):
        await _as_it_is(tx, row, boxes)
        if not exact:
            step = (await rulebook(tx, clock.today())).rule("votes.turnout_step", WholeNumberRule).value
            _in_steps(row, boxes, step)
    return pb.Turnout(
        name=name,
        state=number(polls_pb2.PollState, row.state),
        electorate=sum(each.electorate for each in boxes),
        papers=sum(each.papers for each in boxes),
        ballots=sum(each.ballots for each in boxes),
        boxes=boxes,
    )


def _kept(row: Row) -> pb.BoxTurnout:
    return pb.BoxTurnout(
        box=box_name(row),
        display_name=row.display_name,
        electorate=row.electorate,
        papers=row.papers,
        ballots=row.ballots,
    )


async def _as_it_is(tx: ReadTx, row: Row, boxes: Sequence[pb.BoxTurnout]) -> None:
    come = {each.number: each for each in await tx.all(COME, poll=row.id)}
    for each in boxes:
        now = come[number_in(each.box)]
        each.papers, each.ballots = now.papers, now.ballots


def _in_steps(row: Row, boxes: Sequence[pb.BoxTurnout], step: int) -> None:
    """Each box by itself, and what all have together is the sum of what is shown."""
    handing_out = row.state == "open" or row.late_papers
    for each in boxes:
        each.ballots = poll_path.in_steps(each.ballots, each.electorate if handing_out else each.papers, step)
        if handing_out:
            each.papers = poll_path.in_steps(each.papers, each.electorate, step)
