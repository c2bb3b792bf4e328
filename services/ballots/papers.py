"""Ballot papers (领取选票): who may vote, in person, and the blind signature. The desk of docs/voting-protocol.md.

Papers that are asked for at the same moment are written together, by mandate, in a transaction that touches nothing
else and is told of to nobody.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import grpc
from sqlalchemy import ARRAY, Integer, LargeBinary, Uuid, any_, bindparam, select, text

from chassis import tenancy
from chassis.database import Database, ReadTx, Row
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import number
from quanyutong.ballots.v1 import polls_pb2
from quanyutong.ballots.v1 import voting_pb2 as pb
from services.ballots import poll_path
from services.ballots.batching import Batches
from services.ballots.blind_signing import BlindedMessageRefused, SigningKey
from services.ballots.boxes import load_box, paper_key
from services.ballots.domain import Refused
from services.ballots.persons import caller_as_entered
from services.ballots.polls import box_message, load_poll
from services.ballots.sweeping import SHARE
from services.ballots.tables import paper, poll

Context = grpc.aio.ServicerContext[Any, Any]
# Of two seats of one person, as after a merge, the one that has a paper.
ELECTORS = Sql(
    text("""SELECT asked.person AS asked, e.*
            FROM unnest(:persons) AS asked (person) LEFT JOIN merged_person m ON m.id = asked.person
            CROSS JOIN LATERAL (
                SELECT e.mandate, e.box, p.blinded, p.answer, coalesce(
                    (SELECT s.attended FROM seat s WHERE s.meeting = :meeting AND s.mandate = e.mandate), false
                ) AS present
                FROM elector e LEFT JOIN paper p ON p.poll = e.poll AND p.mandate = e.mandate
                WHERE e.poll = :poll AND e.person = coalesce(m.kept, asked.person)
                ORDER BY p.mandate NULLS LAST, e.mandate LIMIT 1
            ) AS e""").bindparams(bindparam("persons", type_=ARRAY(Uuid)))
)
STATE = Sql(select(poll.c.state, poll.c.late_papers).where(poll.c.id == bindparam("key")))
# By mandate: of those in a batch, nobody was first. Of two calls of one delegate, the second finds what the first took.
TAKE = Sql(
    text("""INSERT INTO paper (poll, box, mandate, blinded, answer)
            SELECT :poll, box, mandate, blinded, answer
            FROM unnest(:boxes, :mandates, :blinded, :answers) AS p (box, mandate, blinded, answer) ORDER BY mandate
            ON CONFLICT (district, poll, mandate) DO NOTHING""").bindparams(
        bindparam("boxes", type_=ARRAY(Integer)),
        bindparam("mandates", type_=ARRAY(Uuid)),
        bindparam("blinded", type_=ARRAY(LargeBinary)),
        bindparam("answers", type_=ARRAY(LargeBinary)),
    )
)
TAKEN = Sql(
    select(paper.c.mandate, paper.c.blinded, paper.c.answer).where(
        paper.c.poll == bindparam("poll"), paper.c.mandate == any_(bindparam("mandates", type_=ARRAY(Uuid)))
    )
)


class Desk(NamedTuple):
    """Where papers of a poll are handed out."""

    district: str
    poll: str


class Asked(NamedTuple):
    """Who asks for a paper, and for which."""

    person: UUID
    blinded: bytes


class Fresh(NamedTuple):
    """A paper that may be handed out."""

    elector: Row
    blinded: bytes


Answer = bytes | Refused


class Papers:
    _database: Database
    _vault: Vault
    _desks: Batches[Desk, Asked, bytes]

    async def GetEntitlement(self, request: pb.GetEntitlementRequest, _: Context) -> pb.Entitlement:
        person = caller_as_entered()
        async with self._database.read() as tx:
            row = await load_poll(tx, request.name)
            elector = _found(row, await _electors(tx, row, [person]), person)
            where = await load_box(tx, row.id, elector.box)
        return pb.Entitlement(
            name=request.name,
            state=number(polls_pb2.PollState, row.state),
            box=box_message(where),
            present=elector.present,
        )

    async def TakePaper(self, request: pb.TakePaperRequest, _: Context) -> pb.TakePaperResponse:
        asked = Asked(caller_as_entered(), request.blinded_message)
        answer = await self._desks.join(Desk(tenancy.district(), request.name), asked)
        return pb.TakePaperResponse(blind_signature=answer)

    async def _hand_out(self, desk: Desk, asked: Sequence[Asked]) -> Sequence[Answer]:
        with tenancy.acting_for(desk.district):
            async with self._database.read() as tx:
                row = await load_poll(tx, desk.poll)
                electors = await _electors(tx, row, [each.person for each in asked])
                known = [_known(row, electors, each) for each in asked]
                fresh = [
                    Fresh(electors[each.person], each.blinded) for each, at in zip(asked, known, strict=True) if not at
                ]
                boxes = {each.elector.box for each in fresh}
                keys = {box: await paper_key(tx, self._vault, row.id, box) for box in sorted(boxes)}
            signed = await asyncio.to_thread(_signed, keys, fresh)
            taken = iter(await self._taken(row.id, fresh, signed))
        return [at or next(taken) for at in known]

    async def _taken(self, key: UUID, fresh: Sequence[Fresh], signed: Sequence[Answer]) -> Sequence[Answer]:
        """Keeps the papers, unless handing out has ended in the meantime."""
        pairs = [(each, answer) for each, answer in zip(fresh, signed, strict=True) if isinstance(answer, bytes)]
        kept: Mapping[UUID, Row] = {}
        if pairs:
            try:
                kept = await self._keep(key, pairs)
            except Refused as refused:
                return [refused] * len(fresh)
        return [
            _answer(kept[each.elector.mandate], each.blinded) if isinstance(answer, bytes) else answer
            for each, answer in zip(fresh, signed, strict=True)
        ]

    async def _keep(self, key: UUID, pairs: Sequence[tuple[Fresh, bytes]]) -> Mapping[UUID, Row]:
        async with self._database.write() as tx:
            await tx.execute(SHARE, poll=str(key))
            _check_desk(await tx.one(STATE, key=key))
            mandates = [each.elector.mandate for each, _ in pairs]
            await tx.execute(
                TAKE,
                poll=key,
                boxes=[each.elector.box for each, _ in pairs],
                mandates=mandates,
                blinded=[each.blinded for each, _ in pairs],
                answers=[answer for _, answer in pairs],
            )
            return {row.mandate: row for row in await tx.all(TAKEN, poll=key, mandates=mandates)}


async def _electors(tx: ReadTx, row: Row, persons: Sequence[UUID]) -> Mapping[UUID, Row]:
    """By the person who asked; whoever has no seat in this poll is not among them."""
    return {each.asked: each for each in await tx.all(ELECTORS, poll=row.id, meeting=row.meeting, persons=persons)}


def _found(row: Row, electors: Mapping[UUID, Row], person: UUID) -> Row:
    """Raises Refused NOT_ENTITLED."""
    if person not in electors:
        poll_path.check_state(row.state, ("open", "voting", "closed", "certified", "announced", "void"))
        raise Refused("NOT_ENTITLED")
    return electors[person]


def _known(row: Row, electors: Mapping[UUID, Row], asked: Asked) -> Answer | None:
    """What is to be answered without a new paper; None where there may be one."""
    try:
        elector = _found(row, electors, asked.person)
        if elector.answer is not None:
            return _answer(elector, asked.blinded)
        _check_desk(row)
        if not elector.present:
            raise Refused("NOT_PRESENT")
    except Refused as refused:
        return refused
    return None


def _check_desk(row: Row) -> None:
    """Papers are handed out while the poll is open."""
    poll_path.check_state(row.state, ("open", "voting") if row.late_papers else ("open",))


def _signed(keys: Mapping[int, SigningKey | None], fresh: Sequence[Fresh]) -> list[Answer]:
    return [_sign(keys[each.elector.box], each.blinded) for each in fresh]


def _sign(key: SigningKey | None, blinded: bytes) -> Answer:
    if key is None:  # voting has started at this very moment
        return Refused("POLL_STATE_REFUSED", state="VOTING", needed="OPEN")
    try:
        return key.sign(blinded)
    except BlindedMessageRefused:
        return Refused("BLINDED_MESSAGE_REFUSED")


def _answer(taken: Row, blinded: bytes) -> Answer:
    answer: bytes = taken.answer
    return answer if taken.blinded == blinded else Refused("PAPER_TAKEN")
