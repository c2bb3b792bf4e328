"""The servers never outlive their owner, however it dies, and lose nothing by its death."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

import chassis
from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from chassis.embedded.postgres import binary

from .conftest import Until
from .outside import gone, reach, value

REPOSITORY = Path(chassis.__file__).parents[1]

OWNER = """
import asyncio, json, os, signal, sys
from pathlib import Path
import asyncpg
from chassis.embedded import EmbeddedNats, EmbeddedPostgres

async def main(state):
    async with EmbeddedPostgres(state / "postgres") as postgres, EmbeddedNats(state / "nats") as nats:
        connection = await asyncpg.connect(postgres.url)
        await connection.execute("DROP TABLE IF EXISTS owned; CREATE TABLE owned AS SELECT 'committed' AS word")
        print(json.dumps({"uid": os.getuid(), "postgres": postgres.pid, "nats": nats.pid}), flush=True)
        await asyncio.Event().wait()

# A runner started in the background ignores it, and so would we.
signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main(Path(sys.argv[1])))
"""


@dataclass
class Owner:
    """A process that has started both servers, with an open connection and an uncheckpointed row."""

    process: asyncio.subprocess.Process
    uid: int
    servers: list[int]

    def servers_gone(self) -> bool:
        return all(gone(pid) for pid in self.servers)


def environment() -> dict[str, str]:
    """Ours, with our packages for an interpreter outside of the virtual environment, and no one's home."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)]), "HOME": "/"}


@asynccontextmanager
async def running_owner(state: Path, python: str = sys.executable, **how: object) -> AsyncIterator[Owner]:
    process = await asyncio.create_subprocess_exec(
        *(python, "-c", OWNER, str(state)),
        stdout=subprocess.PIPE,
        env=environment(),
        **how,  # type: ignore[arg-type]
    )
    try:
        assert process.stdout is not None
        report = json.loads(await process.stdout.readline())
        yield Owner(process, report["uid"], [report["postgres"], report["nats"]])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest_asyncio.fixture
async def owner(home: Path) -> AsyncIterator[Owner]:
    async with running_owner(home, start_new_session=True) as owner:
        yield owner


@pytest.fixture
def new_log(home: Path) -> Callable[[str], str]:
    """What a server has logged since the test began."""
    logs = {server: home / server / "server.log" for server in ("postgres", "nats")}
    began = {server: log.stat().st_size if log.exists() else 0 for server, log in logs.items()}
    return lambda server: logs[server].read_bytes()[began[server] :].decode()


def cluster_state(state: Path) -> str:
    shown = subprocess.run(
        [binary("pg_controldata"), "-D", state / "postgres" / "data"], capture_output=True, text=True, check=True
    )
    (line,) = (line for line in shown.stdout.splitlines() if line.startswith("Database cluster state"))
    return line.split(":")[1].strip()


async def assert_usable(home: Path) -> None:
    async with EmbeddedPostgres(home / "postgres") as postgres, EmbeddedNats(home / "nats") as nats:
        assert await value(postgres.url, "SELECT word FROM owned") == "committed"
        await reach(nats.url)


@pytest.mark.asyncio
async def test_killed_owner_takes_its_servers_along_cleanly(
    new_log: Callable[[str], str], owner: Owner, home: Path, until: Until
) -> None:
    assert cluster_state(home) == "in production"
    owner.process.kill()
    assert await owner.process.wait() == -signal.SIGKILL
    await until(owner.servers_gone)
    assert cluster_state(home) == "shut down"
    assert "Server Exiting" in new_log("nats")


@pytest.mark.asyncio
async def test_successor_waits_for_the_servers_of_a_killed_owner(
    new_log: Callable[[str], str], owner: Owner, home: Path
) -> None:
    owner.process.kill()
    await owner.process.wait()
    await assert_usable(home)
    assert "automatic recovery" not in new_log("postgres")


@pytest.mark.asyncio
async def test_everything_killed_at_once(new_log: Callable[[str], str], owner: Owner, home: Path, until: Until) -> None:
    """As when a container is killed or the power fails: only crash recovery is left, and it is enough."""
    family = psutil.Process(owner.process.pid).children(recursive=True)
    for process in [*family, owner.process]:
        process.kill()
    await owner.process.wait()
    await until(lambda: all(gone(process.pid) for process in family))
    assert cluster_state(home) == "in production"
    await assert_usable(home)
    assert "automatic recovery" in new_log("postgres")


@pytest.mark.asyncio
async def test_interrupt_from_a_terminal(owner: Owner, home: Path, until: Until) -> None:
    """Ctrl-C goes to the owner's process group, where its servers are not; the owner stops them."""
    assert owner.process.pid not in {os.getpgid(pid) for pid in owner.servers}
    os.killpg(owner.process.pid, signal.SIGINT)
    await until(lambda: owner.process.returncode is not None and owner.servers_gone())
    assert cluster_state(home) == "shut down"


NOBODY = 65534
AS_NOBODY = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}


@pytest.fixture
def folder_of_nobody() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def python_for_nobody() -> str:
    """An interpreter of our version that the user nobody may run, with our packages; root's own is often not."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/local/bin/{version}", f"/usr/bin/{version}"):
        try:
            subprocess.run(
                [python, "-c", "import chassis.embedded"],
                env=environment(),
                capture_output=True,
                check=True,
                **AS_NOBODY,  # type: ignore[call-overload]
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip(f"the user nobody may run no {version} with the packages of this one")


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
@pytest.mark.asyncio
async def test_ordinary_user(folder_of_nobody: Path, python_for_nobody: str, until: Until) -> None:
    async with running_owner(folder_of_nobody, python_for_nobody, **AS_NOBODY) as owner:
        assert owner.uid == NOBODY
        assert {psutil.Process(pid).uids().real for pid in owner.servers} == {NOBODY}
        owner.process.send_signal(signal.SIGINT)
        await until(lambda: owner.process.returncode is not None and owner.servers_gone())
    assert cluster_state(folder_of_nobody) == "shut down"
