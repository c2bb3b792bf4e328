"""A table as rows of an import: columns by their headings, cells by what their column holds. No input or output."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from chassis.wire import date_message
from quanyutong.registry.v1 import imports_pb2 as pb
from services.registry.import_columns import COLUMNS, COUNTRIES, Column, column_of
from services.registry.row_faults import row_fault
from services.registry.spreadsheet import Cell, Line

DAY = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})-([0-9]{1,2})|/([0-9]{1,2})/([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)")
UNIT = re.compile(r"(?:units/)?([0-9]{9})")
TERM = re.compile(r"assemblies/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/terms/[0-9]{1,3}")


class Unfit(Exception):
    """The cell is nothing that its column holds; the text is a RowFaultReason."""


@dataclass
class Reading:
    """`faults` are the table's own, of its headings; those of a row are in the row."""

    rows: list[pb.ImportRow] = field(default_factory=list)
    faults: list[pb.RowFault] = field(default_factory=list)

    @property
    def missing(self) -> set[str]:
        """The fields whose column is missing, which is said once and not of every row."""
        return {fault.field for fault in self.faults if fault.reason == pb.ROW_FAULT_REASON_COLUMN_MISSING}


def reading(lines: Sequence[Line], units: Mapping[str, str]) -> Reading:
    """`units`: code of each unit by its name."""
    if not lines:
        return Reading(faults=[row_fault(1, each.field, "COLUMN_MISSING") for each in COLUMNS if each.needed])
    heading, *rest = lines
    columns, faults = _columns(heading)
    return Reading([_row(line, columns, units) for line in rest], faults)


def _columns(heading: Line) -> tuple[list[Column | None], list[pb.RowFault]]:
    columns = [column_of(cell) if isinstance(cell, str) else None for cell in heading.cells]
    faults = []
    for place, (cell, column) in enumerate(zip(heading.cells, columns, strict=True)):
        if column is None and cell is not None:
            faults.append(row_fault(heading.number, f"column:{letters(place)}", "COLUMN_UNKNOWN"))
        elif column and column.field and column in columns[:place]:
            faults.append(row_fault(heading.number, f"column:{letters(place)}", "COLUMN_REPEATED"))
            columns[place] = None
    lacking = [each for each in COLUMNS if each.needed and each not in columns]
    return columns, faults + [row_fault(heading.number, each.field, "COLUMN_MISSING") for each in lacking]


def letters(place: int) -> str:
    """The name of a column in a spreadsheet: A for 0, AA for 26."""
    return (letters(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _row(line: Line, columns: Sequence[Column | None], units: Mapping[str, str]) -> pb.ImportRow:
    row = pb.ImportRow(number=line.number, person={})  # type: ignore[arg-type]
    for column, cell in zip(columns, line.cells, strict=False):
        if column is not None and cell is not None and column.kind != "ignored":
            try:
                for name, value in _values(column, cell, units):
                    _set(row, name, value)
            except Unfit as unfit:
                row.faults.append(row_fault(line.number, column.field, str(unfit)))
    row.faults.extend(_beyond(line, columns))
    return row


def _beyond(line: Line, columns: Sequence[Column | None]) -> Iterator[pb.RowFault]:
    """A cell under no heading is a shifted row, or a column that would be lost."""
    for place in range(len(columns), len(line.cells)):
        if line.cells[place] is not None:
            yield row_fault(line.number, f"column:{letters(place)}", "COLUMN_UNKNOWN")
            return


def _set(row: pb.ImportRow, path: str, value: Any) -> None:
    inner, _, name = path.rpartition(".")
    message: Any = row.person if inner else row
    if isinstance(value, date):
        getattr(message, name).CopyFrom(date_message(value))
    else:
        setattr(message, name, value)


def _values(column: Column, cell: Cell, units: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Fields and values of one cell. Raises Unfit."""
    text = cell.isoformat() if isinstance(cell, date) else str(cell)
    if column.kind == "day":
        yield column.field, cell if isinstance(cell, date) else _day(text)
    elif column.kind == "word":
        yield column.field, _word(column, text)
    elif column.kind == "unit":
        yield column.field, _unit(text, units)
    elif column.kind == "country":
        yield column.field, COUNTRIES.get(text.upper(), text.upper())
    elif column.kind == "term":
        yield ("term", text) if TERM.fullmatch(text) else ("unit", _unit(text, units))
    else:
        yield column.field, text


def _day(text: str) -> date:
    if not (found := DAY.fullmatch(text)):
        raise Unfit("DATE_INVALID")
    year, month, day = (int(part) for part in found.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        raise Unfit("DATE_INVALID") from None


def _word(column: Column, text: str) -> int:
    words = column.words or {}
    number = words.get(text, words.get(text.upper()))
    if number is None:
        raise Unfit("WORD_UNKNOWN")
    return number


def _unit(text: str, units: Mapping[str, str]) -> str:
    found = UNIT.fullmatch(text)
    code = found[1] if found else units.get(text)
    if not code:
        raise Unfit("UNIT_UNKNOWN")
    return f"units/{code}"
