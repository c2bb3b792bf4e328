"""The composition of a term's seats: counted on a day, judged by its rules, enforced where a district says so."""

import asyncio
from datetime import date
from typing import Any

import pytest

from quanyutong.registry.v1 import composition_pb2 as pb
from quanyutong.registry.v1 import persons_pb2, rules_pb2
from tests.contract.office import DEPUTY, RESIDENT, Office, Row, in_days, new_people, on
from tests.harness import refused

FEMALE, MALE = persons_pb2.GENDER_FEMALE, persons_pb2.GENDER_MALE
WORKER = persons_pb2.OCCUPATION_COMMUNITY_WORKER
NO_WORK, NO_SCHOOLING = persons_pb2.OCCUPATION_UNSPECIFIED, persons_pb2.SCHOOLING_UNSPECIFIED
ENFORCE = rules_pb2.ENFORCEMENT_ENFORCE
WOMEN = "rules/subdistrict_assembly.women_share"
REFUSED = "ERROR_REASON_COMPOSITION_REFUSED"


async def composition(office: Office, term: str, day: date | None = None) -> pb.Composition:
    request = pb.GetCompositionRequest(parent=term, as_of=on(day) if day else None)
    found: pb.Composition = await office.call("GetComposition", request)
    return found


def demands(found: pb.Composition) -> dict[str, pb.Demand]:
    return {demand.rule.rpartition(".")[2]: demand for demand in found.demands}


def judged(demand: pb.Demand) -> tuple[int, int, bool, int, int]:
    return demand.seats_required, demand.seats_found, demand.met, demand.missing, demand.excess


async def a_man(office: Office, term: str) -> str:
    return await office.vetted(term, await office.eligible(term, gender=MALE))


async def a_woman(office: Office, term: str) -> str:
    return await office.vetted(term, await office.eligible(term, gender=FEMALE))


async def test_an_assembly_without_anybody(office: Office) -> None:
    term = await office.term()
    found = await composition(office, term)
    assert (found.term, found.as_of, found.seats, found.suspended) == (term, on(in_days(0)), 0, 0)
    lines = demands(found)
    assert judged(lines["size_min"]) == (30, 0, False, 30, 0)
    assert judged(lines["residents_share"]) == (1, 0, False, 1, 0)
    assert judged(lines["women_share"]) == (0, 0, True, 0, 0)
    assert {group.seats for group in found.occupations} == {0}


async def test_every_line_says_its_rule_version_and_value(office: Office) -> None:
    term = await office.term()
    version = (await office.override(">=1/3", rule=WOMEN, enforcement=ENFORCE)).version
    rows = [*new_people(10, gender=FEMALE), *new_people(25, gender=MALE), *new_people(2)]
    deputies = [Row(new_person=row.new_person, capacity=DEPUTY) for row in new_people(37, occupation=WORKER)]
    await office.register(term, [*rows, *deputies])
    found = await composition(office, term)
    lines = demands(found)
    assert [demand.rule for demand in found.demands] == [
        f"rules/subdistrict_assembly.{name}"
        for name in (
            *("size_min", "size_normal_max", "size_max", "residents_share", "women_share"),
            *("community_workers_share", "mediators_share", "grid_workers_share"),
        )
    ]
    assert judged(lines["size_normal_max"]) == (80, 74, True, 0, 0)
    assert judged(lines["residents_share"]) == (38, 37, False, 1, 0)
    assert judged(lines["women_share"]) == (25, 10, False, 15, 0)
    assert judged(lines["community_workers_share"]) == (0, 37, True, 0, 0)
    women, residents = lines["women_share"], lines["residents_share"]
    assert (women.version, women.required, women.enforcement) == (version, ">=1/3", ENFORCE)
    assert (residents.required, residents.enforcement) == (">1/2", rules_pb2.ENFORCEMENT_WARN)
    assert women.title_zh
    assert women.title_en
    assert {group.capacity: group.seats for group in found.capacities if group.seats} == {RESIDENT: 37, DEPUTY: 37}


