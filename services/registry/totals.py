"""The queries behind the performance record (履职档案): activities added up by delegate, term, group, year or month.

Nothing is stored. A person-time is one row of `participation`. People received
belong to the activity, so a total counts them once for each activity, however
many of its delegates it covers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Text,
    and_,
    cast,
    func,
    literal,
    literal_column,
    select,
)

from chassis.wire import word
from quanyutong.registry.v1.activities_pb2 import ActivityKind
from services.registry.tables import (
    activity,
    assembly,
    mandate,
    oversight_group,
    oversight_member,
    participation,
    person,
    term,
)

KINDS: Final = tuple(word(ActivityKind, kind) for kind in ActivityKind.values() if kind)
COUNTS: Final = ("activities", "person_times", "people_received", *KINDS)
# By what activities are added up -> the key of a total, as text.
KEYS: Mapping[str, ColumnElement[str]] = {
    "delegate": cast(participation.c.mandate, Text),
    "term": func.concat("assemblies/", mandate.c.assembly, "/terms/", mandate.c.term),
    "oversight_group": cast(oversight_member.c.oversight_group, Text),
    "year": func.to_char(activity.c.day, "YYYY"),
    "month": func.to_char(activity.c.day, "YYYY-MM"),
}
# What a total is of; each grouping has some of them.
NAMES: Final = ("mandate", "term", "oversight_group", "topic", "period", "display_name", "assembly")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which totals: the grouping, and what they are limited to. `end` is the first day after the period."""

    grouping: str = "delegate"
    start: date | None = None
    end: date | None = None
    # The assembly and the number of a term.
    term: tuple[UUID, int] | None = None
    mandate: UUID | None = None


def totals(wanted: Wanted) -> Subquery:
    """One row a delegate, term, group, year or month: `key`, what it is of, the counts, and a column for each kind."""
    counted = _counted(wanted)
    counts = [cast(func.coalesce(counted.c[name], 0), BigInteger).label(name) for name in COUNTS]
    if wanted.grouping not in SUBJECTS:
        return select(*_named(counted.c.key, period=counted.c.key), *counts).subquery("totals")
    subjects = SUBJECTS[wanted.grouping](wanted).subquery("subjects")
    rows = subjects.outerjoin(counted, counted.c.key == subjects.c.key)
    return select(*subjects.c, *counts).select_from(rows).subquery("totals")


def _named(key: ColumnElement[str], **known: ColumnElement[str]) -> list[Any]:
    return [key.label("key"), *(known.get(name, literal("")).label(name) for name in NAMES)]


def _counted(wanted: Wanted) -> Subquery:
    """What was done, added up by key."""
    acts = _acts(wanted)
    times = acts.c.person_times
    return (
        select(
            acts.c.key,
            func.count().label("activities"),
            func.sum(times).label("person_times"),
            func.sum(acts.c.people_received).label("people_received"),
            *(func.sum(times).filter(acts.c.kind == kind).label(kind) for kind in KINDS),
        )
        .group_by(acts.c.key)
        .subquery("counted")
    )


def _acts(wanted: Wanted) -> Subquery:
    """Each activity that counts, once for each key, with the person-times of that key's delegates."""
    return (
        select(
            KEYS[wanted.grouping].collate("C").label("key"),
            activity.c.kind,
            activity.c.people_received,
            func.count().label("person_times"),
        )
        .select_from(_took_part(wanted))
        .where(activity.c.withdrawal_reason == "", *_in_period(wanted), *_of_mandates(wanted))
        .group_by(literal_column("key"), activity.c.id, activity.c.kind, activity.c.people_received)
        .subquery("acts")
    )


def _took_part(wanted: Wanted) -> FromClause:
    """Who took part in what; by group, in which group that delegate was on that day."""
    parts = participation.join(activity, activity.c.id == participation.c.activity).join(
        mandate, mandate.c.id == participation.c.mandate
    )
    if wanted.grouping != "oversight_group":
        return parts
    member = oversight_member.c
    was_member = and_(
        member.mandate == mandate.c.id, member.start_date <= activity.c.day, member.end_date > activity.c.day
    )
    return parts.join(oversight_member, was_member)


def _in_period(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.start:
        yield activity.c.day >= wanted.start
    if wanted.end:
        yield activity.c.day < wanted.end


def _of_mandates(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.mandate:
        yield mandate.c.id == wanted.mandate
    if wanted.term:
        yield mandate.c.assembly == wanted.term[0]
        yield mandate.c.term == wanted.term[1]


def _delegates(wanted: Wanted) -> Select[Any]:
    """Those in force on a day of the period, whether they did anything or not; or the one that is asked for."""
    names = _named(
        cast(mandate.c.id, Text),
        mandate=func.concat("mandates/", mandate.c.id),
        term=_term_name(),
        display_name=person.c.display_name,
        assembly=assembly.c.display_name,
    )
    statement = (
        select(*names)
        .select_from(mandate)
        .join(person, person.c.id == mandate.c.person)
        .join(assembly, assembly.c.id == mandate.c.assembly)
        .join(term, and_(term.c.assembly == mandate.c.assembly, term.c.number == mandate.c.term))
        .where(*_of_mandates(wanted))
    )
    if wanted.mandate:
        return statement
    until = func.least(mandate.c.active_to, term.c.end_date)
    return statement.where(mandate.c.active_from.is_not(None), *_overlapping(wanted, mandate.c.active_from, until))


def _terms(wanted: Wanted) -> Select[Any]:
    """Those that have a day in the period."""
    title = assembly.c.display_name
    return (
        select(*_named(_term_name(), term=_term_name(), display_name=title, assembly=title))
        .select_from(term)
        .join(assembly, assembly.c.id == term.c.assembly)
        .where(*_of_term(wanted), *_overlapping(wanted, term.c.start_date, term.c.end_date))
    )


def _groups(wanted: Wanted) -> Select[Any]:
    """The oversight groups that have a day in the period."""
    names = _named(
        cast(oversight_group.c.id, Text),
        term=_term_name(),
        oversight_group=func.concat("oversightGroups/", oversight_group.c.id),
        topic=oversight_group.c.topic,
        assembly=assembly.c.display_name,
    )
    of = and_(term.c.assembly == oversight_group.c.assembly, term.c.number == oversight_group.c.term)
    return (
        select(*names)
        .select_from(oversight_group)
        .join(term, of)
        .join(assembly, assembly.c.id == term.c.assembly)
        .where(*_of_term(wanted), *_overlapping(wanted, oversight_group.c.start_date, term.c.end_date))
    )


def _term_name() -> ColumnElement[str]:
    return func.concat("assemblies/", term.c.assembly, "/terms/", term.c.number)


def _of_term(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.term:
        yield term.c.assembly == wanted.term[0]
        yield term.c.number == wanted.term[1]


def _overlapping(wanted: Wanted, since: Any, until: Any) -> Iterator[ColumnElement[bool]]:
    if wanted.end:
        yield since < wanted.end
    if wanted.start:
        yield until > wanted.start


SUBJECTS = {"delegate": _delegates, "term": _terms, "oversight_group": _groups}
