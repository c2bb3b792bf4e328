"""What is exported is what is shown: read back by what office programs and others read it with."""

import csv
import io
from datetime import date
from typing import Any

import openpyxl
import pytest
from pyarrow import parquet

from chassis import clock
from chassis.wire import date_message
from quanyutong.municipal.v1 import lists_pb2 as pb
from tests.conftest import Platforms, fresh_tenant
from tests.feedback.hearing import Hearing
from tests.municipal.hall import CityHall

FORMATS = [pb.TABLE_FORMAT_UNSPECIFIED, pb.TABLE_FORMAT_CSV, pb.TABLE_FORMAT_XLSX, pb.TABLE_FORMAT_PARQUET]


async def file_of(hall: CityHall, rpc: str, request: Any) -> bytes:
    metadata = hall.tenant.platform.metadata(["overseer"])
    call = getattr(hall.tenant.municipal, rpc)(request, metadata=metadata)
    return b"".join([part.data async for part in call])


def lines_of(content: bytes, format_: int) -> list[list[str]]:
    """Without the titles, as texts; empty where there is nothing."""
    if format_ == pb.TABLE_FORMAT_PARQUET:
        table = parquet.read_table(io.BytesIO(content)).to_pylist()
        return [["" if value is None else str(value) for value in row.values()] for row in table]
    if format_ == pb.TABLE_FORMAT_CSV:
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1:]
    rows = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)  # type: ignore[union-attr]
    return [["" if value is None else str(value) for value in row] for row in list(rows)[1:]]


@pytest.mark.parametrize("format_", FORMATS)
async def test_overview_and_figures_as_files(platforms: Platforms, format_: Any) -> None:
    async with fresh_tenant(platforms, "all-gateway") as tenant:
        hearing, hall = Hearing(tenant), CityHall(tenant)
        await hearing.opinion()
        await hall.until(opinions=1)
        month = clock.today().replace(day=1)
        overview = lines_of(await file_of(hall, "ExportOverview", pb.ExportOverviewRequest(format=format_)), format_)
        own = next(line for line in overview if line[1] == tenant.district)
        assert own[:3] == [month.isoformat(), tenant.district, f"试验区{tenant.district}"]
        days: dict[str, Any] = {"from_month": date_message(month), "to_month": date_message(month)}
        request = pb.ExportFiguresRequest(district=hall.name, format=format_, **days)
        figures = lines_of(await file_of(hall, "ExportFigures", request), format_)
        opinions = [line for line in figures if line[3] == "OPINIONS"]
        assert [(line[0], date.fromisoformat(line[1][:10]), *line[5:7]) for line in opinions] == [
            (tenant.district, month, "RECEIVED", "1")
        ]


async def test_a_parquet_file_of_nothing_is_one(platforms: Platforms) -> None:
    async with fresh_tenant(platforms, "all-direct") as tenant:
        hearing, hall = Hearing(tenant), CityHall(tenant)
        await hearing.opinion()
        await hall.until(opinions=1)
        day = date_message(date(1999, 1, 1))
        request = pb.ExportFiguresRequest(from_month=day, to_month=day, format=pb.TABLE_FORMAT_PARQUET)
        assert lines_of(await file_of(hall, "ExportFigures", request), pb.TABLE_FORMAT_PARQUET) == []
