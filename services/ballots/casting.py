"""Casting (投票): the box of docs/voting-protocol.md.

Nothing here knows a person. A cast is one row under the ballot's own key. Ballots that come at the same moment are
written together, by key, in a transaction that touches nothing else: no row is locked or changed, no event is told, no
answer is stored. Repeated, a cast finds itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import ARRAY, LargeBinary, any_, bindparam, select, text

from chassis import auth, tenancy
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.vault import Vault
from quanyutong.ballots.v1 import voting_pb2 as pb
from quanyutong_client.ballot import Ballot, check_marks
from quanyutong_client.encoding import Malformed
from quanyutong_client.receipt import receipt_message
from quanyutong_client.terms import Terms
from quanyutong_client.verification import faults_of
from services.ballots import poll_path
from services.ballots.batching import Batches
from services.ballots.boxes import board_key, load_box, number_in, terms_of
from services.ballots.domain import Refused
from services.ballots.policy import is_a_box
from services.ballots.polls import load_poll
from services.ballots.sweeping import SHARE
from services.ballots.tables import ballot, closed_ballot

Context = grpc.aio.ServicerContext[Any, Any]
# By key: of those in a batch, nobody was first.
CAST = Sql(
    text("""INSERT INTO ballot (poll, box, public_key, encoded)
            SELECT :poll, :box, public_key, encoded FROM unnest(:keys, :encoded) AS b (public_key, encoded)
            ORDER BY public_key, encoded
            ON CONFLICT (district, poll, box, public_key) DO NOTHING""").bindparams(
        bindparam("keys", type_=ARRAY(LargeBinary)), bindparam("encoded", type_=ARRAY(LargeBinary))
    )
)
THESE = any_(bindparam("keys", type_=ARRAY(LargeBinary)))
IN_BOX = Sql(
    select(ballot.c.public_key, ballot.c.encoded).where(
        ballot.c.poll == bindparam("poll"), ballot.c.box == bindparam("box"), ballot.c.public_key == THESE
    )
)
ON_BOARD = Sql(
    select(closed_ballot.c.public_key, closed_ballot.c.encoded, closed_ballot.c.receipt).where(
        closed_ballot.c.poll == bindparam("poll"),
        closed_ballot.c.box == bindparam("box"),
        closed_ballot.c.public_key == THESE,
    )
)


class Slot(NamedTuple):
    """Where ballots are cast: `box` is `polls/<uuid>/boxes/<number>`."""

    district: str
    box: str


Read = Ballot | Refused


class Casting:
    _database: Database
    _vault: Vault
    _slots: Batches[Slot, bytes, bytes]

    async def CastBallot(self, request: pb.CastBallotRequest, _: Context) -> pb.CastBallotResponse:
        if not is_a_box(auth.caller.get()):
            raise Refused("BOX_IS_A_PERSON")
        signature = await self._slots.join(Slot(tenancy.district(), request.name), request.ballot)
        return pb.CastBallotResponse(signature=signature)

    async def _drop(self, slot: Slot, encoded: Sequence[bytes]) -> Sequence[bytes | Refused]:
        """Puts ballots into the box and returns their receipts; once the poll is closed, of those on the board."""
        with tenancy.acting_for(slot.district):
            async with self._database.write() as tx:
                await tx.execute(SHARE, poll=slot.box.split("/")[1])
                row = await load_poll(tx, slot.box)
                poll_path.check_method(row.method, "electronic")
                counted = row.state in poll_path.COUNTED
                if not counted:
                    poll_path.check_state(row.state, ("voting",))
                where = await load_box(tx, row.id, number_in(slot.box))
                read = [_read(terms_of(where.terms), each) for each in encoded]
                if counted:
                    board = await _found(tx, ON_BOARD, where, read)
                    return [_published(each, board, row.state) for each in read]
                return await self._dropped(tx, where, read)

    async def _dropped(self, tx: WriteTx, where: Row, read: Sequence[Read]) -> list[bytes | Refused]:
        sound = [each for each in read if isinstance(each, Ballot)]
        keys = [each.paper.public_key for each in sound]
        of_box = {"poll": where.poll, "box": where.number}
        await tx.execute(CAST, **of_box, keys=keys, encoded=[each.encoded() for each in sound])
        kept = await _found(tx, IN_BOX, where, read)
        key = await board_key(tx, self._vault, where.poll, where.number)
        if key is None:
            raise LookupError("a box without the key that signs its receipts")
        return [_receipt(key, terms_of(where.terms), each, kept) for each in read]


def _read(terms: Terms, encoded: bytes) -> Read:
    try:
        read = Ballot.decode(encoded)
        check_marks(terms, read.marks)
    except Malformed:
        return Refused("BALLOT_REFUSED", finding="BALLOT_MALFORMED")
    for finding in faults_of(terms, read):
        return Refused("BALLOT_REFUSED", finding=finding.name)
    return read


async def _found(tx: ReadTx, asked: Sql, where: Row, read: Sequence[Read]) -> Mapping[bytes, Row]:
    """Which of them there are already, by their keys."""
    keys = [each.paper.public_key for each in read if isinstance(each, Ballot)]
    return {row.public_key: row for row in await tx.all(asked, poll=where.poll, box=where.number, keys=keys)}


def _receipt(key: Ed25519PrivateKey, terms: Terms, read: Read, kept: Mapping[bytes, Row]) -> bytes | Refused:
    if isinstance(read, Refused):
        return read
    if kept[read.paper.public_key].encoded != read.encoded():
        return Refused("BALLOT_DIFFERS")
    return key.sign(receipt_message(terms, read.leaf()))


def _published(read: Read, board: Mapping[bytes, Row], state: str) -> bytes | Refused:
    if isinstance(read, Refused):
        return read
    kept = board.get(read.paper.public_key)
    if kept is None:
        return Refused("POLL_STATE_REFUSED", state=state.upper(), needed="VOTING")
    if kept.encoded != read.encoded():
        return Refused("BALLOT_DIFFERS")
    receipt: bytes = kept.receipt
    return receipt
