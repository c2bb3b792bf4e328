"""Entering many delegates in one stream: those who were confirmed before the platform."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import and_, insert, or_, select

from chassis import clock, idempotency
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.errors import FieldsInvalid
from chassis.rulebooks import rulebook
from chassis.rules import Rulebook
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import identifier, read_date, word
from quanyutong.registry.v1 import mandates_pb2 as pb
from services.registry import domain, eligibility, persons, seats, secrets, vetting
from services.registry.assemblies import load_term
from services.registry.composition import Member
from services.registry.mandates import publish_confirmed, publish_ended
from services.registry.persons import values_of
from services.registry.tables import mandate, person, unit

Context = grpc.aio.ServicerContext[Any, Any]
MOST_ROWS = 5000
REGISTER = Sql(
    insert(mandate).returning(mandate),
    columns=(
        "person",
        "assembly",
        "term",
        "term_end",
        "capacity",
        "recommender",
        "state",
        "state_since",
        "active_from",
        "active_to",
        "end_reason",
        "rule_version",
        "judged_by",
    ),
)
Faults = list[tuple[str, str]]
# What a row is told of a refusal that a single entry would get: the field, and why.
SECRETS_REFUSED = {
    "IDENTITY_NUMBER_INVALID": ("identity_number", "身份号码有误 / not a valid identity number"),
    "IDENTITY_DISAGREES": ("identity_number", "与身份号码不一致 / does not agree with the identity number"),
    "PHONE_INVALID": ("phone", "电话号码有误 / not a telephone number of China"),
}


class Registration:
    _database: Database
    _vault: Vault

    async def RegisterMandates(
        self, requests: AsyncIterator[pb.RegisterMandatesRequest], _: Context
    ) -> pb.RegisterMandatesResponse:
        opening, rows = await _received(requests)
        day = read_date(opening, "active_from", "opening.active_from")
        assert day is not None  # noqa: S101 - a field rule demands it
        async with self._database.write() as tx:
            term = await load_term(tx, opening.term, lock=True)
            domain.check_mandate_date(day, term.start_date, min(term.end_date - timedelta(days=1), clock.today()))
            book = await rulebook(tx, day)
            present = await seats.taken(tx, term, day)
            version = seats.check_room(book, term, len(present), added=len(rows))
            new, known, judged_by = await _judged(tx, self._vault, book, term, rows, day)
            shares = seats.check_shares(book, term, present, _newcomers(rows, new | known), day)
            people = await _entered(tx, new, rows)
            of_all = [vetting.mandates_per_person(book, term).version, *([version] if version else []), *shares]
            shared = {
                "assembly": term.assembly,
                "term": term.number,
                "term_end": term.end_date,
                "recommender": opening.recommender,
                "active_from": day,
                "rule_version": version,
                **standing(term, day),
            }
            values = [
                shared
                | {"person": who, "capacity": word(pb.Capacity, row.capacity), "judged_by": judged_by[index] + of_all}
                for index, (who, row) in enumerate(zip(people, rows, strict=True))
            ]
            entered = await tx.each(REGISTER, values)
            for row in entered:
                publish_confirmed(tx, row)
                if row.state == "ended":
                    publish_ended(tx, row)
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


def standing(term: Row, day: date) -> dict[str, Any]:
    """Who sat in a term that is over has left with it."""
    if domain.standing("active", term.end_date, clock.today()) == "active":
        return {"state": "active", "state_since": day, "active_to": None, "end_reason": ""}
    return {"state": "ended", "state_since": term.end_date, "active_to": term.end_date, "end_reason": "expiry"}


async def _judged(
    tx: WriteTx, vault: Vault, book: Rulebook, term: Row, rows: Sequence[pb.RegisterMandatesRequest.Row], day: date
) -> tuple[dict[int, Any], dict[int, Any], dict[int, list[str]]]:
    """By row: all columns of each new person, each known one, and the versions of the rules that each was judged by.

    Raises FieldsInvalid that names every row at fault.
    """
    faults: Faults = []
    new = await _sealed(tx, vault, _entries(rows, faults), faults)
    await _check_units(tx, new, faults)
    known = await _check_known(tx, term, rows, day, faults)
    judged_by = _check_eligible(book, term, rows, new | known, day, faults)
    if faults:
        at_fault = {_row(fault) for fault in faults}
        raise FieldsInvalid(sorted(faults, key=_row), "ROWS_REFUSED", count=len(at_fault))
    return new, known, judged_by


def _newcomers(rows: Sequence[pb.RegisterMandatesRequest.Row], people: Mapping[int, Any]) -> list[Member]:
    return [seats.member(people[index], word(pb.Capacity, row.capacity)) for index, row in enumerate(rows)]


async def _entered(tx: WriteTx, new: Mapping[int, Any], rows: Sequence[pb.RegisterMandatesRequest.Row]) -> list[UUID]:
    """The person of each row, entered where new."""
    entered = await tx.each(persons.ENTER, new.values()) if new else []
    ids = {index: row.id for index, row in zip(new, entered, strict=True)}
    return [ids.get(index) or identifier(row.person) for index, row in enumerate(rows)]


def _row(fault: tuple[str, str]) -> int:
    """The number of the row, from `rows[7].person`."""
    return int(fault[0].removeprefix("rows[").partition("]")[0])


def _entries(
    rows: Sequence[pb.RegisterMandatesRequest.Row], faults: Faults
) -> dict[int, tuple[dict[str, Any], secrets.Given]]:
    """The columns of each new person, by row, and what is to be sealed."""
    entries = {}
    for index, row in enumerate(rows):
        if row.WhichOneof("who") == "new_person":
            try:
                given = secrets.given_of(row.new_person)
                entries[index] = values_of(row.new_person, given, f"rows[{index}].new_person"), given
            except FieldsInvalid as error:
                faults += error.violations
            except domain.Refused as refused:
                field, said = SECRETS_REFUSED[refused.reason]
                faults.append((f"rows[{index}].new_person.{refused.facts.get('field', field)}", said))
    return entries


async def _sealed(
    tx: WriteTx, vault: Vault, entries: dict[int, tuple[dict[str, Any], secrets.Given]], faults: Faults
) -> dict[int, dict[str, Any]]:
    """All columns of each new person. An identity number that somebody has, or another row gives, is a fault."""
    ids = await secrets.new_ids(tx, len(entries))
    people = [(key, given) for key, (_, given) in zip(ids, entries.values(), strict=True)]
    held = await secrets.holders(tx, vault, (given for _, given in people))
    taken = {number: row.id for number, row in held.items()}
    for index, (key, given) in zip(entries, people, strict=True):
        holder = taken.setdefault(given.identity.number, key) if given.identity else key
        if holder != key:
            said = f"身份号码已登记于 persons/{holder} / this identity number is that of persons/{holder}"
            faults.append((f"rows[{index}].new_person.identity_number", said))
    # Whoever is at fault is refused with the rest of the rows, and needs no seal.
    hidden = await secrets.sealed(tx, vault, [(key, secrets.NOTHING if faults else given) for key, given in people])
    new = zip(entries, ids, hidden, strict=True)
    return {index: {"key": key, **entries[index][0], **columns} for index, key, columns in new}


async def _check_units(tx: ReadTx, new: dict[int, dict[str, Any]], faults: Faults) -> None:
    fields = ("residence", "workplace")
    wanted = {entry[field] for entry in new.values() for field in fields} - {None}
    there = {row.code for row in await tx.all(select(unit.c.code).where(unit.c.code.in_(wanted)))} | {None}
    for index, entry in new.items():
        for field in fields:
            if entry[field] not in there:
                faults.append((f"rows[{index}].new_person.{field}", "本区县没有这个乡镇街道 / no such unit here"))


async def _check_known(
    tx: WriteTx, term: Row, rows: Sequence[pb.RegisterMandatesRequest.Row], day: date, faults: Faults
) -> dict[int, Row]:
    """The existing persons by row; nobody sits in the assembly twice at a time, or waits for a confirmation."""
    wanted = {index: identifier(row.person) for index, row in enumerate(rows) if row.person}
    # Locked, so that none of them is merged into another meanwhile.
    known = select(person).where(person.c.id.in_(wanted.values()), person.c.merged_into.is_(None))
    found = {row.id: row for row in await tx.all(known.order_by(person.c.id).with_for_update(read=True))}
    awaiting = and_(mandate.c.term == term.number, mandate.c.state.in_((*domain.AWAITED, *domain.IN_FORCE)))
    at_the_time = and_(mandate.c.active_from < term.end_date, seats.free_from > day)
    sitting = select(mandate.c.person).where(
        mandate.c.assembly == term.assembly,
        mandate.c.person.in_(wanted.values()),
        or_(awaiting, at_the_time),
    )
    taken = {row.person for row in await tx.all(sitting)}
    for index, who in wanted.items():
        if who not in found:
            faults.append((f"rows[{index}].person", "本区县没有这个人员 / no such person here"))
        elif who in taken:
            faults.append(
                (f"rows[{index}].person", "同时已有代表资格或推荐 / holds or awaits a mandate at the same time")
            )
        taken.add(who)
    return {index: found[who] for index, who in wanted.items() if who in found}


def _check_eligible(
    book: Rulebook,
    term: Row,
    rows: Sequence[pb.RegisterMandatesRequest.Row],
    people: Mapping[int, Any],
    day: date,
    faults: Faults,
) -> dict[int, list[str]]:
    """What is stated of a person must not rule the person out; what is not stated rules nobody out.

    The versions of the rules that could be judged, by row.
    """
    judged_by, at_fault = {}, {_row(fault) for fault in faults}
    for index in people.keys() - at_fault:
        criteria = vetting.criteria(book, term, word(pb.Capacity, rows[index].capacity))
        found = list(eligibility.faults(vetting.facts(people[index]), criteria, day))
        open_questions = {fault.version for fault in found if isinstance(fault, eligibility.Missing)}
        judged_by[index] = [version for version in criteria.versions if version not in open_questions]
        faults += [_unfit(index, rows[index], fault) for fault in found if isinstance(fault, eligibility.Unmet)]
    return judged_by


def _unfit(index: int, row: pb.RegisterMandatesRequest.Row, fault: eligibility.Unmet) -> tuple[str, str]:
    place = "person" if row.person else f"new_person.{fault.field}"
    text = f"不符合规则 / not eligible by {fault.version}: {fault.required}, {fault.found}"
    return f"rows[{index}].{place}", text
