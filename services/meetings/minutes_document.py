"""Minutes as an official document for office programs, in the faces and sizes that such documents have (GB/T 9704)."""

import io
import zipfile
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from quanyutong.meetings.v1 import minutes_pb2 as pb
from services.meetings.minutes_paper import HEADING, ITEM, TEXT, facts_of, lines_of
from services.meetings.minutes_text import title_of

# What XML 1.0 cannot hold: nothing that was entered has them, and no file is lost for them.
UNKNOWN = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF], "\ufffd")
BODY, HEAD, TITLE = "仿宋", "黑体", "宋体"
# Style -> face, size in points, whether bold, characters of indent.
STYLES = {
    "Title": (TITLE, 22, True, 0),
    "Heading 1": (HEAD, 16, False, 2),
    "Heading 2": (BODY, 16, True, 2),
    "Normal": (BODY, 16, False, 0),
    "Body Text": (BODY, 16, False, 2),
}
STYLE_OF = {HEADING: "Heading 1", ITEM: "Heading 2", TEXT: "Body Text"}
MARGINS = {"top_margin": 37, "bottom_margin": 35, "left_margin": 28, "right_margin": 26}
LINE = Pt(28)
# The same minutes are the same file: it says nothing of when it was written.
WRITTEN = (1980, 1, 1, 0, 0, 0)


def write(minutes: pb.Minutes) -> bytes:
    document = Document()
    _set_up(document, minutes)
    title = document.add_paragraph(_printable(title_of(minutes.record.display_name)), style="Title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    facts = facts_of(minutes)
    table = document.add_table(len(facts), 2, style="Table Grid")
    table.autofit = False
    for row, (name, value) in zip(table.rows, facts, strict=True):
        for cell, text, width in zip(row.cells, (name, value), (Mm(32), Mm(124)), strict=True):
            cell.width, cell.text = width, _printable(text)
    for line in lines_of(minutes):
        document.add_paragraph(_printable(line.text), style=STYLE_OF[line.kind])
    return _same_each_time(document)


def _set_up(document: Any, minutes: pb.Minutes) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    for name, width in MARGINS.items():
        setattr(section, name, Mm(width))
    for name, look in STYLES.items():
        _set_style(document.styles[name], *look)
    properties = document.core_properties
    properties.title = _printable(minutes.record.display_name)
    properties.author, properties.comments, properties.language = "", "", "zh-CN"
    properties.created = properties.modified = minutes.generate_time.ToDatetime()


def _set_style(style: Any, face: str, size: int, bold: bool, indent: int) -> None:
    """Office programs take Chinese characters from the East Asian face, which python-docx has no name for."""
    style.font.name, style.font.size, style.font.bold = face, Pt(size), bold
    style.font.color.rgb = RGBColor(0, 0, 0)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{script}"), face)
    for border in style.element.findall(f"{qn('w:pPr')}/{qn('w:pBdr')}"):
        border.getparent().remove(border)
    layout = style.paragraph_format
    layout.line_spacing, layout.space_before, layout.space_after = LINE, Pt(0), Pt(0)
    layout.first_line_indent = Pt(size * indent)


def _printable(text: str) -> str:
    return text.translate(UNKNOWN)


def _same_each_time(document: Any) -> bytes:
    """The package with the same times in it whenever it is written."""
    written, same = io.BytesIO(), io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as package, zipfile.ZipFile(same, "w", zipfile.ZIP_DEFLATED) as fixed:
        for part in package.namelist():
            fixed.writestr(zipfile.ZipInfo(part, WRITTEN), package.read(part), zipfile.ZIP_DEFLATED)
    return same.getvalue()
