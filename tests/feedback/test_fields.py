"""Every text of every request of feedback, from the descriptors: it has a longest length, and what cannot be shown is
refused by its name.
"""

from collections.abc import Iterator
from typing import Any

import protovalidate
import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.feedback.manifest import MANIFEST

# What a name or a secret is made of cannot be shown either; an etag and a page token are compared and never kept.
COMPARED = frozenset({"etag", "page_token"})
HARMFUL = ("\x00", "路\x00灯", "\x1b[31m红", "\x07", "\x7f", "\u0085", "\u009f", "甲\t乙", "甲\r\n")
LONGEST = 20_000
OUTPUT_ONLY = field_behavior_pb2.FieldBehavior.OUTPUT_ONLY


def texts(message: Descriptor, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The ways to each string that a caller gives, through messages of ours."""
    for field in message.fields:
        way = (*above, field.name)
        if OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]:
            continue
        if field.type == FieldDescriptor.TYPE_STRING and field.name not in COMPARED:
            yield way
        elif field.message_type and field.message_type.full_name.startswith("quanyutong.feedback."):
            yield from texts(field.message_type, way)


WAYS = [
    pytest.param(method.input_type, way, id=f"{method.name}-{'.'.join(way)}")
    for method in MANIFEST.service.methods
    for way in texts(method.input_type)
]


def holding(message: Descriptor, way: tuple[str, ...], text: str) -> Message:
    """A request of which this text is all that is given."""
    made: Any = GetMessageClass(message)()
    at = made
    for name in way[:-1]:
        field = getattr(at, name)
        at = field.add() if at.DESCRIPTOR.fields_by_name[name].is_repeated else field
    if at.DESCRIPTOR.fields_by_name[way[-1]].is_repeated:
        getattr(at, way[-1]).append(text)
    else:
        setattr(at, way[-1], text)
    return made  # type: ignore[no-any-return]


def faulty(message: Descriptor, way: tuple[str, ...], text: str) -> bool:
    """Whether the field itself is refused."""
    violations = protovalidate.collect_violations(holding(message, way, text))
    fields = [each.proto.field for each in violations]
    return list(way) in [[element.field_name for element in field.elements] for field in fields if field]


@pytest.mark.parametrize(("message", "way"), WAYS)
def test_a_text_is_bounded_and_can_be_shown(message: Descriptor, way: tuple[str, ...]) -> None:
    assert faulty(message, way, "长" * (LONGEST + 1))
    for text in HARMFUL:
        assert faulty(message, way, text), ascii(text)
