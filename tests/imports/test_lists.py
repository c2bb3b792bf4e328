"""Reading a list: whatever is in the file comes out as rows and faults, and no fault repeats a cell."""

import csv
import io
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from quanyutong.registry.v1 import imports_pb2, mandates_pb2, persons_pb2
from services.registry import spreadsheet
from services.registry.import_columns import CAPACITIES, COLUMNS, GENDERS, OCCUPATIONS, SCHOOLINGS, column_of
from services.registry.import_reading import reading
from services.registry.import_template import csv_template, headings, xlsx_template
from services.registry.row_faults import reason_of
from services.registry.spreadsheet import Line, SpreadsheetUnreadable, read
from tests.badinput.strategies import bounded, wild_text
from tests.harness import ROOT

UNITS = {"试验街道": "500102001"}
HEADING = ["姓名", "性别", "birth date", "居住地", "身份"]


def csv_file(folder: Path, rows: list[list[str]], encoding: str = "utf-8") -> Path:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path = folder / "list.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def xlsx_file(folder: Path, rows: list[list[Any]]) -> Path:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(folder / "list.xlsx")
    return folder / "list.xlsx"


def faults(heading: list[str], *rows: list[Any]) -> list[tuple[int, str, str]]:
    table = reading([Line(number, row) for number, row in enumerate([heading, *rows], 1)], UNITS)
    every = [*table.faults, *(fault for row in table.rows for fault in row.faults)]
    return [(fault.row, fault.field, reason_of(fault)) for fault in every]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = csv_file(tmp_path, [HEADING, ["　王小明 ", "女", "１９８０年２月９日", "试验街道", "居民"]], encoding)
    table = reading(read(path), UNITS)
    (row,) = table.rows
    assert (table.faults, list(row.faults), row.number) == ([], [], 2)
    assert (row.person.display_name, row.person.gender) == ("王小明", persons_pb2.GENDER_FEMALE)
    born = row.person.birth_date
    assert (born.year, born.month, born.day) == (1980, 2, 9)
    assert (row.person.residence, row.capacity) == ("units/500102001", mandates_pb2.CAPACITY_RESIDENT)


def test_csv_and_xlsx_are_the_same_list(tmp_path: Path) -> None:
    rows = [
        ["王小明", "男", "1980/2/9", "500102001", "RESIDENT"],
        ["李四", "GENDER_FEMALE", "1999-12-31", "", "党代表"],
    ]
    typed: list[list[Any]] = [
        ["王小明", "男", date(1980, 2, 9), 500102001, "RESIDENT"],
        [*rows[1][:2], date(1999, 12, 31), None, "党代表"],
    ]
    one = reading(read(csv_file(tmp_path, [HEADING, *rows])), UNITS)
    assert one == reading(read(xlsx_file(tmp_path, [HEADING, *typed])), UNITS)
    assert [list(row.faults) for row in one.rows] == [[], []]


def test_rows_keep_their_numbers(tmp_path: Path) -> None:
    rows = [HEADING, ["王\n小明", "", "1980-01-01", "", "居民"], [], ["李四", "", "1980-01-01", "", "居民"]]
    assert [line.number for line in read(csv_file(tmp_path, rows))] == [1, 2, 5]
    assert [line.number for line in read(xlsx_file(tmp_path, rows))] == [1, 2, 4]


def test_every_fault_of_a_row() -> None:
    bad = ["王小明", "公", "1980-02-30", "无此街道", "国王", "溢出"]
    assert faults(HEADING, ["李四", None, "1980-01-01", None, "居民"], bad) == [
        (3, "person.gender", "WORD_UNKNOWN"),
        (3, "person.birth_date", "DATE_INVALID"),
        (3, "person.residence", "UNIT_UNKNOWN"),
        (3, "capacity", "WORD_UNKNOWN"),
        (3, "column:F", "COLUMN_UNKNOWN"),
    ]


def test_columns_are_said_once() -> None:
    good = ["李四", "李四", "x"]
    assert faults(["姓名", "Name", "血型"], good, good) == [
        (1, "column:B", "COLUMN_REPEATED"),
        (1, "column:C", "COLUMN_UNKNOWN"),
        (1, "person.birth_date", "COLUMN_MISSING"),
        (1, "capacity", "COLUMN_MISSING"),
    ]


@pytest.mark.parametrize("text", ["1980-1-31", "1980/01/31", "1980年1月31日"])
def test_days(text: str) -> None:
    assert faults(["姓名", "生日", "身份"], ["李四", text, "居民"]) == []


