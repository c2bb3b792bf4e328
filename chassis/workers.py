"""Several processes of the same services on one machine, watched over by one parent.

Worker i listens on the given port + i, so that whoever balances calls sees each
of them; a shared port would hand all calls of one connection to one process.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from chassis.embedded.leashed import Leashed
from chassis.embedded.ports import free_port
from chassis.settings import Settings

log = logging.getLogger(__name__)
# Seconds before a worker that ended by itself is started again.
AGAIN = 1.0


@asynccontextmanager
async def working(settings: Settings, services: Sequence[str], count: int) -> AsyncIterator[list[str]]:
    """Keeps `count` workers running until the end of the block; yields their addresses."""
    addresses = [_address(settings.listen, place) for place in range(count)]
    metrics = [_address(settings.metrics_listen, place) for place in range(count)]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_keep(settings, services, listen, probe))
            for listen, probe in zip(addresses, metrics, strict=True)
        ]
        try:
            yield addresses
        finally:
            for task in tasks:
                task.cancel()


def _address(given: str, place: int) -> str:
    host, _, port = given.rpartition(":")
    return f"{host}:{int(port) + place if int(port) else free_port()}"


async def _keep(settings: Settings, services: Sequence[str], listen: str, metrics: str) -> None:
    command = [sys.executable, "-m", "services", "serve", *(f"--target={name}" for name in services)]
    environment = dict(os.environ)
    for name in services:  # what is set for one service would come before the place of this worker
        environment.pop(f"QYT_{name.upper()}_LISTEN", None)
        environment.pop(f"QYT_{name.upper()}_METRICS_LISTEN", None)
    environment |= {"QYT_LISTEN": listen, "QYT_METRICS_LISTEN": metrics}
    for name in ("database_url", "nats_url"):
        if secret := getattr(settings, name):
            environment[f"QYT_{name.upper()}"] = secret.get_secret_value()
    while True:
        log_file = settings.state / "log" / f"worker-{listen.rpartition(':')[2]}.log"
        log_file.parent.mkdir(parents=True, exist_ok=True)
        process = await Leashed.start(command, log_file, signal.SIGTERM, settings.shutdown_grace + 5, env=environment)
        try:
            code = await process.wait()
        finally:
            await process.stop()
        log.error("worker ended", extra={"address": listen, "code": code})
        await asyncio.sleep(AGAIN)
