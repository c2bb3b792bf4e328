"""Reads JSON that somebody else wrote: each member once, of its type and in its bounds, and none left over."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from quanyutong_client.encoding import LARGEST_NUMBER, Malformed, read_json

T = TypeVar("T")


class Members:
    """A JSON object. Every method raises Malformed, and says where."""

    def __init__(self, value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{place} is not an object")
        self._rest = dict(value)
        self.place = place

    @classmethod
    def of(cls, text: bytes, place: str) -> "Members":
        return cls(read_json(text), place)

    def any(self, name: str) -> Any:
        if name not in self._rest:
            raise Malformed(f"{self.place} has no {name}")
        return self._rest.pop(name)

    def text(self, name: str, longest: int = 10_000) -> str:
        value = self.any(name)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            raise self._fault(name, f"a text of 1 to {longest} characters")
        return value

    def one_of(self, name: str, allowed: Collection[str]) -> str:
        value = self.any(name)
        if not isinstance(value, str) or value not in allowed:
            raise self._fault(name, " or ".join(allowed))
        return value

    def whole_number(self, name: str, lowest: int = 0, highest: int = LARGEST_NUMBER) -> int:
        value = self.any(name)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self._fault(name, f"a whole number from {lowest} to {highest}")
        return value

    def raw(self, name: str, length: int | None = None) -> bytes:
        """Bytes in base64 (RFC 4648, section 4) with its padding."""
        value = from_base64(self.any(name), f"{self.place}.{name}")
        if length not in (None, len(value)):
            raise self._fault(name, f"{length} bytes")
        return value

    def digest(self, name: str) -> bytes:
        """A SHA-256 hash in 64 small hexadecimal digits."""
        value = self.any(name)
        if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
            raise self._fault(name, "64 small hexadecimal digits")
        return bytes.fromhex(value)

    def members(self, name: str) -> "Members":
        return Members(self.any(name), f"{self.place}.{name}")

    def each(self, name: str, read: Callable[["Members"], T]) -> tuple[T, ...]:
        """A list of objects, each read and then found to have nothing left over."""
        return tuple(self._read_one(value, place, read) for place, value in self._items(name))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(Members({"text": value}, place).text("text") for place, value in self._items(name))

    def values(self, name: str) -> list[Any]:
        return [value for _, value in self._items(name)]

    def done(self) -> None:
        if self._rest:
            raise Malformed(f"{self.place} has members that are not known: {', '.join(sorted(self._rest))}")

    def _items(self, name: str) -> list[tuple[str, Any]]:
        values = self.any(name)
        if not isinstance(values, list):
            raise self._fault(name, "a list")
        return [(f"{self.place}.{name}[{index}]", value) for index, value in enumerate(values)]

    def _read_one(self, value: Any, place: str, read: Callable[["Members"], T]) -> T:
        members = Members(value, place)
        result = read(members)
        members.done()
        return result

    def _fault(self, name: str, wanted: str) -> Malformed:
        return Malformed(f"{self.place}.{name} is not {wanted}")


def from_base64(value: object, place: str) -> bytes:
    """Strict: the only text that these bytes are written as. Raises Malformed."""
    if not isinstance(value, str):
        raise Malformed(f"{place} is not a text")
    try:
        raw = b64decode(value, validate=True)
    except ValueError as fault:
        raise Malformed(f"{place} is not base64") from fault
    if base64(raw) != value:
        raise Malformed(f"{place} is not the base64 of its bytes")
    return raw


def base64(raw: bytes) -> str:
    return b64encode(raw).decode()
