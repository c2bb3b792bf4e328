"""Which subdistricts have an assembly, how large each is, who sits there as what, and which bodies met in 2023.

The city publishes sums, and for one assembly, Baitao's, its composition. The
rest is chosen here, the same in every run. Nothing in this module calls anybody.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
# How many deputies these congresses have is not published. Nan'an gets those of the city's smallest congress, Wujia a
# town's usual number; the others get as few as show what half of them, or two thirds, are.
NAN_AN_DEPUTIES, WUJIA_DEPUTIES, DEPUTIES, TOWN_DEPUTIES = 198, 56, 5, 3
# Of Nan'an's vote the rule is known: 15 candidates, 10 places. Elsewhere there is one candidate more than places, the
# fewest that a vote needs.
NAN_AN_PLACES, NAN_AN_CANDIDATES, SURPLUS = 10, 15, 1
# Towns vote on paper, but for Wujia and each fiftieth by code.
ELECTRONIC_TOWN = 50


class PlanImpossible(Exception):
    """The registered districts and subdistricts are too few for the published figures."""


def chosen(subdistricts: Mapping[str, Iterable[str]]) -> list[str]:
    """The subdistricts with an assembly, by code. `subdistricts` holds those of each district. See RULE."""
    return sorted(_assemblies_in_turn(subdistricts))


def meetings_held(subdistricts: Mapping[str, Iterable[str]], towns: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How many meetings each assembly and each town's congress held: as published, else one, in turn, for the sums."""
    others = [unit for unit in _assemblies_in_turn(subdistricts) if unit != published.BAITAO]
    once = others[: published.ASSEMBLY_MEETINGS - published.BAITAO_MEETINGS] + with_quarterly_meetings(towns)
    named = {published.BAITAO: published.BAITAO_MEETINGS, published.WUJIA: published.WUJIA_MEETINGS}
    return dict.fromkeys(once, 1) | named


def with_quarterly_meetings(towns: Mapping[str, Iterable[str]]) -> list[str]:
    """Towns and townships that held one, chosen as the subdistricts are, Rongchang first its Wujia."""
    counts = published.TOWNS_WITH_QUARTERLY_MEETINGS, published.DISTRICTS_WITH_QUARTERLY_MEETINGS
    return sorted(_in_turn(towns, *counts, first=published.WUJIA))


def town_deputies(towns: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How many deputies of the congress of each of these are registered."""
    meeting = {*with_quarterly_meetings(towns), *towns_voting(towns)}
    return dict.fromkeys(sorted(meeting), TOWN_DEPUTIES) | {published.WUJIA: WUJIA_DEPUTIES}


def towns_voting(towns: Mapping[str, Iterable[str]]) -> list[str]:
    """Towns and townships that vote on livelihood projects: in turn from every district, Rongchang first its Wujia."""
    return sorted(_in_turn(towns, published.TOWNS_VOTING, len(towns), first=published.WUJIA))


def town_projects(towns: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How many projects each of these towns adopts: Wujia's as published, the others as evenly as the sum allows."""
    others = [unit for unit in towns_voting(towns) if unit != published.WUJIA]
    shared = _shared(others, published.TOWN_PROJECTS - published.WUJIA_PROJECTS)
    return shared | {published.WUJIA: published.WUJIA_PROJECTS}


def electronic_towns(voting: Collection[str]) -> set[str]:
    return {*sorted(voting)[::ELECTRONIC_TOWN], published.WUJIA} & set(voting)


def districts_voting(districts: Iterable[str]) -> list[str]:
    """Nan'an, and of the others those with the lowest codes, as for the mid-year meetings."""
    return _nan_an_first(districts)[: published.DISTRICTS_VOTING]


def district_projects(districts: Iterable[str]) -> dict[str, int]:
    """How many projects each of these districts adopts: Nan'an ten, the others as evenly as the sum allows."""
    nan_an, *others = districts_voting(districts)
    return _shared(others, published.DISTRICT_PROJECTS - NAN_AN_PLACES) | {nan_an: NAN_AN_PLACES}


def candidates(place: str, places: int) -> int:
    """How many candidates there are for so many places."""
    return NAN_AN_CANDIDATES if place == published.NAN_AN else places + SURPLUS


def _shared(places: Sequence[str], count: int) -> dict[str, int]:
    """The first get one more where the sum needs it."""
    each, more = divmod(count, len(places))
    return {place: each + (turn < more) for turn, place in enumerate(places)}


def with_midyear_meetings(districts: Iterable[str]) -> list[str]:
    """Nan'an, and of the others those with the lowest codes."""
    return sorted(_nan_an_first(districts)[: published.DISTRICTS_WITH_MIDYEAR_MEETINGS])


def _nan_an_first(districts: Iterable[str]) -> list[str]:
    return sorted(districts, key=lambda district: (district != published.NAN_AN, district))


def deputies(district: str, meeting: Collection[str]) -> int:
    """How many deputies of a district's congress are registered: none where it does not meet."""
    known = {published.BAITAO[:6]: published.BAITAO_DEPUTIES, published.NAN_AN: NAN_AN_DEPUTIES}
    return known.get(district, DEPUTIES if district in meeting else 0)


def _assemblies_in_turn(subdistricts: Mapping[str, Iterable[str]]) -> list[str]:
    counts = published.ASSEMBLIES, published.DISTRICTS_WITH_ASSEMBLIES
    return _in_turn(subdistricts, *counts, first=published.BAITAO)


def _in_turn(units: Mapping[str, Iterable[str]], count: int, districts: int, first: str) -> list[str]:
    """So many units of so many districts. Raises PlanImpossible."""
    there = {district: sorted(own, key=lambda unit: (unit != first, unit)) for district, own in units.items()}
    ranked = sorted(
        (district for district in there if there[district]), key=lambda district: (-len(there[district]), district)
    )
    turns = sorted((turn, unit) for district in ranked[:districts] for turn, unit in enumerate(there[district]))
    found = [unit for _, unit in turns[:count]]
    if len(found) < count or first not in found:
        raise PlanImpossible(f"{len(found)} units can be chosen, {count} with {first} are needed")
    return found


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
