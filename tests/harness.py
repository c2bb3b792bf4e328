"""A whole platform for the tests: real PostgreSQL, NATS and Envoy, real processes, on free ports.

A test gets a fresh tenant, and talks to it as any client would.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import grpc
from google.rpc import error_details_pb2, status_pb2

from chassis import development
from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from chassis.embedded.leashed import Leashed
from chassis.embedded.ports import free_port
from chassis.settings import Settings
from quanyutong.registry.v1 import districts_pb2, units_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.__main__ import TARGETS

ROOT = Path(__file__).resolve().parents[1]
Value = TypeVar("Value")
# Codes that GB/T 2260 does not use: the tests' own districts, each of one test alone.
CODES = count(900001)
# Ports that are written down before their servers start: apart from those that servers find for themselves meanwhile.
KEPT = range(12_000, 20_000)
WITHIN = 60.0


async def until(condition: Callable[[], Awaitable[Value]], within: float = WITHIN) -> Value:
    """Waits for a condition to be true and returns what it gave; fails loudly when it never is."""
    deadline = time.monotonic() + within
    while True:
        if value := await condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {within} s: {condition}")
        await asyncio.sleep(0.02)


async def insist(step: Callable[[], Awaitable[Any]]) -> None:
    """As a client does: again, until there is an answer."""

    async def done() -> bool:
        try:
            await step()
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                return False
            raise
        return True

    await until(done)


async def during(steps: list[Coroutine[Any, Any, None]], harm: Callable[[], Awaitable[None]]) -> None:
    """All steps at once, and the harm in the middle of them."""
    tasks = [asyncio.create_task(step) for step in steps]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await harm()
    await asyncio.gather(*tasks)


@dataclass
class Process:
    """One `qyt serve`."""

    leashed: Leashed
    log: Path
    said: dict[str, Any] = field(default_factory=dict)

    @classmethod
    async def start(cls, name: str, arguments: Sequence[str], environment: dict[str, str], folder: Path) -> "Process":
        log = folder / f"{name}-{uuid4().hex[:6]}.log"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("QYT_")}
        command = [sys.executable, "-m", *arguments]
        # From the checkout, so that `python -m services` is this one.
        environment = {**inherited, **environment, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}:{ROOT / 'client'}"}
        leashed = await Leashed.start(command, log, signal.SIGTERM, 30, env=environment)
        process = cls(leashed, log)
        await until(process._announced)
        return process

    async def _announced(self) -> bool:
        if not self.leashed.running:
            raise AssertionError(f"{self.log.name} ended at once:\n{self.log.read_text()[-3000:]}")
        for line in self.log.read_text().splitlines():
            if line.startswith('{"') and '"metrics"' in line:
                self.said = json.loads(line)
        return bool(self.said)


@dataclass
class Platform:
    """A running platform: where its doors are, the parts that a test may hurt, and how many districts tests `made`."""

    topology: str
    settings: Settings
    postgres: EmbeddedPostgres
    nats: EmbeddedNats
    processes: dict[str, Process]
    environment: dict[str, str]
    made: int = 0
    _fresh: list[str] = field(default_factory=list)

    @property
    def gateway(self) -> str:
        return str(next(p.said["gateway"] for p in self.processes.values() if "gateway" in p.said))

    @property
    def direct(self) -> str:
        return self.address("direct")

    def address(self, door: str, service: str = "registry") -> str:
        """`host:port` for gRPC: through the gateway, or of the service itself."""
        if door == "gateway":
            return urlsplit(self.gateway).netloc
        running = [p for name, p in self.processes.items() if name == "all" or service in name.split("-")]
        # A service that does not run here is asked for at the first process, which refuses.
        (process, *_) = running or self.processes.values()
        return str(process.said["services"][0])

    def token(self, roles: Iterable[str], district: str | None = None, **more: Any) -> str:
        return development.token(self.settings, "tester", list(roles), district, **more)

    def metadata(self, roles: Iterable[str], district: str | None = None, **more: str) -> list[tuple[str, str]]:
        """The token and what else is to be sent; underscores in names stand for hyphens."""
        extra = [(name.replace("_", "-"), value) for name, value in more.items()]
        return [("authorization", f"Bearer {self.token(roles, district)}"), *extra]

    async def kill_and_start(self, name: str) -> None:
        """A process of its own service is gone at once, and another one takes its place."""
        await self.kill(name)
        await self.start(name)

    async def kill(self, name: str) -> None:
        self.processes[name].leashed.kill()
        await self.processes[name].leashed.wait()

    async def start(self, name: str) -> None:
        arguments = ["services", "serve", f"--target={name}"]
        self.processes[name] = await Process.start(name, arguments, self.environment, self.settings.state.parent)

    async def fresh_district(self) -> str:
        """A district of its own for a test, known to every process. Made ten at a time: each changes the gateway."""
        if not self._fresh:
            self._fresh = [f"{code}" for code, _ in zip(CODES, range(10), strict=False)]
            await self._make(self._fresh)
        return self._fresh.pop()

    async def _make(self, codes: Sequence[str]) -> None:
        self.made += len(codes)
        operator = self.metadata(["operator"])
        async with grpc.aio.insecure_channel(self.direct) as direct:
            registry = RegistryServiceStub(direct)
            for code in codes:
                district = districts_pb2.District(name=f"districts/{code}", display_name=f"试验区{code}")
                await registry.CreateDistrict(districts_pb2.CreateDistrictRequest(district=district), metadata=operator)
            for door in ("direct", "gateway"):
                async with grpc.aio.insecure_channel(self.address(door)) as channel:
                    await until(partial(self._known, RegistryServiceStub(channel), codes))

    async def _known(self, registry: Any, codes: Sequence[str]) -> bool:
        try:
            for code in codes:
                await registry.ListUnits(units_pb2.ListUnitsRequest(), metadata=self.metadata(["viewer"], code))
        except grpc.aio.AioRpcError as error:
            if reason(error) == "ERROR_REASON_DISTRICT_UNKNOWN":
                return False
            raise
        return True


# Which `qyt serve` processes make up a platform.
TOPOLOGIES = {
    "all": (("all",),),
    "split": (("registry",), ("meetings",), ("ballots",), ("feedback",), ("municipal",), ("gateway",)),
    # With the tests' own service beside the registry, by `python -m tests.probe`.
    "probed": (("registry", "tally"), ("gateway",)),
}


@asynccontextmanager
async def platform(
    topology: str, folder: Path, *, program: str = "services", durable: bool = False, **settings: str
) -> AsyncIterator[Platform]:
    """Runs a platform in `folder`; `settings` are further QYT_ variables, in lower case.

    `durable`: what is committed survives a loss of power too, which tests need not wait for.
    """
    async with AsyncExitStack() as stack:
        postgres = EmbeddedPostgres(folder / "postgres", settings={} if durable else {"fsync": "off"})
        nats = EmbeddedNats(folder / "nats")
        for server in (postgres, nats):
            await stack.enter_async_context(server)
        own = {name.upper(): f"127.0.0.1:{free_port(KEPT)}" for name in TARGETS}
        environment = {
            "QYT_STATE": str(folder / "state"),
            "QYT_DATABASE_URL": postgres.url,
            "QYT_NATS_URL": nats.url,
            **{f"QYT_{name}_ADDRESS": address for name, address in own.items()},
            **{f"QYT_{name}_LISTEN": address for name, address in own.items()},
            **{f"QYT_{name.upper()}": value for name, value in settings.items()},
        }
        await run_command(["migrate"], environment, program=program)
        processes: dict[str, Process] = {}
        for targets in TOPOLOGIES[topology]:
            name = "-".join(targets)
            arguments = [program, "serve", *(f"--target={target}" for target in targets)]
            processes[name] = await Process.start(name, arguments, environment, folder)
            stack.push_async_callback(_stop, processes, name)
        state = Settings(state=folder / "state")
        yield Platform(topology, state, postgres, nats, processes, environment)


async def _stop(processes: dict[str, Process], name: str) -> None:
    """Stops the process that has this name by now: a test may have replaced the first one."""
    await processes[name].leashed.stop()


async def run_command(
    arguments: Sequence[str], environment: dict[str, str], status: int = 0, program: str = "services"
) -> str:
    """Runs `qyt` and returns all that it printed. Fails unless it ends with the status."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("QYT_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        program,
        *arguments,
        env={**inherited, **environment, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}:{ROOT / 'client'}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == status, output
    return output


def reason(error: grpc.aio.AioRpcError) -> str:
    """The reason in the ErrorInfo of a refusal; empty when it has none."""
    return str(error_info(error).reason)


def facts(error: grpc.aio.AioRpcError) -> dict[str, str]:
    """What a refusal says beside its reason."""
    return dict(error_info(error).metadata)


def error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    found = error_details_pb2.ErrorInfo()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Unpack(found):
                    return found
    return found


async def refused(call: Awaitable[Any]) -> str:
    """The reason why a call is refused. Fails when it is not."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return reason(error) or f"{error.code().name}: {error.details()}"
    raise AssertionError(f"not refused: {answer}")
