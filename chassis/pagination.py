"""Pages of a list, by the key of the last entry rather than by an offset: an entry is neither missed nor repeated.

A page token is bound to the list and its filters, and says nothing that the
caller has not seen. AIP-158.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import ColumnElement, Select, tuple_

from chassis.database import ReadTx, Row
from chassis.errors import Refusal

DEFAULT_SIZE = 50
MOST = 500


async def page(
    tx: ReadTx, request: Any, statement: Select[Any], *key: tuple[ColumnElement[Any], Callable[[str], Any]]
) -> tuple[Sequence[Row], str]:
    """The rows of the page that `request` asks for, and the token of the next one (empty on the last).

    `key` is unique over the rows: its columns, each with the way back from text.
    Raises Refusal PAGE_TOKEN_INVALID.
    """
    size = min(request.page_size or DEFAULT_SIZE, MOST)
    columns = [column for column, _ in key]
    bound = _digest(request)
    if request.page_token:
        after = _after(request.page_token, bound, [read for _, read in key])
        statement = statement.where(tuple_(*columns) > tuple_(*after))
    rows = await tx.all(statement.order_by(*columns).limit(size + 1))
    if len(rows) <= size:
        return rows, ""
    last = rows[size - 1]
    return rows[:size], _token(bound, [str(getattr(last, column.key or "")) for column in columns])


def slice_page(request: Any, entries: Sequence[Any], key: Callable[[Any], str]) -> tuple[Sequence[Any], str]:
    """The same for entries that are in memory, sorted by `key`."""
    size = min(request.page_size or DEFAULT_SIZE, MOST)
    bound = _digest(request)
    if request.page_token:
        (after,) = _after(request.page_token, bound, [str])
        entries = [entry for entry in entries if key(entry) > after]
    token = _token(bound, [key(entries[size - 1])]) if len(entries) > size else ""
    return entries[:size], token


def whole_number(text: str) -> int:
    """The way back from text for an integer column. Raises ValueError for what such a column cannot hold."""
    number = int(text)
    if not -(2**31) <= number < 2**31:
        raise ValueError(f"{number} is no integer of the database")
    return number


def _digest(request: Message) -> str:
    same = type(request)()
    same.CopyFrom(request)
    same.ClearField("page_token")
    same.ClearField("page_size")
    content = request.DESCRIPTOR.full_name.encode() + same.SerializeToString(deterministic=True)
    return hashlib.sha256(content).hexdigest()[:16]


def _token(bound: str, key: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([bound, *key], ensure_ascii=False).encode()).decode()


def _after(token: str, bound: str, readers: Sequence[Callable[[str], Any]]) -> list[Any]:
    try:
        found, *key = json.loads(base64.urlsafe_b64decode(token.encode()))
        if found == bound and all(map(_is_text, key)):
            return [read(part) for read, part in zip(readers, key, strict=True)]
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError):
        pass  # not a token of ours: refused below
    raise Refusal("PAGE_TOKEN_INVALID")


def _is_text(part: object) -> bool:
    """Whether the database can hold it: a forged token may have numbers, lone surrogates or NUL in it."""
    return isinstance(part, str) and "\0" not in part and part.encode("utf-8", "replace").decode() == part
