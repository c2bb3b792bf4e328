"""The composition of a term's seats (代表构成) on a day, counted and judged. It names nobody."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import grpc

from chassis import clock
from chassis.database import Database
from chassis.rulebooks import rulebook
from chassis.rules import AgesRule, Rule, Rulebook, ShareRule, WholeNumberRule, value_text
from chassis.wire import date_message, number, read_date
from quanyutong.registry.v1 import composition_pb2 as pb
from quanyutong.registry.v1 import mandates_pb2, persons_pb2, rules_pb2
from services.registry import composition as judged
from services.registry import seats
from services.registry.assemblies import load_term
from services.registry.rules import rule_of

Context = grpc.aio.ServicerContext[Any, Any]
Members = Sequence[judged.Member]
# What a size is judged as, in the order shown.
SIZES = {"size_min": judged.at_least, "size_normal_max": judged.at_most, "size_max": judged.at_most}


class Compositions:
    _database: Database

    async def GetComposition(self, request: pb.GetCompositionRequest, _: Context) -> pb.Composition:
        day = read_date(request, "as_of") or clock.today()
        async with self._database.read() as tx:
            term = await load_term(tx, request.parent)
            book = await rulebook(tx, day)
            rows = await tx.all(seats.HELD, assembly=term.assembly, term=term.number, day=day)
        members, institution = seats.members(rows), seats.INSTITUTIONS[term.kind]
        shares = _shares(book) if institution == "subdistrict_assembly" else {}
        return pb.Composition(
            term=request.parent,
            as_of=date_message(day),
            seats=len(members),
            suspended=sum(row.suspended for row in rows),
            demands=[*_sizes(book, members), *_groups(shares, members)] if shares else [],
            capacities=_capacities(members),
            occupations=_occupations(members, shares.get("occupation_group_share")),
            schoolings=_schoolings(members, shares.get("schooling_group_share")),
            ages=_ages(
                members, rule_of(book, f"{institution}.age_bands", AgesRule), shares.get("age_group_share"), day
            ),
        )


def _shares(book: Rulebook) -> dict[str, ShareRule]:
    """The rules on shares of an assembly, by name."""
    return {name: rule_of(book, f"subdistrict_assembly.{name}", ShareRule) for name in seats.SHARES}


def _sizes(book: Rulebook, members: Members) -> list[pb.Demand]:
    rules = {name: rule_of(book, f"subdistrict_assembly.{name}", WholeNumberRule) for name in SIZES}
    return [_demand(rule, SIZES[name](rule.value, len(members))) for name, rule in rules.items()]


def _groups(shares: Mapping[str, ShareRule], members: Members) -> list[pb.Demand]:
    found = {name: sum(map(belongs, members)) for name, belongs in judged.GROUPS.items()}
    return [_share(shares[name], count, len(members)) for name, count in found.items()]


def _capacities(members: Members) -> list[pb.CapacityGroup]:
    counts = _counted(mandates_pb2.Capacity, [member.capacity for member in members])
    return [pb.CapacityGroup(capacity=value, seats=count) for value, count in counts.items() if value]


def _occupations(members: Members, rule: ShareRule | None) -> list[pb.OccupationGroup]:
    counts = _counted(persons_pb2.Occupation, [member.occupation for member in members])
    return [
        pb.OccupationGroup(occupation=value, seats=count, demand=_balance(rule if value else None, count, members))
        for value, count in counts.items()
    ]


def _schoolings(members: Members, rule: ShareRule | None) -> list[pb.SchoolingGroup]:
    counts = _counted(persons_pb2.Schooling, [member.schooling for member in members])
    return [
        pb.SchoolingGroup(schooling=value, seats=count, demand=_balance(rule if value else None, count, members))
        for value, count in counts.items()
    ]


def _ages(members: Members, bands: AgesRule, rule: ShareRule | None, day: date) -> list[pb.AgeGroup]:
    counts = {band: judged.in_band(members, band, day) for band in judged.bands(bands.value)}
    stated = [
        pb.AgeGroup(
            youngest=band.youngest or 0, oldest=band.oldest or 0, seats=count, demand=_balance(rule, count, members)
        )
        for band, count in counts.items()
    ]
    return [*stated, pb.AgeGroup(seats=sum(member.birth_date is None for member in members))]


def _counted(enum: Any, words: Sequence[str]) -> dict[Any, int]:
    """Every value of the enum with the number of its words; the last is of what is not stated."""
    found = [number(enum, word) for word in words]
    return {value: found.count(value) for value in [*(value for value in enum.values() if value), 0]}


def _balance(rule: ShareRule | None, count: int, members: Members) -> pb.Demand | None:
    return _share(rule, count, len(members)) if rule else None


def _share(rule: ShareRule, found: int, whole: int) -> pb.Demand:
    return _demand(rule, seats.share_of(rule).judge(found, whole))


def _demand(rule: Rule, verdict: judged.Verdict) -> pb.Demand:
    return pb.Demand(
        rule=f"rules/{rule.id}",
        title_zh=rule.title.zh,
        title_en=rule.title.en,
        version=rule.version,
        enforcement=number(rules_pb2.Enforcement, rule.enforcement),
        required=value_text(rule.value),
        seats_required=verdict.required,
        seats_found=verdict.found,
        met=verdict.met,
        missing=verdict.missing,
        excess=verdict.excess,
    )
