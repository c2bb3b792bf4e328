"""Bodies are read as protobuf's own JSON rules say, whatever part of the request they fill."""

import pytest
from google.protobuf.descriptor import MethodDescriptor
from hypothesis import given
from hypothesis import strategies as some

from gateway.reading import FAULT_LENGTH, BodyUnreadable, read
from tests.gateway.backend import SERVICE

CREATE, POKE, COLLECT = (SERVICE.methods_by_name[name] for name in ("CreateProbe", "PokeProbe", "CollectProbes"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"name":"probes/1"}',
        b'{"displayName":"\xe5\x90\x8d"}',
        b'{"display_name":"x"}',
        b'{"weight":"9007199254740993"}',
        b'{"weight":5}',
        b'{"mood":"MOOD_CROSS"}',
        b'{"mood":2}',
        b'{"labels":["a","b"]}',
        b'{"createTime":"2026-03-01T08:00:00+08:00"}',
        b'{"name":null}',
        b" \n{ } ",
    ],
)
def test_readable(body: bytes) -> None:
    read(body, CREATE, "probe")


@pytest.mark.parametrize(
    "body",
    [
        b'{"probe":{"name":"x"}}',
        b'{"Name":"x"}',
        b'{"name":5}',
        b'{"weight":1.5}',
        b'{"weight":"x"}',
        b'{"mood":"CROSS"}',
        b'{"labels":"a"}',
        b'{"labels":[null]}',
        b'{"createTime":"yesterday"}',
        b'{"createTime":5}',
        b'{"name":"x","name":"y"}',
        b"[]",
        b"5",
        b'"x"',
        b"true",
        b"nonsense",
        b"{",
        b"{}{}",
        b"\xff",
        b"\x00",
        b'{"name":"\xed\xa0\x80"}',
        b"NaN",
    ],
)
def test_unreadable(body: bytes) -> None:
    with pytest.raises(BodyUnreadable):
        read(body, CREATE, "probe")


def test_stream_is_an_array() -> None:
    read(b'[{"name":"1"},{"name":"2"}]', COLLECT, "*")
    for body in (b'{"name":"1"}', b'[{"name":"1"},{"nme":"2"}]', b"[5]"):
        with pytest.raises(BodyUnreadable):
            read(body, COLLECT, "*")


def test_no_body_where_none_is_taken() -> None:
    read(b"", POKE, "")
    read(b" {} ", POKE, "")
    with pytest.raises(BodyUnreadable):
        read(b'{"strength":1}', POKE, "")


@given(some.binary(max_size=200) | some.text(max_size=200).map(str.encode))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    for method, field in ((CREATE, "probe"), (POKE, "*"), (COLLECT, "*"), (POKE, "")):
        assert len(fault(body, method, field)) <= FAULT_LENGTH


def fault(body: bytes, method: MethodDescriptor, field: str) -> str:
    """What is wrong with a body, nothing if it can be read. Anything else that is raised is a defect."""
    try:
        read(body, method, field)
    except BodyUnreadable as unreadable:
        return str(unreadable)
    return ""
