"""What a successor takes over, entered there in one transaction; what it has taken over before stays as it is now."""

from collections.abc import Mapping, Set
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, any_, bindparam, func, or_, select

from chassis.database import ReadTx, Row, WriteTx
from chassis.errors import FieldsInvalid
from chassis.sql import Sql
from chassis.vault import Vault
from quanyutong.registry.v1 import succession_pb2 as pb
from services.registry import domain, seats, succession
from services.registry.assemblies import publish_created, publish_opened
from services.registry.entering import entering
from services.registry.estate import Estate
from services.registry.handing_over_persons import hand_over_persons
from services.registry.handing_over_posts import hand_over_duties, hand_over_groups, hand_over_stations
from services.registry.mandates import publish_confirmed
from services.registry.succession import Plan
from services.registry.suspensions import publish_suspended
from services.registry.tables import assembly, contact, mandate, rota_entry, suspension, term, unit

UNITS = Sql(select(unit.c.code, unit.c.predecessor))
ADD_UNIT = entering(unit, "code", "display_name", "kind", "valid_from", "predecessor")
SET_UP = entering(assembly, "id", "kind", "unit", "display_name", "predecessor")
OPEN = entering(term, "assembly", "number", "start_date", "end_date", "rule_version")
AS_IT_WAS = ("capacity", "recommender", "state", "remark", "rule_version", "judged_by")
SEATED_ANEW = ("person", "assembly", "term", "term_end", "active_from", "state_since", "predecessor", "held_since")
SEAT = entering(mandate, "id", *AS_IT_WAS, *SEATED_ANEW)
SUSPEND = entering(suspension, "id", "mandate", "start_date", "reason")
# Locked as for a confirmation: under it the delegates of the term are counted.
CONGRESS_TERM = Sql(
    select(term)
    .join(assembly, assembly.c.id == term.c.assembly)
    .where(
        assembly.c.kind == "district_congress",
        term.c.start_date <= bindparam("day"),
        term.c.end_date > bindparam("day"),
    )
    .with_for_update(of=term)
)
AWAITED = or_(*(mandate.c.state == state for state in domain.AWAITED))
SEATED = Sql(
    select(mandate.c.person).where(
        mandate.c.assembly == bindparam("congress"),
        mandate.c.person == any_(bindparam("people", type_=ARRAY(Uuid))),
        func.coalesce(mandate.c.predecessor, "").not_like(bindparam("carried")),
        or_(
            and_(AWAITED, mandate.c.term == bindparam("term")),
            and_(mandate.c.active_from.is_not(None), seats.free_from > bindparam("day")),
        ),
    )
)


async def hand_over(tx: WriteTx, vault: Vault, plan: Plan, estate: Estate) -> pb.SucceedDistrictResponse:
    """What came of it. Raises Refused SUCCESSOR_WITHOUT_TERM, FieldsInvalid SUCCESSION_UNITS_REFUSED."""
    await _check_codes(tx, plan, estate)
    await _hand_over_assemblies(tx, plan, estate)
    persons = await hand_over_persons(tx, vault, plan, estate)
    congress = await _congress(tx, plan, estate)
    seated = await _seated(tx, plan, estate, congress, persons) if congress else set()
    chosen = {row.id: _seat(row, plan, persons, congress) for row in estate.mandates if row.id not in seated}
    await _hand_over_mandates(tx, plan, chosen)
    await hand_over_stations(tx, plan, estate.stations)
    await hand_over_groups(tx, plan, estate.groups)
    duties = await hand_over_duties(tx, plan, estate, chosen, persons)
    carried = pb.CarriedOver(
        units=len(estate.units),
        assemblies=len(estate.assemblies),
        terms=len(estate.terms),
        persons=len(persons),
        persons_joined=sum(plan.heir(f"persons/{was}") != key for was, key in persons.items()),
        mandates=len(chosen),
        stations=len(estate.stations),
        rota_entries=duties[rota_entry],
        contacts=duties[contact],
        oversight_groups=len(estate.groups),
    )
    return pb.SucceedDistrictResponse(carried_over=carried, left=_left(estate, seated))


