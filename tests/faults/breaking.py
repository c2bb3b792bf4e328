"""How the tests break a platform, and mend it."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil

from chassis.embedded.server import EmbeddedServer
from tests.embedded.outside import value
from tests.harness import Platform, Process, until

SERVICES, GATEWAY = "registry-tally", "gateway"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND wait_event_type = 'Lock'"


async def kill(process: Process) -> None:
    """SIGKILL, and returns when it is gone."""
    process.leashed.kill()
    await process.leashed.wait()


async def start_services(site: Platform) -> Process:
    """One more process of the services, at the place that is free."""
    taken = site.direct
    (free,) = (place for place in site.environment["QYT_REGISTRY_ADDRESS"].split(",") if place != taken)
    arguments = ["tests.probe", "serve", "--target=registry", "--target=tally"]
    environment = site.environment | {"QYT_LISTEN": free}
    return await Process.start(SERVICES, arguments, environment, site.settings.state.parent)


async def kill_and_restart(site: Platform) -> None:
    await kill(site.processes[SERVICES])
    site.processes[SERVICES] = await start_services(site)


async def outage(*servers: EmbeddedServer, seconds: float) -> None:
    """Kills the servers and brings them back so many seconds later."""
    for server in servers:
        server.kill()
    await asyncio.sleep(seconds)
    await asyncio.gather(*(server.start() for server in servers))


@asynccontextmanager
async def holding(site: Platform, statement: str, *values: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Holds a lock that others wait for; yields how to let go of it."""
    connection = await asyncpg.connect(site.postgres.url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(statement, *values)
    try:
        yield transaction.rollback
    finally:
        await connection.close()


async def waiting(site: Platform, application: str, number: int = 1) -> None:
    """Returns when so many connections of the application wait for a lock."""

    async def wait() -> bool:
        return bool(await value(site.postgres.url, WAITING.format(application)) == number)

    await until(wait)


def envoy(site: Platform) -> psutil.Process:
    """The Envoy of the platform's gateway."""
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "envoy" and str(site.settings.state) in " ".join(process.info["cmdline"] or ()):
            return process
    raise AssertionError("no Envoy runs")


def left_of(folder: Path) -> list[str]:
    """The processes that have to do with the folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = " ".join(process.info["cmdline"] or ())
        if str(folder) in command and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(command)
    return found


def answers(url: str) -> int:
    """The HTTP status."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own process
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
