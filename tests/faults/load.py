"""Clients that go on writing while a test breaks things, and the books that must balance afterwards.

A client does what a careful one does: each change has a request_id, and is sent
again, the same to the byte, until it is acknowledged.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import grpc

from chassis import client
from chassis.wire import date_message
from quanyutong.registry.v1 import assemblies_pb2, mandates_pb2, persons_pb2, registry_pb2, units_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.embedded.outside import value
from tests.faults.clock import Clock
from tests.harness import Platform, reason, until
from tests.probe.tally.servicer import tally_pb2, tally_pb2_grpc

SERVICE = registry_pb2.DESCRIPTOR.services_by_name["RegistryService"]
TALLY = tally_pb2.DESCRIPTOR.services_by_name["TallyService"]
ROLES = ("clerk", "examiner", "administrator", "viewer")
REASONS = {"ERROR_REASON_SERVICE_UNAVAILABLE", "ERROR_REASON_DEADLINE_PASSED"}
DISTRICTS = 3
AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
# Seconds: for one try of a call, and before the next one.
PATIENCE = 4.0
PAUSE = 0.1
# Seconds between two calls of a client, so that what piles up in an outage is soon worked off.
PACE = 0.02
# Changes before anything is broken, and after everything is mended.
ENOUGH = 60
CONGRESS_TERM = assemblies_pb2.Term(
    number=1, start_date=date_message(date(2022, 1, 1)), end_date=date_message(date(2032, 1, 1))
)


@dataclass(frozen=True)
class Failure:
    """A try that failed: how, why, and whether anything at all had answered."""

    method: str
    code: grpc.StatusCode
    reason: str


@dataclass
class Books:
    """What a district's clients were told is done."""

    units: set[str] = field(default_factory=set)
    assemblies: set[str] = field(default_factory=set)
    terms: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)
    mandates: dict[str, int] = field(default_factory=dict)
    confirmed: int = 0
    ended: int = 0


class Client:
    """One client of one district, through the gateway."""

    def __init__(self, stub: Any, metadata: list[tuple[str, str]], books: Books) -> None:
        self._stub = stub
        self._metadata = metadata
        self.books = books
        self.failures: list[Failure] = []
        self.acknowledged = 0
        # When the latest acknowledged call had been sent.
        self.sent = 0.0

    async def call(self, method: str, request: Any) -> Any:
        """Sends a change until it is acknowledged. Any refusal but that of somebody who is away is raised."""
        request.request_id = str(uuid4())
        await asyncio.sleep(PACE)
        while True:
            sent = time.monotonic()
            try:
                answer = await getattr(self._stub, method)(request, metadata=self._metadata, timeout=PATIENCE)
            except grpc.aio.AioRpcError as error:
                if error.code() not in AWAY:
                    raise
                self.failures.append(Failure(method, error.code(), reason(error)))
                await asyncio.sleep(PAUSE)
            else:
                self.sent = sent
                self.acknowledged += 1
                return answer

    async def unit(self, name: str) -> None:
        unit = units_pb2.Unit(name=name, display_name="试验街道", kind=units_pb2.UNIT_KIND_SUBDISTRICT)
        await self.call("CreateUnit", units_pb2.CreateUnitRequest(unit=unit))
        self.books.units.add(name)

    async def assembly(self, unit: str = "") -> str:
        """The district congress, or the assembly of a subdistrict."""
        kinds = assemblies_pb2.ASSEMBLY_KIND_DISTRICT_CONGRESS, assemblies_pb2.ASSEMBLY_KIND_SUBDISTRICT_ASSEMBLY
        assembly = assemblies_pb2.Assembly(kind=kinds[bool(unit)], unit=unit, display_name="试验会议")
        made = await self.call("CreateAssembly", assemblies_pb2.CreateAssemblyRequest(assembly=assembly))
        self.books.assemblies.add(made.name)
        return str(made.name)

    async def term(self, assembly: str, term: assemblies_pb2.Term) -> str:
        made = await self.call("OpenTerm", assemblies_pb2.OpenTermRequest(parent=assembly, term=term))
        self.books.terms.add(made.name)
        return str(made.name)

    async def person(self) -> str:
        person = persons_pb2.Person(display_name="试验人员", birth_date=date_message(date(1980, 6, 1)))
        made = await self.call("CreatePerson", persons_pb2.CreatePersonRequest(person=person))
        self.books.persons.add(made.name)
        return str(made.name)

    async def mandate(self, term: str) -> str:
        """A mandate that has come into force."""
        given = mandates_pb2.Mandate(
            person=await self.person(), term=term, capacity=mandates_pb2.CAPACITY_DEPUTY, recommender="第一选区"
        )
        made = await self.call("RecommendMandate", mandates_pb2.RecommendMandateRequest(mandate=given))
        await self.call("VetMandate", mandates_pb2.VetMandateRequest(name=made.name))
        active = await self.call("ConfirmMandate", mandates_pb2.ConfirmMandateRequest(name=made.name))
        self.books.mandates[made.name] = active.state
        self.books.confirmed += 1
        return str(made.name)

    async def end(self, mandate: str) -> None:
        request = mandates_pb2.EndMandateRequest(name=mandate, reason=mandates_pb2.END_REASON_RESIGNATION)
        self.books.mandates[mandate] = (await self.call("EndMandate", request)).state
        self.books.ended += 1


