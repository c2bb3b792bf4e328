"""Tables as CSV and XLSX. What a cell says is never run.

An office program takes a text of a CSV file that begins like a formula for one.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter
from google.api import httpbody_pb2

from chassis import downloads

Table = Sequence[Sequence[str | int]]
# The marks of a formula, in both widths, and the characters that programs skip before one (OWASP, CSV injection).
FORMULA = tuple("=+-@＝＋－＠")
# A file says nothing of when it was made, so that the same table is the same file.
CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - the format has no time zone


def write_csv(table: Table, _: str) -> bytes:
    """RFC 4180 in UTF-8, with the byte order mark by which office programs know it."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows([_harmless(cell) for cell in line] for line in table)
    return file.getvalue().encode("utf-8-sig")


def _harmless(cell: str | int) -> str | int:
    """A text that a program would run gets an apostrophe, which marks a text in all of them."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip().startswith(FORMULA) else cell


def write_xlsx(table: Table, title: str) -> bytes:
    """One sheet of that title, with a fixed first line. A text is stored as a text, whatever it begins with."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": CREATED})
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for at, line in enumerate(table):
            for column, cell in enumerate(line):
                write = sheet.write_string if isinstance(cell, str) else sheet.write_number
                write(at, column, cell)
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of file."""

    suffix: str
    media_type: str
    write: Callable[[Table, str], bytes]

    def response(self, name: str) -> tuple[tuple[str, str], ...]:
        """What is said of a file of this name before its first part."""
        return downloads.named(f"{name}.{self.suffix}")

    async def parts(self, table: Table, title: str) -> AsyncIterator[httpbody_pb2.HttpBody]:
        """The file, in parts that fit a message."""
        for part in downloads.parts(await asyncio.to_thread(self.write, table, title), self.media_type):
            yield part


CSV = Sheet("csv", "text/csv; charset=utf-8", write_csv)
XLSX = Sheet("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx)
