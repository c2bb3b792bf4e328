"""Entering many delegates in one stream: those who were confirmed before the platform."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import insert, select

from chassis import clock, idempotency
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.errors import FieldsInvalid
from chassis.sql import Sql
from chassis.wire import identifier, read_date, word
from quanyutong.registry.v1 import mandates_pb2 as pb
from services.registry import domain, persons
from services.registry.assemblies import load_term
from services.registry.mandates import check_room, publish_confirmed
from services.registry.persons import values_of
from services.registry.tables import mandate, person, unit

Context = grpc.aio.ServicerContext[Any, Any]
MOST_ROWS = 5000
REGISTER = Sql(
    insert(mandate).returning(mandate),
    columns=("person", "assembly", "term", "capacity", "recommender", "state", "active_from", "rule_version"),
)
Faults = list[tuple[str, str]]


class Registration:
    _database: Database

    async def RegisterMandates(
        self, requests: AsyncIterator[pb.RegisterMandatesRequest], _: Context
    ) -> pb.RegisterMandatesResponse:
        opening, rows = await _received(requests)
        day = read_date(opening, "active_from", "opening.active_from")
        assert day is not None  # noqa: S101 - a field rule demands it
        async with self._database.write() as tx:
            term = await load_term(tx, opening.term, lock=True)
            domain.check_mandate_date(day, term.start_date, min(term.end_date, clock.today()))
            version = await check_room(tx, term, added=len(rows), day=day)
            people = await _people(tx, term, rows)
            shared = {
                "assembly": term.assembly,
                "term": term.number,
                "recommender": opening.recommender,
                "state": "active",
                "active_from": day,
                "rule_version": version,
            }
            values = [
                shared | {"person": who, "capacity": word(pb.Capacity, row.capacity)}
                for who, row in zip(people, rows, strict=True)
            ]
            entered = await tx.each(REGISTER, values)
            for row in entered:
                publish_confirmed(tx, row)
            names = [f"mandates/{row.id}" for row in entered]
            return tx.reply(pb.RegisterMandatesResponse(registered=len(names), mandates=names, rule_version=version))


async def _received(
    requests: AsyncIterator[pb.RegisterMandatesRequest],
) -> tuple[pb.RegisterMandatesRequest.Opening, list[pb.RegisterMandatesRequest.Row]]:
    """The opening and the rows of a stream; what makes it repeatable is the opening's request_id."""
    messages: list[pb.RegisterMandatesRequest] = []
    async for message in requests:
        opens = message.WhichOneof("part") == "opening"
        if opens != (not messages) or len(messages) > MOST_ROWS:
            raise domain.Refused("STREAM_OUT_OF_ORDER", limit=MOST_ROWS)
        messages.append(message)
    if len(messages) < 2:
        raise domain.Refused("STREAM_OUT_OF_ORDER", limit=MOST_ROWS)
    opening = messages[0].opening
    idempotency.identify(opening.request_id, messages)
    return opening, [message.row for message in messages[1:]]


async def _people(tx: WriteTx, term: Row, rows: Sequence[pb.RegisterMandatesRequest.Row]) -> list[UUID]:
    """The person of each row, entered where new. Raises FieldsInvalid that names every row at fault."""
    faults: Faults = []
    new = _entries(rows, faults)
    await _check_units(tx, new, faults)
    await _check_known(tx, term, rows, faults)
    if faults:
        at_fault = {_row(fault) for fault in faults}
        raise FieldsInvalid(sorted(faults, key=_row), "ROWS_REFUSED", count=len(at_fault))
    ids: dict[int, UUID] = {}
    if new:
        entered = await tx.each(persons.ENTER, new.values())
        ids = {index: row.id for index, row in zip(new, entered, strict=True)}
    return [ids.get(index) or identifier(row.person) for index, row in enumerate(rows)]


def _row(fault: tuple[str, str]) -> int:
    """The number of the row, from `rows[7].person`."""
    return int(fault[0].removeprefix("rows[").partition("]")[0])


def _entries(rows: Sequence[pb.RegisterMandatesRequest.Row], faults: Faults) -> dict[int, dict[str, Any]]:
    """The columns of each new person, by row."""
    entries = {}
    for index, row in enumerate(rows):
        if row.WhichOneof("who") == "new_person":
            try:
                entries[index] = values_of(row.new_person, f"rows[{index}].new_person")
            except FieldsInvalid as error:
                faults += error.violations
    return entries


async def _check_units(tx: ReadTx, new: dict[int, dict[str, Any]], faults: Faults) -> None:
    wanted = {entry["residence"] for entry in new.values()} - {None}
    known = {row.code for row in await tx.all(select(unit.c.code).where(unit.c.code.in_(wanted)))}
    for index, entry in new.items():
        if entry["residence"] not in known | {None}:
            faults.append((f"rows[{index}].new_person.residence", "本区县没有这个乡镇街道 / no such unit here"))


async def _check_known(tx: ReadTx, term: Row, rows: Sequence[pb.RegisterMandatesRequest.Row], faults: Faults) -> None:
    """Existing persons exist, and nobody sits twice in the term."""
    wanted = {index: identifier(row.person) for index, row in enumerate(rows) if row.person}
    found = {row.id for row in await tx.all(select(person.c.id).where(person.c.id.in_(wanted.values())))}
    sitting = select(mandate.c.person).where(
        mandate.c.assembly == term.assembly,
        mandate.c.term == term.number,
        mandate.c.person.in_(wanted.values()),
        mandate.c.state.in_(("recommended", "vetted", "active")),
    )
    taken = {row.person for row in await tx.all(sitting)}
    for index, who in wanted.items():
        if who not in found:
            faults.append((f"rows[{index}].person", "本区县没有这个人员 / no such person here"))
        elif who in taken:
            faults.append((f"rows[{index}].person", "本届次已有代表资格或推荐 / holds a mandate in this term already"))
        taken.add(who)
