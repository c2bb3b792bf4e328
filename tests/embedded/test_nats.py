"""The embedded NATS: what it promises beyond a start and a stop."""

from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
import pytest_asyncio
from nats.js import JetStreamContext

from chassis.embedded import EmbeddedNats

pytestmark = pytest.mark.asyncio


async def stored(server: EmbeddedNats) -> list[bytes]:
    client = await nats.connect(server.url)
    try:
        jetstream: JetStreamContext = client.jetstream()
        state = (await jetstream.stream_info("KEPT")).state
        return [(await jetstream.get_msg("KEPT", seq)).data or b"" for seq in range(1, state.messages + 1)]
    finally:
        await client.close()


async def publish(server: EmbeddedNats, text: str) -> None:
    client = await nats.connect(server.url)
    try:
        await client.jetstream().add_stream(name="KEPT", subjects=["kept.>"])
        await client.jetstream().publish("kept.word", text.encode())
    finally:
        await client.close()


@pytest_asyncio.fixture
async def server(state: Path) -> AsyncIterator[EmbeddedNats]:
    async with EmbeddedNats(state) as server:
        yield server


async def test_acknowledged_messages_outlive_the_server(server: EmbeddedNats) -> None:
    await publish(server, "全过程人民民主")
    await server.stop()
    await server.start()
    assert await stored(server) == ["全过程人民民主".encode()]
    await publish(server, "acknowledged before the crash")
    server.kill()
    await server.start()
    assert await stored(server) == ["全过程人民民主".encode(), b"acknowledged before the crash"]


async def test_everything_is_kept_in_its_folder(server: EmbeddedNats, state: Path) -> None:
    await publish(server, "here")
    assert list((state / "jetstream").rglob("*.blk"))


async def test_message_size_is_the_usual_one(server: EmbeddedNats) -> None:
    client = await nats.connect(server.url)
    assert client.max_payload == 1024 * 1024
    await client.close()
