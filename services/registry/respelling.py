"""Spells the names that are not spelt yet: those entered before names were, or by the release that did not.

In batches, each district in transactions of its own, after each migration.
"""

from sqlalchemy import bindparam, select, update

from chassis import tenancy
from chassis.database import Database
from chassis.sql import Sql
from services.registry.spelling import spelling
from services.registry.tables import district, person

BATCH = 500
UNSPELT = Sql(
    select(person.c.id, person.c.display_name)
    .where(person.c.pinyin.is_(None))
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
SPELL = Sql(
    update(person)
    .where(person.c.id == bindparam("key"))
    .values(pinyin=bindparam("whole"), initials=bindparam("first"))
    .returning(person.c.id)
)


async def spell_names(database: Database) -> None:
    async with database.read_city() as city:
        codes = [row.code for row in await city.all(select(district.c.code))]
    for code in codes:
        with tenancy.acting_for(code):
            while await _spell_some(database) == BATCH:
                pass


async def _spell_some(database: Database) -> int:
    """How many names it spelt."""
    async with database.write() as tx:
        rows = await tx.all(UNSPELT)
        spelt = [(row.id, *spelling(row.display_name)) for row in rows]
        if spelt:
            await tx.each(SPELL, [{"key": key, "whole": whole, "first": first} for key, whole, first in spelt])
    return len(rows)
