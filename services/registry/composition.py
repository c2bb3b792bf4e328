"""How an assembly is made up (代表构成), without any input or output: shares, sizes and age bands, in whole seats.

A share comes here as the function that says how many of a whole it takes, which is exact.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.registry.domain import Bound, Refused
from services.registry.eligibility import full_years


@dataclass(frozen=True, slots=True)
class Member:
    """What the rules ask about whoever holds a seat; empty and None: not stated."""

    capacity: str
    gender: str = ""
    occupation: str = ""
    schooling: str = ""
    birth_date: date | None = None


# Whether a member belongs to it.
Group = Callable[[Member], bool]
# The groups whose share a rule sets, by the name of the rule.
GROUPS: Mapping[str, Group] = {
    "residents_share": lambda member: member.capacity == "resident",
    "women_share": lambda member: member.gender == "female",
    "community_workers_share": lambda member: member.occupation == "community_worker",
    "mediators_share": lambda member: member.occupation == "mediator",
    "grid_workers_share": lambda member: member.occupation == "grid_worker",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Seats that a rule asks for and seats that there are."""

    required: int
    found: int
    missing: int = 0
    excess: int = 0

    @property
    def met(self) -> bool:
        return not self.missing and not self.excess


@dataclass(frozen=True, slots=True)
class Share:
    """A least share of all seats: `needed` says how many of a whole it takes."""

    required: str
    version: str
    needed: Callable[[int], int]

    def judge(self, found: int, seats: int) -> Verdict:
        return at_least(self.needed(seats), found)


@dataclass(frozen=True, slots=True)
class Band:
    """Ages from `youngest` to `oldest`, both included; None: no end."""

    youngest: int | None
    oldest: int | None

    def includes(self, age: int) -> bool:
        return (self.youngest is None or self.youngest <= age) and (self.oldest is None or age <= self.oldest)


def at_least(required: int, found: int) -> Verdict:
    return Verdict(required, found, missing=max(required - found, 0))


def at_most(required: int, found: int) -> Verdict:
    return Verdict(required, found, excess=max(found - required, 0))


def bands(begins: Sequence[int]) -> list[Band]:
    """The bands that these ages divide: one more than there are ages."""
    youngest = [None, *begins]
    oldest = [*(age - 1 for age in begins), None]
    return [Band(*ends) for ends in zip(youngest, oldest, strict=True)]


def in_band(members: Collection[Member], band: Band, day: date) -> int:
    return sum(map(of_band(band, day), members))


def of_band(band: Band, day: date) -> Group:
    return lambda member: member.birth_date is not None and band.includes(full_years(member.birth_date, day))


def of_occupation(occupation: str) -> Group:
    return lambda member: member.occupation == occupation


def of_schooling(schooling: str) -> Group:
    return lambda member: member.schooling == schooling


def check_share(
    groups: Sequence[Group],
    members: Collection[Member],
    newcomers: Collection[Member],
    share: Share,
    most: Bound,
) -> None:
    """Whether newcomers leave the share within reach of every group, were all further seats up to `most` theirs.

    No member sits in two of the groups. Whoever is of a group that lacks members is welcome, come what may: what was
    out of reach before must not get farther.
    """
    needed = share.needed(most.value)
    before = _lacking(groups, members, needed) - (most.value - len(members))
    lacking = _lacking(groups, [*members, *newcomers], needed)
    left = most.value - len(members) - len(newcomers)
    if lacking - left > max(before, 0):
        raise Refused(
            "COMPOSITION_REFUSED",
            version=share.version,
            required=share.required,
            limit=most.value,
            lacking=lacking,
            left=left,
        )


def _lacking(groups: Sequence[Group], members: Collection[Member], needed: int) -> int:
    """Seats that the groups have too few, all together."""
    return sum(max(needed - sum(map(group, members)), 0) for group in groups)
