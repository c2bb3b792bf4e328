"""A whole, valid request for any RPC, built from its descriptors and field rules.

Resource names are given by the caller; everything else is whatever the rules accept.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from buf.validate import validate_pb2
from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor as Described
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.type.date_pb2 import Date

from chassis import clock
from tests.isolation.rpcs import METHODS, request_of
from tests.meetings.annual import PLAN

# From a message to a field in it: names of fields, and places in repeated ones.
Path = tuple[str | int, ...]
# How the rule of a resource name begins, of one collection or of some; one that leaves the collection open is of names
# that mean nothing here.
NAME = re.compile(r"\^(\([a-zA-Z|]+\)|\(?[a-zA-Z]+)/")
# Texts that some rule asks for; the first that a field's rules accept is taken.
IDENTITY_NUMBER = "360426199101010071"
TEXTS = (
    "rules/subdistrict_assembly.women_share",
    PLAN,
    "CN",
    ">=1/3",
    IDENTITY_NUMBER,
    "试验",
    "900000",
    f"{'A' * 43}.ics",
    "A" * 43,
    "A" * 16,
    "a" * 64,
    "application/pdf",
    "",
)


def rules_of(field: Any) -> Any:
    return field.GetOptions().Extensions[validate_pb2.field]


def behaviours(field: Any) -> Sequence[int]:
    found: Sequence[int] = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return found


def output_only(field: Any) -> bool:
    return field_behavior_pb2.OUTPUT_ONLY in behaviours(field)


# What RE2 calls by a letter and Python's expressions do not: control characters, what is not seen, and blanks.
CLASSES = {
    r"\p{Cc}": r"\x00-\x1f\x7f-\x9f",
    r"\p{Cf}": r"\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff",
    r"\p{Z}": r" \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}


@cache
def as_python(pattern: str) -> re.Pattern[str]:
    """An RE2 pattern of a field rule, as Python reads it."""
    for name, letters in CLASSES.items():
        pattern = pattern.replace(name, letters)
    return re.compile(pattern)


def accepts(field: Any, text: str) -> bool:
    rules = rules_of(field).string
    return len(text) >= rules.min_len and bool(as_python(rules.pattern).search(text))


def requests(path: str, names: Iterable[str]) -> list[Message]:
    """One request; for a stream one message for each of its parts, in their order."""
    request_type, known = request_of(path), tuple(names)
    if not METHODS[path].client_streaming:
        return [filled(request_type(), known)]
    parts = [field for oneof in request_type.DESCRIPTOR.oneofs for field in oneof.fields]
    messages = [request_type() for _ in parts]
    for message, field in zip(messages, parts, strict=True):
        fill(message, field, known)
    return messages


def filled(message: Message, names: Sequence[str]) -> Message:
    """The message, with the first field of each of its oneofs."""
    for field in message.DESCRIPTOR.fields:
        others = field.containing_oneof.fields[1:] if field.containing_oneof else ()
        if not output_only(field) and field not in others:
            fill(message, field, names)
    return message


def fill(message: Message, field: Any, names: Sequence[str]) -> None:
    """Sets what is required, and every resource name that is known; leaves the rest open."""
    if field.is_repeated:
        if rules_of(field).repeated.min_items:
            _fill_repeated(getattr(message, field.name), field, names)
        return
    if field.message_type is not None:
        _fill_message(getattr(message, field.name), field, names)
    elif field.type == Described.TYPE_STRING:
        if (text := _text(field, names)) is not None:
            setattr(message, field.name, text)
    elif field_behavior_pb2.REQUIRED in behaviours(field):
        # The lowest number, or the first value of an enum that is not "unspecified".
        setattr(message, field.name, max(1, rules_of(field).int32.gte))


def _fill_repeated(entries: Any, field: Any, names: Sequence[str]) -> None:
    """One entry, where the rules want any."""
    if field.message_type is not None:
        filled(entries.add(), names)
    else:
        pattern = as_python(rules_of(field).repeated.items.string.pattern)
        entries.append(next((name for name in names if pattern.search(name)), ""))


def _fill_message(message: Message, field: Any, names: Sequence[str]) -> None:
    if isinstance(message, FieldMask):
        message.paths.append("*")
    elif isinstance(message, Date):
        if rules_of(field).required:
            today = clock.today()
            message.MergeFrom(Date(year=today.year, month=today.month, day=today.day))
    elif field.message_type.file.package.startswith("quanyutong."):
        message.SetInParent()
        filled(message, names)


def is_name(field: Any) -> bool:
    """Whether its rule wants the name of an entry of the district: `collection/id`, the collection literally."""
    return field.type == Described.TYPE_STRING and bool(NAME.match(rules_of(field).string.pattern))


def _text(field: Any, names: Sequence[str]) -> str | None:
    if is_name(field):
        for name in names:
            if accepts(field, name):
                return name
    if field_behavior_pb2.REQUIRED not in behaviours(field):
        return None
    return next(text for text in TEXTS if accepts(field, text))


def name_fields(message: Message, path: Path = ()) -> Iterator[Path]:
    """Where the message holds resource names: the path of each such field, with the places in repeated ones."""
    for field, value in message.ListFields():
        if field.is_repeated:
            yield from _in_repeated(field, value, (*path, field.name))
        elif is_name(field):
            yield (*path, field.name)
        elif field.message_type is not None:
            yield from name_fields(value, (*path, field.name))


def _in_repeated(field: Any, entries: Any, path: Path) -> Iterator[Path]:
    for index, entry in enumerate(entries):
        if isinstance(entry, Message):
            yield from name_fields(entry, (*path, index))
        elif NAME.match(rules_of(field).repeated.items.string.pattern):
            yield (*path, index)
