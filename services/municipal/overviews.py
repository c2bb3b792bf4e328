"""The city at a glance, a district among the others, and how an indicator went."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import grpc

from chassis.database import Database, ReadTx, Row
from chassis.pagination import slice_page
from chassis.wire import date_message, number, read_date, word
from quanyutong.municipal.v1 import indicators_pb2
from quanyutong.municipal.v1 import overviews_pb2 as pb
from services.municipal.domain import (
    INDICATORS,
    Measure,
    average,
    check_unit,
    first_of,
    months_between,
    ranks,
    together,
)
from services.municipal.sums import (
    DISTRICTS,
    as_of,
    check_district,
    measure_message,
    measures_by_district,
    messages,
    month_of,
    series,
)

Context = grpc.aio.ServicerContext[Any, Any]
ByDistrict = Mapping[str, Mapping[str, Measure]]


class Overviews:
    _database: Database

    async def GetCityOverview(self, request: pb.GetCityOverviewRequest, _: Context) -> pb.CityOverview:
        async with self._database.read_city() as tx:
            month = await month_of(tx, read_date(request, "month"))
            found, districts = await measures_by_district(tx, month), await tx.all(DISTRICTS, month=month)
            return pb.CityOverview(
                month=date_message(month),
                measures=city_messages(found, districts),
                districts=[column(row, found) for row in districts],
                as_of=await as_of(tx),
            )

    async def GetDistrictOverview(self, request: pb.GetDistrictOverviewRequest, _: Context) -> pb.DistrictOverview:
        async with self._database.read() as tx:
            month = await month_of(tx, read_date(request, "month"))
            found, districts = await measures_by_district(tx, month), await tx.all(DISTRICTS, month=month)
            own = next((row.display_name for row in districts if row.code == tx.district), "")
            return pb.DistrictOverview(
                month=date_message(month),
                column=pb.DistrictColumn(
                    district=f"districts/{tx.district}", display_name=own, measures=messages(found[tx.district])
                ),
                averages=_averages(found, districts),
                as_of=await as_of(tx),
            )

    async def ListRankings(self, request: pb.ListRankingsRequest, _: Context) -> pb.ListRankingsResponse:
        name = word(indicators_pb2.Indicator, request.indicator)
        async with self._database.read_city() as tx:
            month = await month_of(tx, read_date(request, "month"))
            found, districts = await measures_by_district(tx, month), await tx.all(DISTRICTS, month=month)
            known = await as_of(tx)
        ranking = _ranking(name, found, districts, ascending=request.order == pb.RANKING_ORDER_ASCENDING)
        entries, token = slice_page(request, ranking, _place)
        return pb.ListRankingsResponse(rankings=entries, next_page_token=token, month=date_message(month), as_of=known)

    async def GetCityTimeSeries(self, request: pb.GetCityTimeSeriesRequest, _: Context) -> pb.TimeSeries:
        months = _months(request)
        async with self._database.read_city() as tx:
            return await _series(tx, request, months, await check_district(tx, request.district, months[-1]), "")

    async def GetDistrictTimeSeries(self, request: pb.GetDistrictTimeSeriesRequest, _: Context) -> pb.TimeSeries:
        months, unit = _months(request), request.unit.removeprefix("units/")
        async with self._database.read() as tx:
            check_unit(unit, tx.district)
            return await _series(tx, request, months, [tx.district], unit)


def column(row: Row, found: ByDistrict) -> pb.DistrictColumn:
    return pb.DistrictColumn(
        district=f"districts/{row.code}", display_name=row.display_name, measures=messages(found[row.code])
    )


def city_messages(found: ByDistrict, districts: Sequence[Row]) -> list[indicators_pb2.Measure]:
    """The indicators of the city."""
    known = [found[row.code] for row in districts]
    return [measure_message(name, together([each[name] for each in known])) for name in INDICATORS]


def _averages(found: ByDistrict, districts: Sequence[Row]) -> list[pb.Average]:
    known = [found[row.code] for row in districts]
    means = {name: average([each[name] for each in known]) for name in INDICATORS}
    return [
        pb.Average(indicator=number(indicators_pb2.Indicator, name), value=value)
        for name, value in means.items()
        if value is not None
    ]


def _ranking(name: str, found: ByDistrict, districts: Sequence[Row], *, ascending: bool) -> list[pb.Ranking]:
    measures = [found[row.code][name] for row in districts]
    placed = zip(ranks([each.value for each in measures], ascending=ascending), districts, measures, strict=True)
    entries = [
        pb.Ranking(
            rank=rank,
            district=f"districts/{row.code}",
            display_name=row.display_name,
            measure=measure_message(name, measure),
        )
        for rank, row, measure in placed
    ]
    return sorted(entries, key=_place)


def _place(entry: pb.Ranking) -> str:
    """By rank, then code; without a rank at the end."""
    return f"{entry.rank or 999_999:06} {entry.district}"


def _months(request: pb.GetCityTimeSeriesRequest | pb.GetDistrictTimeSeriesRequest) -> list[date]:
    first, last = read_date(request, "from_month"), read_date(request, "to_month")
    assert first is not None  # noqa: S101 - the field rules have checked that both are there
    assert last is not None  # noqa: S101
    return months_between(first_of(first), first_of(last))


async def _series(
    tx: ReadTx, request: Any, months: Sequence[date], districts: Sequence[str] | None, unit: str
) -> pb.TimeSeries:
    name = word(indicators_pb2.Indicator, request.indicator)
    measures = await series(tx, name, months, districts, unit)
    points = [
        pb.Point(month=date_message(month), measure=measure_message(name, measure))
        for month, measure in zip(months, measures, strict=True)
    ]
    return pb.TimeSeries(points=points, as_of=await as_of(tx))
