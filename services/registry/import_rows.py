"""Rows of an import by themselves: what can be said of each before the register is asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import protovalidate
from google.type.date_pb2 import Date

from chassis import clock
from chassis.database import Row
from chassis.errors import FieldsInvalid
from chassis.wire import read_date, word
from quanyutong.registry.v1 import imports_pb2 as pb
from quanyutong.registry.v1 import mandates_pb2, persons_pb2
from services.registry import domain, secrets
from services.registry.identity import read_identity, read_phone
from services.registry.persons import CHANGEABLE, values_of
from services.registry.row_faults import echoed, row_fault

DATES = [each.name for each in persons_pb2.Person.DESCRIPTOR.fields if each.message_type is Date.DESCRIPTOR]
Secret = TypeVar("Secret")
# A person is found by these; without them the same list twice would enter everybody twice.
NEEDED = ("display_name", "birth_date")


@dataclass(slots=True)
class Candidate:
    """One row on its way: what it states, and what is found about it."""

    number: int
    # The columns of the person that the row states, and no others.
    stated: dict[str, Any]
    # All columns, as a new entry would have them.
    values: dict[str, Any]
    capacity: str
    recommender: str
    day: date | None
    term_name: str
    unit: str
    faults: list[pb.RowFault]
    term: Row | None = None
    given: secrets.Given = secrets.NOTHING
    # Who it is, where the register knows, and what the row corrects there.
    there: Row | None = None
    person: UUID | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    to_seal: secrets.Given = secrets.NOTHING
    seated: bool = False
    rule_version: str = ""
    judged_by: list[str] = field(default_factory=list)

    def refuse(self, place: str, reason: str, **facts: object) -> None:
        """One fault for each field: what follows from another fault is not said again."""
        if all(fault.field != place for fault in self.faults):
            self.faults.append(row_fault(self.number, place, reason, **facts))

    @property
    def who(self) -> str | tuple[str, date] | None:
        """By what rows of one person are known: the identity number, else name and birth date; None without them."""
        name, born = self.values["display_name"], self.values["birth_date"]
        if not (name and born):
            return None
        return self.given.identity.number if self.given.identity else (name, born)

    @property
    def corrects(self) -> bool:
        """Whether the entry of the person is not yet what the row states."""
        return bool(self.changes) or self.to_seal != secrets.NOTHING


def candidate(row: pb.ImportRow, opening: pb.ImportMandatesRequest.Opening, place: int) -> Candidate:
    """The row, with the opening's answers where it is silent; fields at fault are taken out of it."""
    number = row.number or place
    faults = [echoed(fault, number) for fault in row.faults[:40] if not protovalidate.collect_violations(fault)]
    found = Candidate(number, {}, {}, "", "", None, "", "", faults)
    _take_out_invalid(row, found)
    found.day = _date(row, "active_from", "active_from", found) or read_date(opening, "active_from")
    found.given = _given(row.person, found)
    found.values = _values(row.person, found)
    found.stated = {name: found.values[name] for name in CHANGEABLE if found.values[name] not in ("", None)}
    if not row.person.nationality:
        found.stated.pop("nationality", None)
    found.capacity = word(mandates_pb2.Capacity, row.capacity)
    found.recommender = row.recommender or opening.recommender
    found.unit = row.unit.removeprefix("units/")
    found.term_name = row.term or ("" if row.unit else opening.term)
    _check_complete(found)
    return found


def _given(person: persons_pb2.Person, found: Candidate) -> secrets.Given:
    identity = _read("identity_number", lambda: read_identity(person.identity_number, clock.today()), person, found)
    return secrets.Given(identity, _read("phone", lambda: read_phone(person.phone), person, found) or "")


def _read(name: str, read: Callable[[], Secret], person: persons_pb2.Person, found: Candidate) -> Secret | None:
    try:
        return read() if getattr(person, name) else None
    except domain.Refused:
        found.refuse(f"person.{name}", "FIELD_INVALID")
        return None


def _values(person: Any, found: Candidate) -> dict[str, Any]:
    try:
        return values_of(person, found.given)
    except domain.Refused as refused:
        field = refused.facts["field"]
        found.refuse(f"person.{field}", "IDENTITY_DISAGREES")
        person.ClearField(field)  # what the number says is left, and judged further
        return _values(person, found)


def _take_out_invalid(row: pb.ImportRow, found: Candidate) -> None:
    for violation in protovalidate.collect_violations(row):
        names = [element.field_name for element in violation.proto.field.elements] if violation.proto.field else []
        if not names or names[0] == "faults":
            continue
        inner: Any = row.person if names[0] == "person" and len(names) > 1 else row
        empty = names[-1] == "display_name" and not row.person.display_name
        if names != ["person"]:
            found.refuse(".".join(names), "FIELD_MISSING" if empty else "FIELD_INVALID")
        inner.ClearField(names[-1])
    for name in DATES:
        _date(row.person, name, f"person.{name}", found)


def _date(message: Any, name: str, place: str, found: Candidate) -> date | None:
    try:
        return read_date(message, name)
    except FieldsInvalid:
        found.refuse(place, "DATE_INVALID")
        message.ClearField(name)
        return None


def _check_complete(found: Candidate) -> None:
    for name in NEEDED:
        if not found.values[name]:
            found.refuse(f"person.{name}", "FIELD_MISSING")
    for name in ("capacity", "recommender"):
        if not getattr(found, name):
            found.refuse(name, "FIELD_MISSING")
    if found.day is None:
        found.refuse("active_from", "FIELD_MISSING")
    if not (found.term_name or found.unit):
        found.refuse("term", "FIELD_MISSING")
