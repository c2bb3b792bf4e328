"""Vetting (审核): a person's facts and the rules of a day, brought before `eligibility`."""

from datetime import date
from typing import Any

from sqlalchemy import bindparam, func, select

from chassis.database import ReadTx, Row
from chassis.rules import ChoiceRule, DurationRule, FlagRule, Rulebook, WholeNumberRule
from chassis.sql import Sql
from services.registry import domain
from services.registry.eligibility import Country, Criteria, Facts, Settled
from services.registry.rules import rule_of
from services.registry.seats import INSTITUTIONS, free_from
from services.registry.tables import mandate

# Who attends by right if the rule says so: whoever lives or works in the subdistrict, since when is not asked.
BY_RIGHT = {
    "deputy": "subdistrict_assembly.deputies_attend",
    "party_delegate": "subdistrict_assembly.party_delegates_attend",
    "cppcc_member": "subdistrict_assembly.cppcc_members_attend",
}
# From its first day until its term is over, as a mandate lasts when nobody ends it before.
OVERLAPPING = Sql(
    select(func.count().label("others")).where(
        mandate.c.assembly == bindparam("assembly"),
        mandate.c.person == bindparam("person"),
        mandate.c.active_from < bindparam("end"),
        free_from > bindparam("day"),
    )
)


def criteria(book: Rulebook, term: Row, capacity: str) -> Criteria:
    """What the rules of the day ask of a person in this capacity. Raises Refused RULE_NOT_FOUND."""
    institution = INSTITUTIONS[term.kind]
    nationality = rule_of(book, f"{institution}.nationality", ChoiceRule)
    age_min = rule_of(book, f"{institution}.age_min", WholeNumberRule)
    return Criteria(
        Country(nationality.value, nationality.version),
        domain.Bound(age_min.value, age_min.version),
        settled(book, term, capacity),
    )


def settled(book: Rulebook, term: Row, capacity: str) -> Settled | None:
    if term.kind != "subdistrict_assembly":
        return None
    if capacity in BY_RIGHT:
        attends = rule_of(book, BY_RIGHT[capacity], FlagRule)
        if attends.value:
            return Settled(term.unit, domain.Bound(0, attends.version))
    shortest = rule_of(book, "subdistrict_assembly.residence_min", DurationRule)
    return Settled(term.unit, domain.Bound(shortest.value.length, shortest.version))


def facts(person: Any) -> Facts:
    return Facts(
        person["nationality"],
        person["birth_date"],
        person["residence"],
        person["residence_since"],
        person["workplace"],
        person["workplace_since"],
    )


def mandates_per_person(book: Rulebook, term: Row) -> domain.Bound:
    rule = rule_of(book, f"{INSTITUTIONS[term.kind]}.mandates_per_person", WholeNumberRule)
    return domain.Bound(rule.value, rule.version)


async def check_overlaps(tx: ReadTx, book: Rulebook, term: Row, person: object, day: date) -> str:
    """The version of the rule on mandates at the same time. Raises Refused MANDATE_OVERLAPS."""
    most = mandates_per_person(book, term)
    found = await tx.one(OVERLAPPING, assembly=term.assembly, person=person, day=day, end=term.end_date)
    domain.check_overlaps(found.others, most)
    return most.version
