"""Protocol buffers as far as the hall needs them: fields of bytes, texts and messages, each a tag, a length and itself.

https://protobuf.dev/programming-guides/encoding
"""

from typing import Final

from quanyutong_client.encoding import Malformed

LENGTH_DELIMITED, VARINT = 2, 0
# Wire types that are passed over: numbers of eight and of four bytes.
FIXED: Final = {1: 8, 5: 4}


def message(*fields: tuple[int, bytes]) -> bytes:
    """A message of these fields: number and content."""
    return b"".join(_varint(number << 3 | LENGTH_DELIMITED) + _varint(len(part)) + part for number, part in fields)


def content_of(content: bytes, wanted: int) -> bytes:
    """The content of the last field of this number, as the format has it for one that is not repeated; empty without.

    Raises Malformed.
    """
    found, at = b"", 0
    while at < len(content):
        tag, at = _read(content, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            _, at = _read(content, at)
        elif wire in FIXED:
            at += FIXED[wire]
        elif wire == LENGTH_DELIMITED:
            length, at = _read(content, at)
            if number == wanted:
                found = content[at : at + length]
            at += length
        else:
            raise Malformed("a message of another kind")
    if at > len(content):
        raise Malformed("a message that ends too early")
    return found


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _read(content: bytes, at: int) -> tuple[int, int]:
    """The number that begins at this place, and where it ends."""
    number = shift = 0
    while at < len(content) and shift < 64:
        number |= (content[at] & 0x7F) << shift
        if content[at] < 0x80:
            return number, at + 1
        at, shift = at + 1, shift + 7
    raise Malformed("a message that ends too early")
