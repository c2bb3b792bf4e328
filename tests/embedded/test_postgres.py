"""The embedded PostgreSQL: what it promises beyond a start and a stop."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from chassis.embedded import EmbeddedPostgres, EmbeddedServerFailed

from .outside import value

pytestmark = pytest.mark.asyncio


@contextmanager
def asleep(folder: Path) -> Iterator[int]:
    """The id of a process with the working directory `folder`."""
    with subprocess.Popen(["sleep", "60"], cwd=folder) as process:
        try:
            yield process.pid
        finally:
            process.kill()


@pytest_asyncio.fixture
async def server(settled: Path) -> AsyncIterator[EmbeddedPostgres]:
    async with EmbeddedPostgres(settled) as server:
        yield server


async def test_rows_outlive_the_server(server: EmbeddedPostgres) -> None:
    await value(server.url, "CREATE TABLE kept (word text)")
    await value(server.url, "INSERT INTO kept VALUES ('全过程人民民主')")
    await server.stop()
    await server.start()
    assert await value(server.url, "SELECT word FROM kept") == "全过程人民民主"
    await value(server.url, "INSERT INTO kept VALUES ('committed before the crash')")
    server.kill()
    await server.start()
    assert await value(server.url, "SELECT count(*) FROM kept") == 2


@pytest.mark.parametrize("own", [{}, {"work_mem": "7MB"}])
async def test_settings(own: dict[str, str], settled: Path) -> None:
    expected = {
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "fsync": "on",
        "password_encryption": "scram-sha-256",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "jit": "off",
        "TimeZone": "UTC",
        **own,
    }
    async with EmbeddedPostgres(settled, settings=own) as server:
        assert {name: await value(server.url, f"SHOW {name}") for name in expected} == expected
        locale = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
        assert await value(server.url, locale) == "bC.UTF-8"
        assert await value(server.url, "SELECT upper('é') || lower('Ω')") == "Éω"
        assert await value(server.url, "SELECT current_database() || current_user") == "quanyutongpostgres"


async def test_failure_shows_the_end_of_the_log_and_gives_the_folder_back(settled: Path) -> None:
    with pytest.raises(EmbeddedServerFailed, match="no_such_setting"):
        await EmbeddedPostgres(settled, settings={"no_such_setting": "1"}).start()
    async with EmbeddedPostgres(settled) as server:
        assert server.running


async def test_stale_pid_file_of_a_living_process(server: EmbeddedPostgres, settled: Path) -> None:
    """After a restart of a container the id of the old server easily belongs to something else."""
    server.kill()
    pid_file = settled / "data" / "postmaster.pid"
    with asleep(settled) as unrelated:
        pid_file.write_text(pid_file.read_text().replace(str(server.pid), str(unrelated), 1))
        await server.start()
    await server.stop()
    assert not pid_file.exists()


async def test_server_started_by_hand_is_respected(settled: Path) -> None:
    with asleep(settled / "data") as by_hand:
        (settled / "data" / "postmaster.pid").write_text(f"{by_hand}\n")
        with pytest.raises(EmbeddedServerFailed, match=str(by_hand)):
            await EmbeddedPostgres(settled).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user needs no namespace")
async def test_root_without_namespaces_is_told_what_to_do(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(state))
    with pytest.raises(EmbeddedServerFailed, match="QYT_DATABASE_URL"):
        await EmbeddedPostgres(state).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user needs no namespace")
async def test_files_stay_those_of_root(settled: Path) -> None:
    assert (settled / "data").stat().st_uid == 0
    assert (settled / "data").stat().st_mode & 0o777 == 0o700
