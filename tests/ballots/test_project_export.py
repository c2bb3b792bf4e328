"""Projects as a file, CSV and XLSX."""

import csv
import io
from typing import Any

import openpyxl
from google.api import httpbody_pb2

from quanyutong.ballots.v1 import projects_pb2 as pb
from tests.ballots.season import COST, ROADS, SCHOOLS, YEAR, Season

CSV, XLSX = pb.SHEET_FORMAT_CSV, pb.SHEET_FORMAT_XLSX


async def exported(season: Season, **wanted: Any) -> list[httpbody_pb2.HttpBody]:
    request = pb.ExportProjectsRequest(**wanted)
    call = season.tenant.ballots.ExportProjects(request, metadata=season.tenant.metadata("clerk"))
    return [part async for part in call]


async def lines(season: Season, **wanted: Any) -> list[list[str]]:
    content = b"".join(part.data for part in await exported(season, format=CSV, **wanted))
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def test_csv_has_what_the_list_has(season: Season) -> None:
    project = await season.started()
    await season.report(project, 40, 7)
    titles, *found = await lines(season, state=pb.PROJECT_STATE_IMPLEMENTING)
    (line,) = [dict(zip(titles, each, strict=True)) for each in found]
    assert line == {
        "年度": str(YEAR),
        "级别": "街道",
        "乡镇街道": f"{season.district}001",
        "项目名称": "项目0",
        "建设内容": "修建步道两公里",
        "状态": "实施中",
        "牵头单位": ROADS,
        "配合单位": SCHOOLS,
        "受益人数": "9000",
        "预算（分）": str(COST),
        "已支出（分）": "7",
        "进度（%）": "40",
        "完成期限": f"{YEAR}-12-31",
        "是否逾期": "否",
        "满意度": "",
        "编号": project,
    }
    assert len(await lines(season)) == 3


async def test_xlsx_is_the_same_table_with_numbers(season: Season) -> None:
    project = await season.evaluated()
    (part,) = await exported(season, format=XLSX, undertaker=ROADS)
    assert part.content_type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    sheet = openpyxl.load_workbook(io.BytesIO(part.data)).worksheets[0]
    titles, line = ([cell.value for cell in row] for row in sheet.rows)
    found = dict(zip(titles, line, strict=True))
    assert (sheet.title, found["编号"], found["预算（分）"], found["满意度"]) == ("民生实事项目", project, COST, "满意")
    assert await exported(season, undertaker=ROADS) == [part]


async def test_a_title_is_never_a_formula(season: Season) -> None:
    _, (suggestion,) = await season.screening(1)
    await season.candidate(suggestion, title="=1+1")
    assert (await lines(season))[1][3] == "'=1+1"


async def test_without_projects_there_are_the_titles_alone(season: Season) -> None:
    assert len(await lines(season)) == 1
