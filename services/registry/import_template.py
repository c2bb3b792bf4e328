"""The template of an import: headings in Chinese and English, notes, lists to choose from, and an example."""

import csv
import io
from pathlib import Path

from services.registry.import_columns import COLUMNS, Column

# Rows of the sheet that have lists to choose from.
ROWS = 20_000
SHEETS = ("名单", "示例 example", "说明 notes")


def write_template(path: Path) -> None:
    """By the ending of the name: a workbook, or the headings alone."""
    path.write_bytes(xlsx_template() if path.suffix.lower() == ".xlsx" else csv_template())


def headings() -> list[str]:
    return [column.heading + ("*" if column.needed else "") for column in COLUMNS]


def csv_template() -> bytes:
    """With the mark by which spreadsheet programs know UTF-8. An example would be imported, so there is none."""
    text = io.StringIO()
    csv.writer(text).writerow(headings())
    return text.getvalue().encode("utf-8-sig")


def xlsx_template() -> bytes:
    from xlsxwriter import Workbook  # slow to import, and only needed here

    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True})
    bold = book.add_format({"bold": True, "bg_color": "#DDEBF7", "text_wrap": True})
    day, text = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "@"})
    people, example, notes = (book.add_worksheet(name) for name in SHEETS)
    for sheet in (people, example):
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, headings(), bold)
        for place, column in enumerate(COLUMNS):
            sheet.set_column(place, place, 16, day if column.kind == "day" else text)
    for place, column in enumerate(COLUMNS):
        people.write_comment(0, place, note(column))
        example.write_string(1, place, column.example)
        notes.write_row(place + 1, 0, [column.heading, note(column), "、".join(column.choices)])
        if column.choices:
            people.data_validation(1, place, ROWS, place, {"validate": "list", "source": column.choices})
    notes.write_row(0, 0, ["列 column", "说明 note", "可选值 choices"], bold)
    book.close()
    return content.getvalue()


def note(column: Column) -> str:
    return f"{column.note_zh} / {column.note_en}"