class Load:
    """Two clients for each district: one seats people and unseats every other one, one sets up assemblies and terms."""

    def __init__(self, site: Platform, districts: Iterable[str]) -> None:
        self._site = site
        self.books = {district: Books() for district in districts}
        self.clients: list[Client] = []
        self._stopping = False

    @property
    def failures(self) -> list[Failure]:
        return [failure for each in self.clients for failure in each.failures]

    @property
    def summary(self) -> str:
        failed = Counter(f"{f.code.name} {f.reason or '(no answer)'}" for f in self.failures)
        return f"{self.acknowledged} changes acknowledged, tries failed: {dict(failed)}"

    @property
    def acknowledged(self) -> int:
        return sum(each.acknowledged for each in self.clients)

    async def goes_on(self, changes: int = ENOUGH) -> None:
        """Returns after so many further changes."""
        enough = self.acknowledged + changes

        async def reached() -> bool:
            return self.acknowledged >= enough

        await until(reached)

    async def flows(self) -> None:
        """Returns when every client had a call answered that was sent after now."""
        now = time.monotonic()

        async def answered() -> bool:
            return all(each.sent > now for each in self.clients)

        await until(answered)

    async def seat(self, client: Client) -> None:
        term = await client.term(await client.assembly(), CONGRESS_TERM)
        while not self._stopping:
            await client.end(await client.mandate(term))
            await client.mandate(term)

    async def set_up(self, client: Client, district: str) -> None:
        for number in count(1):
            if self._stopping or number > 999:
                return
            await client.unit(f"units/{district}{number:03}")
            assembly = await client.assembly(f"units/{district}{number:03}")
            for term in terms(5):
                await client.term(assembly, term)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes until the end of the block; every change that was begun by then is acknowledged after it."""
        async with client.channel(self._site.address("gateway"), [SERVICE]) as channel, asyncio.TaskGroup() as group:
            for district, books in self.books.items():
                metadata = self._site.metadata(ROLES, district)
                pair = [Client(RegistryServiceStub(channel), metadata, books) for _ in range(2)]
                self.clients += pair
                group.create_task(self.seat(pair[0]))
                group.create_task(self.set_up(pair[1], district))
            try:
                await self.goes_on()
                yield
                await self.goes_on()
            finally:
                self._stopping = True


def terms(number: int) -> list[assemblies_pb2.Term]:
    """Terms that follow each other, numbered from 1."""
    first = date(2030, 1, 1)
    days = [date_message(first + timedelta(days=30 * place)) for place in range(number + 1)]
    return [
        assemblies_pb2.Term(number=place + 1, start_date=days[place], end_date=days[place + 1])
        for place in range(number)
    ]


@asynccontextmanager
async def under_load(site: Platform, *, gateway_stays: bool = True) -> AsyncIterator[Load]:
    """Breaks nothing itself. In the end nothing may be lost, doubled or out of order, and nothing left undelivered.

    While the gateway stays, every call that fails is told why, but those that the client gives up itself.
    """
    load = Load(site, [await site.fresh_district() for _ in range(DISTRICTS)])
    async with load.running():
        yield load
    settling = Clock(load.summary)
    await balanced(site, load.books)
    settling.tell("all events applied")
    untold = [f for f in load.failures if f.code != grpc.StatusCode.DEADLINE_EXCEEDED and f.reason not in REASONS]
    assert not (untold and gateway_stays)


async def balanced(site: Platform, books: dict[str, Books]) -> None:
    """Everything acknowledged can be read and nothing else is there; each event was applied once, in order."""
    async with client.channel(site.address("gateway"), [SERVICE, TALLY]) as channel:
        await until(lambda: served(site, channel, next(iter(books))))
        for district, kept in books.items():
            assert await read(RegistryServiceStub(channel), site.metadata(ROLES, district)) == kept
        await until(lambda: delivered(site))
        for district, kept in books.items():
            await until(lambda district=district, kept=kept: counted(site, channel, district, kept))  # type: ignore[misc]
    assert await value(site.postgres.url, "SELECT coalesce(sum(disordered), 0) FROM tally.tally") == 0


async def served(site: Platform, channel: grpc.aio.Channel, district: str) -> bool:
    """Whether the gateway has found by now who serves."""
    try:
        await tally(site, channel, district)
        units = units_pb2.ListUnitsRequest()
        await RegistryServiceStub(channel).ListUnits(units, metadata=site.metadata(ROLES, district))
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.UNAVAILABLE:
            raise
        return False
    return True


async def read(stub: Any, metadata: list[tuple[str, str]]) -> Books:
    """The books as the registry has them."""
    units = await _all(stub.ListUnits, units_pb2.ListUnitsRequest(), "units", metadata)
    assemblies = await _all(stub.ListAssemblies, assemblies_pb2.ListAssembliesRequest(), "assemblies", metadata)
    persons = await _all(stub.ListPersons, persons_pb2.ListPersonsRequest(), "persons", metadata)
    mandates = await _all(stub.ListMandates, mandates_pb2.ListMandatesRequest(), "mandates", metadata)
    terms: list[Any] = []
    for each in assemblies:
        terms += await _all(stub.ListTerms, assemblies_pb2.ListTermsRequest(parent=each.name), "terms", metadata)
    states = {each.name: each.state for each in mandates}
    return Books(
        units={each.name for each in units},
        assemblies={each.name for each in assemblies},
        terms={each.name for each in terms},
        persons={each.name for each in persons},
        mandates=states,
        confirmed=len(states),
        ended=sum(state == mandates_pb2.MANDATE_STATE_ENDED for state in states.values()),
    )


async def _all(method: Any, request: Any, kind: str, metadata: list[tuple[str, str]]) -> list[Any]:
    found: list[Any] = []
    request.page_size = 500
    while True:
        answer = await method(request, metadata=metadata)
        found += getattr(answer, kind)
        request.page_token = answer.next_page_token
        if not request.page_token:
            return found


async def delivered(site: Platform) -> bool:
    """Whether no event is left to deliver."""
    return await value(site.postgres.url, "SELECT count(*) FROM registry.outbox") == 0


async def tally(site: Platform, channel: grpc.aio.Channel, district: str) -> Any:
    stub = tally_pb2_grpc.TallyServiceStub(channel)
    return await stub.GetTally(tally_pb2.GetTallyRequest(), metadata=site.metadata(("viewer",), district))


async def counted(site: Platform, channel: grpc.aio.Channel, district: str, books: Books) -> bool:
    """Whether the consumer has applied as many events as there were changes. Fails when it has applied more."""
    found = await tally(site, channel, district)
    applied = (found.assemblies, found.terms, found.confirmed, found.ended)
    expected = (len(books.assemblies), len(books.terms), books.confirmed, books.ended)
    assert all(a <= e for a, e in zip(applied, expected, strict=True)), f"{applied} applied of {expected}"
    assert found.disordered == 0
    return applied == expected
