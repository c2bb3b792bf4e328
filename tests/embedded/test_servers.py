"""What holds for both embedded servers alike."""

import asyncio
import os
import socket
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
import nats.errors
import psutil
import pytest
import uvloop

from chassis.embedded import EmbeddedNats, EmbeddedPostgres, EmbeddedServerFailed, embedded_servers
from chassis.embedded import server as server_module
from chassis.embedded.folder import FolderInUse, sign_lock, take_lock
from chassis.embedded.ports import RANGE, free_port, is_free
from chassis.embedded.server import EmbeddedServer

from .conftest import Until
from .outside import own_children, reach

both = pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedNats])


@pytest.fixture
def folder(kind: type[EmbeddedServer], settled: Path, state: Path) -> Path:
    return settled if kind is EmbeddedPostgres else state / "one"


@both
@pytest.mark.asyncio
async def test_one_owner_at_a_time(kind: type[EmbeddedServer], folder: Path, beside: list[psutil.Process]) -> None:
    async with kind(folder) as first:
        with pytest.raises(EmbeddedServerFailed, match=str(os.getpid())):
            await kind(folder).start()
        with pytest.raises(EmbeddedServerFailed):
            await first.start()
        await reach(first.url)
    async with kind(folder) as second:
        assert second.running
    assert not own_children(beside)


@both
@pytest.mark.asyncio
async def test_lock_lasts_exactly_as_long_as_the_server(kind: type[EmbeddedServer], folder: Path) -> None:
    async with kind(folder) as server:
        with pytest.raises(FolderInUse) as refusal:
            take_lock(folder / "server.lock")
        assert refusal.value.holder == server.pid
    os.close(take_lock(folder / "server.lock"))


@pytest.mark.asyncio
async def test_server_without_owner_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Left only if owner and leash were killed at once; nobody may guess whether it is still wanted."""
    monkeypatch.setattr(server_module, "STOP_GRACE", -5)  # Do not wait for it to end.
    left = take_lock(tmp_path / "server.lock")
    sign_lock(left, 4_000_001)
    with pytest.raises(EmbeddedServerFailed, match="4000001"):
        await EmbeddedNats(tmp_path).start()
    monkeypatch.undo()
    os.close(left)
    async with EmbeddedNats(tmp_path) as successor:
        await reach(successor.url)


@both
@pytest.mark.asyncio
async def test_killed_server_comes_back_on_its_port(
    kind: type[EmbeddedServer], folder: Path, beside: list[psutil.Process]
) -> None:
    async with kind(folder) as server:
        url, pid = server.url, server.pid
        server.kill()
        assert not server.running
        with pytest.raises(EmbeddedServerFailed):
            await kind(folder).start()
        await server.start()
        assert server.pid != pid
        await reach(url)
    assert not own_children(beside)


@both
@pytest.mark.asyncio
async def test_crashed_server_can_be_started_again(kind: type[EmbeddedServer], folder: Path, until: Until) -> None:
    async with kind(folder) as server:
        psutil.Process(server.pid).kill()
        await until(lambda: not server.running)
        await server.start()
        await reach(server.url)


@both
@pytest.mark.asyncio
async def test_side_by_side(kind: type[EmbeddedServer], folder: Path, state: Path) -> None:
    async with kind(folder) as one, kind(state / "two") as two:
        assert one.port != two.port
        await asyncio.gather(reach(one.url), reach(two.url))


@both
@pytest.mark.asyncio
async def test_only_this_machine_and_only_the_owner_reaches_it(kind: type[EmbeddedServer], folder: Path) -> None:
    async with kind(folder) as server:
        listening = [c.laddr for c in psutil.Process(server.pid).net_connections("all") if c.status == "LISTEN"]
        assert listening == [("127.0.0.1", server.port)]
        password = unquote(urlsplit(server.url).password or "")
        assert password
        assert not readable_by_others(folder, password)
        with pytest.raises((asyncpg.InvalidPasswordError, nats.errors.Error)):
            await reach(server.url.replace(password, "wrong"))


def readable_by_others(folder: Path, secret: str) -> list[Path]:
    """The folder itself if it is open to others, and the files that are and contain the secret."""
    holding = [path for path in folder.iterdir() if path.is_file() and secret in path.read_text()]
    assert holding
    return [path for path in [folder, *holding] if path.stat().st_mode & 0o077]


@both
@pytest.mark.asyncio
async def test_taken_port_is_refused_when_it_was_asked_for(kind: type[EmbeddedServer], folder: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        taken = other.getsockname()[1]
        server = kind(folder, port=taken)
        with pytest.raises(EmbeddedServerFailed, match="in use"):
            await server.start()
    async with server:
        assert server.port == taken


@both
@pytest.mark.asyncio
async def test_port_lost_in_a_race_is_replaced(
    kind: type[EmbeddedServer], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        lost, spare = other.getsockname()[1], free_port()
        found = iter([lost, spare])
        # Stands in for chance alone: the port was free when it was looked for and taken when it was used.
        monkeypatch.setattr(server_module, "free_port", lambda: next(found))
        async with kind(folder) as server:
            assert server.port == spare


def test_free_ports_lie_below_those_of_outgoing_connections() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        port = server.getsockname()[1]
        assert port in RANGE
        assert RANGE.stop <= 32768
        assert not is_free(port)
    assert is_free(port)


@pytest.mark.asyncio
async def test_together(home: Path, beside: list[psutil.Process]) -> None:
    async with embedded_servers(home, postgres=True, nats=True) as servers:
        assert servers.postgres is not None
        assert servers.nats is not None
        assert "@" not in repr(servers)
        assert len(own_children(beside)) == 2
    assert not own_children(beside)


@pytest.mark.asyncio
async def test_only_what_is_asked_for(state: Path) -> None:
    async with embedded_servers(state, postgres=False, nats=True) as servers:
        assert servers.postgres is None
        assert servers.nats is not None
    assert not (state / "postgres").exists()


@pytest.mark.asyncio
async def test_one_that_fails_leaves_none_running(home: Path, beside: list[psutil.Process]) -> None:
    async with EmbeddedNats(home / "nats"):
        with pytest.raises(EmbeddedServerFailed):
            async with embedded_servers(home, postgres=True, nats=True):
                pytest.fail("it must not start with half of what was asked for")
        assert len(own_children(beside)) == 1


@pytest.mark.asyncio
async def test_cancelled_first_start_is_done_again(state: Path, until: Until, beside: list[psutil.Process]) -> None:
    server = EmbeddedPostgres(state)
    starting = asyncio.create_task(server.start())
    await until(lambda: (state / "data.new").exists())
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not own_children(beside)
    async with EmbeddedPostgres(state) as again:
        await reach(again.url)
    assert not (state / "data.new").exists()


@pytest.mark.asyncio
async def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedServerFailed):
        await EmbeddedNats(tmp_path / "file" / "nats").start()


def test_uvloop(home: Path, beside: list[psutil.Process]) -> None:
    async def use() -> None:
        async with embedded_servers(home, postgres=True, nats=True) as servers:
            assert servers.postgres is not None
        assert not own_children(beside)

    uvloop.run(use())
