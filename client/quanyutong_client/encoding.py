"""Bytes that are the same in every language: what is hashed and signed is made of these two forms and nothing else.

Fields are for short records: each is its length in four bytes, the highest first, and then itself. Canonical JSON is
for what has structure: RFC 8785, restricted to objects, arrays, texts, whole numbers, true, false and null.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

LENGTH_BYTES: Final = 4
# Beyond this, readers that keep numbers as IEEE 754 doubles lose digits (RFC 8785, section 3.2.2.3).
LARGEST_NUMBER: Final = 2**53 - 1


class Malformed(ValueError):
    """These bytes are not what they should be. The text says where."""


def fields(*parts: bytes | str) -> bytes:
    """Each part behind its length; texts are in UTF-8."""
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(LENGTH_BYTES) + part for part in raw)


def split(encoded: bytes) -> list[bytes]:
    """The parts that `fields` joined. Raises Malformed where a length does not fit."""
    parts: list[bytes] = []
    position = 0
    while position < len(encoded):
        start = position + LENGTH_BYTES
        position = start + int.from_bytes(encoded[position:start])
        if position > len(encoded):
            raise Malformed(f"field {len(parts) + 1} is longer than what is left")
        parts.append(encoded[start:position])
    return parts


def number(value: int) -> bytes:
    """A count as a part: eight bytes, the highest first."""
    return value.to_bytes(8)


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785): members sorted, no spaces, no escape that is not needed."""
    _check(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def read_json(text: bytes) -> Any:
    """Reads JSON that can be made canonical: no member twice, no fractions. Raises Malformed."""
    try:
        value = json.loads(
            text.decode(), object_pairs_hook=_without_repetition, parse_float=_refuse, parse_constant=_refuse
        )
        _check(value)
    except RecursionError as fault:
        raise Malformed("JSON is nested too deeply") from fault
    except ValueError as fault:
        raise Malformed(f"no JSON that can be read: {fault}") from fault
    return value


def _without_repetition(members: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(members)
    if len(read) < len(members):
        raise ValueError("a member stands twice")
    return read


def _refuse(number: str) -> Any:
    raise ValueError(f"{number} is not a whole number")


def _check(value: Any) -> None:
    match value:
        case None | bool():
            pass
        case int():
            if abs(value) > LARGEST_NUMBER:
                raise Malformed("a number is too large")
        case str():
            _check_text(value)
        case list():
            for item in value:
                _check(item)
        case dict():
            for name, item in value.items():
                _check_name(name)
                _check(item)
        case _:
            raise Malformed(f"{type(value).__name__} has no canonical form")


def _check_text(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Malformed("half a character of UTF-16")


def _check_name(name: object) -> None:
    """Names of members are ASCII, so that every way to sort them gives the same order."""
    if not isinstance(name, str) or not name.isascii():
        raise Malformed("a member's name is not ASCII")