async def _check_codes(tx: ReadTx, plan: Plan, estate: Estate) -> None:
    taken = {row.code: row.predecessor for row in await tx.all(UNITS)}
    faults = list(succession.code_faults(plan, [row.code for row in estate.units], taken))
    if faults:
        violations = [(fault.field, fault.text) for fault in faults]
        refusal = FieldsInvalid(violations, "SUCCESSION_UNITS_REFUSED", count=len(faults))
        refusal.words = [fault.word for fault in faults]
        raise refusal


async def _hand_over_assemblies(tx: WriteTx, plan: Plan, estate: Estate) -> None:
    units = [
        {"code": plan.codes[row.code], "display_name": row.display_name, "kind": row.kind, "valid_from": plan.day}
        | {"predecessor": plan.was(f"units/{row.code}")}
        for row in estate.units
    ]
    await tx.each(ADD_UNIT, units)
    assemblies = [
        {"id": plan.heir(f"assemblies/{row.id}"), "kind": row.kind, "display_name": row.display_name}
        | {"unit": plan.codes[row.unit], "predecessor": plan.was(f"assemblies/{row.id}")}
        for row in estate.assemblies
    ]
    for row in await tx.each(SET_UP, assemblies):
        publish_created(tx, row)
    as_it_was = ("number", "start_date", "end_date", "rule_version")
    terms = [
        {name: row[name] for name in as_it_was} | {"assembly": plan.heir(f"assemblies/{row.assembly}")}
        for row in estate.terms
    ]
    for row in await tx.each(OPEN, terms):
        publish_opened(tx, row)


async def _congress(tx: ReadTx, plan: Plan, estate: Estate) -> Row | None:
    """The term in which the delegates of the one congress sit in the other; None where it has none."""
    count = sum(row.kind == "district_congress" for row in estate.mandates)
    found = await tx.first(CONGRESS_TERM, day=plan.day)
    if count and found is None:
        raise domain.Refused("SUCCESSOR_WITHOUT_TERM", district=plan.new, day=plan.day, count=count)
    return found


async def _seated(tx: ReadTx, plan: Plan, estate: Estate, congress: Row, persons: Mapping[UUID, UUID]) -> Set[UUID]:
    """The mandates of those who have or await a seat in the successor's congress: nobody sits there twice."""
    deputies = {row.id: persons[row.person] for row in estate.mandates if row.kind == "district_congress"}
    asked = {"congress": congress.assembly, "term": congress.number, "people": list(deputies.values())}
    there = {row.person for row in await tx.all(SEATED, **asked, day=plan.day, carried=plan.was("%"))}
    return {key for key, who in deputies.items() if who in there}


def _seat(row: Row, plan: Plan, persons: Mapping[UUID, UUID], congress: Row | None) -> dict[str, Any]:
    """The mandate in the successor, in force there from the day on."""
    name = f"mandates/{row.id}"
    where = {"assembly": plan.heir(f"assemblies/{row.assembly}"), "term": row.term, "term_end": row.term_end}
    if row.kind == "district_congress" and congress:
        where = {"assembly": congress.assembly, "term": congress.number, "term_end": congress.end_date}
    return (
        {column: row[column] for column in AS_IT_WAS}
        | where
        | {
            "id": plan.heir(name),
            "person": persons[row.person],
            "active_from": plan.day,
            "state_since": plan.day,
            "predecessor": plan.was(name),
            "held_since": row.held_since or row.active_from,
        }
    )


async def _hand_over_mandates(tx: WriteTx, plan: Plan, chosen: Mapping[UUID, Mapping[str, Any]]) -> None:
    entered = await tx.each(SEAT, chosen.values())
    suspended = [row for row in entered if row.state == "suspended"]
    reasons = [
        {"id": plan.heir(f"{row.predecessor}/suspension"), "mandate": row.id}
        | {"start_date": plan.day, "reason": row.remark}
        for row in suspended
    ]
    await tx.each(SUSPEND, reasons)
    for row in entered:
        publish_confirmed(tx, row)
    for row in suspended:
        publish_suspended(tx, row)


def _left(estate: Estate, seated: Set[UUID]) -> list[pb.MandateLeft]:
    pending = [pb.MandateLeft(mandate=f"mandates/{row.id}", reason=pb.LEFT_REASON_PENDING) for row in estate.pending]
    twice = [pb.MandateLeft(mandate=f"mandates/{key}", reason=pb.LEFT_REASON_SEATED) for key in sorted(seated)]
    return pending + twice
