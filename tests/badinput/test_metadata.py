"""What comes beside a message can be as wrong as the message."""

import string
from typing import Any

import grpc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.badinput.conftest import Ground, check
from tests.badinput.strategies import bounded
from tests.isolation.rpcs import RPCS, code_of, outcome

DOORS = ("direct", "gateway")
# What a header may hold at all.
HEADER = string.ascii_letters + string.digits + string.punctuation + " "
odd = st.text(HEADER, max_size=200)
(LIST_UNITS,) = (path for path in RPCS if path.endswith("/ListUnits"))
(CREATE_PERSON,) = (path for path in RPCS if path.endswith("/CreatePerson"))
REFUSED = ("TOKEN_MISSING", "TOKEN_INVALID")


@pytest.mark.parametrize("door", DOORS)
@bounded(40)
@given(authorization=st.one_of(odd, odd.map(lambda text: f"Bearer {text}"), odd.map(lambda text: f"Bearer a.{text}.b")))
@example(authorization="Bearer " + "W1" * 3000)
@example(authorization="Bearer " + "eyJhbGciOiJFZERTQSIsImtpZCI6W119.e30.x")
@example(authorization="Bearer eyJhbGciOltdLCJraWQiOiJkZXZlbG9wbWVudCJ9.e30.x")
@example(authorization="Bearer bnVsbA.bnVsbA.x")
@example(authorization="Bearer " + "W1tbW1tbW1tbW1tb" * 300 + ".e30.x")
@example(authorization="Bearer eyJhbGciOiJFZERTQSIsImtpZCI6Ilx1ZDgwMCJ9.e30.x")
async def test_authorization(ground: Ground, door: str, authorization: str) -> None:
    ended = await outcome(ground.doors[door], LIST_UNITS, [b""], (("authorization", authorization),))
    assert ended.reason in REFUSED, ended
    assert ended.code is code_of(LIST_UNITS, ended.reason)


@pytest.mark.parametrize("door", DOORS)
@bounded(25)
@given(picked=odd)
@example(picked="9" * 4000)
@example(picked="900001")
async def test_x_district(ground: Ground, door: str, picked: str) -> None:
    """Of a district's token it can only be the own one; of a municipal one it has to exist."""
    municipal = ground.office.tenant.platform.metadata(["overseer"], None)
    for metadata in (ground.metadata(RPCS[LIST_UNITS]), municipal):
        ended = await outcome(ground.doors[door], LIST_UNITS, [b""], (*metadata, ("x-district", picked)))
        check(LIST_UNITS, ended)


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHERS = ("accept-language", "traceparent", "tracestate", "x-request-id", "user-agent", "grpc-tags-bin", "te", "cookie")


@pytest.mark.parametrize("door", DOORS)
@bounded(40)
@given(name=st.sampled_from(OTHERS), value=odd)
@example(name="accept-language", value="en;q=nan, zh;q=inf, ;;;, *;q=-1")
@example(name="accept-language", value="en," * 1000)
@example(name="traceparent", value=TRACE + "-what-does-not-belong-here")
@example(name="traceparent", value=TRACE.replace("00-", "ff-"))
@example(name="tracestate", value="=,=" * 500)
async def test_other_metadata_changes_nothing(ground: Ground, door: str, name: str, value: str) -> None:
    content: str | bytes = value.encode() if name.endswith("-bin") else value
    metadata = (*ground.metadata(RPCS[LIST_UNITS]), (name, content))
    ended = await outcome(ground.doors[door], LIST_UNITS, [b""], metadata)
    assert ended.code is grpc.StatusCode.OK, ended


@pytest.mark.parametrize("door", DOORS)
async def test_more_metadata_than_there_is_room_for(ground: Ground, door: str) -> None:
    """gRPC itself refuses it, before the platform sees the call."""
    metadata = (*ground.metadata(RPCS[LIST_UNITS]), ("x-much", "m" * 40_000))
    ended = await outcome(ground.doors[door], LIST_UNITS, [b""], metadata)
    assert ended.code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OK), ended


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("size", [1_000_000, 4 * 1024 * 1024 + 1, 12_000_000])
async def test_large_messages(ground: Ground, door: str, size: int) -> None:
    # A field that no message has: what is unknown is passed over, whatever its size.
    header = bytes([0xFA, 0x7F]) + _varint(size)
    ended = await outcome(
        ground.doors[door], CREATE_PERSON, [header + b"\0" * size], ground.metadata(RPCS[CREATE_PERSON])
    )
    if size > 4_000_000:
        assert ended.code is grpc.StatusCode.RESOURCE_EXHAUSTED, ended
    else:
        assert ended.reason == "FIELD_INVALID", ended


def _varint(number: int) -> bytes:
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*content, number])


@pytest.mark.parametrize("door", DOORS)
async def test_unknown_methods(ground: Ground, door: str) -> None:
    metadata = ground.metadata(RPCS[LIST_UNITS])
    for path in ("/quanyutong.registry.v1.RegistryService/Nothing", "/nothing.v1.Service/Get", "/x", "/" + "y" * 3000):
        method: Any = ground.doors[door].unary_unary(path)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await method(b"", metadata=metadata)
        assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED, path
