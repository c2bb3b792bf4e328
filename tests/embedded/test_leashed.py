"""A leashed server ends when it is told, when its leash is lost, and leaves its exit code."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from chassis.embedded.leashed import Leashed

from .conftest import Until
from .outside import gone, own_children

pytestmark = pytest.mark.asyncio

# Says when it can be stopped, then waits for the signal; exits with 3 for SIGINT and with 4 for SIGTERM.
WAITING = 'trap "echo stopped; exit 3" INT; trap "exit 4" TERM; echo ready; while :; do sleep 0.02; done'
DEAF = 'trap "" INT TERM HUP; echo ready; while :; do sleep 0.02; done'


async def shell(script: str, folder: Path, grace: float = 10, env: dict[str, str] | None = None) -> Leashed:
    return await Leashed.start(["sh", "-c", script], folder / "log", signal.SIGINT, grace, env)


@pytest_asyncio.fixture
async def waiting(tmp_path: Path, until: Until) -> AsyncIterator[Leashed]:
    server = await shell(WAITING, tmp_path)
    await until(lambda: "ready" in (tmp_path / "log").read_text())
    yield server
    await server.stop()


def leash_of(server: Leashed) -> psutil.Process:
    parent = psutil.Process(server.pid).parent()
    assert parent is not None
    return parent


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 128 + signal.SIGTERM)])
async def test_exit_code_is_the_servers(script: str, code: int, tmp_path: Path) -> None:
    server = await shell(script, tmp_path)
    assert await server.wait() == code
    assert not server.running


async def test_stop_is_graceful(waiting: Leashed, tmp_path: Path) -> None:
    assert waiting.running
    assert await waiting.stop() == 3
    assert "stopped" in (tmp_path / "log").read_text()
    assert await waiting.stop() == 3


async def test_deaf_server_is_killed_after_the_grace(tmp_path: Path, until: Until) -> None:
    server = await shell(DEAF, tmp_path, grace=0.2)
    await until(lambda: "ready" in (tmp_path / "log").read_text())
    began = asyncio.get_running_loop().time()
    assert await server.stop() == 128 + signal.SIGKILL
    assert 0.2 <= asyncio.get_running_loop().time() - began < 5


async def test_paused_server_can_be_stopped(waiting: Leashed) -> None:
    os.kill(waiting.pid, signal.SIGSTOP)
    assert await waiting.stop() == 3


async def test_kill(waiting: Leashed) -> None:
    waiting.kill()
    assert not waiting.running
    assert await waiting.wait() == 128 + signal.SIGKILL
    waiting.kill()


async def test_pid_is_the_servers(tmp_path: Path, until: Until) -> None:
    server = await Leashed.start(["sleep", "60"], tmp_path / "log", signal.SIGTERM, 10)
    try:
        # Until: for a moment a program that is being loaded shows no arguments.
        await until(lambda: psutil.Process(server.pid).cmdline() == ["sleep", "60"])
    finally:
        assert await server.stop() == 128 + signal.SIGTERM


async def test_missing_program_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await Leashed.start([tmp_path / "no such program"], tmp_path / "log", signal.SIGINT, 10)


async def test_environment_replaces_ours(tmp_path: Path) -> None:
    server = await shell('echo "$ONLY${HOME-none}"', tmp_path, env={"ONLY": "this ", "PATH": os.environ["PATH"]})
    assert await server.wait() == 0
    assert (tmp_path / "log").read_text() == "this none\n"


async def test_signals_of_a_terminal_reach_neither_leash_nor_server(waiting: Leashed) -> None:
    leash = leash_of(waiting)
    assert len({os.getsid(0), os.getsid(leash.pid), os.getsid(waiting.pid)}) == 3
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        leash.send_signal(number)
    # 3 means that the leash was still there to pass on the stop signal, and had passed on nothing else.
    assert await waiting.stop() == 3


async def test_server_ends_with_its_leash(waiting: Leashed, until: Until) -> None:
    leash_of(waiting).kill()
    assert await waiting.wait() == 128 + signal.SIGKILL
    await until(lambda: gone(waiting.pid))


async def test_server_inherits_no_ignored_signal(tmp_path: Path) -> None:
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
    server = await Leashed.start(["cat", "/proc/self/status"], tmp_path / "log", signal.SIGINT, 10)
    assert await server.wait() == 0
    status = dict(line.split(":\t") for line in (tmp_path / "log").read_text().splitlines() if "Sig" in line)
    ignored, blocked = int(status["SigIgn"], 16), int(status["SigBlk"], 16)
    assert not ignored & 1 << (signal.SIGPIPE - 1)
    assert blocked == 0


async def test_nothing_is_left_behind(tmp_path: Path, until: Until, beside: list[psutil.Process]) -> None:
    await (await shell("exit 0", tmp_path)).wait()
    descriptors = psutil.Process().num_fds()
    for _ in range(3):
        await (await shell("exit 0", tmp_path)).wait()
        await (await shell(DEAF, tmp_path, grace=0)).stop()
        (await shell(WAITING, tmp_path)).kill()
    await until(lambda: not own_children(beside) and psutil.Process().num_fds() <= descriptors)