async def test_beyond_the_normal_size(office: Office) -> None:
    term = await office.term()
    await office.register(term, new_people(83))
    assert judged(demands(await composition(office, term))["size_normal_max"]) == (80, 83, False, 0, 3)


async def test_balance_of_occupation_schooling_and_age(office: Office) -> None:
    term = await office.term()
    for rule in ("occupation", "schooling", "age"):
        await office.override(">=1/4", rule=f"rules/subdistrict_assembly.{rule}_group_share")
    await office.override("30,60", rule="rules/subdistrict_assembly.age_bands")
    college = persons_pb2.SCHOOLING_COLLEGE
    await office.register(
        term,
        [
            *new_people(3, occupation=WORKER, schooling=college, birth_date=on("1990-01-01")),
            *new_people(1, birth_date=on("1950-01-01")),
            *new_people(1),
        ],
    )
    found = await composition(office, term)
    occupations = {group.occupation: group for group in found.occupations}
    assert len(occupations) == len(persons_pb2.Occupation.values())
    assert judged(occupations[WORKER].demand) == (2, 3, True, 0, 0)
    assert judged(occupations[persons_pb2.OCCUPATION_FARMER].demand) == (2, 0, False, 2, 0)
    assert (occupations[NO_WORK].seats, occupations[NO_WORK].HasField("demand")) == (2, False)
    schoolings = {group.schooling: group for group in found.schoolings}
    assert (schoolings[college].seats, schoolings[NO_SCHOOLING].seats) == (3, 2)
    assert [(group.youngest, group.oldest, group.seats) for group in found.ages] == [
        (0, 29, 0),
        (30, 59, 3),
        (60, 0, 1),
        (0, 0, 1),
    ]
    assert [group.demand.missing for group in found.ages] == [2, 0, 1, 0]


async def test_a_congress_is_counted_and_not_judged(office: Office) -> None:
    term = await office.term(await office.congress())
    await office.register(term, new_people(2, occupation=WORKER, birth_date=on("1990-01-01")))
    found = await composition(office, term)
    assert (found.seats, list(found.demands)) == (2, [])
    counted = {group.occupation: group for group in found.occupations}[WORKER]
    assert (counted.seats, counted.HasField("demand")) == (2, False)
    assert sum(group.seats for group in found.ages) == 2


async def test_seats_of_a_day(office: Office) -> None:
    term = await office.term()
    (name,) = (await office.register(term, new_people(1), in_days(-20))).mandates
    await office.suspend(name, in_days(-15))
    await office.end(name, in_days(-10))
    found = {days: await composition(office, term, in_days(days)) for days in (-21, -20, -15, -11, -10)}
    assert {days: (each.seats, each.suspended) for days, each in found.items()} == {
        -21: (0, 0),
        -20: (1, 0),
        -15: (1, 1),
        -11: (1, 1),
        -10: (0, 0),
    }


async def test_an_enforced_share_refuses_whoever_would_put_it_out_of_reach(office: Office) -> None:
    """Of four seats two are for women: the third man is refused, at whatever turn, and no woman ever is."""
    term = await office.term()
    await office.override("4")
    version = (await office.override(">=1/2", rule=WOMEN, enforcement=ENFORCE)).version
    men = [await a_man(office, term) for _ in range(3)]
    for name in men[:2]:
        assert version in (await office.confirm(name)).judged_by
    assert await refused(office.confirm(men[2])) == REFUSED
    for _ in range(2):
        await office.confirm(await a_woman(office, term))
    assert demands(await composition(office, term))["women_share"].met


async def test_an_enforced_balance_keeps_seats_for_those_who_are_lacking(office: Office) -> None:
    """One seat of seven for each of six levels of schooling: a second of the same level comes in once, not twice."""
    term = await office.term()
    await office.override("7")
    await office.override(">=1/7", rule="rules/subdistrict_assembly.schooling_group_share", enforcement=ENFORCE)
    college = [
        await office.vetted(term, await office.eligible(term, schooling=persons_pb2.SCHOOLING_COLLEGE))
        for _ in range(3)
    ]
    for name in college[:2]:
        await office.confirm(name)
    assert await refused(office.confirm(college[2])) == REFUSED
    await office.active(term, await office.eligible(term, schooling=persons_pb2.SCHOOLING_PRIMARY))


