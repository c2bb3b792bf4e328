"""How an opinion is loaded, and how it takes a step: it changes and its timeline says so, in one transaction."""

from typing import Any

from sqlalchemy import bindparam, insert, select

from chassis import actor
from chassis.database import ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import check_etag, identifier, number
from quanyutong.feedback.v1 import events_pb2, opinions_pb2
from services.feedback.domain import Refused
from services.feedback.handling_path import next_state
from services.feedback.tables import opinion, opinion_step

BY_ID = select(opinion).where(opinion.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
ENTER = Sql(insert(opinion_step), columns=("opinion", "verb", "state", "subject", "note"))


async def load_opinion(tx: ReadTx, name: str, how: Sql = READ) -> Row:
    """Raises Refused OPINION_NOT_FOUND."""
    row = await tx.first(how, key=identifier(name))
    if row is None:
        raise Refused("OPINION_NOT_FOUND", opinion=name)
    return row


async def load_for(tx: WriteTx, request: Any) -> Row:
    """One that is handled by itself. Raises Refused OPINION_MERGED."""
    row = await load_opinion(tx, request.name, LOCK)
    check_etag(request.etag, row.revision)
    if row.merged_into:
        raise Refused("OPINION_MERGED", into=opinion_name(row.merged_into))
    return row


async def take(tx: WriteTx, row: Row, verb: str, note: str = "", *, back: str = "", **changes: Any) -> Row:
    """One step of an opinion that is locked; `back` is the state that it goes back to.

    Raises Refused OPINION_STATE_REFUSED, OPINION_PAUSED.
    """
    state = back or next_state(verb, row.state, paused=row.paused_left is not None)
    saved = await tx.change(opinion, row, state=state, **changes)
    await tell(tx, saved, verb, note)
    if saved.state != row.state:
        tx.publish(_progressed(saved), opinion_name(saved.id))
    return saved


async def tell(tx: WriteTx, row: Row, verb: str, note: str = "") -> None:
    """Adds to the timeline what the opinion itself does not show."""
    await tx.execute(ENTER, opinion=row.id, verb=verb, state=row.state, subject=actor.subject(), note=note)


def _progressed(row: Row) -> events_pb2.OpinionProgressed:
    return events_pb2.OpinionProgressed(
        opinion=opinion_name(row.id),
        state=number(opinions_pb2.OpinionState, row.state),
        category=number(opinions_pb2.OpinionCategory, row.category),
        unit=f"units/{row.unit}" if row.unit else "",
        merged_into=opinion_name(row.merged_into) if row.merged_into else "",
    )


def opinion_name(key: object) -> str:
    return f"opinions/{key}"
