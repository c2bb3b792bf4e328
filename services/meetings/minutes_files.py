"""The kinds of file that minutes are exported as."""

from collections.abc import Callable
from dataclasses import dataclass

from chassis.database import Row
from services.meetings import minutes_document
from services.meetings.minutes_rows import exported, minutes_message


@dataclass(frozen=True, slots=True)
class File:
    """A kind of file."""

    suffix: str
    media_type: str
    write: Callable[[Row], bytes]


def _docx(row: Row) -> bytes:
    return minutes_document.write(minutes_message(row))


def _json(row: Row) -> bytes:
    return exported(row).encode()


DOCX = File("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", _docx)
JSON = File("json", "application/json", _json)
