"""Persons (人员): the human beings who hold mandates."""

from typing import Any

import grpc
from asyncpg import ForeignKeyViolationError
from sqlalchemy import bindparam, insert, select, update

from chassis.database import Database, ReadTx, Row
from chassis.masks import masked
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import (
    check_etag,
    date_message,
    etag,
    identifier,
    name_in_update,
    number,
    read_date,
    timestamp,
    word,
)
from quanyutong.registry.v1 import persons_pb2 as pb
from services.registry import domain
from services.registry.tables import person

Context = grpc.aio.ServicerContext[Any, Any]
CHANGEABLE = (
    "display_name",
    "gender",
    "birth_date",
    "nationality",
    "schooling",
    "occupation",
    "residence",
    "residence_since",
    "workplace",
    "workplace_since",
)
BY_ID = select(person).where(person.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
ENTER = Sql(insert(person).returning(person), columns=CHANGEABLE)


class Persons:
    _database: Database

    async def CreatePerson(self, request: pb.CreatePersonRequest, _: Context) -> pb.Person:
        values = values_of(request.person)
        try:
            async with self._database.write() as tx:
                return tx.reply(_message(await tx.one(ENTER, **values)))
        except ForeignKeyViolationError:
            raise domain.Refused("UNIT_NOT_FOUND", unit=_units(values)) from None

    async def GetPerson(self, request: pb.GetPersonRequest, _: Context) -> pb.Person:
        async with self._database.read() as tx:
            return _message(await load_person(tx, request.name))

    async def ListPersons(self, request: pb.ListPersonsRequest, _: Context) -> pb.ListPersonsResponse:
        statement = select(person)
        if request.display_name_prefix:
            prefix = person.c.display_name.startswith(request.display_name_prefix, autoescape=True)
            statement = statement.where(prefix)
        if request.residence:
            statement = statement.where(person.c.residence == request.residence.removeprefix("units/"))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (person.c.id, identifier))
        return pb.ListPersonsResponse(persons=map(_message, rows), next_page_token=token)

    async def UpdatePerson(self, request: pb.UpdatePersonRequest, _: Context) -> pb.Person:
        given = values_of(request.person)
        changes = {field: given[field] for field in masked(request.update_mask, CHANGEABLE)}
        try:
            async with self._database.write() as tx:
                row = await load_person(tx, name_in_update(request.person, "person"), lock=True)
                check_etag(request.person.etag, row.revision)
                statement = update(person).where(person.c.id == row.id)
                saved = await tx.one(statement.values(**changes, revision=row.revision + 1).returning(person))
                return tx.reply(_message(saved))
        except ForeignKeyViolationError:
            raise domain.Refused("UNIT_NOT_FOUND", unit=_units(given)) from None


async def load_person(tx: ReadTx, name: str, lock: bool = False) -> Row:
    """Raises Refused PERSON_NOT_FOUND."""
    row = await tx.first(LOCK if lock else READ, key=identifier(name))
    if row is None:
        raise domain.Refused("PERSON_NOT_FOUND", person=name)
    return row


def values_of(given: pb.Person, path: str = "person") -> dict[str, Any]:
    """The columns of an entry. Raises FieldsInvalid for a day that is not in the calendar."""
    return {
        "display_name": given.display_name,
        "gender": word(pb.Gender, given.gender),
        "birth_date": read_date(given, "birth_date", f"{path}.birth_date"),
        "nationality": given.nationality or "CN",
        "schooling": word(pb.Schooling, given.schooling),
        "occupation": word(pb.Occupation, given.occupation),
        "residence": given.residence.removeprefix("units/") or None,
        "residence_since": read_date(given, "residence_since", f"{path}.residence_since"),
        "workplace": given.workplace.removeprefix("units/") or None,
        "workplace_since": read_date(given, "workplace_since", f"{path}.workplace_since"),
    }


def _units(values: dict[str, Any]) -> str:
    """The units that an entry speaks of; which of them is not there, the database does not say."""
    return ", ".join(sorted({code for code in (values["residence"], values["workplace"]) if code}))


def _message(row: Row) -> pb.Person:
    return pb.Person(
        name=f"persons/{row.id}",
        display_name=row.display_name,
        gender=number(pb.Gender, row.gender),
        birth_date=date_message(row.birth_date),
        nationality=row.nationality,
        schooling=number(pb.Schooling, row.schooling),
        occupation=number(pb.Occupation, row.occupation),
        residence=f"units/{row.residence}" if row.residence else "",
        residence_since=date_message(row.residence_since),
        workplace=f"units/{row.workplace}" if row.workplace else "",
        workplace_since=date_message(row.workplace_since),
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
