"""Rows of an import against the register: whether units and terms exist, who is known, who may sit.

Everything is asked of the database in a few statements, however many rows there are, and every row is looked at.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import Text, Uuid, or_, select, tuple_

from chassis import clock
from chassis.database import ReadTx, Row
from chassis.rulebooks import rulebook
from chassis.rules import Rulebook
from chassis.vault import Vault
from chassis.wire import identifier
from services.registry import domain, eligibility, seats, vetting
from services.registry.import_composition import judge_shares
from services.registry.import_rows import Candidate
from services.registry.recognising import Term, among, key_of, recognise
from services.registry.tables import assembly, mandate, term, unit

UNITS = ("residence", "workplace")


async def judge(tx: ReadTx, vault: Vault, rows: Sequence[Candidate], lock: bool) -> None:
    """Finds every fault of every row, and what each would do. With `lock` no one else seats anybody meanwhile."""
    await _find_units(tx, rows)
    await _find_terms(tx, rows, lock)
    sitting = await _sitting(tx, rows)
    await recognise(tx, vault, rows, sitting)
    books = {day: await rulebook(tx, day) for day in {row.day for row in rows if row.term and not row.seated} if day}
    _check_eligible(rows, books)
    _seat(rows, books, sitting)
    await judge_shares(tx, rows, books)


async def _find_units(tx: ReadTx, rows: Sequence[Candidate]) -> None:
    wanted = {code for row in rows for code in (*(row.values[name] for name in UNITS), row.unit) if code}
    there = {each.code for each in await tx.all(select(unit.c.code).where(among(unit.c.code, wanted - {None}, Text())))}
    for row in rows:
        for name in UNITS:
            if row.values[name] and row.values[name] not in there:
                row.refuse(f"person.{name}", "UNIT_UNKNOWN")
        if row.unit and row.unit not in there:
            row.refuse("unit", "UNIT_UNKNOWN")


async def _find_terms(tx: ReadTx, rows: Sequence[Candidate], lock: bool) -> None:
    named = {identifier(row.term_name.partition("/terms/")[0]) for row in rows if row.term_name}
    of_units = {row.unit for row in rows if row.unit}
    statement = (
        select(term, assembly.c.kind, assembly.c.unit)
        .join(assembly, assembly.c.id == term.c.assembly)
        .where(or_(among(assembly.c.id, named, Uuid()), among(assembly.c.unit, of_units, Text())))
    )
    found = await tx.all(statement)
    by_name = {f"assemblies/{each.assembly}/terms/{each.number}": each for each in found}
    by_unit = defaultdict(list)
    for each in found:
        by_unit[each.unit].append(each)
    for row in rows:
        row.term = _term(row, by_name, by_unit)
    if lock:
        await _lock(tx, {key_of(row.term) for row in rows if row.term})
    for row in rows:
        _check_day(row)


def _term(row: Candidate, by_name: dict[str, Row], by_unit: dict[str, list[Row]]) -> Row | None:
    if row.term_name:
        owner, _, count = row.term_name.partition("/terms/")
        found = by_name.get(f"{owner}/terms/{int(count)}")
    elif row.unit and row.day:
        found = next((each for each in by_unit[row.unit] if each.start_date <= row.day < each.end_date), None)
    else:
        return None
    if found is None:
        row.refuse("term" if row.term_name else "unit", "TERM_UNKNOWN")
    return found


async def _lock(tx: ReadTx, terms: Iterable[Term]) -> None:
    """In one order, so that two imports wait for each other and never block each other."""
    if chosen := sorted(terms, key=str):
        locked = select(term.c.number).where(tuple_(term.c.assembly, term.c.number).in_(chosen[:MOST_TERMS]))
        await tx.all(locked.order_by(term.c.assembly, term.c.number).with_for_update())


# As many as a statement has room for; a district has some dozens.
MOST_TERMS = 10_000


def _check_day(row: Candidate) -> None:
    if row.term and row.day:
        latest = min(row.term.end_date - timedelta(days=1), clock.today())
        if not row.term.start_date <= row.day <= latest:
            row.refuse("active_from", "DAY_OUTSIDE_TERM")


async def _sitting(tx: ReadTx, rows: Sequence[Candidate]) -> dict[Term, list[Row]]:
    """Every mandate of the terms."""
    statement = (
        select(mandate, seats.free_from.label("free_from"))
        .where(among(mandate.c.assembly, {row.term.assembly for row in rows if row.term}, Uuid()))
        .where(mandate.c.state != "rejected")
    )
    found = defaultdict(list)
    for each in await tx.all(statement):
        found[each.assembly, each.term].append(each)
    return found


def _check_eligible(rows: Sequence[Candidate], books: dict[date, Rulebook]) -> None:
    """What is stated of a person must not rule the person out; what is not stated rules nobody out."""
    criteria: dict[object, eligibility.Criteria | None] = {}
    for row in rows:
        if row.seated or row.term is None or row.day is None or not row.capacity:
            continue
        key = (key_of(row.term), row.day, row.capacity)
        if key not in criteria:
            criteria[key] = _criteria(books[row.day], row.term, row.capacity)
        asked = criteria[key]
        if asked is None:
            row.refuse("active_from", "RULE_MISSING")
            continue
        found = list(eligibility.faults(vetting.facts(row.values), asked, row.day))
        open_questions = {fault.version for fault in found if isinstance(fault, eligibility.Missing)}
        row.judged_by = [version for version in asked.versions if version not in open_questions]
        row.judged_by.append(vetting.mandates_per_person(books[row.day], row.term).version)
        for fault in found:
            if isinstance(fault, eligibility.Unmet):
                row.refuse(f"person.{fault.field}", "NOT_ELIGIBLE", required=fault.required, version=fault.version)


def _criteria(book: Rulebook, term: Row, capacity: str) -> eligibility.Criteria | None:
    try:
        return vetting.criteria(book, term, capacity)
    except domain.Refused:
        return None


def _seat(rows: Sequence[Candidate], books: dict[date, Rulebook], sitting: dict[Term, list[Row]]) -> None:
    """Seats in the order of the rows, as far as there are any. Who is new keeps the seat to the end of the term."""
    free = {key: sorted(each.free_from for each in found if each.active_from) for key, found in sitting.items()}
    new: dict[Term, int] = defaultdict(int)
    limits: dict[object, domain.Bound | None] = {}
    for row in rows:
        if row.faults or row.seated or row.term is None or row.day is None:
            continue
        key = key_of(row.term)
        if (key, row.day) not in limits:
            limits[key, row.day] = seats.largest_size(books[row.day], row.term)
        limit, taken = limits[key, row.day], free.get(key, [])
        if limit is not None:
            if len(taken) - bisect_right(taken, row.day) + new[key] >= limit.value:
                row.refuse("term", "ASSEMBLY_FULL", limit=limit.value, version=limit.version)
                continue
            row.rule_version = limit.version
            row.judged_by.append(limit.version)
        new[key] += 1
