"""Baitao's (白涛) stations and oversight groups: registered where they are missing, and found again by the services.

How many there are is published; what they are called, where they stand and who is in which group is made up.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chassis.wire import date_message
from quanyutong.registry.v1.assemblies_pb2 import ListAssembliesRequest
from quanyutong.registry.v1.attendance_pb2 import Attendee, ListAttendeesRequest
from quanyutong.registry.v1.mandates_pb2 import MANDATE_STATE_ACTIVE, ListMandatesRequest
from quanyutong.registry.v1.oversight_pb2 import (
    AddOversightMemberRequest,
    FormOversightGroupRequest,
    ListOversightGroupsRequest,
    OversightGroup,
    OversightTopic,
    SetOversightLeaderRequest,
)
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from quanyutong.registry.v1.stations_pb2 import (
    STATION_KIND_HOUSE,
    STATION_KIND_LIAISON_POINT,
    STATION_KIND_STATION,
    CreateStationRequest,
    ListStationsRequest,
    Station,
    StationKind,
)
from tests.demo import published
from tests.demo.identified import identified
from tests.demo.registering import ACTIVE_FROM, TERM_NUMBER, Metadata

UNIT = f"units/{published.BAITAO}"
MEMBERS_A_GROUP = 7
MOST = 500


@dataclass(frozen=True)
class Found:
    """What the services found on the day of the published figures."""

    stations: Counter[int]
    groups: Sequence[OversightGroup]
    attendees: Sequence[Attendee]

    @property
    def by_right(self) -> int:
        """Who attends by right, representatives or not."""
        return sum(any(ground.by_right for ground in attendee.grounds) for attendee in self.attendees)

    @property
    def led(self) -> int:
        """Groups with all their members, one of whom leads."""
        return sum(
            len(group.members) == MEMBERS_A_GROUP and sum(member.leader for member in group.members) == 1
            for group in self.groups
        )


class Baitao:
    """The subdistrict, by a token of its district's clerk."""

    def __init__(self, stub: RegistryServiceStub, metadata: Metadata) -> None:
        self._stub = stub
        self._metadata = metadata

    async def register(self) -> None:
        """Enters what is missing. Raises the first refusal."""
        await self._open_stations()
        await self._form_groups(await self._assembly())

    async def found(self) -> Found:
        """What there is on the day of the published figures."""
        day, assembly = date_message(published.AS_OF), await self._assembly()
        open_on = ListStationsRequest(unit=UNIT, open_on=day, page_size=MOST)
        stations = await self._stub.ListStations(open_on, metadata=self._metadata)
        of_assembly = ListAttendeesRequest(parent=assembly, as_of=day, page_size=MOST)
        attending = await self._stub.ListAttendees(of_assembly, metadata=self._metadata)
        kinds = Counter(int(station.kind) for station in stations.stations)
        return Found(kinds, await self._groups(assembly), list(attending.attendees))

    async def stations(self) -> list[str]:
        """Open on the day of the published figures, the house first."""
        open_on = ListStationsRequest(unit=UNIT, open_on=date_message(published.AS_OF), page_size=MOST)
        answer = await self._stub.ListStations(open_on, metadata=self._metadata)
        return [station.name for station in answer.stations]

    async def _assembly(self) -> str:
        answer = await self._stub.ListAssemblies(ListAssembliesRequest(unit=UNIT), metadata=self._metadata)
        (assembly,) = answer.assemblies
        return assembly.name

    async def _open_stations(self) -> None:
        request = ListStationsRequest(unit=UNIT, page_size=MOST)
        answer = await self._stub.ListStations(request, metadata=self._metadata)
        there = {station.display_name: station.name for station in answer.stations}
        for station, above in planned_stations():
            if station.display_name not in there:
                station.belongs_to = there[above] if above else ""
                entry = identified(CreateStationRequest(station=station))
                opened = await self._stub.CreateStation(entry, metadata=self._metadata)
                there[opened.display_name] = opened.name

    async def _form_groups(self, assembly: str) -> None:
        request = ListMandatesRequest(assembly=assembly, states=[MANDATE_STATE_ACTIVE], page_size=MOST)
        answer = await self._stub.ListMandates(request, metadata=self._metadata)
        delegates = [mandate.name for mandate in answer.mandates]
        there = {group.topic: group for group in await self._groups(assembly)}
        for turn, topic in enumerate(OversightTopic.values()[1:]):
            group = there.get(topic) or await self._formed(assembly, topic)
            await self._seat(group, delegates[turn * MEMBERS_A_GROUP : (turn + 1) * MEMBERS_A_GROUP])

    async def _groups(self, assembly: str) -> Sequence[OversightGroup]:
        day = date_message(published.AS_OF)
        request = ListOversightGroupsRequest(term=f"{assembly}/terms/{TERM_NUMBER}", as_of=day)
        return list((await self._stub.ListOversightGroups(request, metadata=self._metadata)).oversight_groups)

    async def _formed(self, assembly: str, topic: "OversightTopic.ValueType") -> OversightGroup:
        request = FormOversightGroupRequest(
            parent=f"{assembly}/terms/{TERM_NUMBER}", topic=topic, start_date=date_message(ACTIVE_FROM)
        )
        return await self._stub.FormOversightGroup(identified(request), metadata=self._metadata)

    async def _seat(self, group: OversightGroup, delegates: Sequence[str]) -> None:
        """The first of the delegates leads."""
        day, there = date_message(ACTIVE_FROM), {member.mandate for member in group.members}
        for delegate in delegates:
            if delegate not in there:
                joins = AddOversightMemberRequest(name=group.name, mandate=delegate, start_date=day)
                await self._stub.AddOversightMember(identified(joins), metadata=self._metadata)
        if not any(member.leader for member in group.members):
            leads = SetOversightLeaderRequest(name=group.name, mandate=delegates[0], start_date=day)
            await self._stub.SetOversightLeader(identified(leads), metadata=self._metadata)


def planned_stations() -> Iterator[tuple[Station, str]]:
    """Each station, after the one that it belongs to, with that one's name."""
    house = _station(STATION_KIND_HOUSE, "白涛街道人大代表之家")
    yield house, ""
    for number in range(1, published.BAITAO_STATIONS + 1):
        yield _station(STATION_KIND_STATION, _numbered("代表活动站", number)), house.display_name
    for number in range(1, published.BAITAO_LIAISON_POINTS + 1):
        above = (number - 1) % published.BAITAO_STATIONS + 1
        yield _station(STATION_KIND_LIAISON_POINT, _numbered("民情联络点", number)), _numbered("代表活动站", above)


def _numbered(what: str, number: int) -> str:
    return f"白涛街道第{number}{what}"


def _station(kind: "StationKind.ValueType", display_name: str) -> Station:
    return Station(
        kind=kind,
        display_name=display_name,
        unit=UNIT,
        address="涪陵区白涛街道（演示地址）",
        start_date=date_message(ACTIVE_FROM),
    )
