"""Registers the districts, several at once, each by tokens of its own.

Whatever an earlier run has done is found and left alone. A registration enters
all of its rows or none, so an assembly with one active mandate has them all.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias
from uuid import NAMESPACE_URL, uuid5

import grpc
from google.protobuf.message import Message

from chassis.wire import date_message
from quanyutong.registry.v1.assemblies_pb2 import (
    ASSEMBLY_KIND_DISTRICT_CONGRESS,
    ASSEMBLY_KIND_SUBDISTRICT_ASSEMBLY,
    ASSEMBLY_KIND_TOWNSHIP_CONGRESS,
    Assembly,
    AssemblyKind,
    CreateAssemblyRequest,
    ListAssembliesRequest,
    ListTermsRequest,
    OpenTermRequest,
    Term,
)
from quanyutong.registry.v1.mandates_pb2 import (
    CAPACITY_DEPUTY,
    MANDATE_STATE_ACTIVE,
    Capacity,
    ListMandatesRequest,
    RegisterMandatesRequest,
)
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.demo import published
from tests.demo.people import person
from tests.demo.plan import composition
from tests.harness import reason

DISTRICTS_AT_ONCE = 8
TERM_BEGINS = date(2022, 1, 1)
ACTIVE_FROM = date(2023, 1, 1)
# The counts of the terms are not published; these are the first that the platform holds.
TERM_NUMBER = 1
RECOMMENDER = "演示数据（人员均为虚构）"
CONGRESS = ""
Metadata: TypeAlias = tuple[tuple[str, str], ...]
Row: TypeAlias = RegisterMandatesRequest.Row


@dataclass(frozen=True)
class District:
    """One district and what is to be there: its congress, and in some units an assembly or a congress of some size."""

    code: str
    name: str
    # Names of all units, by code.
    units: Mapping[str, str]
    # Seats of the assembly of each of some subdistricts, and deputies of the congress of each of some towns.
    sizes: Mapping[str, int]
    towns: Mapping[str, int]
    # Deputies of the district's own congress, as many as are registered.
    deputies: int
    # Meetings that were held, by the code of the unit, or by CONGRESS.
    meetings: Mapping[str, int]
    # Livelihood projects that are adopted, likewise; and the towns that vote on them without paper.
    projects: Mapping[str, int] = field(default_factory=dict)
    electronic: frozenset[str] = frozenset()

    @property
    def bodies(self) -> int:
        return 1 + len(self.sizes) + len(self.towns)

    def seats(self, unit: str) -> int:
        """Of the body in a unit, or of the congress."""
        return self.deputies if unit == CONGRESS else self.sizes.get(unit) or self.towns[unit]


@dataclass
class Done:
    """What was found, and what was entered."""

    bodies_found: int = 0
    bodies_entered: int = 0
    mandates_entered: int = 0


async def register(
    districts: Iterable[District],
    stub: RegistryServiceStub,
    metadata: Callable[[str], Metadata],
    advance: Callable[[], None],
) -> Done:
    """Registers all that is missing, or raises the first refusal.

    `metadata` makes that of a district's clerk and examiner; `advance` is called after each assembly and congress.
    """
    done = Done()
    places = asyncio.Semaphore(DISTRICTS_AT_ONCE)

    async def one(district: District) -> None:
        async with places:
            await _Registrar(district, stub, metadata(district.code), done, advance).run()

    try:
        async with asyncio.TaskGroup() as group:
            for district in districts:
                group.create_task(one(district))
    except ExceptionGroup as refusals:  # the first one ended the others
        raise refusals.exceptions[0] from None
    return done


class _Registrar:
    """The registration of one district."""

    def __init__(
        self,
        district: District,
        stub: RegistryServiceStub,
        metadata: Metadata,
        done: Done,
        advance: Callable[[], None],
    ) -> None:
        self._district = district
        self._stub = stub
        self._metadata = metadata
        self._done = done
        self._advance = advance
        # Terms that this run has opened: nobody sits there yet.
        self._fresh = set[str]()

    async def run(self) -> None:
        there = await self._assemblies()
        deputies = await self._congress(there)
        for unit, size in sorted(self._district.sizes.items()):
            term = await self._body(there, unit)
            known = deputies if unit == published.BAITAO else []
            seats = enumerate(composition(unit, size), start=1)
            await self._seat(term, [_row(unit, number, capacity, known) for number, capacity in seats])
            self._advance()
        for unit, size in sorted(self._district.towns.items()):
            term = await self._body(there, unit)
            await self._seat(term, [_row(unit, number, CAPACITY_DEPUTY) for number in range(1, size + 1)])
            self._advance()

    async def _congress(self, there: Mapping[str, str]) -> list[str]:
        """Its deputies, as many as are registered; Fuling's are those who sit in Baitao's assembly too."""
        term = await self._body(there, CONGRESS)
        from_baitao = published.BAITAO in self._district.sizes
        origin = published.BAITAO if from_baitao else self._district.code
        numbers = range(1, self._district.deputies + 1)
        await self._seat(term, [_row(origin, number, CAPACITY_DEPUTY) for number in numbers])
        self._advance()
        return await self._persons(term) if from_baitao else []

    async def _body(self, there: Mapping[str, str], unit: str) -> str:
        """The term of an assembly or, without a unit, of the congress; both are made where they are missing."""
        if found := there.get(unit):
            self._done.bodies_found += 1
            return await self._term(found)
        self._done.bodies_entered += 1
        name = await self._created(unit)
        term = await self._opened(name)
        self._fresh.add(term)
        return term

    async def _assemblies(self) -> dict[str, str]:
        """The assemblies that are there, by the code of their unit."""
        answer = await self._stub.ListAssemblies(ListAssembliesRequest(page_size=500), metadata=self._metadata)
        return {assembly.unit.removeprefix("units/"): assembly.name for assembly in answer.assemblies}

    async def _created(self, unit: str) -> str:
        kind, title = self._kind_and_title(unit)
        assembly = Assembly(kind=kind, unit=f"units/{unit}" if unit else "", display_name=title)
        request = CreateAssemblyRequest(assembly=assembly, request_id=self._id(assembly))
        try:
            return (await self._stub.CreateAssembly(request, metadata=self._metadata)).name
        except grpc.aio.AioRpcError as error:
            if reason(error) != "ERROR_REASON_ASSEMBLY_EXISTS":
                raise
            return (await self._assemblies())[unit]

    def _kind_and_title(self, unit: str) -> tuple["AssemblyKind.ValueType", str]:
        if unit == CONGRESS:
            return ASSEMBLY_KIND_DISTRICT_CONGRESS, f"{self._district.name}人民代表大会"
        if unit in self._district.towns:
            return ASSEMBLY_KIND_TOWNSHIP_CONGRESS, f"{self._district.units[unit]}人民代表大会"
        return ASSEMBLY_KIND_SUBDISTRICT_ASSEMBLY, f"{self._district.units[unit]}议事代表会议"

    async def _term(self, assembly: str) -> str:
        there = await self._stub.ListTerms(ListTermsRequest(parent=assembly), metadata=self._metadata)
        for term in there.terms:
            if term.number == TERM_NUMBER:
                return term.name
        return await self._opened(assembly)

    async def _opened(self, assembly: str) -> str:
        term = Term(number=TERM_NUMBER, start_date=date_message(TERM_BEGINS))
        request = OpenTermRequest(parent=assembly, term=term, request_id=self._id(term, assembly))
        try:
            return (await self._stub.OpenTerm(request, metadata=self._metadata)).name
        except grpc.aio.AioRpcError as error:
            if reason(error) != "ERROR_REASON_TERM_EXISTS":
                raise
            return f"{assembly}/terms/{TERM_NUMBER}"

    async def _seat(self, term: str, rows: Sequence[Row]) -> None:
        if not rows or (term not in self._fresh and await self._persons(term, most=1)):
            return
        opening = RegisterMandatesRequest.Opening(
            term=term, active_from=date_message(ACTIVE_FROM), recommender=RECOMMENDER
        )
        opening.request_id = self._id(opening, *(row.SerializeToString(deterministic=True).hex() for row in rows))
        answer = await self._stub.RegisterMandates(_stream(opening, rows), metadata=self._metadata)
        self._done.mandates_entered += answer.registered

    async def _persons(self, term: str, most: int = 500) -> list[str]:
        """Who sits there."""
        request = ListMandatesRequest(
            assembly=term.partition("/terms/")[0], states=[MANDATE_STATE_ACTIVE], page_size=most
        )
        answer = await self._stub.ListMandates(request, metadata=self._metadata)
        return [mandate.person for mandate in answer.mandates]

    def _id(self, message: Message, *more: str) -> str:
        """The request_id of exactly this request: repeated by a later run, it is the same."""
        parts = (self._district.code, message.SerializeToString(deterministic=True).hex(), *more)
        return str(uuid5(NAMESPACE_URL, "/".join(("quanyutong-demo", *parts))))


def _row(unit: str, number: int, capacity: "Capacity.ValueType", known: Sequence[str] = ()) -> Row:
    """A seat for a known person or, beyond those, for a new one."""
    if number <= len(known):
        return Row(person=known[number - 1], capacity=capacity)
    return Row(new_person=person(unit, number), capacity=capacity)


async def _stream(
    opening: RegisterMandatesRequest.Opening, rows: Sequence[Row]
) -> AsyncIterator[RegisterMandatesRequest]:
    yield RegisterMandatesRequest(opening=opening)
    for row in rows:
        yield RegisterMandatesRequest(row=row)
