"""Merging two entries of one human being: the one stays, the other becomes a pointer to it."""

from typing import Any
from uuid import UUID

import grpc
from asyncpg import ExclusionViolationError, UniqueViolationError
from sqlalchemy import bindparam, func, select, text

from chassis.database import Database, Row, WriteTx
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import identifier
from quanyutong.registry.v1 import events_pb2, persons_pb2
from quanyutong.registry.v1 import secrets_pb2 as pb
from services.registry import domain, keys, secrets
from services.registry.persons import message_of
from services.registry.tables import mandate, person

Context = grpc.aio.ServicerContext[Any, Any]
# Both at once, in one order: two merges of the same two in opposite directions wait for each other.
BOTH = Sql(
    select(person)
    .where(person.c.id.in_([bindparam("one"), bindparam("other")]))
    .order_by(person.c.id)
    .with_for_update()
)
# Asked of the database rather than listed here: a table that refers to persons is covered from its migration on. It has
# to let the runtime role update that column.
REFERENCES = Sql(
    text("""
    SELECT conrelid::regclass::text AS resource, format('%I', held.attname) AS place,
           EXISTS (
               SELECT FROM pg_attribute WHERE attrelid = conrelid AND attname = 'revision' AND NOT attisdropped
           ) AS revised
    FROM pg_constraint
    CROSS JOIN unnest(conkey, confkey) AS pair (here, there)
    JOIN pg_attribute AS held ON held.attrelid = conrelid AND held.attnum = pair.here
    JOIN pg_attribute AS met ON met.attrelid = confrelid AND met.attnum = pair.there AND met.attname = 'id'
    WHERE contype = 'f' AND confrelid = 'person'::regclass
    ORDER BY conrelid = 'person'::regclass, 1, 2
    """)
)
KEPT, GONE = mandate.alias("kept"), mandate.alias("gone")
# A seat that both had at the same time. What is recommended or sits twice is refused by the database itself.
AT_ONCE = Sql(
    select(KEPT.c.id)
    .join(GONE, GONE.c.assembly == KEPT.c.assembly)
    .where(
        KEPT.c.person == bindparam("keep"),
        GONE.c.person == bindparam("merged"),
        KEPT.c.active_from.is_not(None),
        GONE.c.active_from.is_not(None),
        func.daterange(KEPT.c.active_from, KEPT.c.active_to).op("&&")(
            func.daterange(GONE.c.active_from, GONE.c.active_to)
        ),
    )
    .limit(1)
)


class Merging:
    _database: Database
    _vault: Vault

    async def MergePersons(self, request: pb.MergePersonsRequest, _: Context) -> persons_pb2.Person:
        if request.keep == request.merged:
            raise domain.Refused("MERGE_WITH_ITSELF")
        async with self._database.write() as tx:
            keep, merged = await _load_both(tx, request.keep, request.merged)
            secrets.check_current(keep)
            if merged.merged_into == keep.id:
                return tx.reply(message_of(keep))
            secrets.check_current(merged)
            check_same(keep, merged)
            await _move_references(tx, keep.id, merged.id)
            saved = await _join(tx, self._vault, keep, merged)
            tx.publish(events_pb2.PersonMerged(keep=request.keep, merged=request.merged), request.keep)
            return tx.reply(message_of(saved))


def check_same(keep: Row, merged: Row) -> None:
    """Two entries of one human being have one identity number, and what follows from it is the same."""
    if keep.identity_hash and merged.identity_hash and not _may_be_one_number(keep, merged):
        raise domain.Refused("PERSONS_DIFFER", field="identity_number")
    if keep.identity_hash or merged.identity_hash:
        for field in ("birth_date", "gender"):
            if keep[field] and merged[field] and keep[field] != merged[field]:
                raise domain.Refused("PERSONS_DIFFER", field=field)


def _may_be_one_number(one: Row, other: Row) -> bool:
    """Under one key a number is unique, so these are two; under two keys all that is left to compare is its end."""
    under_one_key = (one.identity_key or 1) == (other.identity_key or 1)
    return not under_one_key and bool(one.identity_last_four == other.identity_last_four)


async def _load_both(tx: WriteTx, keep: str, merged: str) -> tuple[Row, Row]:
    wanted = {"one": identifier(keep), "other": identifier(merged)}
    found = {row.id: row for row in await tx.all(BOTH, **wanted)}
    for name in (keep, merged):
        if identifier(name) not in found:
            raise domain.Refused("PERSON_NOT_FOUND", person=name)
    return found[wanted["one"]], found[wanted["other"]]


async def _move_references(tx: WriteTx, keep: UUID, merged: UUID) -> None:
    """Raises Refused MERGE_DOUBLES. Pointers of earlier merges move too, so that none ever points at a pointer."""
    if await tx.first(AT_ONCE, keep=keep, merged=merged):
        raise domain.Refused("MERGE_DOUBLES", resource="mandate")
    for reference in await tx.all(REFERENCES):
        # Names out of the catalogue, quoted by it.
        revised = ", revision = revision + 1" if reference.revised else ""
        statement = (
            f"UPDATE {reference.resource} SET {reference.place} = :keep{revised} WHERE {reference.place} = :merged"  # noqa: S608
        )
        try:
            await tx.execute(text(statement).bindparams(keep=keep, merged=merged))
        except (UniqueViolationError, ExclusionViolationError):
            raise domain.Refused("MERGE_DOUBLES", resource=reference.resource) from None


async def _join(tx: WriteTx, vault: Vault, keep: Row, merged: Row) -> Row:
    """The pointer gives up what was sealed; the entry that stays gets what it had not."""
    gains: dict[str, Any] = {}
    if merged.identity_hash and not keep.identity_hash:
        gains |= {column: merged[column] for column in secrets.IDENTITY_COLUMNS}
    if keep.identity_hash or merged.identity_hash:
        gains |= {field: keep[field] or merged[field] for field in ("birth_date", "gender")}
    if merged.phone_sealed and not keep.phone_sealed:
        given = secrets.Given(None, await secrets.phone_of(tx, vault, merged))
        gains |= secrets.phone_columns(await keys.sealer(tx, vault), keep.id, given)
    await _save(tx, merged, merged_into=keep.id, **dict.fromkeys(secrets.COLUMNS))
    return await _save(tx, keep, **gains)


async def _save(tx: WriteTx, row: Row, **changes: Any) -> Row:
    return await tx.change(person, row, **changes)
