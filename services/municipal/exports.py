"""The overview and the figures as files: for office programs, and as Parquet for others."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import grpc
import pyarrow
from google.api import httpbody_pb2
from pyarrow import parquet

from chassis import downloads, sheets
from chassis.database import Database
from chassis.wire import read_date
from quanyutong.municipal.v1 import lists_pb2 as pb
from services.municipal.domain import INDICATORS, Measure
from services.municipal.lists import figures_of, kind_of
from services.municipal.sums import DISTRICTS, measures_by_district, month_of
from services.municipal.tables import cell

Context = grpc.aio.ServicerContext[Any, Any]
# The titles of the columns, in Chinese for office programs and as names for Parquet.
OVERVIEW = {"month": "月份", "district": "区县代码", "display_name": "区县"}
FIGURES = {
    "district": "区县代码",
    "month": "月份",
    "service": "来源",
    "kind": "统计项",
    "unit": "乡镇街道代码",
    "facet": "类别",
    "value": "数值",
    "few": "人数过少不列",
}
TITLES = {
    "assemblies": "设议事代表会议的街道",
    "representatives": "议事代表",
    "women": "女性议事代表",
    "assembly_meetings": "议事代表会议次数",
    "district_deputies": "区县人大代表",
    "town_deputies": "乡镇人大代表",
    "midyear_meetings": "年中会议次数",
    "quarterly_towns": "开季会的乡镇",
    "voting_towns": "票决民生实事的乡镇",
    "district_projects": "区县票决项目",
    "town_projects": "乡镇票决项目",
    "subdistrict_projects": "街道票选项目",
    "projects_accepted": "已验收项目",
    "projects_late": "逾期项目",
    "budget_spent": "项目已支出（分）",
    "meetings": "会议次数",
    "attendance": "出席人次",
    "obligations_fulfilled": "按期履行的会议义务",
    "obligations_overdue": "逾期的会议义务",
    "deliberation_opinions_closed": "已办结审议意见",
    "polls": "表决次数",
    "turnout": "收回选票",
    "opinions": "群众意见",
    "opinions_done": "已办结群众意见",
    "opinions_overdue": "逾期群众意见",
    "opinion_days": "群众意见答复天数合计",
    "proposals": "代表建议",
    "proposals_solved": "A类代表建议",
    "proposals_overdue": "逾期代表建议",
    "proposal_days": "代表建议答复天数合计",
    "stations": "代表家站点",
    "activities": "履职活动",
    "person_times": "履职人次",
    "people_received": "接待群众",
}
WHOLE = "（基数）"
Table = Sequence[Sequence[Any]]


class Exports:
    _database: Database

    async def ExportOverview(
        self, request: pb.ExportOverviewRequest, context: Context
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        async with self._database.read_city() as tx:
            month = await month_of(tx, read_date(request, "month"))
            found, districts = await measures_by_district(tx, month), await tx.all(DISTRICTS, month=month)
        lines = [[month, row.code, row.display_name, *_amounts(found[row.code])] for row in districts]
        async for part in _written(context, request.format, "overview", "全市概览", OVERVIEW | _columns(), lines):
            yield part

    async def ExportFigures(
        self, request: pb.ExportFiguresRequest, context: Context
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        async with self._database.read_city() as tx:
            statement = await figures_of(tx, request)
            if request.kind:
                statement = statement.where(cell.c.kind == kind_of(request.kind))
            rows = await tx.all(statement.order_by(*cell.primary_key.columns))
        lines = [[row[name] for name in FIGURES] for row in rows]
        async for part in _written(context, request.format, "figures", "统计数据", FIGURES, lines):
            yield part


def _columns() -> dict[str, str]:
    """Each indicator's part, and its whole behind it where it has one."""
    named = {}
    for name, indicator in INDICATORS.items():
        named[name] = TITLES[name]
        if indicator.whole:
            named[f"{name}_of"] = TITLES[name] + WHOLE
    return named


def _amounts(measures: Mapping[str, Measure]) -> Iterator[int | None]:
    """What is coarse is left empty: a sum that is not known to the last one is no number of a table."""
    for name in INDICATORS:
        for amount in filter(None, (measures[name].part, measures[name].whole)):
            yield amount.least if amount.least == amount.most else None


async def _written(
    context: Context, format_: int, name: str, title: str, columns: dict[str, str], lines: Table
) -> AsyncIterator[httpbody_pb2.HttpBody]:
    if format_ == pb.TABLE_FORMAT_PARQUET:
        await context.send_initial_metadata(downloads.named(f"{name}.parquet"))
        content = await asyncio.to_thread(_parquet, list(columns), lines)
        for part in downloads.parts(content, "application/vnd.apache.parquet"):
            yield part
        return
    sheet = sheets.CSV if format_ == pb.TABLE_FORMAT_CSV else sheets.XLSX
    await context.send_initial_metadata(sheet.response(name))
    async for part in sheet.parts([list(columns.values()), *(list(map(_cell, line)) for line in lines)], title):
        yield part


def _cell(value: Any) -> str | int:
    if isinstance(value, bool):
        return "是" if value else ""
    return value if isinstance(value, int) else "" if value is None else str(value)


def _parquet(columns: Sequence[str], lines: Table) -> bytes:
    """With the types that the values have; dates as dates, so that a program can compute with them."""
    file = io.BytesIO()
    values = list(zip(*lines, strict=True)) or [()] * len(columns)
    table = pyarrow.table({name: list(column) for name, column in zip(columns, values, strict=True)})
    parquet.write_table(table, file)
    return file.getvalue()
