"""What a district leaves on a day: what is in force there, read at once, so that another district can take it over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, func, or_, select, union_all

from chassis.database import ReadTx, Row
from chassis.errors import Refusal
from chassis.vault import Vault
from services.registry import domain, keys
from services.registry.tables import (
    activity,
    assembly,
    contact,
    mandate,
    oversight_group,
    oversight_leader,
    oversight_member,
    person,
    rota_entry,
    station,
    term,
    unit,
)

OF_UNITS = assembly.c.kind != "district_congress"


@dataclass(frozen=True)
class Estate:
    """What is carried over. What is sealed stands here open, and in no representation of it."""

    units: Sequence[Row]
    assemblies: Sequence[Row]
    terms: Sequence[Row]
    persons: Sequence[Row] = field(repr=False)
    # With the kind of its assembly, as `kind`.
    mandates: Sequence[Row]
    pending: Sequence[Row]
    stations: Sequence[Row]
    rota: Sequence[Row]
    contacts: Sequence[Row]
    groups: Sequence[Row]
    members: Sequence[Row]
    leaders: Sequence[Row]
    identity_keys: Mapping[int, bytes] = field(repr=False)
    phones: Mapping[UUID, str] = field(repr=False)


async def read_estate(tx: ReadTx, vault: Vault, day: date) -> Estate:
    """What is in force on the day, each in one order, so that two readings can be compared."""
    persons = await tx.all(_persons(day))
    phone_of = await keys.opener(tx, vault)
    sealed = [row for row in persons if row.phone_sealed]
    return Estate(
        units=await tx.all(select(unit).order_by(unit.c.code)),
        assemblies=await tx.all(select(assembly).where(OF_UNITS).order_by(assembly.c.id)),
        terms=await tx.all(_terms(day)),
        persons=persons,
        mandates=await tx.all(_mandates(day)),
        pending=await tx.all(select(mandate).where(_pending(day)).order_by(mandate.c.id)),
        stations=await tx.all(select(station).where(_lasts(station, day)).order_by(station.c.id)),
        rota=await tx.all(_duties(rota_entry, day)),
        contacts=await tx.all(_duties(contact, day)),
        groups=await tx.all(_groups(day)),
        members=await tx.all(_duties(oversight_member, day)),
        leaders=await tx.all(_duties(oversight_leader, day)),
        identity_keys=await keys.identity_keys(tx, vault),
        phones={row.id: phone_of(keys.field_of(row.id), row.phone_sealed, row.phone_key) for row in sealed},
    )


async def check_unchanged(tx: ReadTx, vault: Vault, day: date, estate: Estate) -> None:
    """Raises Refusal CONCURRENT_CHANGE when something else is in force now than what was read before."""
    if await read_estate(tx, vault, day) != estate:
        raise Refusal("CONCURRENT_CHANGE")


async def days_entered(tx: ReadTx) -> list[date | None]:
    """Days before which a succession would contradict what was entered: what began, ended or was done by then."""
    found = union_all(
        select(func.max(unit.c.valid_from) + 1),
        select(func.max(mandate.c.state_since)),
        select(func.max(activity.c.day) + 1).where(activity.c.withdrawal_reason == ""),
    ).subquery()
    return [row[0] for row in await tx.all(select(found))]


def _in_force(day: date) -> ColumnElement[bool]:
    return and_(mandate.c.state.in_(domain.IN_FORCE), mandate.c.active_from <= day, mandate.c.term_end > day)


def _pending(day: date) -> ColumnElement[bool]:
    return and_(mandate.c.state.in_(domain.AWAITED), mandate.c.term_end > day)


def _mandates(day: date) -> Select[tuple[object, ...]]:
    with_kind = select(mandate, assembly.c.kind).join(assembly, assembly.c.id == mandate.c.assembly)
    return with_kind.where(_in_force(day)).order_by(mandate.c.id)


def _terms(day: date) -> Select[tuple[object, ...]]:
    running = select(term).join(assembly, assembly.c.id == term.c.assembly).where(OF_UNITS, term.c.end_date > day)
    return running.order_by(term.c.assembly, term.c.number)


def _groups(day: date) -> Select[tuple[object, ...]]:
    of_term = and_(term.c.assembly == oversight_group.c.assembly, term.c.number == oversight_group.c.term)
    return select(oversight_group).join(term, of_term).where(term.c.end_date > day).order_by(oversight_group.c.id)


def _lasts(table: Table, day: date) -> ColumnElement[bool]:
    """What was undone before it began lasts on no day."""
    return or_(table.c.end_date.is_(None), and_(table.c.end_date > day, table.c.start_date < table.c.end_date))


def _duties(table: Table, day: date) -> Select[tuple[object, ...]]:
    of_delegates = select(mandate.c.id).where(_in_force(day))
    return select(table).where(_lasts(table, day), table.c.mandate.in_(of_delegates)).order_by(table.c.id)


def _persons(day: date) -> Select[tuple[object, ...]]:
    delegates = select(mandate.c.person).where(_in_force(day))
    residents = _duties(contact, day).with_only_columns(contact.c.person).order_by(None)
    return select(person).where(or_(person.c.id.in_(delegates), person.c.id.in_(residents))).order_by(person.c.id)
