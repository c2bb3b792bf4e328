"""The performance record as a file, through every door."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openpyxl
import pytest
from google.api import httpbody_pb2

from quanyutong.registry.v1 import performance_pb2 as pb
from tests.contract.acts import INSPECTION, OUTREACH, RECEPTION, delegates, entry, record, record_all
from tests.contract.office import Office, in_days, new_people
from tests.harness import refused

CSV, XLSX = pb.SHEET_FORMAT_CSV, pb.SHEET_FORMAT_XLSX
COUNTS = ["履职活动（次）", "履职人次", "接待群众（人）"]
KINDS = [
    "出席会议",
    "会议发言",
    "视察调研",
    "执法检查",
    "接待群众",
    "政策宣传",
    "培训",
    "提出意见",
    "提出建议",
    "领取选票",
]
TITLE = "试验街道议事代表会议"
# Names that office programs would run, were they written into a CSV as they are.
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1"]


async def exported(office: Office, **wanted: Any) -> list[httpbody_pb2.HttpBody]:
    request = pb.ExportPerformanceRequest(**wanted)
    call = office.registry.ExportPerformance(request, metadata=office.tenant.metadata("administrator"))
    return [part async for part in call]


async def lines_of_csv(office: Office, **wanted: Any) -> list[list[str]]:
    content = b"".join(part.data for part in await exported(office, format=CSV, **wanted))
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def without_number(lines: list[list[Any]]) -> list[list[Any]]:
    """Checks that each line has a resource name of its own, and leaves it out."""
    place = lines[0].index("编号")
    assert len({line[place] for line in lines}) == len(lines)
    assert all("/" in line[place] for line in lines[1:])
    return [line[:place] + line[place + 1 :] for line in lines]


def lines_of_xlsx(content: bytes) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert len(book.worksheets) == 1
    return [[cell.value for cell in row] for row in book.worksheets[0].rows]


@pytest.fixture
async def office_with_acts(office_everywhere: Office) -> Office:
    """Of two delegates, who received people together; one of them did more."""
    office = office_everywhere
    first, second = sorted(await delegates(office, 2))
    await record(office, first, second, kind=RECEPTION, people_received=40)
    await record_all(office, entry(first, kind=INSPECTION), entry(first, kind=OUTREACH))
    return office


def expected(*subjects: Any, activities: int, people: int, **kinds: int) -> list[Any]:
    counts = [kinds.get(kind, 0) for kind in KINDS]
    return [*subjects, activities, sum(counts), people, *counts]


FIRST = expected("王小明", TITLE, "1", activities=3, people=40, 视察调研=1, 接待群众=1, 政策宣传=1)
SECOND = expected("王小明", TITLE, "1", activities=1, people=40, 接待群众=1)
WHOLE = expected(TITLE, "1", activities=3, people=40, 视察调研=1, 接待群众=2, 政策宣传=1)


async def test_csv(office_with_acts: Office) -> None:
    parts = await exported(office_with_acts, format=CSV)
    assert {part.content_type for part in parts} == {"text/csv; charset=utf-8"}
    assert parts[0].data.startswith(b"\xef\xbb\xbf")
    by_delegate = [["代表", "会议主体", "届次", *COUNTS, *KINDS], FIRST, SECOND]
    assert without_number(await lines_of_csv(office_with_acts)) == [
        [str(cell) for cell in line] for line in by_delegate
    ]
    by_term = [["会议主体", "届次", *COUNTS, *KINDS], WHOLE]
    found = without_number(await lines_of_csv(office_with_acts, grouping=pb.GROUPING_TERM))
    assert found == [[str(cell) for cell in line] for line in by_term]


async def test_xlsx(office_with_acts: Office) -> None:
    (part,) = await exported(office_with_acts)
    assert part.content_type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert without_number(lines_of_xlsx(part.data)) == [["代表", "会议主体", "届次", *COUNTS, *KINDS], FIRST, SECOND]
    assert await exported(office_with_acts, format=XLSX) == [part]


async def test_by_year_and_month(office: Office) -> None:
    (mandate,) = await delegates(office)
    day = in_days(-1)
    await record(office, mandate, day=day)
    for grouping, title, period in (
        (pb.GROUPING_YEAR, "年份", f"{day:%Y}"),
        (pb.GROUPING_MONTH, "月份", f"{day:%Y-%m}"),
    ):
        titles, line = await lines_of_csv(office, grouping=grouping)
        assert (titles[0], line[:4]) == (title, [period, "1", "1", "0"])


async def test_by_group(office: Office) -> None:
    await office.oversight_group(await office.term())
    titles, line = await lines_of_csv(office, grouping=pb.GROUPING_OVERSIGHT_GROUP)
    assert titles[:3] == ["监督小组", "会议主体", "届次"]
    assert without_number([titles, line])[1][:6] == ["产业发展和乡村振兴", TITLE, "1", "0", "0", "0"]


async def test_nothing_done_is_a_file_with_titles(office: Office) -> None:
    assert await lines_of_csv(office) == [["代表", "会议主体", "届次", "编号", *COUNTS, *KINDS]]


async def test_a_name_that_looks_like_a_formula_is_no_formula(office: Office) -> None:
    """In a CSV it is marked as a text, in an XLSX it is one."""
    term = await office.term()
    for name in FORMULAS:
        await office.active(term, await office.eligible(term, name))
    in_csv = [line[0] for line in (await lines_of_csv(office, term=term))[1:]]
    assert sorted(in_csv) == sorted(f"'{name}" for name in FORMULAS)
    content = (await exported(office, term=term))[0].data
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    cells = [sheet.cell(row, 1) for row in range(2, 2 + len(FORMULAS))]
    assert sorted(str(cell.value) for cell in cells) == sorted(FORMULAS)
    assert {cell.data_type for cell in cells} == {"s"}


async def test_a_large_file_comes_in_parts(office_everywhere: Office) -> None:
    office = office_everywhere
    term = await office.term(await office.congress())
    await office.register(term, new_people(4000, nationality="CN"))
    parts = await exported(office, format=CSV, term=term)
    assert len(parts) > 1
    assert len(b"".join(part.data for part in parts).splitlines()) == 4001


@pytest.fixture
async def rest(office_with_acts: Office) -> AsyncIterator[httpx.AsyncClient]:
    tenant = office_with_acts.tenant
    headers = {"authorization": f"Bearer {tenant.platform.token(['administrator'], tenant.district)}"}
    async with httpx.AsyncClient(base_url=tenant.platform.gateway, trust_env=False, headers=headers) as client:
        yield client


async def test_a_browser_downloads_it(office_with_acts: Office, rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/v1/performance:export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert answer.headers["content-disposition"] == 'attachment; filename="performance.xlsx"'
    assert without_number(lines_of_xlsx(answer.content))[1:] == [FIRST, SECOND]
    as_csv = await rest.get("/v1/performance:export?format=SHEET_FORMAT_CSV")
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert as_csv.content == b"".join(part.data for part in await exported(office_with_acts, format=CSV))


async def test_a_download_that_is_refused_says_why(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/v1/performance:export?term=assemblies/00000000-0000-7000-8000-000000000000/terms/1")
    assert (answer.status_code, answer.json()["details"][0]["reason"]) == (404, "ERROR_REASON_TERM_NOT_FOUND")


async def test_only_the_administrator_exports(office: Office) -> None:
    request = pb.ExportPerformanceRequest()
    for role in ("clerk", "examiner", "delegate", "viewer"):
        call = office.registry.ExportPerformance(request, metadata=office.tenant.metadata(role))
        assert await refused(anext(aiter(call))) == "ERROR_REASON_ROLE_MISSING"
