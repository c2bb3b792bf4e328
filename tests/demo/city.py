"""What the demo asks the services: the districts and subdistricts before it registers, the counts after."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import grpc

from chassis import development
from chassis.settings import Settings
from chassis.wire import date_message
from quanyutong.registry.v1.assemblies_pb2 import ASSEMBLY_KIND_DISTRICT_CONGRESS, ListAssembliesRequest
from quanyutong.registry.v1.districts_pb2 import ListDistrictsRequest
from quanyutong.registry.v1.mandates_pb2 import MANDATE_STATE_ACTIVE, ListMandatesRequest, Mandate
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from quanyutong.registry.v1.summary_pb2 import GetSummaryRequest, Summary
from quanyutong.registry.v1.units_pb2 import (
    UNIT_KIND_SUBDISTRICT,
    UNIT_KIND_TOWN,
    UNIT_KIND_TOWNSHIP,
    ListUnitsRequest,
    Unit,
)
from tests.demo import plan, published
from tests.demo.registering import CONGRESS, District
from tests.harness import reason

SUBJECT = "demo"
MOST = 500
KNOWN_WITHIN = 10.0
Metadata: TypeAlias = tuple[tuple[str, str], ...]


class City:
    """The city as a municipal overseer sees it, one picked district at a time; persons only by a district's token."""

    def __init__(self, stub: RegistryServiceStub, settings: Settings) -> None:
        self._stub = stub
        self._settings = settings
        self._overseer = overseer(settings)

    def staff(self, district: str) -> Metadata:
        """A district's clerk and examiner."""
        return bearer(development.token(self._settings, SUBJECT, ["clerk", "examiner"], district))

    def person(self, district: str, person: str, role: str) -> str:
        """The token of one person: as a delegate, or as a scrutineer."""
        return development.token(self._settings, person, [role], district)

    def box(self, district: str) -> str:
        """The token of the district's ballot box, which is nobody's."""
        return development.token(self._settings, "box", ["ballot_box"], district)

    async def names(self) -> dict[str, str]:
        """The districts, by code."""
        request = ListDistrictsRequest(as_of=date_message(published.AS_OF), page_size=MOST)
        answer = await self._stub.ListDistricts(request, metadata=bearer(self._overseer))
        return {district.name.removeprefix("districts/"): district.display_name for district in answer.districts}

    async def planned(self) -> list[District]:
        """Every district with what is to be there. Raises PlanImpossible."""
        names = await self.names()
        units = dict(zip(names, await asyncio.gather(*(self._units(code) for code in names)), strict=True))
        return planned(names, units)

    async def towns(self) -> int:
        """Towns and townships of the city, as the registry has them."""
        names = await self.names()
        found = await asyncio.gather(*(self._units(code) for code in names))
        return sum(unit.kind in (UNIT_KIND_TOWN, UNIT_KIND_TOWNSHIP) for own in found for unit in own)

    async def _units(self, district: str) -> Sequence[Unit]:
        await self._known(district)
        request = ListUnitsRequest(as_of=date_message(published.AS_OF), page_size=MOST)
        return list((await self._stub.ListUnits(request, metadata=self.picking(district))).units)

    async def _known(self, district: str) -> None:
        """Waits until the district may call: after the very first start its own door opens a moment later."""
        deadline = asyncio.get_running_loop().time() + KNOWN_WITHIN
        while True:
            try:
                await self._stub.ListUnits(ListUnitsRequest(page_size=1), metadata=self.staff(district))
                return
            except grpc.aio.AioRpcError as error:
                late = asyncio.get_running_loop().time() > deadline
                if late or reason(error) != "ERROR_REASON_DISTRICT_UNKNOWN":
                    raise
            await asyncio.sleep(0.1)

    async def summaries(self) -> Mapping[str, Summary]:
        """What the register of each district held at the end of 2023."""
        names = await self.names()
        return dict(zip(names, await asyncio.gather(*(self._summary(code) for code in names)), strict=True))

    async def _summary(self, district: str) -> Summary:
        request = GetSummaryRequest(as_of=date_message(published.AS_OF))
        return await self._stub.GetSummary(request, metadata=self.picking(district))

    async def baitao(self) -> tuple[list[Mandate], int]:
        """The mandates in Baitao's assembly, and how many of their holders have one in the district's congress too."""
        here, congress = await asyncio.gather(
            self._mandates(ListAssembliesRequest(unit=f"units/{published.BAITAO}")),
            self._mandates(ListAssembliesRequest(kind=ASSEMBLY_KIND_DISTRICT_CONGRESS)),
        )
        return here, len({mandate.person for mandate in here} & {mandate.person for mandate in congress})

    async def _mandates(self, wanted: ListAssembliesRequest) -> list[Mandate]:
        metadata = self.staff(published.BAITAO[:6])
        found = await self._stub.ListAssemblies(wanted, metadata=metadata)
        answers = [
            await self._stub.ListMandates(
                ListMandatesRequest(assembly=assembly.name, states=[MANDATE_STATE_ACTIVE], page_size=MOST),
                metadata=metadata,
            )
            for assembly in found.assemblies
        ]
        return [mandate for answer in answers for mandate in answer.mandates]

    def picking(self, district: str) -> Metadata:
        """The overseer, who picks a district to read in."""
        return (*bearer(self._overseer), ("x-district", district))


def planned(names: Mapping[str, str], units: Mapping[str, Sequence[Unit]]) -> list[District]:
    """What is to be there in each district, of its name and its units. Raises PlanImpossible."""
    subdistricts = {code: _of_kind(own, UNIT_KIND_SUBDISTRICT) for code, own in units.items()}
    towns = {code: _of_kind(own, UNIT_KIND_TOWN, UNIT_KIND_TOWNSHIP) for code, own in units.items()}
    sizes, deputies = plan.sizes(plan.chosen(subdistricts)), plan.town_deputies(towns)
    midyear, meetings = plan.with_midyear_meetings(names), plan.meetings_held(subdistricts, towns)
    of_towns, of_districts = plan.town_projects(towns), plan.district_projects(names)
    electronic = plan.electronic_towns(of_towns)
    projects = of_towns | {published.BAITAO: published.BAITAO_PROJECTS}
    return [
        District(
            code=code,
            name=name,
            units={_code(unit): unit.display_name for unit in units[code]},
            sizes={unit: sizes[unit] for unit in subdistricts[code] if unit in sizes},
            towns={unit: deputies[unit] for unit in towns[code] if unit in deputies},
            deputies=plan.deputies(code, {*midyear, *of_districts}),
            meetings={unit: count for unit, count in meetings.items() if unit.startswith(code)}
            | ({CONGRESS: 1} if code in midyear else {}),
            projects={unit: count for unit, count in projects.items() if unit.startswith(code)}
            | ({CONGRESS: of_districts[code]} if code in of_districts else {}),
            electronic=frozenset(electronic & set(towns[code])),
        )
        for code, name in names.items()
    ]


def _of_kind(units: Iterable[Unit], *kinds: int) -> list[str]:
    return [_code(unit) for unit in units if unit.kind in kinds]


def _code(unit: Unit) -> str:
    return unit.name.removeprefix("units/")


def overseer(settings: Settings) -> str:
    """A development token of the municipal overseer. Raises SettingsInvalid outside development."""
    return development.token(settings, SUBJECT, ["overseer"])


def bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)
