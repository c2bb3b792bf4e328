"""The composition that an import leads to: shares that are enforced, judged on all rows of a term and day together.

What rows correct in the entries of those who sit already is part of the result. Without an enforced share nothing is
asked of the database.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Uuid, select

from chassis.database import ReadTx, Row
from chassis.rules import Rulebook
from services.registry import seats
from services.registry.composition import Member
from services.registry.domain import Refused
from services.registry.import_rows import Candidate
from services.registry.recognising import Term, among, key_of
from services.registry.tables import mandate, person

# What good rows state of a person, by who that is.
Stated = Mapping[object, Mapping[str, Any]]


async def judge_shares(tx: ReadTx, rows: Sequence[Candidate], books: Mapping[date, Rulebook]) -> None:
    """Day by day, as the seats were taken: who is let in on one day sits there on the next."""
    good = [row for row in rows if not row.faults]
    terms = {key_of(row.term): row.term for row in good if row.term}
    newcomers: dict[tuple[date, Term], list[Candidate]] = defaultdict(list)
    for row in good:
        if row.term and row.day and not row.seated:
            newcomers[row.day, key_of(row.term)].append(row)
    if not any(seats.enforced_shares(books[day], terms[key]) for day, key in newcomers):
        return
    stated, sitting = _stated(good), await _sitting(tx, {term.assembly for term in terms.values()})
    let_in: dict[Term, list[Member]] = defaultdict(list)
    for day, key in sorted(newcomers, key=lambda each: each[0]):
        there = [_member(each, each.person, each.capacity, stated) for each in sitting[key] if each.free_from > day]
        room = Room(books[day], terms[key], day, stated)
        let_in[key] += room.let_in(newcomers[day, key], [*there, *let_in[key]])


class Room:
    """What a term's enforced shares leave on a day."""

    def __init__(self, book: Rulebook, term: Row, day: date, stated: Stated) -> None:
        self._book = book
        self._term = term
        self._day = day
        self._stated = stated

    def let_in(self, rows: Sequence[Candidate], there: Sequence[Member]) -> list[Member]:
        """The members that the rows bring. Where all are too many, the first half is asked, and the others after it:
        refused is each row that puts a share out of reach of what was let in before it.
        """
        newcomers = [_member(row.values, _known_as(row), row.capacity, self._stated) for row in rows]
        try:
            versions = seats.check_shares(self._book, self._term, there, newcomers, self._day)
        except Refused as refused:
            if len(rows) > 1:
                half = len(rows) // 2
                first = self.let_in(rows[:half], there)
                return [*first, *self.let_in(rows[half:], [*there, *first])]
            rows[0].refuse("term", refused.reason, **refused.facts)
            return []
        for row in rows:
            row.judged_by += versions
        return newcomers


def _member(facts: Mapping[str, Any] | Row, who: object, capacity: str, stated: Stated) -> Member:
    return seats.member({**facts, **stated.get(who, {})}, capacity)


def _stated(good: Iterable[Candidate]) -> Stated:
    """Rows of one person complete each other."""
    found: dict[object, dict[str, Any]] = defaultdict(dict)
    for row in good:
        if who := _known_as(row):
            found[who] |= row.stated
    return found


def _known_as(row: Candidate) -> object:
    """By what other rows can mean the same person: the entry, or the identity number of a new one."""
    return row.person or (row.who if row.given.identity else None)


async def _sitting(tx: ReadTx, assemblies: Iterable[object]) -> Mapping[Term, Sequence[Row]]:
    """Whoever has or had a seat, with the facts that rules ask about."""
    statement = (
        select(*seats.FACTS, mandate.c.person, mandate.c.assembly, mandate.c.term, seats.free_from.label("free_from"))
        .join(person, person.c.id == mandate.c.person)
        .where(among(mandate.c.assembly, assemblies, Uuid()), mandate.c.active_from.is_not(None))
    )
    found = defaultdict(list)
    for each in await tx.all(statement):
        found[each.assembly, each.term].append(each)
    return found