@pytest.mark.parametrize("text", ["1980", "80-1-31", "1980-1/31", "31.1.1980", "0000-01-01", "29251"])
def test_what_is_no_day(text: str) -> None:
    assert faults(["姓名", "生日", "身份"], ["李四", text, "居民"]) == [(2, "person.birth_date", "DATE_INVALID")]


cells = st.one_of(st.none(), st.dates(), wild_text, st.sampled_from([name for c in COLUMNS for name in (*c.zh, *c.en)]))


@bounded(300)
@given(st.lists(st.lists(cells, max_size=8), max_size=8))
def test_any_table_gives_rows_and_faults(table: list[list[Any]]) -> None:
    lines = [
        Line(number, [spreadsheet.plain(c) if isinstance(c, str) else c for c in row])
        for number, row in enumerate(table, 1)
    ]
    found = reading(lines, UNITS)
    assert [row.number for row in found.rows] == [line.number for line in lines[1:]]
    for fault in [*found.faults, *(fault for row in found.rows for fault in row.faults)]:
        assert re.fullmatch(r"[a-z_.]*(column:[A-Z]{1,3})?", fault.field)
        assert fault.text_zh == fault.text_zh.format()


@bounded(200)
@given(st.binary(max_size=400), st.sampled_from(["x.csv", "x.xlsx"]))
def test_any_bytes_are_a_table_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    try:
        lines = read(path)
    except SpreadsheetUnreadable:
        return
    assert len(reading(lines, UNITS).rows) == max(len(lines) - 1, 0)


def test_a_workbook_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 2_000_000)
    monkeypatch.setattr(spreadsheet, "LARGEST_UNPACKED", 1_000_000)
    with pytest.raises(SpreadsheetUnreadable, match="unpacks to more"):
        read(bomb)


def test_too_many_rows_and_columns(tmp_path: Path) -> None:
    with pytest.raises(SpreadsheetUnreadable, match="more than 20000 rows"):
        read(csv_file(tmp_path, [["x"]] * 20_002))
    with pytest.raises(SpreadsheetUnreadable, match="more than 100 columns"):
        read(csv_file(tmp_path, [["x"] * 101]))


def test_formulas_are_not_evaluated(tmp_path: Path) -> None:
    (line,) = read(xlsx_file(tmp_path, [["x", "=1+1"]]))
    assert line.cells == ["x"]


def test_template_is_read_back(tmp_path: Path) -> None:
    for name, content in (("t.csv", csv_template()), ("t.xlsx", xlsx_template())):
        (tmp_path / name).write_bytes(content)
        table = reading(read(tmp_path / name), UNITS)
        assert (table.rows, table.faults) == ([], [])
    assert [column_of(heading) for heading in headings()] == list(COLUMNS)
    book = load_workbook(tmp_path / "t.xlsx")
    lists = {str(each.sqref): each.formula1 for each in book.worksheets[0].data_validations.dataValidation}
    assert len(lists) == len([column for column in COLUMNS if column.choices])
    example = [cell.value for cell in book.worksheets[1][2]]
    line = Line(2, [spreadsheet.plain(str(cell)) if cell else None for cell in example])
    (row,) = reading([Line(1, headings()), line], UNITS).rows
    assert list(row.faults) == []


@pytest.mark.parametrize(
    ("proto", "enum", "words"),
    [
        ("persons", "Gender", GENDERS),
        ("persons", "Schooling", SCHOOLINGS),
        ("persons", "Occupation", OCCUPATIONS),
        ("mandates", "Capacity", CAPACITIES),
    ],
)
def test_words_are_those_of_the_proto(proto: str, enum: str, words: dict[str, int]) -> None:
    source = (ROOT / f"protos/quanyutong/registry/v1/{proto}.proto").read_text()
    block = source.partition(f"enum {enum} {{")[2].partition("\n}")[0]
    for comment, name, number in re.findall(r"// ([^\n]*)\n  ([A-Z_]+) = ([1-9][0-9]*);", block):
        chinese = re.search(r"（?\(([^)]+)\)", comment)
        assert chinese, name
        for word in [*chinese[1].split("、"), name]:
            assert words[word] == int(number)


def test_every_field_of_a_person_has_a_column() -> None:
    own = {f"person.{field.name}" for field in persons_pb2.Person.DESCRIPTOR.fields}
    own -= {"person.name", "person.create_time", "person.etag", "person.merged_into"}
    own -= {"person.identity_last_four", "person.phone_masked", "person.predecessor"}
    rest = {field.name for field in imports_pb2.ImportRow.DESCRIPTOR.fields} - {"number", "person", "unit", "faults"}
    assert {column.field for column in COLUMNS if column.field} == own | rest
