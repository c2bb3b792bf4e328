"""What the municipal service refuses."""

from typing import Any

from google.type.date_pb2 import Date

from quanyutong.municipal.v1 import indicators_pb2, lists_pb2
from quanyutong.municipal.v1 import overviews_pb2 as pb
from tests.contract.office import Office
from tests.contract.refusals import refused_with


async def asked(office: Office, rpc: str, request: Any) -> Any:
    metadata = office.tenant.platform.metadata(["overseer"])
    return await getattr(office.tenant.municipal, rpc)(request, metadata=metadata)


@refused_with("DISTRICT_NOT_FOUND")
async def figures_of_a_district_that_is_not_there(office: Office) -> None:
    await asked(office, "ListFigures", lists_pb2.ListFiguresRequest(district="districts/599999"))


@refused_with("PERIOD_REFUSED")
async def a_period_that_ends_before_it_begins(office: Office) -> None:
    months = {"from_month": Date(year=2026, month=2, day=1), "to_month": Date(year=2026, month=1, day=31)}
    request = pb.GetCityTimeSeriesRequest(indicator=indicators_pb2.INDICATOR_MEETINGS, **months)
    await asked(office, "GetCityTimeSeries", request)


@refused_with("PERIOD_REFUSED")
async def more_months_than_are_shown_at_once(office: Office) -> None:
    months = {"from_month": Date(year=2015, month=1, day=1), "to_month": Date(year=2025, month=1, day=1)}
    request = pb.GetCityTimeSeriesRequest(indicator=indicators_pb2.INDICATOR_MEETINGS, **months)
    await asked(office, "GetCityTimeSeries", request)


@refused_with("PERIOD_REFUSED")
async def figures_of_a_period_that_ends_before_it_begins(office: Office) -> None:
    months = {"from_month": Date(year=2026, month=2, day=1), "to_month": Date(year=2026, month=1, day=31)}
    call = office.tenant.municipal.ExportFigures(
        lists_pb2.ExportFiguresRequest(**months), metadata=office.tenant.platform.metadata(["overseer"])
    )
    await call.read()


@refused_with("UNIT_REFUSED")
async def how_a_unit_of_another_district_went(office: Office) -> None:
    month = Date(year=2026, month=1, day=1)
    request = pb.GetDistrictTimeSeriesRequest(
        indicator=indicators_pb2.INDICATOR_MEETINGS, from_month=month, to_month=month, unit="units/500103001"
    )
    await office.tenant.municipal.GetDistrictTimeSeries(request, metadata=office.tenant.metadata("viewer"))


@refused_with("CURSOR_INVALID")
async def a_cursor_of_somebody_else(office: Office) -> None:
    await _first(office, "2026-07")


@refused_with("CURSOR_INVALID")
async def a_cursor_of_the_future(office: Office) -> None:
    await _first(office, "202607.999999999999")


async def _first(office: Office, cursor: str) -> None:
    metadata = office.tenant.platform.metadata(["overseer"])
    await office.tenant.municipal.WatchOverview(pb.WatchOverviewRequest(cursor=cursor), metadata=metadata).read()
