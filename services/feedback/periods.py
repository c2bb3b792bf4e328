"""A period in a list's filters: from a day on, and before another."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement

from chassis.wire import read_date


def within(request: Any, day: Column[date]) -> Iterator[ColumnElement[bool]]:
    """What `from_date` and `to_date` of the request ask of the column; nothing where they are absent."""
    if first := read_date(request, "from_date"):
        yield day >= first
    if end := read_date(request, "to_date"):
        yield day < end
