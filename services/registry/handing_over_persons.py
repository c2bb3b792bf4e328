"""The persons of a district that ends: who each of them is in its successor.

A number is hashed under another key there, so whether two entries have the same one
cannot be asked of the hashes. They are taken for one person's where name, birth date, gender and
the last four digits of the number agree: all that the number says, but for the place of its
first registration.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam, func, select, update

from chassis.database import ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.vault import Vault
from services.registry import keys, secrets
from services.registry.entering import entering
from services.registry.estate import Estate
from services.registry.persons import CHANGEABLE
from services.registry.succession import Plan
from services.registry.tables import person

LIVED = {"residence": "residence_since", "workplace": "workplace_since"}
SPELT = ("pinyin", "initials")
ENTER = entering(person, "id", *CHANGEABLE, *SPELT, *secrets.COLUMNS, "predecessor")
CARRIED = Sql(select(person).where(person.c.predecessor == any_(bindparam("names", type_=ARRAY(Text)))))
NAMED = Sql(
    select(person).where(
        person.c.display_name == any_(bindparam("names", type_=ARRAY(Text))),
        person.c.identity_hash.is_not(None),
        person.c.merged_into.is_(None),
    )
)
# The entry that the successor had stays as it is, and gets what it had not.
JOIN = Sql(
    update(person)
    .where(person.c.id == bindparam("key"))
    .values(
        predecessor=func.coalesce(person.c.predecessor, bindparam("was")),
        phone_sealed=func.coalesce(person.c.phone_sealed, bindparam("sealed")),
        phone_last_four=func.coalesce(person.c.phone_last_four, bindparam("last_four")),
        phone_key=func.coalesce(person.c.phone_key, bindparam("version")),
        revision=person.c.revision + 1,
    )
    .returning(person.c.id)
)


async def hand_over_persons(tx: WriteTx, vault: Vault, plan: Plan, estate: Estate) -> Mapping[UUID, UUID]:
    """The id that each person has in the successor: a new one, or that of the entry which was there."""
    versions = await keys.adopt(tx, vault, estate.identity_keys.values())
    sealer = await keys.sealer(tx, vault) if estate.phones else None
    known = await _carried(tx, plan, estate.persons)
    joined = await _alike(tx, [row for row in estate.persons if row.id not in known])
    heirs = {row.id: plan.heir(f"persons/{row.id}") for row in estate.persons} | known | joined

    def phone(row: Row) -> dict[str, Any]:
        given = secrets.Given(None, estate.phones.get(row.id, ""))
        return secrets.phone_columns(sealer, heirs[row.id], given)

    new = [row for row in estate.persons if row.id not in known and row.id not in joined]
    marked = {row.id: _marked(row, versions, estate.identity_keys) for row in new}
    await tx.each(ENTER, [_entry(row, plan) | marked[row.id] | phone(row) for row in new])
    await tx.each(JOIN, [_joining(row, plan, heirs[row.id], phone(row)) for row in estate.persons if row.id in joined])
    return heirs


async def _carried(tx: ReadTx, plan: Plan, persons: Sequence[Row]) -> dict[UUID, UUID]:
    """Who was carried over before, by the same succession; merged into another since, perhaps."""
    was = {plan.was(f"persons/{row.id}"): row.id for row in persons}
    return {was[row.predecessor]: row.merged_into or row.id for row in await tx.all(CARRIED, names=list(was))}


async def _alike(tx: ReadTx, persons: Sequence[Row]) -> dict[UUID, UUID]:
    """Whom the successor had before."""
    identified = {_said(row): row.id for row in persons if row.identity_hash}
    names = list({name for name, *_ in identified})
    there = await tx.all(NAMED, names=names) if names else ()
    return {identified[_said(row)]: row.id for row in there if _said(row) in identified}


def _said(row: Row) -> tuple[object, ...]:
    """What the number of a person says, with the name."""
    return row.display_name, row.birth_date, row.gender, row.identity_last_four


def _marked(row: Row, versions: Mapping[bytes, int], identity_keys: Mapping[int, bytes]) -> dict[str, Any]:
    """The hash as it was made, and which key of the successor it was made by."""
    if row.identity_hash is None:
        return dict.fromkeys(secrets.IDENTITY_COLUMNS)
    version = versions[identity_keys[row.identity_key or 1]]
    return {
        "identity_hash": row.identity_hash,
        "identity_last_four": row.identity_last_four,
        "identity_key": version,
    }


def _entry(row: Row, plan: Plan) -> dict[str, Any]:
    name = f"persons/{row.id}"
    entry = {column: row[column] for column in (*CHANGEABLE, *SPELT)}
    lived = {place: plan.codes[row[place]] for place in LIVED if row[place]}
    return entry | lived | {"id": plan.heir(name), "predecessor": plan.was(name)}


def _joining(row: Row, plan: Plan, key: UUID, phone: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": key,
        "was": plan.was(f"persons/{row.id}"),
        "sealed": phone["phone_sealed"],
        "last_four": phone["phone_last_four"],
        "version": phone["phone_key"],
    }
