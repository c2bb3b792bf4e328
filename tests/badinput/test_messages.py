"""Every RPC answers every message: done, or refused for a declared reason. Never a fault of ours."""

from collections.abc import Sequence

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from tests.badinput.conftest import Ground
from tests.badinput.strategies import RIGHT, bounded, damaged, requests, streams
from tests.isolation.rpcs import RPCS, request_of, short


def single(message_type: type[Message], names: Sequence[str]) -> st.SearchStrategy[list[Message]]:
    return requests(message_type, names).map(lambda message: [message])


async def sent(ground: Ground, door: str, path: str, data: st.DataObject) -> None:
    """A nearly valid request; of a stream of requests several, in any order."""
    make = streams if RPCS[path].request_streaming else single
    messages = data.draw(make(request_of(path), ground.names))
    await ground.call(door, path, [message.SerializeToString() for message in messages])


@pytest.mark.parametrize("path", RPCS, ids=short)
@bounded(25)
@given(data=st.data())
async def test_nearly_valid_message(ground: Ground, path: str, data: st.DataObject) -> None:
    await sent(ground, "direct", path, data)


@pytest.mark.parametrize("path", RPCS, ids=short)
@bounded(5)
@given(data=st.data())
async def test_nearly_valid_message_through_the_gateway(ground: Ground, path: str, data: st.DataObject) -> None:
    await sent(ground, "gateway", path, data)


@pytest.mark.parametrize("path", RPCS, ids=short)
@bounded(8)
@given(data=st.data())
async def test_bytes_that_were_a_message(ground: Ground, path: str, data: st.DataObject) -> None:
    whole = data.draw(requests(request_of(path), ground.names, RIGHT)).SerializeToString()
    await ground.call("direct", path, [data.draw(damaged(whole))])


@pytest.mark.parametrize("path", RPCS, ids=short)
@bounded(5)
@given(content=st.one_of(st.binary(max_size=300), st.binary(min_size=1, max_size=4).map(lambda part: part * 9_000)))
async def test_bytes_that_never_were(ground: Ground, path: str, content: bytes) -> None:
    for door in ("direct", "gateway"):
        await ground.call(door, path, [content])
