"""The stations of a district that ends, and what its delegates are bound to: the same in its successor.

They begin there on the day of the succession at the earliest. A duty keeps its last day, but for that of the term
which its mandate is in now.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from chassis.database import Row, WriteTx
from chassis.sql import Sql
from services.registry import duties, posts
from services.registry.entering import entering
from services.registry.estate import Estate
from services.registry.oversight import publish_formed
from services.registry.stations import publish_closed, publish_opened
from services.registry.succession import Plan
from services.registry.tables import (
    contact,
    oversight_group,
    oversight_leader,
    oversight_member,
    rota_entry,
    station,
)

AS_IT_WAS = ("kind", "display_name", "address", "latitude", "longitude", "end_date", "close_reason")
OPEN = entering(station, "id", *AS_IT_WAS, "unit", "belongs_to", "start_date", "predecessor")
FORM = entering(oversight_group, "id", "assembly", "term", "topic", "start_date", "rule_version")
LASTING = ("id", "mandate", "start_date", "end_date")
BEGIN: Mapping[Table, Sql] = {
    rota_entry: entering(rota_entry, *LASTING, "station"),
    contact: entering(contact, *LASTING, "person", "unit", "description", "households"),
    oversight_member: entering(oversight_member, *LASTING, "oversight_group"),
    oversight_leader: entering(oversight_leader, *LASTING, "oversight_group"),
}
# A house stands before the stations that belong to it.
ORDER = list(posts.ABOVE)


async def hand_over_stations(tx: WriteTx, plan: Plan, rows: Sequence[Row]) -> None:
    carried = {row.id for row in rows}
    ordered = sorted(rows, key=lambda row: ORDER.index(row.kind))
    for row in await tx.each(OPEN, [_station(row, plan, row.belongs_to in carried) for row in ordered]):
        publish_opened(tx, row)
        if row.end_date:
            publish_closed(tx, row)


async def hand_over_groups(tx: WriteTx, plan: Plan, rows: Sequence[Row]) -> None:
    values = [
        {name: row[name] for name in ("term", "topic", "start_date", "rule_version")}
        | {"id": plan.heir(f"oversightGroups/{row.id}"), "assembly": plan.heir(f"assemblies/{row.assembly}")}
        for row in rows
    ]
    for row in await tx.each(FORM, values):
        publish_formed(tx, row)


async def hand_over_duties(
    tx: WriteTx, plan: Plan, estate: Estate, seats: Mapping[UUID, Mapping[str, Any]], persons: Mapping[UUID, UUID]
) -> dict[Table, int]:
    """How many of each kind. `seats`: the mandates in the successor, by what they were."""
    stations = {row.id for row in estate.stations}
    given: dict[Table, list[dict[str, Any]]] = {
        rota_entry: [
            _lasting(row, "rotaEntries", plan, seats) | {"station": plan.heir(f"stations/{row.station}")}
            for row in estate.rota
            if row.mandate in seats and row.station in stations
        ],
        contact: [
            _lasting(row, "contacts", plan, seats) | _party(row, plan, persons)
            for row in estate.contacts
            if row.mandate in seats
        ],
        oversight_member: _in_groups(estate.members, "oversightMembers", plan, seats),
        oversight_leader: _in_groups(estate.leaders, "oversightLeaders", plan, seats),
    }
    for table, values in given.items():
        values[:] = [each for each in values if each["start_date"] < each["end_date"]]
        for row in await tx.each(BEGIN[table], values):
            tx.publish(duties.CHANGED[table](row), f"mandates/{row.mandate}")
    return {table: len(values) for table, values in given.items()}


def _station(row: Row, plan: Plan, belongs: bool) -> dict[str, Any]:
    name = f"stations/{row.id}"
    return {column: row[column] for column in AS_IT_WAS} | {
        "id": plan.heir(name),
        "unit": plan.codes[row.unit],
        "belongs_to": plan.heir(f"stations/{row.belongs_to}") if belongs else None,
        "start_date": max(row.start_date, plan.day),
        "predecessor": plan.was(name),
    }


def _lasting(row: Row, collection: str, plan: Plan, seats: Mapping[UUID, Mapping[str, Any]]) -> dict[str, Any]:
    seat = seats[row.mandate]
    return {
        "id": plan.heir(f"{collection}/{row.id}"),
        "mandate": seat["id"],
        "start_date": max(row.start_date, plan.day),
        "end_date": min(row.end_date, seat["term_end"]),
    }


def _party(row: Row, plan: Plan, persons: Mapping[UUID, UUID]) -> dict[str, Any]:
    return {
        "person": persons[row.person] if row.person else None,
        "unit": plan.codes[row.unit] if row.unit else None,
        "description": row.description,
        "households": row.households,
    }


def _in_groups(
    rows: Sequence[Row], collection: str, plan: Plan, seats: Mapping[UUID, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    return [
        _lasting(row, collection, plan, seats)
        | {"oversight_group": plan.heir(f"oversightGroups/{row.oversight_group}")}
        for row in rows
        if row.mandate in seats
    ]
