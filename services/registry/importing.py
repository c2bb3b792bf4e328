"""Importing (导入): the lists that a district keeps, judged row by row and entered in one transaction."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import grpc
from asyncpg import UniqueViolationError
from sqlalchemy import bindparam, update

from chassis import idempotency
from chassis.database import Database, ReadTx, WriteTx
from chassis.errors import FieldsInvalid, Refusal
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import read_date
from quanyutong.registry.v1 import imports_pb2 as pb
from services.registry import domain, persons, secrets
from services.registry.assemblies import load_term
from services.registry.import_judging import judge
from services.registry.import_rows import Candidate, candidate
from services.registry.mandates import publish_confirmed, publish_ended
from services.registry.registration import REGISTER, standing
from services.registry.row_faults import reason_of
from services.registry.tables import person

Context = grpc.aio.ServicerContext[Any, Any]
Opening = pb.ImportMandatesRequest.Opening
MOST_ROWS = 20_000
# The columns that a row may change; whoever changed the entry since it was read has the last word.
CORRECT = Sql(
    update(person)
    .where(person.c.id == bindparam("key"), person.c.revision == bindparam("seen"))
    .values(revision=person.c.revision + 1)
    .returning(person.c.id),
    columns=(*persons.ENTERED, "revision"),
)


class Imports:
    _database: Database
    _vault: Vault

    async def ImportMandates(
        self, requests: AsyncIterator[pb.ImportMandatesRequest], _: Context
    ) -> pb.ImportMandatesResponse:
        opening, rows = await _received(requests)
        if opening.validate_only:
            async with self._database.read() as tx:
                await _judge(tx, self._vault, opening, rows, lock=False)
            return _answer(rows, entered=False)
        try:
            async with self._database.write() as tx:
                await _judge(tx, self._vault, opening, rows, lock=True)
                if not opening.partial:
                    _check_all_good(rows)
                await _enter(tx, self._vault, [row for row in rows if not row.faults])
                return tx.reply(_answer(rows, entered=True))
        except UniqueViolationError:  # somebody gave one of the identity numbers in this moment
            raise Refusal("CONCURRENT_CHANGE") from None


async def _received(requests: AsyncIterator[pb.ImportMandatesRequest]) -> tuple[Opening, list[Candidate]]:
    """The opening and the rows, each looked at as it comes, so that other calls have their turn in between."""
    opening: Opening | None = None
    messages: list[pb.ImportMandatesRequest] = []
    rows: list[Candidate] = []
    count = 0
    async for message in requests:
        count += len(message.batch.rows)
        if (message.WhichOneof("part") == "opening") != (opening is None) or count > MOST_ROWS:
            raise domain.Refused("IMPORT_OUT_OF_ORDER", limit=MOST_ROWS)
        messages.append(pb.ImportMandatesRequest.FromString(message.SerializeToString()))
        if opening is None:
            opening = message.opening
            read_date(opening, "active_from", "opening.active_from")
            continue
        for row in message.batch.rows:
            rows.append(candidate(row, opening, place=len(rows) + 1))
            if len(rows) % 200 == 0:
                await asyncio.sleep(0)
    if opening is None:
        raise domain.Refused("IMPORT_OUT_OF_ORDER", limit=MOST_ROWS)
    if not opening.validate_only:
        idempotency.identify(opening.request_id, messages)
    return opening, rows


async def _judge(tx: ReadTx, vault: Vault, opening: Opening, rows: Sequence[Candidate], lock: bool) -> None:
    if opening.term:
        await load_term(tx, opening.term)
    await judge(tx, vault, rows, lock)


def _check_all_good(rows: Sequence[Candidate]) -> None:
    """Raises FieldsInvalid that names the faulty rows, as many as a refusal has room for."""
    if faulty := [row for row in rows if row.faults]:
        faults = [fault for row in faulty for fault in row.faults]
        told = [(f"rows[{fault.row}].{fault.field}", f"{fault.text_zh} / {fault.text_en}") for fault in faults]
        refusal = FieldsInvalid(told, "IMPORT_REFUSED", count=len(faulty), total=len(rows))
        refusal.words = [reason_of(fault) for fault in faults]
        raise refusal


async def _enter(tx: WriteTx, vault: Vault, rows: Sequence[Candidate]) -> None:
    await _add(tx, vault, [row for row in rows if row.person is None])
    await _correct(tx, vault, [row for row in rows if row.there is not None and row.corrects])
    if values := [_mandate(row) for row in rows if not row.seated]:
        for entered in await tx.each(REGISTER, values):
            publish_confirmed(tx, entered)
            if entered.state == "ended":
                publish_ended(tx, entered)


async def _add(tx: WriteTx, vault: Vault, rows: Sequence[Candidate]) -> None:
    """Each new person once; rows of one identity number complete each other."""
    people: dict[object, list[Candidate]] = defaultdict(list)
    for place, row in enumerate(rows):
        people[row.who if row.given.identity else place].append(row)
    if not people:
        return
    entries = []
    for key, of_one in zip(await secrets.new_ids(tx, len(people)), people.values(), strict=True):
        phone = next((row.given.phone for row in of_one if row.given.phone), "")
        stated = {name: value for row in of_one for name, value in row.stated.items()}
        entries.append((key, secrets.Given(of_one[0].given.identity, phone), of_one[0].values | stated))
        for row in of_one:
            row.person = key
    hidden = await secrets.sealed(tx, vault, [(key, given) for key, given, _ in entries])
    values = [{"key": key, **stated, **sealed} for (key, _, stated), sealed in zip(entries, hidden, strict=True)]
    await tx.each(persons.ENTER, values)


async def _correct(tx: WriteTx, vault: Vault, rows: Sequence[Candidate]) -> None:
    """Each person once, though several rows may complete the entry. Raises Refusal CONCURRENT_CHANGE."""
    entries: dict[UUID, dict[str, Any]] = {}
    people = [(row.there.id, row.to_seal) for row in rows if row.there]
    for row, hidden in zip(rows, await secrets.sealed(tx, vault, people), strict=True):
        assert row.there is not None  # noqa: S101 - only such rows correct anything
        there = {name: row.there[name] for name in persons.ENTERED}
        entry = entries.setdefault(row.there.id, there | {"key": row.there.id, "seen": row.there.revision})
        entry |= row.changes | {name: value for name, value in hidden.items() if value is not None}
        entry |= persons.spelt(entry["display_name"])
    # In one order, so that two imports do not block each other.
    chosen = [entries[key] for key in sorted(entries)]
    if chosen and len(await tx.each(CORRECT, chosen)) < len(chosen):
        raise Refusal("CONCURRENT_CHANGE")


def _mandate(row: Candidate) -> dict[str, Any]:
    assert row.term is not None  # noqa: S101 - a row without fault has both
    assert row.day is not None  # noqa: S101
    return {
        "person": row.person,
        "assembly": row.term.assembly,
        "term": row.term.number,
        "term_end": row.term.end_date,
        "capacity": row.capacity,
        "recommender": row.recommender,
        "active_from": row.day,
        "rule_version": row.rule_version,
        "judged_by": row.judged_by,
        **standing(row.term, row.day),
    }


def _answer(rows: Sequence[Candidate], entered: bool) -> pb.ImportMandatesResponse:
    good = [row for row in rows if not row.faults]
    return pb.ImportMandatesResponse(
        entered=entered,
        added=sum(not row.seated for row in good),
        changed=sum(row.seated and row.corrects for row in good),
        unchanged=sum(row.seated and not row.corrects for row in good),
        refused=len(rows) - len(good),
        faults=[fault for row in rows for fault in row.faults],
        judged_by=sorted({version for row in rows for version in row.judged_by}),
    )
