"""Persons (人员): the human beings who hold mandates."""

from collections.abc import Collection
from typing import Any

import grpc
from asyncpg import ForeignKeyViolationError, UniqueViolationError
from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, func, insert, or_, select

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.errors import Refusal
from chassis.masks import masked
from chassis.pagination import page
from chassis.sql import Sql
from chassis.vault import Vault
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
from quanyutong.registry.v1 import secrets_pb2
from services.registry import domain, secrets
from services.registry.identity import agree, read_identity
from services.registry.spelling import letters, spelling
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
SECRET = ("identity_number", "phone")
# The columns of an entry that are written.
ENTERED = (*CHANGEABLE, "pinyin", "initials", *secrets.COLUMNS)
BY_ID = select(person).where(person.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
SEVERAL = Sql(select(person).where(person.c.id == any_(bindparam("keys", type_=ARRAY(Uuid)))))
ENTER = Sql(
    insert(person).values(id=bindparam("key")).returning(person),
    columns=ENTERED,
)


class Persons:
    _database: Database
    _vault: Vault

    async def CreatePerson(self, request: pb.CreatePersonRequest, _: Context) -> pb.Person:
        given = secrets.given_of(request.person)
        values = values_of(request.person, given)
        try:
            async with self._database.write() as tx:
                (key,) = await secrets.new_ids(tx, 1)
                (hidden,) = await secrets.sealed(tx, self._vault, [(key, given)])
                return tx.reply(message_of(await tx.one(ENTER, key=key, **values, **hidden)))
        except ForeignKeyViolationError:
            raise domain.Refused("UNIT_NOT_FOUND", unit=_units(values)) from None
        except UniqueViolationError:
            raise await self._taken(given) from None

    async def GetPerson(self, request: pb.GetPersonRequest, _: Context) -> pb.Person:
        async with self._database.read() as tx:
            return message_of(await load_person(tx, request.name))

    async def FindPerson(self, request: secrets_pb2.FindPersonRequest, _: Context) -> pb.Person:
        identity = read_identity(request.identity_number, clock.today())
        async with self._database.read() as tx:
            row = await secrets.find(tx, self._vault, identity)
        if row is None:
            raise domain.Refused("IDENTITY_NOT_FOUND")
        return message_of(row)

    async def ListPersons(self, request: pb.ListPersonsRequest, _: Context) -> pb.ListPersonsResponse:
        statement = select(person).where(person.c.merged_into.is_(None))
        if request.display_name_prefix:
            prefix = person.c.display_name.startswith(request.display_name_prefix, autoescape=True)
            statement = statement.where(prefix)
        if request.query.strip():
            statement = statement.where(_named(request.query.strip()))
        if request.residence:
            statement = statement.where(person.c.residence == request.residence.removeprefix("units/"))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (person.c.id, identifier))
        return pb.ListPersonsResponse(persons=map(message_of, rows), next_page_token=token)

    async def BatchGetPersons(self, request: pb.BatchGetPersonsRequest, _: Context) -> pb.BatchGetPersonsResponse:
        async with self._database.read() as tx:
            rows = await tx.all(SEVERAL, keys=list({identifier(name) for name in request.names}))
        found = {f"persons/{row.id}": message_of(row) for row in rows}
        for name in request.names:
            if name not in found:
                raise domain.Refused("PERSON_NOT_FOUND", person=name)
        return pb.BatchGetPersonsResponse(persons=(found[name] for name in request.names))

    async def UpdatePerson(self, request: pb.UpdatePersonRequest, _: Context) -> pb.Person:
        # `*` is what a caller has read; nobody has read what is sealed, and it must not be lost for that.
        whole = list(request.update_mask.paths) == ["*"]
        fields = masked(request.update_mask, CHANGEABLE if whole else (*CHANGEABLE, *SECRET))
        entered = _columns(request.person)
        given = secrets.given_of(request.person)
        try:
            async with self._database.write() as tx:
                row = await load_current(tx, name_in_update(request.person, "person"))
                check_etag(request.person.etag, row.revision)
                changes = _agreed(
                    row, {field: entered[field] for field in fields if field in CHANGEABLE}, given, fields
                )
                changes |= await _sealed_changes(tx, self._vault, row, given, fields)
                return tx.reply(message_of(await tx.change(person, row, **changes)))
        except ForeignKeyViolationError:
            raise domain.Refused("UNIT_NOT_FOUND", unit=_units(entered)) from None
        except UniqueViolationError:
            raise await self._taken(given) from None

    async def _taken(self, given: secrets.Given) -> Exception:
        """The refusal that names who has the identity number. Nobody has it when that one gave it up meanwhile."""
        async with self._database.read() as tx:
            row = await secrets.find(tx, self._vault, given.identity) if given.identity else None
        return domain.Refused("IDENTITY_TAKEN", person=f"persons/{row.id}") if row else Refusal("CONCURRENT_CHANGE")


