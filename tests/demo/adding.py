"""What the municipal service makes of the city: asked until the districts' services have told what was entered."""

import asyncio
from collections.abc import Mapping, Sequence

from chassis.wire import date_message, word
from quanyutong.municipal.v1 import indicators_pb2
from quanyutong.municipal.v1 import overviews_pb2 as pb
from quanyutong.municipal.v1.municipal_pb2_grpc import MunicipalServiceStub
from tests.demo import published
from tests.demo.registering import Metadata
from tests.demo.table import Compared

# Seconds that telling may take after the last entry, and between two looks.
PATIENCE, PAUSE = 120, 0.5
Measures = Mapping[str, indicators_pb2.Measure]


async def overview(stub: MunicipalServiceStub, metadata: Metadata) -> Measures:
    """The indicators of the city at the end of the published year, by their words."""
    request = pb.GetCityOverviewRequest(month=date_message(published.AS_OF))
    found = await stub.GetCityOverview(request, metadata=metadata)
    return {word(indicators_pb2.Indicator, each.indicator): each for each in found.measures}


async def added_up(stub: MunicipalServiceStub, metadata: Metadata) -> list[Compared]:
    """Every row of the published table; as it is after some patience where one is not equal."""
    for _ in range(int(PATIENCE / PAUSE)):
        figures = compared(await overview(stub, metadata))
        if all(figure.equal for figure in figures):
            break
        await asyncio.sleep(PAUSE)
    return figures


def compared(city: Measures) -> list[Compared]:
    """The published table of the whole city."""
    return [Compared(*row) for row in (*_assemblies(city), *_meetings(city), *_projects(city))]


Row = tuple[str, int, int]


def _assemblies(city: Measures) -> Sequence[Row]:
    assemblies = city["assemblies"]
    return [
        ("subdistricts with an assembly", published.ASSEMBLIES, assemblies.part.least),
        ("districts that have one", published.DISTRICTS_WITH_ASSEMBLIES, assemblies.districts),
        ("representatives elected", published.REPRESENTATIVES, city["representatives"].part.least),
        ("assembly meetings held", published.ASSEMBLY_MEETINGS, city["assembly_meetings"].part.least),
    ]


def _meetings(city: Measures) -> Sequence[Row]:
    quarterly = city["quarterly_towns"]
    return [
        (
            "districts with a mid-year meeting",
            published.DISTRICTS_WITH_MIDYEAR_MEETINGS,
            city["midyear_meetings"].districts,
        ),
        (
            "towns and townships with quarterly meetings",
            published.TOWNS_WITH_QUARTERLY_MEETINGS,
            quarterly.part.least,
        ),
        ("districts that these are in", published.DISTRICTS_WITH_QUARTERLY_MEETINGS, quarterly.districts),
    ]


def _projects(city: Measures) -> Sequence[Row]:
    voting, projects = city["voting_towns"], city["district_projects"]
    share = round(1000 * voting.part.least / voting.whole.least) if voting.whole.least else 0
    return [
        ("districts voting on livelihood projects", published.DISTRICTS_VOTING, projects.districts),
        ("projects voted by districts", published.DISTRICT_PROJECTS, projects.part.least),
        ("towns and townships", published.TOWNS, voting.whole.least),
        ("of these, voting on livelihood projects", published.TOWNS_VOTING, voting.part.least),
        ("of these, per thousand (84.7 %)", published.TOWNS_VOTING_PER_MILLE, share),
        ("projects voted by towns and townships", published.TOWN_PROJECTS, city["town_projects"].part.least),
    ]
