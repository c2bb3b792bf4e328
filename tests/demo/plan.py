"""Which subdistricts have an assembly, how large each is, and who sits there as what.

The city publishes sums, and for one assembly, Baitao's, its composition. The
rest is chosen here, the same in every run. Nothing in this module calls anybody.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from quanyutong.registry.v1.mandates_pb2 import (
    CAPACITY_CPPCC_MEMBER,
    CAPACITY_DEPUTY,
    CAPACITY_FRONT_LINE_WORKER,
    CAPACITY_PARTY_DELEGATE,
    CAPACITY_RESIDENT,
    Capacity,
)
from tests.demo import published

RULE = (
    f"the {published.DISTRICTS_WITH_ASSEMBLIES} districts with the most subdistricts (of equals, the lower code); "
    f"in turn each gives its next subdistrict by code, Fuling first its Baitao, until there are {published.ASSEMBLIES}"
)
SEED = 20231231
# The band that sizes are drawn from: the sum is then made right by one or two seats an assembly, so that all stay
# within the 30 to 80 seats that an assembly normally has.
SMALLEST, LARGEST = 34, 74
# Per cent of an assembly's seats; residents, the main body, have all others.
SHARES = {
    CAPACITY_DEPUTY: 20,
    CAPACITY_PARTY_DELEGATE: 5,
    CAPACITY_CPPCC_MEMBER: 3,
    CAPACITY_FRONT_LINE_WORKER: 15,
}
# Published but for the last two, of which only the sum is: 51.
BAITAO_SEATS = {
    CAPACITY_DEPUTY: published.BAITAO_DEPUTIES,
    CAPACITY_PARTY_DELEGATE: published.BAITAO_PARTY_DELEGATES,
    CAPACITY_CPPCC_MEMBER: published.BAITAO_CPPCC_MEMBERS,
    CAPACITY_FRONT_LINE_WORKER: 13,
    CAPACITY_RESIDENT: published.BAITAO_RESIDENTS_AND_WORKERS - 13,
}


class PlanImpossible(Exception):
    """The registered districts and subdistricts are too few for the published figures."""


def chosen(subdistricts: Mapping[str, Iterable[str]]) -> list[str]:
    """The subdistricts with an assembly, by code. `subdistricts` holds those of each district. See RULE."""
    there = {
        district: sorted(units, key=lambda unit: (unit != published.BAITAO, unit))
        for district, units in subdistricts.items()
    }
    ranked = sorted(
        (district for district in there if there[district]), key=lambda district: (-len(there[district]), district)
    )
    in_turn = sorted(
        (turn, unit)
        for district in ranked[: published.DISTRICTS_WITH_ASSEMBLIES]
        for turn, unit in enumerate(there[district])
    )
    units = sorted(unit for _, unit in in_turn[: published.ASSEMBLIES])
    if len(units) < published.ASSEMBLIES or published.BAITAO not in units:
        raise PlanImpossible(f"{len(units)} subdistricts can be chosen, {published.ASSEMBLIES} with Baitao are needed")
    return units


def sizes(units: Sequence[str]) -> dict[str, int]:
    """The seats of each assembly: Baitao's as published, the others' so that the published sum comes out."""
    others = [unit for unit in units if unit != published.BAITAO]
    random = Random(SEED)
    seats = [random.randint(SMALLEST, LARGEST) for _ in others]
    missing = published.REPRESENTATIVES - published.BAITAO_REPRESENTATIVES - sum(seats)
    for turn in range(abs(missing)):
        seats[turn % len(seats)] += 1 if missing > 0 else -1
    return dict(zip(others, seats, strict=True)) | {published.BAITAO: published.BAITAO_REPRESENTATIVES}


def composition(unit: str, size: int) -> list["Capacity.ValueType"]:
    """As what each representative of an assembly sits, seat by seat."""
    seats = BAITAO_SEATS if unit == published.BAITAO else {kind: size * share // 100 for kind, share in SHARES.items()}
    listed = [capacity for capacity, count in seats.items() for _ in range(count)]
    return listed + [CAPACITY_RESIDENT] * (size - len(listed))
