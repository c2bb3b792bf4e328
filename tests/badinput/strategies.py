"""Messages that are nearly right, and strings that break things: made from the descriptors and their field rules.

A message of pure noise is refused at the first field and proves little. So most
fields are as the rules want them, and a few are not.
"""

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as Described
from google.protobuf.message import Message
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from chassis import clock
from tests.isolation.examples import as_python, output_only, rules_of

# A search beyond the fixed examples of every run: so many times as many, of another seed each time.
TIMES = int(os.environ.get("BADINPUT_TIMES", "1"))


def bounded(examples: int) -> settings:
    """The same examples in every run, unless a longer search is asked for."""
    return settings(
        max_examples=examples * TIMES,
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


NASTY = (
    "",
    " ",
    "\x00",
    "王\x00小明",
    "\x1b[31m红",
    "a\nb\r\n",
    "\x7f\x80\x9f",
    "\u200f\u202eمرحبا\u202c",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "\ufeff\ufffe\uffff\U0010ffff",
    "e\u0301" * 30,
    "Ｆｕｌｌ　ｗｉｄｔｈ１２３",
    "%s%n%x{0}{unit}${jndi:ldap://x}",
    "'; DROP TABLE person; --",
    "1 OR 1=1",
    "\\",
    "%",
    "_",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "-1",
    "NaN",
    "1e999",
    "9" * 400,
    "null",
    "units/",
    "units/000000000",
    "units/500102001\n",
    "persons/00000000-0000-0000-0000-000000000000",
    "assemblies/ffffffff-ffff-ffff-ffff-ffffffffffff/terms/000",
    "mandates/00000000-0000-7000-8000-00000000000G",
    "rules/a.b",
    "WyJ4IiwgIngiXQ==",
    "长" * 33_000,
    "x" * 100_000,
)
NUMBERS = (0, 1, -1, 2, 28, 30, 31, 99, 999, 1000, 1900, 2024, 9999, 10_000, 2**31 - 1, -(2**31))
NEW_DISTRICTS = tuple(f"districts/{code}" for code in range(999990, 1_000_000))
wild_text = st.one_of(st.sampled_from(NASTY), st.text(max_size=80))
wild_number = st.one_of(st.sampled_from(NUMBERS), st.integers(-(2**31), 2**31 - 1))
SIZED = {Described.TYPE_INT64: 63, Described.TYPE_UINT64: 64, Described.TYPE_UINT32: 32}


# How many of ten fields are wild: of most messages none or few.
MOSTLY_RIGHT = (0, 0, 0, 1, 1, 2, 5, 10)
RIGHT = (0,)


def requests(
    message_type: type[Message], names: Sequence[str], wildness: Sequence[int] = MOSTLY_RIGHT
) -> st.SearchStrategy[Message]:
    """Requests of this type; `names` are resource names that exist."""

    @st.composite
    def build(draw: Callable[[Any], Any]) -> Message:
        message = message_type()
        _build(draw, message, tuple(names), draw(st.sampled_from(wildness)), 0)
        return message

    return build()


def streams(message_type: type[Message], names: Sequence[str]) -> st.SearchStrategy[list[Message]]:
    """Streams of requests: in most the first is of the first kind and the others of the second."""

    @st.composite
    def build(draw: Callable[[Any], Any]) -> list[Message]:
        messages = draw(st.lists(requests(message_type, names), max_size=6))
        (oneof,) = message_type.DESCRIPTOR.oneofs
        if draw(st.integers(0, 3)):
            for index, message in enumerate(messages):
                field = oneof.fields[min(index, 1)]
                if message.WhichOneof(oneof.name) != field.name:
                    message.Clear()
                    getattr(message, field.name).SetInParent()
                    _build(draw, getattr(message, field.name), tuple(names), draw(st.sampled_from(MOSTLY_RIGHT)), 1)
        return list(messages)

    return build()


def _build(draw: Callable[[Any], Any], message: Message, names: Sequence[str], wildness: int, depth: int) -> None:
    for field in _chosen(draw, message):
        absent = draw(st.integers(0, 9)) < (wildness if not output_only(field) else 9)
        if absent or depth > 4:
            continue
        wild = draw(st.integers(0, 9)) < wildness
        if field.is_repeated:
            _build_repeated(draw, message, field, names, wild, depth)
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            _build_message(draw, inner, names, wildness, wild, depth)
        else:
            setattr(message, field.name, draw(scalar(field, names, wild)))


def _chosen(draw: Callable[[Any], Any], message: Message) -> list[Any]:
    """The fields of the message, of each oneof a single one."""
    of_oneofs = [draw(st.sampled_from(list(oneof.fields))) for oneof in message.DESCRIPTOR.oneofs]
    return [field for field in message.DESCRIPTOR.fields if field.containing_oneof is None or field in of_oneofs]


def _build_message(
    draw: Callable[[Any], Any], inner: Any, names: Sequence[str], wildness: int, wild: bool, depth: int
) -> None:
    kind = inner.DESCRIPTOR.full_name
    if kind == "google.type.Date":
        day = clock.today() + timedelta(days=draw(st.sampled_from((0, 0, 0, 1, -1, 30, -400, 1500, -3000))))
        for part in ("year", "month", "day"):
            setattr(inner, part, draw(wild_number) if wild else getattr(day, part))
    elif kind == "google.protobuf.FieldMask":
        paths = st.one_of(wild_text, st.just(".".join(["person"] * 3000)))
        plain = st.sampled_from(("*", "display_name", "gender", "calls_per_second"))
        inner.paths.extend(draw(st.lists(paths if wild else plain, min_size=1, max_size=3)))
    elif kind == "google.protobuf.Timestamp":
        inner.seconds, inner.nanos = draw(st.integers(-(2**63), 2**63 - 1)), draw(wild_number)
    else:
        _build(draw, inner, names, wildness, depth + 1)


def _build_repeated(
    draw: Callable[[Any], Any], message: Message, field: Any, names: Sequence[str], wild: bool, depth: int
) -> None:
    for _ in range(draw(st.integers(0, 20 if wild else 3))):
        if field.message_type is not None:
            _build_message(draw, getattr(message, field.name).add(), names, 5 if wild else 1, wild, depth + 1)
        else:
            getattr(message, field.name).append(draw(scalar(field, names, wild)))


def scalar(field: Any, names: Sequence[str], wild: bool) -> st.SearchStrategy[Any]:
    if field.type == Described.TYPE_STRING:
        return wild_text if wild else _text(field, names)
    if field.type == Described.TYPE_BYTES:
        return st.binary(max_size=200)
    if field.type == Described.TYPE_BOOL:
        return st.booleans()
    if field.enum_type is not None:
        refused = rules_of(field).enum.not_in
        known = st.sampled_from([value.number for value in field.enum_type.values if value.number not in refused])
        return wild_number if wild else known
    if field.type in (Described.TYPE_DOUBLE, Described.TYPE_FLOAT):
        return st.floats()
    bits = SIZED.get(field.type, 31)
    return st.integers(0, 2**bits - 1) if wild and bits != 31 else (wild_number if wild else st.integers(0, 60))


def _text(field: Any, names: Sequence[str]) -> st.SearchStrategy[str]:
    """Text that the field's rules accept; of names mostly one that exists."""
    rules = rules_of(field).string
    if rules.uuid:
        return st.one_of(st.just(""), st.uuids().map(str))
    if not rules.pattern:
        return st.sampled_from(("", '"1"', '"2"'))
    pattern = as_python(rules.pattern)
    if pattern.search(NEW_DISTRICTS[0]):
        # A district that is made stays, in every process and in the gateway: a few, again and again.
        return st.sampled_from([*names_of(names, "districts/"), *NEW_DISTRICTS])
    fitting = [name for name in names if pattern.search(name)]
    longest = rules.max_len or 200
    by_rule = st.from_regex(pattern, fullmatch=True).map(lambda text: text[:longest])
    return st.one_of(*([st.sampled_from(fitting)] * 3 if fitting else []), by_rule)


def names_of(names: Sequence[str], collection: str) -> list[str]:
    return [name for name in names if name.startswith(collection)]


@st.composite
def damaged(draw: Callable[[Any], Any], whole: bytes) -> bytes:
    """Bytes that were a message: cut, doubled, with bytes changed, put in, or left out."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        kind = draw(st.sampled_from(("cut", "change", "insert", "remove", "double")))
        if kind == "cut":
            del content[place:]
        elif kind == "double":
            content += content[place:]
        elif kind == "insert":
            content[place:place] = draw(st.binary(min_size=1, max_size=8))
        elif content:
            content[place : place + 1] = draw(st.binary(min_size=1, max_size=1)) if kind == "change" else b""
    return bytes(content)
