"""The meetings of 2023 of the whole city: held where they were not yet, and read back from the services."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from chassis.wire import date_message
from quanyutong.meetings.v1.agenda_pb2 import ListAgendaItemsRequest
from quanyutong.meetings.v1.attendance_pb2 import GetQuorumRequest
from quanyutong.meetings.v1.deliberation_pb2 import ListDeliberationOpinionsRequest
from quanyutong.meetings.v1.meeting_pb2 import PHASE_CLOSED, ListMeetingsRequest, Meeting
from quanyutong.meetings.v1.meetings_pb2_grpc import MeetingsServiceStub
from quanyutong.registry.v1.assemblies_pb2 import ListAssembliesRequest
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.demo.city import City
from tests.demo.held import Held
from tests.demo.holding import Holding
from tests.demo.programme import programme
from tests.demo.registering import CONGRESS, DISTRICTS_AT_ONCE, District, Metadata

FIRST_DAY, DAY_AFTER = date(2023, 1, 1), date(2024, 1, 1)
MOST = 500


class Meetings:
    """Held by tokens of each district's clerk, read by the city's overseer."""

    def __init__(self, city: City, registry: RegistryServiceStub, stub: MeetingsServiceStub) -> None:
        self._city = city
        self._registry = registry
        self._stub = stub

    async def hold(self, districts: Iterable[District], advance: Callable[[], None]) -> int:
        """Holds all that is missing, or raises the first refusal. Returns how many meetings were not over before."""
        places = asyncio.Semaphore(DISTRICTS_AT_ONCE)

        async def one(district: District) -> int:
            async with places:
                return await self._hold(district, advance)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(district)) for district in districts]
        except ExceptionGroup as refusals:  # the first one ended the others
            raise refusals.exceptions[0] from None
        return sum(task.result() for task in tasks)

    async def read(self, unit: str) -> Sequence[Held]:
        """The year's meetings of the body in a unit, or of a district's congress, with all that is kept of each."""
        metadata = self._city.picking(unit[:6])
        bodies = await self.bodies(metadata)
        body = bodies[CONGRESS if unit == unit[:6] else unit]
        return [await self._whole(each, metadata) for each in await self._listed(metadata) if each.body == body]

    async def listed(self, districts: Iterable[str]) -> Mapping[str, Sequence[Meeting]]:
        """The meetings of each district in the year."""
        codes = list(districts)
        found = await asyncio.gather(*(self._listed(self._city.picking(code)) for code in codes))
        return dict(zip(codes, found, strict=True))

    async def _hold(self, district: District, advance: Callable[[], None]) -> int:
        metadata = self._city.staff(district.code)
        bodies = await self.bodies(metadata)
        there = {(each.body, each.kind, each.number): each for each in await self._listed(metadata)}
        holding, held = Holding(self._stub, metadata), 0
        for sitting in programme(district):
            body = bodies[sitting.unit]
            found = there.get((body, sitting.kind, sitting.number))
            if found is None or found.phase != PHASE_CLOSED:
                await holding.hold(sitting, body, found)
                held += 1
            advance()
        return held

    async def bodies(self, metadata: Metadata) -> Mapping[str, str]:
        """Assemblies, by the code of their unit."""
        answer = await self._registry.ListAssemblies(ListAssembliesRequest(page_size=MOST), metadata=metadata)
        return {assembly.unit.removeprefix("units/"): assembly.name for assembly in answer.assemblies}

    async def _listed(self, metadata: Metadata) -> Sequence[Meeting]:
        request = ListMeetingsRequest(
            from_date=date_message(FIRST_DAY), to_date=date_message(DAY_AFTER), page_size=MOST
        )
        return list((await self._stub.ListMeetings(request, metadata=metadata)).meetings)

    async def _whole(self, meeting: Meeting, metadata: Metadata) -> Held:
        agenda, opinions, quorum = await asyncio.gather(
            self._stub.ListAgendaItems(ListAgendaItemsRequest(meeting=meeting.name, page_size=MOST), metadata=metadata),
            self._stub.ListDeliberationOpinions(
                ListDeliberationOpinionsRequest(meeting=meeting.name, page_size=MOST), metadata=metadata
            ),
            self._stub.GetQuorum(GetQuorumRequest(name=meeting.name), metadata=metadata),
        )
        return Held(meeting, list(agenda.agenda_items), list(opinions.deliberation_opinions), quorum)
