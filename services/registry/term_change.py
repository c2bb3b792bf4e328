"""The change of term (换届): in one transaction all mandates of a term end by expiry and the next term is there."""

from typing import Any

import grpc
from sqlalchemy import and_, bindparam, or_, select, update

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import check_etag
from quanyutong.registry.v1 import mandate_life_pb2 as pb
from services.registry import domain
from services.registry.assemblies import load_assembly, load_term, open_term, opening, term_message, term_values
from services.registry.mandates import publish_ended
from services.registry.seats import OF_TERM
from services.registry.tables import mandate, suspension, term

Context = grpc.aio.ServicerContext[Any, Any]
IN_FORCE = and_(OF_TERM, or_(*(mandate.c.state == state for state in domain.IN_FORCE)))
RESUME = Sql(
    update(suspension)
    .where(suspension.c.end_date.is_(None), suspension.c.mandate.in_(select(mandate.c.id).where(IN_FORCE)))
    .values(end_date=bindparam("day"))
)
EXPIRE = Sql(
    update(mandate)
    .where(IN_FORCE)
    .values(
        state="ended",
        state_since=bindparam("day"),
        active_to=bindparam("day"),
        end_reason="expiry",
        remark="",
        revision=mandate.c.revision + 1,
    )
    .returning(mandate)
)
NEXT = Sql(select(term).where(term.c.assembly == bindparam("assembly"), term.c.number == bindparam("number")))


class TermChanges:
    _database: Database

    async def ChangeTerm(self, request: pb.ChangeTermRequest, _: Context) -> pb.ChangeTermResponse:
        parent = request.name.partition("/terms/")[0]
        async with opening(parent, request.next), self._database.write() as tx:
            owner = await load_assembly(tx, parent, lock=True)
            over = await load_term(tx, request.name, lock=True)
            check_etag(request.etag, over.revision)
            domain.check_term_over(request.name, over.end_date, clock.today())
            values = await term_values(tx, owner, request.next, "next")
            domain.check_next_term(values["start_date"], over.end_date)
            ended = await _expire(tx, over)
            return tx.reply(pb.ChangeTermResponse(next=term_message(await _next(tx, values)), ended=ended))


async def _expire(tx: WriteTx, over: Row) -> int:
    """How many mandates the term took with it."""
    whole = {"assembly": over.assembly, "term": over.number, "day": over.end_date}
    await tx.execute(RESUME, **whole)
    ended = await tx.all(EXPIRE, **whole)
    for row in ended:
        publish_ended(tx, row)
    return len(ended)


async def _next(tx: WriteTx, values: dict[str, Any]) -> Row:
    """The term that begins: opened now, or before with just these dates."""
    there = await tx.first(NEXT, assembly=values["assembly"], number=values["number"])
    if there and (there.start_date, there.end_date) == (values["start_date"], values["end_date"]):
        return there
    return await open_term(tx, values)
