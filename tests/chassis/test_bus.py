"""The bus and the directory over a bus that goes away: what was there is there again, and changes still arrive."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from chassis.bus import Bus, DeadLetterUnknown, NatsError
from chassis.directory import Directory, followed
from chassis.embedded import EmbeddedNats
from chassis.manifest import Event
from quanyutong.common.v1.events_pb2 import DistrictChanged
from tests.harness import until

TYPE = "quanyutong.registry.v1.AssemblyCreated"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    async with EmbeddedNats(tmp_path / "nats") as server:
        yield server


@pytest.fixture
async def bus(server: EmbeddedNats) -> AsyncIterator[Bus]:
    bus = await Bus.connect(server.url, "test")
    await bus.ensure_streams({"registry"})
    yield bus
    await bus.close()


async def change(bus: Bus, code: str, **fields: bool | int) -> None:
    entry = DistrictChanged(code=code, display_name=code, **fields)  # type: ignore[arg-type]
    event = Event(uuid4(), code, DistrictChanged.DESCRIPTOR.full_name, f"districts/{code}")
    await bus.publish(event, entry.SerializeToString(), datetime.now(UTC), "")


async def publish(bus: Bus, payload: bytes, district: str = "500101") -> None:
    event = Event(uuid4(), district, TYPE, "assemblies/1")
    await bus.publish(event, payload, datetime.now(UTC), "")


async def restart(server: EmbeddedNats, bus: Bus) -> None:
    """Returns when the bus has noticed both."""
    server.kill()
    lost = asyncio.create_task(bus.present())
    with pytest.raises(ConnectionResetError):
        await lost
    await server.start()
    await bus.available()


async def test_directory_is_whole_when_it_is_handed_out(bus: Bus) -> None:
    """With so many entries that they take longer to arrive than an answer to how many there are."""
    codes = [f"{500100 + number}" for number in range(1000)]
    for limit in (5, 7):
        await asyncio.gather(*(change(bus, code, calls_per_second=limit) for code in codes))
    for _ in range(3):
        directory = await followed(bus)
        assert {code: entry.calls_per_second for code, entry in directory.entries.items()} == dict.fromkeys(codes, 7)


async def test_directory_of_a_new_platform_is_empty(bus: Bus) -> None:
    assert not (await followed(bus)).entries


async def test_directory_follows_after_the_bus_was_away(server: EmbeddedNats, bus: Bus) -> None:
    directory = await followed(bus)
    await change(bus, "500101")
    for suspended in (True, False):
        await restart(server, bus)
        await change(bus, "500101", suspended=suspended)
        await until(lambda suspended=suspended: says(directory, suspended), within=5)  # type: ignore[misc]


async def test_directory_hears_what_was_changed_while_it_was_cut_off(server: EmbeddedNats, bus: Bus) -> None:
    await change(bus, "500101")
    directory = await followed(bus)
    server.kill()
    await server.start()
    other = await Bus.connect(server.url, "other")
    await change(other, "500101", suspended=True)
    await other.close()
    await until(lambda: says(directory, True), within=5)


async def says(directory: Directory, suspended: bool) -> bool:
    return "500101" in directory.entries and directory.entries["500101"].suspended == suspended


async def test_server_that_lost_everything_gets_its_streams_again(tmp_path: Path) -> None:
    """The entries known before stay: a district does not vanish with a disk."""
    first = EmbeddedNats(tmp_path / "one")
    await first.start()
    bus = await Bus.connect(first.url, "test")
    await bus.ensure_streams({"registry"})
    directory = await followed(bus)
    await change(bus, "500101")
    await until(lambda: says(directory, False))
    await first.stop()
    # The same address and password, and nothing else.
    (tmp_path / "two").mkdir(mode=0o700)
    (tmp_path / "two" / "password").write_text((tmp_path / "one" / "password").read_text())
    async with EmbeddedNats(tmp_path / "two", port=first.port):
        await bus.available()
        assert await says(directory, False)
        await change(bus, "500101", suspended=True)
        await publish(bus, b"1")
        await until(lambda: says(directory, True), within=5)
        await bus.close()


async def test_connection_that_ends_without_a_word_is_replaced(server: EmbeddedNats, bus: Bus) -> None:
    """The library can fail while it closes a connection, before it tells anybody."""
    bus._client._closed_cb = None
    await restart(server, bus)
    await publish(bus, b"1")


async def test_nothing_is_kept_for_later_while_the_server_is_away(server: EmbeddedNats, bus: Bus) -> None:
    """What was refused is not sent behind the back of the one who was told so, and may by then have sent it again."""
    server.kill()
    lost = asyncio.create_task(bus.present())
    await asyncio.wait([lost])
    assert isinstance(lost.exception(), ConnectionResetError)
    with pytest.raises(NatsError):
        await publish(bus, b"1")
    await server.start()
    await bus.available()
    await publish(bus, b"2")
    assert (await bus.js.stream_info("QYT_REGISTRY")).state.messages == 1


async def test_event_repeated_by_the_relay_is_stored_once(bus: Bus) -> None:
    event = Event(uuid4(), "500101", TYPE, "assemblies/1")
    for _ in range(3):
        await bus.publish(event, b"1", datetime.now(UTC), "")
    assert (await bus.js.stream_info("QYT_REGISTRY")).state.messages == 1


async def test_rewound_consumer_begins_with_what_was_not_acknowledged(bus: Bus) -> None:
    config = ConsumerConfig(durable_name="reader", ack_policy=AckPolicy.EXPLICIT, ack_wait=30, max_ack_pending=4)
    await bus.js.add_consumer("QYT_REGISTRY", config)
    for number in range(6):
        await publish(bus, b"%d" % number)
    reader = await bus.js.pull_subscribe_bind("reader", "QYT_REGISTRY")
    taken = await reader.fetch(4)
    await taken[0].ack_sync()
    await reader.unsubscribe()
    await bus.rewind("QYT_REGISTRY", "reader")
    reader = await bus.js.pull_subscribe_bind("reader", "QYT_REGISTRY")
    for expected in (b"1", b"2", b"3", b"4", b"5"):
        (message,) = await reader.fetch(1)
        assert message.data == expected
        await message.ack_sync()


async def test_dead_letters(bus: Bus) -> None:
    """The oldest first, each replayed to the consumer that failed on it, once."""
    assert await bus.dead_letters() == []
    reader = await bus.js.pull_subscribe("qyt.>", "reader", "QYT_REGISTRY")
    for number in range(3):
        await publish(bus, b"%d" % number)
        await bus.bury("tally", (await reader.fetch(1))[0], "ValueError")
    letters = await bus.dead_letters()
    assert [(letter.consumer, letter.fault) for letter in letters] == [("tally", "ValueError")] * 3
    assert {letter.subject for letter in letters} == {"qyt.500101.registry.assembly_created"}
    assert await bus.dead_letters(2) == letters[:2]
    await bus.replay(letters[1].number)
    assert await bus.dead_letters() == [letters[0], letters[2]]
    with pytest.raises(DeadLetterUnknown):
        await bus.replay(letters[1].number)
    replayed = await bus.js.get_last_msg("QYT_REPLAY", "qyt-replay.tally.>")
    assert (replayed.data, (replayed.headers or {})["ce-type"]) == (b"1", TYPE)
    assert "qyt-fault" not in (replayed.headers or {})