async def test_a_share_that_only_warns_refuses_nobody(office: Office) -> None:
    term = await office.term()
    await office.override("1")
    await office.override(">=1/2", rule=WOMEN)
    confirmed = await office.confirm(await a_man(office, term))
    assert not [version for version in confirmed.judged_by if "women" in version]
    assert judged(demands(await composition(office, term))["women_share"]) == (1, 0, False, 1, 0)


async def test_an_enforced_normal_size_is_the_limit(office: Office) -> None:
    term = await office.term()
    normal = "rules/subdistrict_assembly.size_normal_max"
    version = (await office.override("1", rule=normal, enforcement=ENFORCE)).version
    assert (await office.confirm(await office.vetted(term))).rule_version == version
    assert await refused(office.confirm(await office.vetted(term))) == "ERROR_REASON_ASSEMBLY_FULL"


def people(men: int, women: int) -> list[Row]:
    return [*new_people(men, gender=MALE), *new_people(women, gender=FEMALE)]


@pytest.mark.parametrize("fields", [{"gender": MALE}, {}])
async def test_a_registration_is_judged_as_a_whole(office: Office, fields: dict[str, Any]) -> None:
    """Of four seats two are for women: a list with three others is refused, wherever in it they stand."""
    term = await office.term()
    await office.override("4")
    version = (await office.override(">=1/2", rule=WOMEN, enforcement=ENFORCE)).version
    women, others = new_people(2, gender=FEMALE), new_people(3, **fields)
    for rows in ([*others, *women[:1]], [*women[:1], *others], others):
        assert await refused(office.register(term, rows)) == REFUSED
    assert (await composition(office, term)).seats == 0
    registered = await office.register(term, [*others[:2], *women])
    assert [version in (await office.read(name)).judged_by for name in registered.mandates] == [True] * 4


async def test_a_registration_after_others(office: Office) -> None:
    """Who sits already is counted, a known person like a new one."""
    term = await office.term()
    await office.override("4")
    await office.register(term, people(men=1, women=0))
    await office.override(">=1/2", rule=WOMEN, enforcement=ENFORCE)
    known = Row(person=await office.person(gender=MALE), capacity=RESIDENT)
    assert await refused(office.register(term, [known, *people(men=1, women=0)])) == REFUSED
    await office.register(term, [known])
    await office.register(term, people(men=0, women=2))


async def test_who_was_confirmed_before_a_share_was_enforced_is_not_held_to_it(office: Office) -> None:
    term = await office.term()
    await office.override(">=1/2", rule=WOMEN, enforcement=ENFORCE)
    assert (await office.register(term, people(men=60, women=0), in_days(-1))).registered == 60
    assert await refused(office.register(term, people(men=1, women=0))) == REFUSED
    await office.register(term, people(men=0, women=1))


async def test_a_registration_and_a_confirmation_for_the_last_seat_that_a_share_leaves(office: Office) -> None:
    term = await office.term()
    await office.override("2")
    await office.override(">=1/2", rule=WOMEN, enforcement=ENFORCE)
    man = await a_man(office, term)
    attempts = office.confirm(man), office.register(term, people(men=1, women=0))
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert (await composition(office, term)).seats == 1


async def test_restoring_a_rule_restores_what_breaking_it_leads_to(office: Office) -> None:
    assert (await office.override(">=1/2", rule=WOMEN, enforcement=ENFORCE)).enforcement == ENFORCE
    request = rules_pb2.RestoreRuleRequest(name=WOMEN, effective_date=on(in_days(0)), decision="恢复决定")
    restored = await office.call("RestoreRule", request)
    assert (restored.value, restored.enforcement) == (">=0", rules_pb2.ENFORCEMENT_WARN)
