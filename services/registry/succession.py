"""One district takes over from another: the decisions. Pure like `domain`; raises Refused.

What is carried over gets an id that follows from what it was, so that doing it
again finds it there, and whoever knows the one name knows the other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID, uuid5

from services.registry.domain import Refused

# The space of the ids made here. Never changed: it would make others of the same.
SPACE = UUID("6c1f0e5a-2f0b-5d0e-9b61-3f6f1c0c7d52")


@dataclass(frozen=True)
class Plan:
    """Who takes over from whom, from which day on, and what each unit is called then, pair by pair as it was given.

    `digest` is of all that was decided: what was begun is completed by the same decision alone.
    """

    old: str
    new: str
    day: date
    pairs: Sequence[tuple[str, str]]
    decision: str
    digest: bytes

    @cached_property
    def codes(self) -> Mapping[str, str]:
        return dict(self.pairs)

    def was(self, name: str) -> str:
        """What the successor calls its predecessor's resource."""
        return f"districts/{self.old}/{name}"

    def heir(self, name: str) -> UUID:
        """The id of what takes the place of a resource of the ended district."""
        return uuid5(SPACE, self.was(name))


@dataclass(frozen=True, slots=True)
class CodeFault:
    """What is wrong with a unit's new code: where, a word for machines, and the same in two languages."""

    field: str
    word: str
    text: str


def check_parties(old: str, new: str) -> None:
    if old == new:
        raise Refused("SUCCESSION_OF_ITSELF")


def check_successor(new: str, suspended: bool, ended: bool) -> None:
    """Whoever takes over is called, and goes on."""
    if suspended or ended:
        raise Refused("SUCCESSOR_REFUSED", district=new, state="ended" if ended else "suspended")


def check_same_succession(plan: Plan, successor: str, day: date | None) -> None:
    """A district ends once."""
    if (successor, day) != (plan.new, plan.day):
        raise Refused("DISTRICT_SUCCEEDED", district=plan.old, successor=successor, day=day)


def check_begun(plan: Plan, digest: bytes, day: date) -> None:
    if digest != plan.digest:
        raise Refused("SUCCESSION_DIFFERS", district=plan.old, day=day)


def check_stopped(old: str, suspended: bool) -> None:
    """Nothing may change in a district while it is carried over."""
    if not suspended:
        raise Refused("SUCCESSION_NEEDS_SUSPENSION", district=old)


def check_day(day: date, entered: Iterable[date | None], latest: date) -> None:
    """`entered`: days before which the districts had something that the succession would contradict."""
    earliest = max((each for each in entered if each), default=date.min)
    if not earliest <= day <= latest:
        raise Refused("SUCCESSION_DATE_REFUSED", date=day, earliest=earliest, latest=latest)


def code_faults(plan: Plan, there: Iterable[str], taken: Mapping[str, str | None]) -> Iterator[CodeFault]:
    """`there`: the units to be carried over. `taken`: those that the successor has, and what they were before."""
    missing = dict.fromkeys(there)
    given, wanted = (Counter(side) for side in zip(*plan.pairs, strict=True)) if plan.pairs else (Counter(), Counter())
    for index, (old, new) in enumerate(plan.pairs):
        if old not in missing:
            yield CodeFault(f"units[{index}].predecessor", "UNIT_NOT_FOUND", f"没有乡镇街道 {old} / no such unit")
        if given[old] > 1:
            yield CodeFault(f"units[{index}].predecessor", "CODE_TWICE", f"{old} 重复 / stands here twice")
        if wanted[new] > 1:
            yield CodeFault(f"units[{index}].successor", "CODE_TWICE", f"{new} 重复 / stands here twice")
        if not new.startswith(plan.new):
            said = f"{new} 不属于区县 {plan.new} / does not begin with {plan.new}"
            yield CodeFault(f"units[{index}].successor", "UNIT_OF_OTHER_DISTRICT", said)
        if new in taken and taken[new] != plan.was(f"units/{old}"):
            yield CodeFault(f"units[{index}].successor", "UNIT_EXISTS", f"{new} 已存在 / exists already")
    for old in (code for code in missing if code not in given):
        yield CodeFault("units", "CODE_MISSING", f"缺少 {old} 的新代码 / no new code for {old}")
