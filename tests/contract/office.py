"""The congress office of a fresh district: makes the entries that a test needs, through the test's own door."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date

from chassis import clock
from quanyutong.registry.v1 import (
    assemblies_pb2,
    contacts_pb2,
    mandate_life_pb2,
    mandates_pb2,
    oversight_pb2,
    persons_pb2,
    rules_pb2,
    secrets_pb2,
    stations_pb2,
    units_pb2,
)
from tests.conftest import Tenant

SUBDISTRICT, TOWN = units_pb2.UNIT_KIND_SUBDISTRICT, units_pb2.UNIT_KIND_TOWN
CONGRESS = assemblies_pb2.ASSEMBLY_KIND_DISTRICT_CONGRESS
TOWNSHIP_CONGRESS = assemblies_pb2.ASSEMBLY_KIND_TOWNSHIP_CONGRESS
SUBDISTRICT_ASSEMBLY = assemblies_pb2.ASSEMBLY_KIND_SUBDISTRICT_ASSEMBLY
RESIDENT, DEPUTY = mandates_pb2.CAPACITY_RESIDENT, mandates_pb2.CAPACITY_DEPUTY
HOUSE, STATION = stations_pb2.STATION_KIND_HOUSE, stations_pb2.STATION_KIND_STATION
LIAISON_POINT = stations_pb2.STATION_KIND_LIAISON_POINT
INDUSTRY = oversight_pb2.OVERSIGHT_TOPIC_INDUSTRY_AND_RURAL_REVIVAL
SIZE_MAX = "rules/subdistrict_assembly.size_max"
# A well-formed id that nothing has.
NOBODY = "00000000-0000-7000-8000-000000000000"
RUN_OUT = """
    WITH over AS (UPDATE registry.term SET end_date = $4 WHERE (district, assembly, number) = ($1, $2, $3))
    UPDATE registry.mandate SET term_end = $4 WHERE (district, assembly, term) = ($1, $2, $3)"""
Opening: TypeAlias = mandates_pb2.RegisterMandatesRequest.Opening
Row: TypeAlias = mandates_pb2.RegisterMandatesRequest.Row


def on(day: date | str) -> Date:
    """A day as the API has it."""
    found = date.fromisoformat(day) if isinstance(day, str) else day
    return Date(year=found.year, month=found.month, day=found.day)


def in_days(days: int) -> date:
    return clock.today() + timedelta(days=days)


def mask(*paths: str) -> FieldMask:
    return FieldMask(paths=paths)


class Office:
    """Calls as clerk, examiner and administrator at once, unless a test says otherwise."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.district = tenant.district
        self.registry = tenant.registry
        # The unit of each assembly that the office set up; empty for the congress.
        self._units: dict[str, str] = {}

    async def call(self, rpc: str, request: Any, *roles: str, **metadata: str) -> Any:
        return await getattr(self.registry, rpc)(request, metadata=self.tenant.metadata(*roles, **metadata))

    async def meet(self, rpc: str, request: Any, *roles: str, **metadata: str) -> Any:
        """The same, of the meetings service."""
        return await getattr(self.tenant.meetings, rpc)(request, metadata=self.tenant.metadata(*roles, **metadata))

    async def vote(self, rpc: str, request: Any, *roles: str, **metadata: str) -> Any:
        """The same, of the ballots service."""
        return await getattr(self.tenant.ballots, rpc)(request, metadata=self.tenant.metadata(*roles, **metadata))

    async def hear(self, rpc: str, request: Any, *roles: str, **metadata: str) -> Any:
        """The same, of the feedback service."""
        return await getattr(self.tenant.feedback, rpc)(request, metadata=self.tenant.metadata(*roles, **metadata))

    async def operate(self, rpc: str, request: Any) -> Any:
        """As the city's operator."""
        return await getattr(self.registry, rpc)(request, metadata=self.tenant.platform.metadata(["operator"]))

    async def unit(self, number: int = 1, kind: Any = SUBDISTRICT, **fields: Any) -> str:
        unit = units_pb2.Unit(name=f"units/{self.district}{number:03}", kind=kind, display_name="试验街道")
        unit.MergeFrom(units_pb2.Unit(**fields))
        return str((await self.call("CreateUnit", units_pb2.CreateUnitRequest(unit=unit))).name)

    async def assembly(self, unit: str | None = None, kind: Any = SUBDISTRICT_ASSEMBLY) -> str:
        """A subdistrict assembly with a unit of its own, unless told which unit (empty for the congress)."""
        unit = await self.unit() if unit is None else unit
        assembly = assemblies_pb2.Assembly(kind=kind, unit=unit, display_name="试验街道议事代表会议")
        made = await self.call("CreateAssembly", assemblies_pb2.CreateAssemblyRequest(assembly=assembly))
        self._units[made.name] = unit
        return str(made.name)

    async def congress(self) -> str:
        return await self.assembly("", CONGRESS)

    async def open_term(
        self, assembly: str, number: int = 1, start: date | str = "2024-01-01", end: date | None = None
    ) -> assemblies_pb2.Term:
        term = assemblies_pb2.Term(number=number, start_date=on(start), end_date=on(end) if end else None)
        request = assemblies_pb2.OpenTermRequest(parent=assembly, term=term)
        opened: assemblies_pb2.Term = await self.call("OpenTerm", request)
        return opened

    async def term(self, assembly: str | None = None) -> str:
        """A term of a few years that today is in."""
        assembly = await self.assembly() if assembly is None else assembly
        opened = await self.open_term(assembly, start=in_days(-700), end=in_days(700))
        return opened.name

    async def person(self, display_name: str = "王小明", **fields: Any) -> str:
        person = persons_pb2.Person(display_name=display_name, **fields)
        return str((await self.call("CreatePerson", persons_pb2.CreatePersonRequest(person=person))).name)

    async def merge(self, keep: str, merged: str) -> persons_pb2.Person:
        request = secrets_pb2.MergePersonsRequest(keep=keep, merged=merged)
        kept: persons_pb2.Person = await self.call("MergePersons", request)
        return kept

    async def eligible(self, term: str, display_name: str = "王小明", **fields: Any) -> str:
        """A person who may sit in the term: of age, a national, and for years where its assembly is."""
        return await self.person(display_name, **(self.facts(term) | fields))

    def facts(self, term: str) -> dict[str, Any]:
        """What the entry of such a person states."""
        unit = self._units.get(term.partition("/terms/")[0], "")
        return {"birth_date": on("1980-06-01"), "residence": unit, "residence_since": on("2001-01-01")}

    async def recommended(self, term: str, person: str | None = None, capacity: Any = RESIDENT, fills: str = "") -> str:
        person = await self.eligible(term) if person is None else person
        mandate = mandates_pb2.Mandate(
            person=person, term=term, capacity=capacity, recommender="某社区居民委员会", fills=fills
        )
        request = mandates_pb2.RecommendMandateRequest(mandate=mandate)
        return str((await self.call("RecommendMandate", request)).name)

    async def vetted(self, term: str, person: str | None = None, capacity: Any = RESIDENT) -> str:
        name = await self.recommended(term, person, capacity)
        await self.vet(name)
        return name

    async def vet(self, mandate: str) -> None:
        await self.call("VetMandate", mandates_pb2.VetMandateRequest(name=mandate))

    async def active(self, term: str, person: str | None = None, day: date | None = None) -> str:
        name = await self.vetted(term, person)
        await self.confirm(name, day)
        return name

    async def suspended(self, term: str) -> str:
        return (await self.suspend(await self.active(term))).name

    async def suspend(self, mandate: str, day: date | None = None) -> mandates_pb2.Mandate:
        request = mandate_life_pb2.SuspendMandateRequest(
            name=mandate, reason="因刑事案件被羁押", suspended_from=on(day) if day else None
        )
        suspended: mandates_pb2.Mandate = await self.call("SuspendMandate", request)
        return suspended

    async def reinstate(self, mandate: str, day: date | None = None) -> mandates_pb2.Mandate:
        request = mandate_life_pb2.ReinstateMandateRequest(
            name=mandate, reason="案件撤销", reinstated_from=on(day) if day else None
        )
        reinstated: mandates_pb2.Mandate = await self.call("ReinstateMandate", request)
        return reinstated

    async def end(
        self, mandate: str, day: date | None = None, reason: Any = mandates_pb2.END_REASON_RESIGNATION
    ) -> mandates_pb2.Mandate:
        request = mandates_pb2.EndMandateRequest(name=mandate, reason=reason, active_to=on(day) if day else None)
        ended: mandates_pb2.Mandate = await self.call("EndMandate", request)
        return ended

    async def read(self, mandate: str) -> mandates_pb2.Mandate:
        found: mandates_pb2.Mandate = await self.call("GetMandate", mandates_pb2.GetMandateRequest(name=mandate))
        return found

    async def change_term(
        self, over: str, number: int, start: date, end: date | None = None
    ) -> mandate_life_pb2.ChangeTermResponse:
        term = assemblies_pb2.Term(number=number, start_date=on(start), end_date=on(end) if end else None)
        request = mandate_life_pb2.ChangeTermRequest(name=over, next=term)
        changed: mandate_life_pb2.ChangeTermResponse = await self.call("ChangeTerm", request)
        return changed

    async def over(self, term: str, end: date | None = None) -> date:
        """As if the term had been one that is over today: time does not pass within a test."""
        end = end or clock.today()
        connection = await asyncpg.connect(self.tenant.platform.postgres.url)
        try:
            await connection.execute("SELECT set_config('app.district', $1, false)", self.district)
            await connection.execute(RUN_OUT, self.district, UUID(term.split("/")[1]), int(term.split("/")[3]), end)
        finally:
            await connection.close()
        return end

    async def confirm(self, mandate: str, day: date | None = None) -> mandates_pb2.Mandate:
        request = mandates_pb2.ConfirmMandateRequest(name=mandate, active_from=on(day) if day else None)
        confirmed: mandates_pb2.Mandate = await self.call("ConfirmMandate", request)
        return confirmed

    async def override(
        self, value: str, day: date | None = None, rule: str = SIZE_MAX, enforcement: Any = 0
    ) -> rules_pb2.Rule:
        effective = on(day or clock.today())
        request = rules_pb2.OverrideRuleRequest(
            name=rule, value=value, effective_date=effective, decision="试验决定", enforcement=enforcement
        )
        changed: rules_pb2.Rule = await self.call("OverrideRule", request)
        return changed

    async def register(
        self, term: str, rows: Iterable[Row], day: date | None = None, request_id: str = ""
    ) -> mandates_pb2.RegisterMandatesResponse:
        opening = Opening(
            term=term, active_from=on(day or clock.today()), recommender="某社区居民委员会", request_id=request_id
        )
        parts = [mandates_pb2.RegisterMandatesRequest(opening=opening)]
        return await self.stream([*parts, *(mandates_pb2.RegisterMandatesRequest(row=row) for row in rows)])

    async def stream(
        self, parts: Sequence[mandates_pb2.RegisterMandatesRequest]
    ) -> mandates_pb2.RegisterMandatesResponse:
        """A registration of exactly these messages."""

        async def each() -> AsyncIterator[mandates_pb2.RegisterMandatesRequest]:
            for part in parts:
                yield part

        registered: mandates_pb2.RegisterMandatesResponse = await self.call("RegisterMandates", each())
        return registered

    async def delegate(self, term: str | None = None) -> str:
        """A mandate in force for half of the term that has passed."""
        return await self.active(await self.term() if term is None else term, day=in_days(-300))

    async def station(self, unit: str | None = None, kind: Any = HOUSE, **fields: Any) -> str:
        """A station that has been open for a while, in a unit of its own unless told which."""
        unit = await self.unit() if unit is None else unit
        station = stations_pb2.Station(kind=kind, display_name="试验站", unit=unit, address="试验路1号", **fields)
        if not station.HasField("start_date"):
            station.start_date.CopyFrom(on(in_days(-400)))
        return str((await self.call("CreateStation", stations_pb2.CreateStationRequest(station=station))).name)

    async def close_station(self, name: str, day: date | None = None) -> stations_pb2.Station:
        request = stations_pb2.CloseStationRequest(name=name, reason="场地拆迁", end_date=on(day) if day else None)
        closed: stations_pb2.Station = await self.call("CloseStation", request)
        return closed

    async def assigned(self, station: str, mandate: str, start: date | None = None, end: date | None = None) -> str:
        request = stations_pb2.AssignDelegateRequest(
            station=station,
            mandate=mandate,
            start_date=on(start) if start else None,
            end_date=on(end) if end else None,
        )
        return str((await self.call("AssignDelegate", request)).name)

    async def release(self, entry: str, day: date | None = None) -> stations_pb2.RotaEntry:
        request = stations_pb2.ReleaseDelegateRequest(name=entry, end_date=on(day) if day else None)
        released: stations_pb2.RotaEntry = await self.call("ReleaseDelegate", request)
        return released

    async def contact(self, mandate: str, **fields: Any) -> str:
        contact = contacts_pb2.Contact(mandate=mandate, **fields)
        return str((await self.call("AddContact", contacts_pb2.AddContactRequest(contact=contact))).name)

    async def oversight_group(self, term: str, topic: Any = INDUSTRY, day: date | None = None) -> str:
        request = oversight_pb2.FormOversightGroupRequest(
            parent=term, topic=topic, start_date=on(in_days(-200) if day is None else day)
        )
        return str((await self.call("FormOversightGroup", request)).name)

    async def join(self, group: str, mandate: str, day: date | None = None) -> oversight_pb2.OversightGroup:
        request = oversight_pb2.AddOversightMemberRequest(
            name=group, mandate=mandate, start_date=on(day) if day else None
        )
        joined: oversight_pb2.OversightGroup = await self.call("AddOversightMember", request)
        return joined

    async def leave(self, group: str, mandate: str, day: date | None = None) -> oversight_pb2.OversightGroup:
        request = oversight_pb2.RemoveOversightMemberRequest(
            name=group, mandate=mandate, end_date=on(day) if day else None
        )
        left: oversight_pb2.OversightGroup = await self.call("RemoveOversightMember", request)
        return left

    async def lead(self, group: str, mandate: str, day: date | None = None) -> oversight_pb2.OversightGroup:
        request = oversight_pb2.SetOversightLeaderRequest(
            name=group, mandate=mandate, start_date=on(day) if day else None
        )
        led: oversight_pb2.OversightGroup = await self.call("SetOversightLeader", request)
        return led


def new_people(count: int, **fields: Any) -> list[Row]:
    people = (persons_pb2.Person(display_name=f"代表{number}", **fields) for number in range(count))
    return [Row(new_person=person, capacity=RESIDENT) for person in people]
