"""Starts that go wrong elsewhere: several migrations at once, and after everything was killed."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import asyncpg
import grpc

from chassis import development
from chassis.settings import Settings
from quanyutong.registry.v1 import assemblies_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.embedded.outside import gone, value
from tests.faults.breaking import kill, left_of
from tests.faults.clock import Clock
from tests.faults.load import ROLES, Books, Client
from tests.harness import Platform, Process, run_command, until

DISTRICT = "500101"


async def test_several_migrations_at_once(site: Platform) -> None:
    """On an empty database each succeeds, and every migration is applied by one of them."""
    connection = await asyncpg.connect(site.postgres.url)
    await connection.execute("CREATE DATABASE empty")
    await connection.close()
    url = site.postgres.url.rpartition("/")[0] + "/empty"
    environment = site.environment | {"QYT_DATABASE_URL": url}
    said = await asyncio.gather(*(run_command(["migrate"], environment, program="tests.probe") for _ in range(2)))
    lines = Counter(line for each in said for line in each.splitlines() if line.startswith(("registry:", "tally:")))
    assert all(count == 1 for line, count in lines.items() if "applied" in line)
    assert sum(lines.values()) == 4
    assert sum(count for line, count in lines.items() if line.endswith("up to date")) == 2
    assert await value(url, "SELECT count(*) FROM registry.district") == 38


async def test_everything_on_one_machine_killed(tmp_path: Path) -> None:
    """The servers beside a process end with it, however it ends, and the next start finds what was acknowledged."""
    state = tmp_path / "state"
    platform = await start(state, tmp_path)
    settings = Settings(state=state)
    metadata = [("authorization", f"Bearer {development.token(settings, 'tester', list(ROLES), DISTRICT)}")]
    async with grpc.aio.insecure_channel(platform.said["gateway"].partition("//")[2]) as channel:
        name = await Client(RegistryServiceStub(channel), metadata, Books()).assembly()
    assert {Path(command.split()[0]).name for command in left_of(state)} >= {"postgres", "nats-server", "envoy"}
    await kill(platform)
    killed = Clock("everything on one machine killed")
    await nothing_left(state)
    killed.tell("nothing left running")

    again = Clock("started again")
    platform = await start(state, tmp_path)
    again.tell("ready")
    async with grpc.aio.insecure_channel(platform.said["gateway"].partition("//")[2]) as channel:
        request = assemblies_pb2.GetAssemblyRequest(name=name)
        assert (await RegistryServiceStub(channel).GetAssembly(request, metadata=metadata)).name == name
    os.kill(platform.leashed.pid, signal.SIGTERM)
    assert await platform.leashed.wait() == 0
    assert gone(platform.leashed.pid)
    assert not left_of(state)


async def start(state: Path, folder: Path) -> Process:
    return await Process.start("all", ["services", "serve", "--target=all"], {"QYT_STATE": str(state)}, folder)


async def nothing_left(state: Path) -> None:
    async def none() -> bool:
        return not left_of(state)

    await until(none)
