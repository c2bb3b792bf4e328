"""Assemblies (会议主体) and their terms (届)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import grpc
from asyncpg import ExclusionViolationError, UniqueViolationError
from sqlalchemy import bindparam, insert, select

from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.errors import FieldsInvalid
from chassis.masks import masked
from chassis.pagination import page, whole_number
from chassis.rules import DurationRule
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
from quanyutong.registry.v1 import assemblies_pb2 as pb
from quanyutong.registry.v1 import events_pb2
from services.registry import domain
from services.registry.rules import rule_on
from services.registry.tables import assembly, term
from services.registry.units import load_unit

Context = grpc.aio.ServicerContext[Any, Any]
BY_ID = select(assembly).where(assembly.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
SET_UP = Sql(insert(assembly).returning(assembly), columns=("kind", "unit", "display_name"))
OF_UNIT = Sql(select(assembly.c.id).where(assembly.c.unit.is_not_distinct_from(bindparam("code"))))
TERM = (
    select(term, assembly.c.kind, assembly.c.unit)
    .join(assembly, assembly.c.id == term.c.assembly)
    .where(term.c.assembly == bindparam("owner"), term.c.number == bindparam("count"))
)
READ_TERM, LOCK_TERM = Sql(TERM), Sql(TERM.with_for_update(of=term))
OPEN = Sql(insert(term).returning(term), columns=("assembly", "number", "start_date", "end_date", "rule_version"))
CHANGEABLE = ("display_name",)
# A subdistrict assembly normally begins and ends with the district congress; its rule is its own all the same.
TERM_LENGTH = {
    "district_congress": "congress.term",
    "township_congress": "congress.term",
    "subdistrict_assembly": "subdistrict_assembly.term",
}


class Assemblies:
    _database: Database

    async def CreateAssembly(self, request: pb.CreateAssemblyRequest, _: Context) -> pb.Assembly:
        given = request.assembly
        kind = word(pb.AssemblyKind, given.kind)
        try:
            async with self._database.write() as tx:
                unit = await load_unit(tx, given.unit) if given.unit else None
                domain.check_assembly_unit(kind, unit.kind if unit else None)
                values = {"kind": kind, "unit": unit and unit.code, "display_name": given.display_name}
                row = await tx.one(SET_UP, **values)
                publish_created(tx, row)
                return tx.reply(_message(row))
        except UniqueViolationError:
            raise domain.Refused("ASSEMBLY_EXISTS", assembly=await self._existing(given.unit)) from None

    async def _existing(self, unit: str) -> str:
        code = unit.removeprefix("units/") or None
        async with self._database.read() as tx:
            row = await tx.one(OF_UNIT, code=code)
        return assembly_name(row.id)

    async def GetAssembly(self, request: pb.GetAssemblyRequest, _: Context) -> pb.Assembly:
        async with self._database.read() as tx:
            return _message(await load_assembly(tx, request.name))

    async def ListAssemblies(self, request: pb.ListAssembliesRequest, _: Context) -> pb.ListAssembliesResponse:
        statement = select(assembly)
        if request.kind:
            statement = statement.where(assembly.c.kind == word(pb.AssemblyKind, request.kind))
        if request.unit:
            statement = statement.where(assembly.c.unit == request.unit.removeprefix("units/"))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (assembly.c.id, identifier))
        return pb.ListAssembliesResponse(assemblies=map(_message, rows), next_page_token=token)

    async def UpdateAssembly(self, request: pb.UpdateAssemblyRequest, _: Context) -> pb.Assembly:
        given = request.assembly
        changes = {field: getattr(given, field) for field in masked(request.update_mask, CHANGEABLE)}
        async with self._database.write() as tx:
            row = await load_assembly(tx, name_in_update(given, "assembly"), lock=True)
            check_etag(given.etag, row.revision)
            saved = await tx.change(assembly, row, **changes)
            if saved.display_name != row.display_name:
                renamed = events_pb2.AssemblyRenamed(assembly=given.name, display_name=saved.display_name)
                tx.publish(renamed, given.name)
            return tx.reply(_message(saved))

    async def OpenTerm(self, request: pb.OpenTermRequest, _: Context) -> pb.Term:
        async with opening(request.parent, request.term), self._database.write() as tx:
            owner = await load_assembly(tx, request.parent, lock=True)
            row = await open_term(tx, await term_values(tx, owner, request.term, "term"))
            return tx.reply(term_message(row))

    async def GetTerm(self, request: pb.GetTermRequest, _: Context) -> pb.Term:
        async with self._database.read() as tx:
            return term_message(await load_term(tx, request.name))

    async def ListTerms(self, request: pb.ListTermsRequest, _: Context) -> pb.ListTermsResponse:
        async with self._database.read() as tx:
            owner = await load_assembly(tx, request.parent)
            statement = select(term).where(term.c.assembly == owner.id)
            rows, token = await page(tx, request, statement, (term.c.number, whole_number))
        return pb.ListTermsResponse(terms=map(term_message, rows), next_page_token=token)


async def load_assembly(tx: ReadTx, name: str, lock: bool = False) -> Row:
    """Raises Refused ASSEMBLY_NOT_FOUND."""
    row = await tx.first(LOCK if lock else READ, key=identifier(name))
    if row is None:
        raise domain.Refused("ASSEMBLY_NOT_FOUND", assembly=name)
    return row


async def load_term(tx: ReadTx, name: str, lock: bool = False) -> Row:
    """The term and, as `kind` and `unit`, what its assembly is and whose. Raises Refused TERM_NOT_FOUND."""
    owner, _, count = name.partition("/terms/")
    row = await tx.first(LOCK_TERM if lock else READ_TERM, owner=identifier(owner), count=int(count))
    if row is None:
        raise domain.Refused("TERM_NOT_FOUND", term=name)
    return row


@asynccontextmanager
async def opening(parent: str, given: pb.Term) -> AsyncIterator[None]:
    """Says why the database did not take a term."""
    try:
        yield
    except ExclusionViolationError:
        raise domain.Refused("TERM_OVERLAPS") from None
    except UniqueViolationError:
        raise domain.Refused("TERM_EXISTS", term=f"{parent}/terms/{given.number}") from None


async def term_values(tx: ReadTx, owner: Row, given: pb.Term, path: str) -> dict[str, Any]:
    """The columns of a term to be opened; it ends by the rule where no end is given."""
    start = read_date(given, "start_date", f"{path}.start_date")
    end = read_date(given, "end_date", f"{path}.end_date")
    assert start is not None  # noqa: S101 - a field rule demands it
    length = await rule_on(tx, start, TERM_LENGTH[owner.kind], DurationRule)
    last = end or _end(start, length, path)
    domain.check_term(start, last)
    return {
        "assembly": owner.id,
        "number": given.number,
        "start_date": start,
        "end_date": last,
        "rule_version": "" if end else length.version,
    }


async def open_term(tx: WriteTx, values: dict[str, Any]) -> Row:
    row = await tx.one(OPEN, **values)
    publish_opened(tx, row)
    return row


def publish_created(tx: WriteTx, row: Row) -> None:
    created = events_pb2.AssemblyCreated(
        assembly=assembly_name(row.id),
        kind=number(pb.AssemblyKind, row.kind),
        unit=f"units/{row.unit}" if row.unit else "",
        display_name=row.display_name,
    )
    tx.publish(created, created.assembly)


def publish_opened(tx: WriteTx, row: Row) -> None:
    opened = events_pb2.TermOpened(
        term=term_name(row), start_date=date_message(row.start_date), end_date=date_message(row.end_date)
    )
    tx.publish(opened, assembly_name(row.assembly))


def _end(start: date, length: DurationRule, path: str) -> date:
    """The first day after a term of this length. Raises FieldsInvalid where the calendar ends before it."""
    try:
        return length.value.end(start)
    except ValueError:
        raise FieldsInvalid([(f"{path}.start_date", "too late for a term of the usual length")]) from None


def assembly_name(key: object) -> str:
    return f"assemblies/{key}"


def term_of(row: Row) -> str:
    """The term that a mandate or a group belongs to."""
    return f"assemblies/{row.assembly}/terms/{row.term}"


def term_name(row: Row) -> str:
    return f"assemblies/{row.assembly}/terms/{row.number}"


def _message(row: Row) -> pb.Assembly:
    return pb.Assembly(
        name=assembly_name(row.id),
        kind=number(pb.AssemblyKind, row.kind),
        unit=f"units/{row.unit}" if row.unit else "",
        display_name=row.display_name,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
        predecessor=row.predecessor or "",
    )


def term_message(row: Row) -> pb.Term:
    return pb.Term(
        name=term_name(row),
        number=row.number,
        start_date=date_message(row.start_date),
        end_date=date_message(row.end_date),
        rule_version=row.rule_version,
        etag=etag(row.revision),
    )
