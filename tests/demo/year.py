"""Baitao's (白涛) year of 2023: acts of duty, recorded where they are missing and added up again by the services.

What the delegates did altogether is published: inspections and checks and policy outreach in person-times, and how
many people they received. On which days and by whom is made up here: the same in every run, with the published sums.
Receptions, opinions and proposals are played in the feedback service, of which the registry hears by events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from chassis.wire import date_message
from quanyutong.registry.v1.activities_pb2 import (
    ACTIVITY_KIND_INSPECTION,
    ACTIVITY_KIND_LAW_ENFORCEMENT_CHECK,
    ACTIVITY_KIND_OPINION_RAISED,
    ACTIVITY_KIND_POLICY_OUTREACH,
    ACTIVITY_KIND_PROPOSAL_RAISED,
    ACTIVITY_KIND_RECEPTION,
    Activity,
    RecordActivitiesRequest,
)
from quanyutong.registry.v1.assemblies_pb2 import ListAssembliesRequest
from quanyutong.registry.v1.mandates_pb2 import MANDATE_STATE_ACTIVE, ListMandatesRequest
from quanyutong.registry.v1.performance_pb2 import GROUPING_TERM, ListPerformanceRequest, Performance
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.demo import published
from tests.demo.identified import identified
from tests.demo.registering import TERM_NUMBER, Metadata
from tests.demo.said import DAY_AFTER, FIRST_DAY

UNIT = f"units/{published.BAITAO}"
SEED = 2023
# Delegates at one inspection, and at one check, until the person-times are used up.
AT_INSPECTION, AT_CHECK = 4, 3
CHECKS = 10
MOST = 500


@dataclass(frozen=True)
class Year:
    """What the services counted in the year."""

    inspection_and_check: int
    policy_outreach: int
    people_received: int
    # Person-times of what the feedback service told of.
    receiving: int
    opinions_raised: int
    proposals_signed: int

    @classmethod
    def of(cls, found: Performance) -> "Year":
        times = {total.kind: total.person_times for total in found.kinds}
        on_the_spot = (ACTIVITY_KIND_INSPECTION, ACTIVITY_KIND_LAW_ENFORCEMENT_CHECK)
        return cls(
            sum(times.get(kind, 0) for kind in on_the_spot),
            times.get(ACTIVITY_KIND_POLICY_OUTREACH, 0),
            found.people_received,
            times.get(ACTIVITY_KIND_RECEPTION, 0),
            times.get(ACTIVITY_KIND_OPINION_RAISED, 0),
            times.get(ACTIVITY_KIND_PROPOSAL_RAISED, 0),
        )


class BaitaosYear:
    """By a token of the district's clerk."""

    def __init__(self, stub: RegistryServiceStub, metadata: Metadata, unit: str = UNIT) -> None:
        self._stub = stub
        self._metadata = metadata
        self._unit = unit

    async def record(self) -> None:
        """Records the year where nothing of it is there: all of it or nothing. Raises the refusal."""
        assembly = await self._assembly()
        if (await self._performance(assembly)).activities:
            return
        request = RecordActivitiesRequest(activities=planned(await self._delegates(assembly)))
        await self._stub.RecordActivities(identified(request), metadata=self._metadata)

    async def counted(self) -> Year:
        return Year.of(await self._performance(await self._assembly()))

    async def delegates(self) -> list[str]:
        return await self._delegates(await self._assembly())

    async def _assembly(self) -> str:
        answer = await self._stub.ListAssemblies(ListAssembliesRequest(unit=self._unit), metadata=self._metadata)
        (assembly,) = answer.assemblies
        return assembly.name

    async def _performance(self, assembly: str) -> Performance:
        request = ListPerformanceRequest(
            grouping=GROUPING_TERM,
            term=f"{assembly}/terms/{TERM_NUMBER}",
            start_date=date_message(FIRST_DAY),
            end_date=date_message(DAY_AFTER),
        )
        (found,) = (await self._stub.ListPerformance(request, metadata=self._metadata)).performances
        return found

    async def _delegates(self, assembly: str) -> list[str]:
        request = ListMandatesRequest(assembly=assembly, states=[MANDATE_STATE_ACTIVE], page_size=MOST)
        answer = await self._stub.ListMandates(request, metadata=self._metadata)
        return [mandate.name for mandate in answer.mandates]


def planned(delegates: Sequence[str]) -> list[Activity]:
    """The year's acts, with the published sums."""
    random = Random(SEED)
    checks = [AT_CHECK] * CHECKS
    inspections = _in_parts(published.BAITAO_INSPECTIONS_AND_CHECKS - sum(checks), AT_INSPECTION)
    many = [
        *((ACTIVITY_KIND_INSPECTION, size, "视察调研") for size in inspections),
        *((ACTIVITY_KIND_LAW_ENFORCEMENT_CHECK, size, "执法检查") for size in checks),
        *((ACTIVITY_KIND_POLICY_OUTREACH, 1, "政策宣传") for _ in range(published.BAITAO_POLICY_OUTREACH)),
    ]
    return [
        Activity(
            kind=kind,
            day=date_message(FIRST_DAY + timedelta(days=random.randrange((DAY_AFTER - FIRST_DAY).days))),
            mandates=random.sample(delegates, size),
            subject=f"{subject}（演示数据）",
            unit=UNIT,
        )
        for kind, size, subject in many
    ]


def _in_parts(whole: int, size: int) -> list[int]:
    """Parts of this size, and what is left as one more."""
    left = [whole % size] if whole % size else []
    return [size] * (whole // size) + left
