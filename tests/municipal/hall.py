"""The city's office, as tests see it: it reads what districts come to."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import grpc

from chassis import clock
from chassis.wire import date_message
from quanyutong.common.v1.figures_pb2 import Figure, FigureKind
from quanyutong.municipal.v1 import indicators_pb2, lists_pb2
from quanyutong.municipal.v1 import overviews_pb2 as pb
from tests.conftest import Tenant
from tests.harness import reason, until

# A figure by its kind, unit and facet.
Sheet = Mapping[tuple[str, str, str], Figure]


class CityHall:
    """Asks about one district of the test."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.name = f"districts/{tenant.district}"

    async def ask(self, rpc: str, request: Any, *roles: str) -> Any:
        """With a municipal token; with one of the district where roles are named."""
        platform = self.tenant.platform
        metadata = self.tenant.metadata(*roles) if roles else platform.metadata(["overseer"])
        return await getattr(self.tenant.municipal, rpc)(request, metadata=metadata)

    async def overview(self, month: date | None = None) -> pb.CityOverview:
        found: pb.CityOverview = await self.ask("GetCityOverview", pb.GetCityOverviewRequest(month=date_message(month)))
        return found

    async def column(self, month: date | None = None) -> Mapping[str, indicators_pb2.Measure]:
        """The district's indicators by their words; none while nothing was told of it."""
        columns = [each for each in (await self.overview(month)).districts if each.district == self.name]
        return by_word(columns[0].measures) if columns else {}

    async def until(self, month: date | None = None, **parts: int) -> Mapping[str, indicators_pb2.Measure]:
        """Waits until these indicators of the district have these parts."""

        async def told() -> Mapping[str, indicators_pb2.Measure]:
            found = await self.column(month or clock.today())
            return found if found and all(found[name].part.least == part for name, part in parts.items()) else {}

        return await until(told)

    async def figures(self, kind: str = "", month: date | None = None) -> Sheet:
        """What was told of the district's month, or of all of its months."""
        number = FigureKind.Value(f"FIGURE_KIND_{kind}" if kind else "FIGURE_KIND_UNSPECIFIED")
        days: dict[str, Any] = {"from_month": date_message(month), "to_month": date_message(month)} if month else {}
        found, token = {}, ""
        while True:
            request = lists_pb2.ListFiguresRequest(
                district=self.name, kind=number, page_size=500, page_token=token, **days
            )
            try:
                page = await self.ask("ListFigures", request)
            except grpc.aio.AioRpcError as refusal:
                if reason(refusal) == "ERROR_REASON_DISTRICT_NOT_FOUND":  # nothing was told of it yet
                    return {}
                raise
            for each in page.figures:
                name = FigureKind.Name(each.figure.kind).removeprefix("FIGURE_KIND_")
                found[name, each.figure.unit, each.figure.facet] = each.figure
            if not (token := page.next_page_token):
                return found


def by_word(measures: Any) -> Mapping[str, indicators_pb2.Measure]:
    return {indicators_pb2.Indicator.Name(each.indicator).removeprefix("INDICATOR_").lower(): each for each in measures}


def amount(measure: indicators_pb2.Measure) -> tuple[int, ...]:
    """Part, and whole where there is one; where they are known exactly."""
    assert measure.part.least == measure.part.most
    if not measure.HasField("whole"):
        return (measure.part.least,)
    assert measure.whole.least == measure.whole.most
    return measure.part.least, measure.whole.least
