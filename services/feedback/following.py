"""What the asker sees and says without an account, by the secret code of the receipt (回执查询)."""

from typing import Any

import grpc
from sqlalchemy import bindparam, select

from chassis.database import Database, ReadTx, Row
from chassis.errors import Refusal
from chassis.sql import Sql
from chassis.wire import date_message, word
from quanyutong.feedback.v1 import intakes_pb2 as pb
from quanyutong.feedback.v1 import opinions_pb2
from services.feedback.handling import judge
from services.feedback.handling_steps import load_opinion, opinion_name
from services.feedback.nominations import nomination_of
from services.feedback.opinion_message import opinion_message
from services.feedback.places import Places
from services.feedback.receipts import hash_of
from services.feedback.tables import opinion

Context = grpc.aio.ServicerContext[Any, Any]
BY_CODE = Sql(select(opinion).where(opinion.c.receipt_hash == bindparam("hash")))
SHOWN = ("state", "undertakers", "due_date", "paused", "answers")
# Where the reason is the office's, and not another asker's.
REASONED = frozenset({"deferred", "returned", "dismissed"})


class Following:
    _database: Database
    _places: Places

    async def GetStatus(self, request: pb.GetStatusRequest, _: Context) -> pb.OpinionStatus:
        async with self._database.read() as tx:
            return await _status(tx, await _by_code(tx, request.code))

    async def JudgeAnswer(self, request: pb.JudgeAnswerRequest, _: Context) -> pb.OpinionStatus:
        async with self._places.taken(), self._database.write() as tx:
            row = await _by_code(tx, request.code)
            await judge(tx, row, word(opinions_pb2.Judgement, request.judgement), request.reason)
            return tx.reply(await _status(tx, row))


async def _by_code(tx: ReadTx, code: str) -> Row:
    """Raises Refusal ADDRESS_NOT_FOUND."""
    row = await tx.first(BY_CODE, hash=hash_of(code))
    if row is None:
        raise Refusal("ADDRESS_NOT_FOUND")
    return row


async def _status(tx: ReadTx, asker: Row) -> pb.OpinionStatus:
    """Of what the staff see of the opinion, or of the one that stands for it, the part that is the asker's."""
    row = await load_opinion(tx, opinion_name(asker.merged_into or asker.id))
    seen = await opinion_message(tx, row, asker.id)
    for answer in seen.answers:
        answer.ClearField("judgements")
    given = {field.name: value for field, value in seen.ListFields() if field.name in SHOWN}
    reason = row.reason if seen.paused or row.state in REASONED else ""
    told = pb.OpinionStatus(**given, receive_date=date_message(asker.receive_date), reason=reason)
    if nomination := await nomination_of(tx, row.id, asker.id):
        for field in ("title", "year", "state", "reason", "project"):
            setattr(told.nomination, field, getattr(nomination, field))
    return told
