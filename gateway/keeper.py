"""Keeps the files that Envoy reads equal to what they should say, while Envoy runs.

A change (a district suspended, a limit raised, a key set or certificate
replaced) is rendered, shown to `envoy --mode validate`, and then moved into
place file by file; Envoy takes each without dropping a connection. What Envoy
would not take is never written: the previous configuration stays.
"""

import asyncio
import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from chassis.directory import Directory
from chassis.embedded.server import write_private
from gateway.configuration import GatewayConfigInvalid
from gateway.envoy import validate
from gateway.render import Plan

log = logging.getLogger(__name__)

# How often files are looked at. Changes of the directory wake the keeper at once.
LOOK_EVERY = 1.0
# Changes that come together are applied together.
SETTLE = 0.1
LARGEST_LOG = 64 * 1024 * 1024


class Keeper:
    """Of one folder. `plan` makes the plan of this moment; the `watched` files are what else it depends on."""

    def __init__(
        self,
        program: Path,
        folder: Path,
        plan: Callable[[], Plan],
        directory: Directory,
        watched: Sequence[Path],
        output: Path,
    ) -> None:
        self._program = program
        self._folder = folder
        self._plan = plan
        self._directory = directory
        self._watched = watched
        self._output = output
        self._written: dict[str, str] = {}
        self._seen: object = None

    async def apply(self) -> None:
        """Brings the files up to date. Raises GatewayConfigInvalid, with none of them touched."""
        self._seen = self._state()
        plan = self._plan()
        files = plan.files(self._folder)
        if files == self._written:
            return
        await validate(self._program, plan.standalone())
        for name, text in files.items():
            if text != self._written.get(name):
                write_private(self._folder / name, text)
                self._written[name] = text

    async def keep(self) -> None:
        """Applies every change from now on. Never returns."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._directory.changed()
                await asyncio.sleep(SETTLE)
            if self._state() != self._seen:
                await self._apply_or_report()
            await asyncio.to_thread(_keep_short, self._output)

    async def _apply_or_report(self) -> None:
        try:
            await self.apply()
            log.info("the gateway's configuration was changed")
        except GatewayConfigInvalid as invalid:
            log.error("a change was not applied, the previous configuration stays: %s", invalid)
        except Exception:
            # Whatever it was, the next change must still be looked at.
            log.exception("a change could not be applied")

    def _state(self) -> object:
        entries = tuple(sorted(self._directory.entries.values(), key=lambda entry: entry.code))
        return entries, tuple(_fingerprint(path) for path in self._watched)


def _fingerprint(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _keep_short(output: Path) -> None:
    """Keeps the last part of a log that Envoy holds open, and one before it."""
    if not output.is_file() or output.stat().st_size < LARGEST_LOG:
        return
    shutil.copyfile(output, output.with_name(output.name + ".1"))
    os.truncate(output, 0)
