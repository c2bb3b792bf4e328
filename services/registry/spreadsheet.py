"""Files of a table, CSV or XLSX, as rows of cells. Knows nothing of what the cells mean.

An XLSX is somebody's ZIP: what it would unpack to is bounded before anything is unpacked. Formulas are not evaluated;
the value that was stored with them is taken.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from chassis.faults import OperatorFault

Cell = str | date | None
LARGEST_FILE = 50 * 1024 * 1024
LARGEST_UNPACKED = 300 * 1024 * 1024
MOST_ROWS, LAST_ROW, MOST_COLUMNS, LONGEST_CELL = 20_000, 100_000, 100, 2000
ENCODINGS = ("utf-8-sig", "gb18030")
# Full-width forms and the ideographic blank as their plain ones.
PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20, 0xFEFF: None}


class SpreadsheetUnreadable(OperatorFault):
    """The file is no table that can be read."""


@dataclass(frozen=True)
class Line:
    """A row that has something in it, and its number in the file."""

    number: int
    cells: Sequence[Cell]


def read(path: Path) -> list[Line]:
    """The rows of a file by its ending. Raises SpreadsheetUnreadable."""
    content = _content(path)
    if path.suffix.lower() == ".csv":
        return _bounded(csv_lines(content))
    if path.suffix.lower() == ".xlsx":
        return _bounded(xlsx_lines(content))
    raise SpreadsheetUnreadable(f"{path.name}: only .csv and .xlsx are read")


def _content(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_FILE:
        raise SpreadsheetUnreadable(f"{path.name} is larger than {LARGEST_FILE >> 20} MiB")
    return path.read_bytes()


def csv_lines(content: bytes) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(_decoded(content), newline=""))
    end = 0
    try:
        for row in reader:
            # A cell may have line breaks: the row is where it begins.
            begin, end = end + 1, reader.line_num
            yield Line(begin, [plain(cell) for cell in row])
    except csv.Error as error:
        raise SpreadsheetUnreadable(f"row {end + 1} is not CSV: {error}") from None


def _decoded(content: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SpreadsheetUnreadable("the file is neither UTF-8 nor GB18030")


def xlsx_lines(content: bytes) -> Iterator[Line]:
    from openpyxl import load_workbook  # slow to import, and only needed here

    try:
        _check_unpacked(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # What the sheet says of its size may be wrong, and is not needed.
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            yield Line(number, [_cell(value) for value in row])
    except (SpreadsheetUnreadable, GeneratorExit):
        raise
    except Exception as error:  # whatever the parser raises: the bytes are no workbook
        raise SpreadsheetUnreadable(f"the file is not an XLSX workbook: {type(error).__name__}") from None


def _check_unpacked(content: bytes) -> None:
    """A member never gives more than its entry says: the ZIP reader stops there."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > LARGEST_UNPACKED:
            raise SpreadsheetUnreadable(f"the workbook unpacks to more than {LARGEST_UNPACKED >> 20} MiB")


def _cell(value: object) -> Cell:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return plain(str(value))


def plain(text: str) -> str | None:
    """Without surrounding blanks, full-width digits and letters as plain ones; None where nothing is left."""
    whole = text[: LONGEST_CELL + 1].encode(errors="replace").decode()
    return whole.translate(PLAIN).strip() or None


def _bounded(lines: Iterator[Line]) -> list[Line]:
    found: list[Line] = []
    for line in lines:
        if line.number > LAST_ROW or len(found) > MOST_ROWS:
            raise SpreadsheetUnreadable(f"the table has more than {MOST_ROWS} rows; split it")
        cells = list(line.cells)
        while cells and cells[-1] is None:
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise SpreadsheetUnreadable(f"row {line.number} has more than {MOST_COLUMNS} columns")
        if cells:
            found.append(Line(line.number, cells))
    return found
