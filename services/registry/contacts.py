"""Fixed contacts (固定联系) of delegates with persons and with groups of residents."""

from typing import Any

import grpc
from sqlalchemy import bindparam, or_, select

from chassis import clock
from chassis.database import Database, ReadTx, Row
from chassis.errors import FieldsInvalid
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import date_message, identifier, read_date, timestamp
from quanyutong.registry.v1 import contacts_pb2 as pb
from services.registry import domain, duties, posts
from services.registry.persons import load_person
from services.registry.tables import contact, person
from services.registry.units import load_unit

Context = grpc.aio.ServicerContext[Any, Any]
LOCK = Sql(select(contact).where(contact.c.id == bindparam("key")).with_for_update())


class Contacts:
    _database: Database

    async def AddContact(self, request: pb.AddContactRequest, _: Context) -> pb.Contact:
        given = request.contact
        start = read_date(given, "start_date", "contact.start_date") or clock.today()
        end = read_date(given, "end_date", "contact.end_date")
        async with self._database.write() as tx:
            delegate = await duties.load_delegate(tx, given.mandate)
            party = await _party(tx, given, delegate)
            posts.check_period(start, end, delegate.active_from, delegate.term_end)
            row = await duties.begin(tx, contact, delegate, start, end, **party)
            return tx.reply(_message(row))

    async def EndContact(self, request: pb.EndContactRequest, _: Context) -> pb.Contact:
        day = read_date(request, "end_date") or clock.today()
        async with self._database.write() as tx:
            row = await tx.first(LOCK, key=identifier(request.name))
            if row is None:
                raise domain.Refused("DUTY_NOT_FOUND", duty=request.name)
            posts.check_end(day, row.start_date, row.end_date)
            (ended,) = await duties.end(tx, contact, contact.c.id == row.id, day)
            return tx.reply(_message(ended))

    async def ListContacts(self, request: pb.ListContactsRequest, _: Context) -> pb.ListContactsResponse:
        statement = select(contact)
        if request.mandate:
            statement = statement.where(contact.c.mandate == identifier(request.mandate))
        if request.person:
            statement = statement.where(contact.c.person == identifier(request.person))
        if request.unit:
            code = request.unit.removeprefix("units/")
            residents = select(person.c.id).where(person.c.residence == code)
            statement = statement.where(or_(contact.c.unit == code, contact.c.person.in_(residents)))
        if day := read_date(request, "as_of"):
            statement = statement.where(duties.holds_on(contact, day))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (contact.c.id, identifier))
        return pb.ListContactsResponse(contacts=map(_message, rows), next_page_token=token)


async def _party(tx: ReadTx, given: pb.Contact, delegate: Row) -> dict[str, Any]:
    """The columns that say with whom."""
    if given.WhichOneof("party") == "person":
        known = await load_person(tx, given.person)
        if known.id == delegate.person:
            raise FieldsInvalid([("contact.person", "代表本人 / the delegate's own")])
        return {"person": known.id}
    unit = await load_unit(tx, given.group.unit)
    return {"unit": unit.code, "description": given.group.description, "households": given.group.households}


def _message(row: Row) -> pb.Contact:
    message = pb.Contact(
        name=f"contacts/{row.id}",
        mandate=f"mandates/{row.mandate}",
        start_date=date_message(row.start_date),
        end_date=date_message(row.end_date),
        create_time=timestamp(row.created_at),
    )
    if row.person:
        message.person = f"persons/{row.person}"
    else:
        message.group.MergeFrom(
            pb.ResidentGroup(unit=f"units/{row.unit}", description=row.description, households=row.households)
        )
    return message
