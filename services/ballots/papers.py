"""Ballot papers (领取选票): who may vote, in person, and the blind signature. The desk of docs/voting-protocol.md.

A paper is a row of its own in a transaction of its own, which touches nothing else and is told of to nobody.
"""

from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import bindparam, select, text

from chassis.database import Database, ReadTx, Row
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import number
from quanyutong.ballots.v1 import polls_pb2
from quanyutong.ballots.v1 import voting_pb2 as pb
from services.ballots import poll_path
from services.ballots.blind_signing import BlindedMessageRefused
from services.ballots.boxes import load_box, paper_key
from services.ballots.domain import Refused
from services.ballots.persons import caller_in_person
from services.ballots.polls import box_message, load_poll
from services.ballots.sweeping import SHARE
from services.ballots.tables import paper, poll

Context = grpc.aio.ServicerContext[Any, Any]
# Of two seats of one person, as after a merge, the one that has a paper.
ELECTOR = Sql(
    text("""SELECT e.mandate, e.box, coalesce(s.attended, false) AS present, p.blinded, p.answer
            FROM elector e LEFT JOIN seat s ON s.meeting = :meeting AND s.mandate = e.mandate
            LEFT JOIN paper p ON p.poll = e.poll AND p.mandate = e.mandate
            WHERE e.poll = :poll AND e.person = :person ORDER BY p.mandate NULLS LAST, e.mandate LIMIT 1""")
)
STATE = Sql(select(poll.c.state, poll.c.late_papers).where(poll.c.id == bindparam("key")))
# Two calls of one delegate at once: the second finds what the first one took.
TAKE = Sql(
    text("""INSERT INTO paper (poll, box, mandate, blinded, answer) VALUES (:poll, :box, :mandate, :blinded, :answer)
            ON CONFLICT (district, poll, mandate) DO NOTHING""")
)
TAKEN = Sql(
    select(paper.c.blinded, paper.c.answer).where(
        paper.c.poll == bindparam("poll"), paper.c.mandate == bindparam("mandate")
    )
)


class Papers:
    _database: Database
    _vault: Vault

    async def GetEntitlement(self, request: pb.GetEntitlementRequest, _: Context) -> pb.Entitlement:
        async with self._database.read() as tx:
            row = await load_poll(tx, request.name)
            elector = await _elector(tx, row, await caller_in_person(tx))
            where = await load_box(tx, row.id, elector.box)
        return pb.Entitlement(
            name=request.name,
            state=number(polls_pb2.PollState, row.state),
            box=box_message(where),
            present=elector.present,
        )

    async def TakePaper(self, request: pb.TakePaperRequest, _: Context) -> pb.TakePaperResponse:
        blinded = request.blinded_message
        async with self._database.read() as tx:
            row = await load_poll(tx, request.name)
            elector = await _elector(tx, row, await caller_in_person(tx))
            if elector.answer is not None:
                return _answer(elector, blinded)
            _check_desk(row, elector)
            key = await paper_key(tx, self._vault, row.id, elector.box)
        if key is None:  # voting has started at this very moment
            raise Refused("POLL_STATE_REFUSED", state="VOTING", needed="OPEN")
        try:
            answer = key.sign(blinded)
        except BlindedMessageRefused:
            raise Refused("BLINDED_MESSAGE_REFUSED") from None
        return await self._taken(row.id, elector, blinded, answer)

    async def _taken(self, key: UUID, elector: Row, blinded: bytes, answer: bytes) -> pb.TakePaperResponse:
        """Keeps the paper, unless handing out has ended in the meantime."""
        async with self._database.write() as tx:
            await tx.execute(SHARE, poll=str(key))
            _check_desk(await tx.one(STATE, key=key), elector)
            facts = {"poll": key, "mandate": elector.mandate}
            await tx.execute(TAKE, **facts, box=elector.box, blinded=blinded, answer=answer)
            return _answer(await tx.one(TAKEN, **facts), blinded)


async def _elector(tx: ReadTx, row: Row, person: UUID) -> Row:
    """Raises Refused NOT_ENTITLED."""
    found = await tx.first(ELECTOR, poll=row.id, meeting=row.meeting, person=person)
    if found is None:
        poll_path.check_state(row.state, ("open", "voting", "closed", "certified", "announced", "void"))
        raise Refused("NOT_ENTITLED")
    return found


def _check_desk(row: Row, elector: Row) -> None:
    """Papers are handed out while the poll is open, to those who are there."""
    poll_path.check_state(row.state, ("open", "voting") if row.late_papers else ("open",))
    if not elector.present:
        raise Refused("NOT_PRESENT")


def _answer(taken: Row, blinded: bytes) -> pb.TakePaperResponse:
    if taken.blinded != blinded:
        raise Refused("PAPER_TAKEN")
    return pb.TakePaperResponse(blind_signature=taken.answer)
