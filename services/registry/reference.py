"""The shipped districts and units, entered where they are missing.

What is there already stays as it is: a district may have been suspended, and a
unit renamed, since it was shipped.
"""

import csv
from collections import defaultdict
from importlib import resources

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis import tenancy
from chassis.database import Database
from chassis.sql import Sql
from services.registry.districts import publish_entry
from services.registry.tables import district, unit

ADD_DISTRICT = Sql(insert(district).on_conflict_do_nothing().returning(district), columns=("code", "display_name"))
ADD_UNIT = Sql(insert(unit).on_conflict_do_nothing().returning(unit.c.code), columns=("code", "display_name", "kind"))
FILES = resources.files("services.registry") / "data"


def _rows(name: str) -> list[dict[str, str]]:
    with (FILES / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


async def enter_reference_data(database: Database) -> None:
    """Enters districts and units that the database does not have, each district in a transaction of its own."""
    units = defaultdict(list)
    for row in _rows("units.csv"):
        units[row["district"]].append({"code": row["code"], "display_name": row["name"], "kind": row["kind"]})
    async with database.read_city() as city:
        known = {row.code for row in await city.all(select(district.c.code))}
    for entry in _rows("districts.csv"):
        if entry["code"] not in known:
            with tenancy.acting_for(entry["code"]):
                await _enter(database, entry, units[entry["code"]])


async def _enter(database: Database, entry: dict[str, str], units: list[dict[str, str]]) -> None:
    """The city's entry comes last: without it, the next time begins anew."""
    apart = entry["code"] in database.apart
    if apart:
        async with database.write() as own:
            await own.first(ADD_DISTRICT, code=entry["code"], display_name=entry["name"])
            await own.each(ADD_UNIT, units)
    async with database.write_city() as tx:
        added = await tx.first(ADD_DISTRICT, code=entry["code"], display_name=entry["name"])
        if added:
            publish_entry(tx, added)
            await tx.each(ADD_UNIT, [] if apart else units)
