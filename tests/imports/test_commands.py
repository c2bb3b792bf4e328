"""`qyt registry import`: from a file to the register, and what it says of what it could not enter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis import development
from quanyutong.registry.v1 import persons_pb2
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import Office, in_days
from tests.imports.test_lists import csv_file
from tests.probe.commands import Command, Outcome, run_commands

HEADING = ["姓名", "出生日期", "身份", "居住地", "居住起始日期"]
SECRET = "50010119800101123X"


@pytest.fixture
async def office(platforms: Platforms) -> AsyncIterator[Office]:
    async with fresh_tenant(platforms, "all-gateway") as tenant:
        yield Office(tenant)


async def run(office: Office, *words: str) -> list[Outcome]:
    platform = office.tenant.platform
    token = development.token(platform.settings, "tester", ["examiner"], office.district)
    settings = {"QYT_GATEWAY_URL": platform.gateway, "QYT_TOKEN": token}
    return await run_commands([Command(["registry", *each.split()], settings) for each in words])


async def people(office: Office) -> int:
    return len((await office.call("ListPersons", persons_pb2.ListPersonsRequest(page_size=500))).persons)


async def test_a_file_from_dry_run_to_the_second_time(office: Office, tmp_path: Path) -> None:
    term = await office.term()
    rows = [[f"代表{number}", "1980-01-01", "居民", "试验街道", "2001年1月1日"] for number in range(30)]
    path = csv_file(tmp_path, [HEADING, *rows], "gb18030")
    call = f"import {path} --term {term} --recommender 某社区 --active-from {in_days(-9)}"
    dry, first, second = await run(office, f"{call} --dry-run", call, call)
    assert [each.status for each in (dry, first, second)] == [0, 0, 0], dry.output
    assert "nothing imported: 新增 new 30" in dry.output
    assert "imported: 新增 new 30" in first.output
    assert "新增 new 0, 更正 changed 0, 不变 unchanged 30" in second.output
    assert await people(office) == 30


async def test_every_fault_is_told_and_the_rest_entered_when_asked(office: Office, tmp_path: Path) -> None:
    term = await office.term()
    good = ["代表", "1980-01-01", "居民", "试验街道", "2001-01-01"]
    bad = ["代表二", SECRET, SECRET, SECRET, "2001-01-01"]
    young = ["代表三", "2020-01-01", "居民", "试验街道", "2020-01-01"]
    path, rejected = csv_file(tmp_path, [HEADING, good, bad, young]), tmp_path / "rejected.csv"
    call = f"import {path} --term {term} --recommender 某社区 --active-from {in_days(-9)}"
    (refused,) = await run(office, call)
    assert refused.status == 1
    for told in ("row 3\tperson.birth_date", "row 3\tcapacity", "row 3\tperson.residence", "row 4\tperson.birth_date"):
        assert told in refused.output
    assert SECRET not in refused.output
    assert await people(office) == 0
    (partial,) = await run(office, f"{call} --partial --rejected {rejected}")
    assert partial.status == 0
    assert "imported: 新增 new 1" in partial.output
    assert "refused 2" in partial.output
    assert await people(office) == 1
    lines = rejected.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("3,")
    assert "person.birth_date" in lines[2]


async def test_missing_columns_are_said_once_and_nothing_is_entered(office: Office, tmp_path: Path) -> None:
    term = await office.term()
    path = csv_file(tmp_path, [["姓名", "身份"], ["代表一", "居民"], ["代表二", "居民"]])
    (told,) = await run(
        office, f"import {path} --term {term} --recommender 某社区 --active-from {in_days(-9)} --partial"
    )
    assert told.status == 1
    assert told.output.count("person.birth_date") == 1
    assert await people(office) == 0


async def test_template_and_what_is_no_list(office: Office, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("姓名")
    (tmp_path / "x.xlsx").write_text("姓名")
    template, wrong, text, book, nowhere = await run(
        office,
        f"template --output {tmp_path}/t.xlsx",
        f"template --output {tmp_path}/t.doc",
        f"import {tmp_path}/x.txt",
        f"import {tmp_path}/x.xlsx",
        f"import {tmp_path}/nothing.csv",
    )
    assert [each.status for each in (template, wrong, text, book, nowhere)] == [0, 2, 1, 1, 2]
    assert (tmp_path / "t.xlsx").read_bytes().startswith(b"PK")
    assert "Error: the file is not an XLSX workbook" in book.output
