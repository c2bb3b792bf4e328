"""What delegates are bound to from a day to a day: a place on a rota, a contact, a seat or the lead in a group.

All begin and end alike: they are told to the other services, and end with the mandate, with its term at the latest.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from asyncpg import ExclusionViolationError
from google.protobuf.message import Message
from sqlalchemy import ColumnElement, Table, and_, bindparam, func, insert, or_, select, update

from chassis import clock
from chassis.database import ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import date_message, identifier
from quanyutong.registry.v1 import events_pb2 as events
from services.registry import domain, posts
from services.registry.assemblies import term_of
from services.registry.tables import contact, mandate, oversight_leader, oversight_member, rota_entry

# Shared among those who give the delegate a duty; whoever ends the mandate waits for them, and then ends theirs too.
DELEGATE = Sql(select(mandate).where(mandate.c.id == bindparam("key")).with_for_update(read=True))


async def load_delegate(tx: ReadTx, name: str, term: str = "") -> Row:
    """A mandate that is active today, of `term` if there is one.

    Raises Refused MANDATE_NOT_FOUND, MANDATE_NOT_ACTIVE.
    """
    row = await tx.first(DELEGATE, key=identifier(name))
    if row is None:
        raise domain.Refused("MANDATE_NOT_FOUND", mandate=name)
    held = term_of(row)
    state = domain.standing(row.state, row.term_end, clock.today())
    posts.check_active(name, state, held, term or held)
    return row


def holds_on(table: Table, day: date) -> ColumnElement[bool]:
    return and_(table.c.start_date <= day, lasts_beyond(table, day))


def lasts_beyond(table: Table, day: ColumnElement[date] | date) -> ColumnElement[bool]:
    return or_(table.c.end_date.is_(None), table.c.end_date > day)


async def begin(tx: WriteTx, table: Table, delegate: Row, start: date, end: date | None = None, **values: Any) -> Row:
    """Without an end it lasts as long as the term. Raises Refused DUTY_EXISTS when the same is there on these days."""
    lasting = {"mandate": delegate.id, "start_date": start, "end_date": end or delegate.term_end}
    try:
        row = await tx.one(insert(table).values(lasting | values).returning(table))
    except ExclusionViolationError:
        raise domain.Refused("DUTY_EXISTS") from None
    tx.publish(CHANGED[table](row), f"mandates/{row.mandate}")
    return row


async def end(tx: WriteTx, table: Table, whose: ColumnElement[bool], day: date) -> Sequence[Row]:
    """Ends those that would last beyond the day; what had not begun by then never comes about."""
    cut = {"end_date": func.greatest(table.c.start_date, day)}
    rows = await tx.all(update(table).where(whose, lasts_beyond(table, day)).values(cut).returning(table))
    for row in rows:
        tx.publish(CHANGED[table](row), f"mandates/{row.mandate}")
    return rows


async def end_all(tx: WriteTx, delegate: UUID, day: date) -> None:
    """With the mandate all its duties end."""
    for table in CHANGED:
        await end(tx, table, table.c.mandate == delegate, day)


def _shared(row: Row) -> dict[str, Any]:
    return {
        "mandate": f"mandates/{row.mandate}",
        "start_date": date_message(row.start_date),
        "end_date": date_message(row.end_date),
    }


def _rota_changed(row: Row) -> events.RotaChanged:
    return events.RotaChanged(rota_entry=f"rotaEntries/{row.id}", station=f"stations/{row.station}", **_shared(row))


def _contact_changed(row: Row) -> events.ContactChanged:
    return events.ContactChanged(contact=f"contacts/{row.id}", **_shared(row))


def _member_changed(row: Row) -> events.OversightMemberChanged:
    return events.OversightMemberChanged(group=f"oversightGroups/{row.oversight_group}", **_shared(row))


def _leader_changed(row: Row) -> events.OversightLeaderChanged:
    return events.OversightLeaderChanged(group=f"oversightGroups/{row.oversight_group}", **_shared(row))


# Every kind of duty, and the event that tells of it as it is now.
CHANGED: Mapping[Table, Callable[[Row], Message]] = {
    rota_entry: _rota_changed,
    contact: _contact_changed,
    oversight_leader: _leader_changed,
    oversight_member: _member_changed,
}