async def load_person(tx: ReadTx, name: str, lock: bool = False) -> Row:
    """Raises Refused PERSON_NOT_FOUND."""
    row = await tx.first(LOCK if lock else READ, key=identifier(name))
    if row is None:
        raise domain.Refused("PERSON_NOT_FOUND", person=name)
    return row


async def load_current(tx: WriteTx, name: str) -> Row:
    """The entry, locked. Raises Refused PERSON_NOT_FOUND, or PERSON_MERGED: nothing may refer to a pointer."""
    row = await load_person(tx, name, lock=True)
    secrets.check_current(row)
    return row


def values_of(entry: pb.Person, given: secrets.Given, path: str = "person") -> dict[str, Any]:
    """The columns of a new entry but the sealed ones. Raises FieldsInvalid for a day that is not in the calendar,
    Refused IDENTITY_DISAGREES.
    """
    values = _columns(entry, path)
    if given.identity:
        born, gender = agree(given.identity, values["birth_date"], values["gender"])
        values |= {"birth_date": born, "gender": gender}
    return values | spelt(entry.display_name)


def _columns(given: pb.Person, path: str = "person") -> dict[str, Any]:
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


def spelt(name: str) -> dict[str, str]:
    """The columns by which a name is found as it is spoken."""
    pinyin, initials = spelling(name)
    return {"pinyin": pinyin, "initials": initials}


def _agreed(row: Row, changes: dict[str, Any], given: secrets.Given, fields: Collection[str]) -> dict[str, Any]:
    """The changes, with birth date and gender as the identity number has them. Raises Refused IDENTITY_DISAGREES.

    Of a number that was given before only its hash is left to ask, so they stay as they were made to agree with it.
    """
    wanted = {field: changes.get(field, row[field]) for field in ("birth_date", "gender")}
    if "identity_number" in fields:
        if given.identity:
            born, gender = agree(given.identity, wanted["birth_date"], wanted["gender"])
            changes |= {"birth_date": born, "gender": gender}
    elif row.identity_hash:
        for field, value in wanted.items():
            if value and value != row[field]:
                raise domain.Refused("IDENTITY_DISAGREES", field=field)
            changes[field] = row[field]
    return changes | (spelt(changes["display_name"]) if "display_name" in changes else {})


async def _sealed_changes(
    tx: WriteTx, vault: Vault, row: Row, given: secrets.Given, fields: Collection[str]
) -> dict[str, Any]:
    columns = (secrets.IDENTITY_COLUMNS if "identity_number" in fields else ()) + (
        secrets.PHONE_COLUMNS if "phone" in fields else ()
    )
    if not columns:
        return {}
    (hidden,) = await secrets.sealed(tx, vault, [(row.id, given)])
    return {column: hidden[column] for column in columns}


def _named(query: str) -> ColumnElement[bool]:
    """A part of the name, which a look at the district's own rows finds; or the beginning of its spelling, by index.

    A beginning is a range and no LIKE, which row-level security would keep away from the index.
    """
    part = func.lower(person.c.display_name).contains(query.lower(), autoescape=True)
    spelt = letters(query)
    if not spelt:
        return part
    begins = [and_(column >= spelt, column < spelt + "{") for column in (person.c.pinyin, person.c.initials)]
    return or_(part, *begins)


def message_of(row: Row) -> pb.Person:
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
        identity_last_four=row.identity_last_four or "",
        phone_masked=f"*******{row.phone_last_four}" if row.phone_last_four else "",
        merged_into=f"persons/{row.merged_into}" if row.merged_into else "",
        predecessor=row.predecessor or "",
    )
