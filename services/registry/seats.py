"""The seats of a term: who holds them on a day, how many there may be, and what enforced shares leave of them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select

from chassis.database import ReadTx, Row
from chassis.rules import AgesRule, Rulebook, ShareRule, WholeNumberRule, value_text
from chassis.sql import Sql
from chassis.wire import word
from quanyutong.registry.v1 import persons_pb2
from services.registry import composition, domain
from services.registry.rules import rule_of
from services.registry.tables import mandate, person, suspension

Members = Sequence[composition.Member]
# Which file of rules an assembly is judged by.
INSTITUTIONS = {
    "district_congress": "congress",
    "township_congress": "congress",
    "subdistrict_assembly": "subdistrict_assembly",
}
# The shares that a rule sets: of single groups, and for balance of each occupation, schooling and age band.
SHARES = (*composition.GROUPS, "occupation_group_share", "schooling_group_share", "age_group_share")
OCCUPATIONS = [value for value in persons_pb2.Occupation.values() if value]
SCHOOLINGS = [value for value in persons_pb2.Schooling.values() if value]
SIZE_MAX = "subdistrict_assembly.size_max"
SIZE_NORMAL_MAX = "subdistrict_assembly.size_normal_max"
# First day on which the seat is free again.
free_from = func.coalesce(mandate.c.active_to, mandate.c.term_end)
OF_TERM = and_(mandate.c.assembly == bindparam("assembly"), mandate.c.term == bindparam("term"))


def held_on(day: ColumnElement[date] | date) -> ColumnElement[bool]:
    """Whether a mandate's seat is held on a day, be it suspended or not."""
    return and_(mandate.c.active_from <= day, or_(free_from.is_(None), free_from > day))


def suspended_on(day: ColumnElement[date] | date) -> ColumnElement[bool]:
    """Whether a mandate is suspended on a day."""
    return (
        select(suspension.c.id)
        .where(
            suspension.c.mandate == mandate.c.id,
            suspension.c.start_date <= day,
            or_(suspension.c.end_date.is_(None), suspension.c.end_date > day),
        )
        .exists()
    )


FACTS = (mandate.c.capacity, person.c.gender, person.c.occupation, person.c.schooling, person.c.birth_date)
WITH_PERSON = select(*FACTS).select_from(mandate).join(person, person.c.id == mandate.c.person)
# Whoever holds a seat on the day or after it: no later confirmation can be of an earlier day unseen.
TAKEN = Sql(WITH_PERSON.where(OF_TERM, mandate.c.active_from.is_not(None), free_from > bindparam("day")))
HELD = Sql(
    WITH_PERSON.add_columns(suspended_on(bindparam("day")).label("suspended")).where(OF_TERM, held_on(bindparam("day")))
)


def members(rows: Sequence[Row]) -> list[composition.Member]:
    return [member(row, row.capacity) for row in rows]


def member(person: Any, capacity: str) -> composition.Member:
    """Whoever has these facts in a seat, be they of an entry or of a row on its way."""
    return composition.Member(
        capacity, person["gender"], person["occupation"], person["schooling"], person["birth_date"]
    )


async def taken(tx: ReadTx, term: Row, day: date) -> list[composition.Member]:
    """The members whose seats are not free on the day or after it. Ask under the term's lock."""
    return members(await tx.all(TAKEN, assembly=term.assembly, term=term.number, day=day))


def check_room(book: Rulebook, term: Row, present: int, added: int) -> str:
    """The version of the rule that it was judged by; empty where no rule limits the size. Raises Refused."""
    limit = largest_size(book, term)
    if limit is None:
        return ""
    domain.check_room(present, added, limit)
    return limit.version


def largest_size(book: Rulebook, term: Row) -> domain.Bound | None:
    """The least of the largest sizes that are enforced; None for a congress, which has none here."""
    if term.kind != "subdistrict_assembly":
        return None
    rules = [rule_of(book, key, WholeNumberRule) for key in (SIZE_MAX, SIZE_NORMAL_MAX)]
    bounds = [domain.Bound(rule.value, rule.version) for rule in rules if rule.enforcement == "enforce"]
    return min(bounds, key=lambda bound: bound.value)


def check_shares(book: Rulebook, term: Row, present: Members, newcomers: Members, day: date) -> list[str]:
    """The versions of the shares that are enforced. Raises Refused where all newcomers put one out of reach.

    They are judged as a whole. In whatever order they come: whoever is not of a group that lacks members takes a seat
    from it, which nobody who comes later gives back.
    """
    most, shares = largest_size(book, term), enforced_shares(book, term)
    for name, share in shares.items():
        assert most is not None  # noqa: S101 - only what has a largest size has shares
        composition.check_share(_groups(book, name, day), present, newcomers, share, most)
    return [share.version for share in shares.values()]


def enforced_shares(book: Rulebook, term: Row) -> dict[str, composition.Share]:
    """The shares that refuse somebody, by the name of the rule: none of a congress."""
    if term.kind != "subdistrict_assembly":
        return {}
    rules = {name: rule_of(book, f"subdistrict_assembly.{name}", ShareRule) for name in SHARES}
    return {name: share_of(rule) for name, rule in rules.items() if rule.enforcement == "enforce"}


def _groups(book: Rulebook, share: str, day: date) -> list[composition.Group]:
    """The group, or groups, that a rule sets the share of."""
    if share == "occupation_group_share":
        return [composition.of_occupation(word(persons_pb2.Occupation, value)) for value in OCCUPATIONS]
    if share == "schooling_group_share":
        return [composition.of_schooling(word(persons_pb2.Schooling, value)) for value in SCHOOLINGS]
    if share == "age_group_share":
        bands = rule_of(book, "subdistrict_assembly.age_bands", AgesRule).value
        return [composition.of_band(band, day) for band in composition.bands(bands)]
    return [composition.GROUPS[share]]


def share_of(rule: ShareRule) -> composition.Share:
    return composition.Share(value_text(rule.value), rule.version, rule.value.needed)
