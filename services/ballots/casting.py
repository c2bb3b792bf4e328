"""Casting (投票): the box of docs/voting-protocol.md, and how many came to it.

Nothing here knows a person. A cast is one row under the ballot's own key, in a transaction that touches nothing else:
no row is locked or changed, no event is told, no answer is stored. Repeated, it finds itself.
"""

from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import bindparam, select, text

from chassis import auth
from chassis.database import Database, ReadTx, Row
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import identifier, number
from quanyutong.ballots.v1 import polls_pb2
from quanyutong.ballots.v1 import voting_pb2 as pb
from quanyutong_client.ballot import Ballot, check_marks
from quanyutong_client.encoding import Malformed
from quanyutong_client.receipt import receipt_message
from quanyutong_client.terms import Terms
from quanyutong_client.verification import faults_of
from services.ballots import poll_path
from services.ballots.boxes import board_key, load_box, number_in, terms_of
from services.ballots.domain import Refused
from services.ballots.papers import STATE
from services.ballots.policy import is_a_box
from services.ballots.polls import BOXES, box_name, load_poll
from services.ballots.sweeping import SHARE
from services.ballots.tables import ballot, closed_ballot

Context = grpc.aio.ServicerContext[Any, Any]
CAST = Sql(
    text("""INSERT INTO ballot (poll, box, public_key, encoded) VALUES (:poll, :box, :public_key, :encoded)
            ON CONFLICT (district, poll, box, public_key) DO NOTHING""")
)
IN_BOX = Sql(
    select(ballot.c.encoded).where(
        ballot.c.poll == bindparam("poll"),
        ballot.c.box == bindparam("box"),
        ballot.c.public_key == bindparam("public_key"),
    )
)
ON_BOARD = Sql(
    select(closed_ballot.c.encoded, closed_ballot.c.receipt).where(
        closed_ballot.c.poll == bindparam("poll"),
        closed_ballot.c.box == bindparam("box"),
        closed_ballot.c.public_key == bindparam("public_key"),
    )
)
COME = Sql(
    # The tables in the order of a rewrite, see sweeping.
    text("""SELECT b.number, (SELECT count(*) FROM ballot c WHERE c.poll = b.poll AND c.box = b.number) AS ballots,
                   (SELECT count(*) FROM paper p WHERE p.poll = b.poll AND p.box = b.number) AS papers
            FROM box b WHERE b.poll = :poll""")
)


class Casting:
    _database: Database
    _vault: Vault

    async def CastBallot(self, request: pb.CastBallotRequest, _: Context) -> pb.CastBallotResponse:
        if not is_a_box(auth.caller.get()):
            raise Refused("BOX_IS_A_PERSON")
        key, place = identifier(request.name.partition("/boxes/")[0]), number_in(request.name)
        async with self._database.read() as tx:
            row = await load_poll(tx, request.name)
            poll_path.check_method(row.method, "electronic")
            poll_path.check_state(row.state, ("open", "voting", *poll_path.COUNTED))
            where = await load_box(tx, key, place)
            signing = await board_key(tx, self._vault, key, place)
        terms = terms_of(where.terms)
        read = _read(terms, request.ballot)
        receipt = signing.sign(receipt_message(terms, read.leaf())) if signing else None
        return pb.CastBallotResponse(signature=await self._dropped(key, place, read, request.ballot, receipt))

    async def _dropped(self, key: UUID, place: int, read: Ballot, encoded: bytes, receipt: bytes | None) -> bytes:
        """Puts the ballot into the box and returns its receipt; once the poll is closed, that of one on the board."""
        facts = {"poll": key, "box": place, "public_key": read.paper.public_key}
        async with self._database.write() as tx:
            await tx.execute(SHARE, poll=str(key))
            state = (await tx.one(STATE, key=key)).state
            if state in poll_path.COUNTED:
                return _published(await tx.first(ON_BOARD, **facts), encoded, state)
            poll_path.check_state(state, ("voting",))
            await tx.execute(CAST, **facts, encoded=encoded)
            if (await tx.one(IN_BOX, **facts)).encoded != encoded:
                raise Refused("BALLOT_DIFFERS")
        if receipt is None:
            raise LookupError("a box without the key that signs its receipts")
        return receipt

    async def GetTurnout(self, request: pb.GetTurnoutRequest, _: Context) -> pb.Turnout:
        async with self._database.read() as tx:
            row = await load_poll(tx, request.name)
            boxes = [_turnout(each) for each in await tx.all(BOXES, poll=row.id)]
            if row.state in ("open", "voting"):
                await _as_it_is(tx, row.id, boxes)
        return pb.Turnout(
            name=request.name,
            state=number(polls_pb2.PollState, row.state),
            electorate=sum(each.electorate for each in boxes),
            papers=sum(each.papers for each in boxes),
            ballots=sum(each.ballots for each in boxes),
            boxes=boxes,
        )


def _read(terms: Terms, encoded: bytes) -> Ballot:
    """Raises Refused BALLOT_REFUSED."""
    try:
        read = Ballot.decode(encoded)
        check_marks(terms, read.marks)
    except Malformed:
        raise Refused("BALLOT_REFUSED", finding="BALLOT_MALFORMED") from None
    for finding in faults_of(terms, read):
        raise Refused("BALLOT_REFUSED", finding=finding.name)
    return read


def _published(kept: Row | None, encoded: bytes, state: str) -> bytes:
    if kept is None:
        raise Refused("POLL_STATE_REFUSED", state=state.upper(), needed="VOTING")
    if kept.encoded != encoded:
        raise Refused("BALLOT_DIFFERS")
    receipt: bytes = kept.receipt
    return receipt


async def _as_it_is(tx: ReadTx, key: UUID, boxes: list[pb.BoxTurnout]) -> None:
    come = {each.number: each for each in await tx.all(COME, poll=key)}
    for each in boxes:
        now = come[number_in(each.box)]
        each.papers, each.ballots = now.papers, now.ballots


def _turnout(row: Row) -> pb.BoxTurnout:
    return pb.BoxTurnout(
        box=box_name(row),
        display_name=row.display_name,
        electorate=row.electorate,
        papers=row.papers,
        ballots=row.ballots,
    )
