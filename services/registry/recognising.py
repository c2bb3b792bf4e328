"""Who the rows of an import are: found by identity number in the register, else by name and birth date in the term.

A person who has another identity number is another person, however alike the names are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal, select
from sqlalchemy.types import TypeEngine

from chassis.database import ReadTx, Row
from chassis.vault import Vault
from services.registry import domain, keys, secrets
from services.registry.import_rows import Candidate
from services.registry.persons import CHANGEABLE
from services.registry.tables import person

Term = tuple[object, int]
# What an identity number says of its holder.
SAID_BY_THE_NUMBER = {"birth_date", "gender"}


@dataclass(frozen=True)
class Register:
    """What the register knows of the people in the list and in its terms."""

    mandates: Mapping[tuple[Term, UUID], Sequence[Row]]
    named: Mapping[tuple[Term, object], Sequence[Row]]
    holders: Mapping[str, Row]
    phone_of: Callable[[str, bytes, int], str]

    def people(self, row: Candidate, term: Term) -> Sequence[Row]:
        """Whoever the row may be."""
        number = row.given.identity.number if row.given.identity else ""
        if number in self.holders:
            return [self.holders[number]]
        alike = self.named.get((term, (row.values["display_name"], row.values["birth_date"])), ())
        return [each for each in alike if not (number and each.identity_hash)]


async def recognise(tx: ReadTx, vault: Vault, rows: Sequence[Candidate], sitting: Mapping[Term, Sequence[Row]]) -> None:
    """Finds who of the rows is known, what they correct, and who stands in the list twice."""
    register = await _register(tx, vault, rows, sitting)
    rows_of: dict[object, Candidate] = {}
    first_of: dict[object, Candidate] = {}
    for row in rows:
        if row.term is None or row.who is None:
            continue
        first = first_of.setdefault((key_of(row.term), row.who), row)
        if first is not row:
            row.refuse("person.display_name", "ROW_REPEATED", other=first.number)
        else:
            _identify(row, key_of(row.term), register)
            _agree(row, rows_of)


async def _register(
    tx: ReadTx, vault: Vault, rows: Sequence[Candidate], sitting: Mapping[Term, Sequence[Row]]
) -> Register:
    holders = await secrets.holders(tx, vault, (row.given for row in rows))
    mandates: dict[tuple[Term, UUID], list[Row]] = defaultdict(list)
    for term, seats in sitting.items():
        for each in seats:
            mandates[term, each.person].append(each)
    wanted = among(person.c.id, {who for _, who in mandates}, Uuid())
    people = {each.id: each for each in await tx.all(select(person).where(wanted, person.c.merged_into.is_(None)))}
    named: dict[tuple[Term, object], list[Row]] = defaultdict(list)
    for term, who in mandates:
        if there := people.get(who):
            named[term, (there.display_name, there.birth_date)].append(there)
    return Register(mandates, named, holders, await keys.opener(tx, vault))


def _identify(row: Candidate, term: Term, register: Register) -> None:
    people = register.people(row, term)
    if len(people) > 1:
        row.refuse("person.display_name", "PERSON_AMBIGUOUS")
    elif people:
        _compare(row, people[0], register)
        _compare_mandates(row, register.mandates.get((term, people[0].id), ()))


def _compare(row: Candidate, there: Row, register: Register) -> None:
    row.there, row.person = there, there.id
    row.changes = {name: value for name, value in row.stated.items() if there[name] != value}
    row.values = {name: there[name] for name in CHANGEABLE} | row.stated
    row.to_seal = secrets.Given(None if there.identity_hash else row.given.identity, _new_phone(row, there, register))
    if there.identity_hash and not row.given.identity:
        for name in row.changes.keys() & SAID_BY_THE_NUMBER:
            row.refuse(f"person.{name}", "IDENTITY_DISAGREES")


def _new_phone(row: Candidate, there: Row, register: Register) -> str:
    """The row's telephone number, unless it is the one that is there."""
    phone = row.given.phone
    if not phone or phone[-4:] != there.phone_last_four:
        return phone
    return "" if phone == register.phone_of(keys.field_of(there.id), there.phone_sealed, there.phone_key) else phone


def _compare_mandates(row: Candidate, mandates: Sequence[Row]) -> None:
    wanted = (row.capacity, row.day, row.recommender)
    row.seated = any((each.capacity, each.active_from, each.recommender) == wanted for each in mandates)
    if row.seated:
        return
    if any(each.state in domain.AWAITED for each in mandates):
        row.refuse("person.display_name", "MANDATE_AWAITED")
    elif row.day and any(each.state in domain.IN_FORCE or each.free_from > row.day for each in mandates):
        row.refuse("capacity", "MANDATE_DIFFERS")


def _agree(row: Candidate, rows_of: dict[object, Candidate]) -> None:
    """One person in two terms of the list: the rows may complete each other, and may not contradict each other."""
    if row.person is None and row.given.identity is None:
        return
    other = rows_of.setdefault(row.person or row.who, row)
    differing = any(other.stated.get(name, value) != value for name, value in row.stated.items())
    if differing or (row.given.phone and other.given.phone not in ("", row.given.phone)):
        row.refuse("person.display_name", "ROW_REPEATED", other=other.number)


def key_of(term: Row) -> Term:
    return term.assembly, term.number


def among(column: Any, values: Iterable[object], kind: TypeEngine[Any]) -> ColumnElement[bool]:
    """As one array: a statement can have fewer parameters than an import has rows."""
    return column == any_(literal(list(values), ARRAY(kind)))  # type: ignore[no-any-return]
