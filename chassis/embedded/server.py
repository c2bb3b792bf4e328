"""What the embedded servers have in common: a folder of their own, a port, a password, a start and a stop.

For development, tests and a single machine; never in a cluster, where the
platform is given the addresses of real ones.
"""

import asyncio
import os
import secrets
import signal
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from chassis.embedded.folder import FolderInUse, lock_within, sign_lock, take_lock
from chassis.embedded.leashed import Leashed
from chassis.embedded.ports import free_port, is_free
from chassis.faults import OperatorFault

READY_WITHIN = 60.0  # Includes crash recovery, which replays up to a gigabyte of WAL.
STOP_GRACE = 20.0
POLL = 0.02
PORT_ATTEMPTS = 5
LOG_LINES = 20
LOG_LIMIT = 16 * 1024 * 1024


class EmbeddedServerFailed(OperatorFault):
    """An embedded server could not be started. The text says why, with the end of its log."""


class NotReady(Exception):
    """The server does not answer properly yet. The text says how it answered."""


class EmbeddedServer(ABC):
    """A server on 127.0.0.1 that owns `directory`, keeps its contents there and never outlives this process.

    Without `port` it takes a free one at its first start and keeps it from then
    on, whatever happens to the server in between.
    """

    title: ClassVar[str]

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        self.directory = directory.absolute()
        self.log = self.directory / "server.log"
        self._port = port
        self._server: Leashed | None = None
        self._ownership: int | None = None
        self._password = ""

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it is, with user and password. Known once it has been started."""

    @abstractmethod
    async def _prepare(self, held: int) -> None:
        """Brings the folder into a state to start from. Whatever it starts must inherit the lock `held`."""

    @abstractmethod
    def _command(self) -> Sequence[str | Path]:
        """What runs the server in the foreground; SIGINT must end it without loss."""

    @abstractmethod
    async def _greet(self) -> None:
        """Returns if the server can be used now; raises NotReady otherwise."""

    @property
    def port(self) -> int:
        """The port. Known once it has been started."""
        if self._port is None:
            raise RuntimeError(f"{self.title} has no port before its first start")
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._server is None:
            raise RuntimeError(f"{self.title} is not running")
        return self._server.pid

    @property
    def running(self) -> bool:
        """Whether the server has been started and has not ended."""
        return self._server is not None and self._server.running

    async def start(self) -> None:
        """Starts the server and returns when it answers. Also starts it again after `kill` or a crash.

        A server that is still shutting down in the folder, since its owner has
        just died, is waited for. Raises EmbeddedServerFailed.
        """
        if self.running:
            raise EmbeddedServerFailed(f"{self.title} is running already")
        if self._server is not None:
            await self._server.wait()
        self._own_folder()
        try:
            async with lock_within(self.directory / "server.lock", STOP_GRACE + 5) as held:
                self._password = _stored_password(self.directory / "password")
                _set_aside_if_long(self.log)
                await self._prepare(held)
                await self._launch(held)
        except FolderInUse as other:
            await self.stop()
            raise EmbeddedServerFailed(
                f"the folder {self.directory} is still in use{_by(other)}, a {self.title} whose owner is gone: end it"
            ) from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends the server gracefully and gives up the folder. Does nothing if it is not running."""
        if self._server is not None:
            await self._server.stop()
            self._server = None
        if self._ownership is not None:
            os.close(self._ownership)
            self._ownership = None

    def kill(self) -> None:
        """Ends the server as a crash would. The folder and the port stay ours for the next `start`."""
        if self._server is not None:
            self._server.kill()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _own_folder(self) -> None:
        if self._ownership is not None:
            return
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._ownership = take_lock(self.directory / "owner.lock")
        except FolderInUse as other:
            raise EmbeddedServerFailed(
                f"the folder {self.directory} is in use{_by(other)}: its {self.title} has one owner at a time"
            ) from None
        except OSError as error:
            raise EmbeddedServerFailed(f"the folder {self.directory} cannot be used: {error}") from error
        sign_lock(self._ownership, os.getpid())

    async def _launch(self, held: int) -> None:
        """Runs the server until it answers, on another port if the one found free was taken meanwhile."""
        if self._port is not None:
            self._server = await self._launched(held)
            return
        for attempt in range(1, PORT_ATTEMPTS + 1):
            self._port = port = free_port()
            try:
                self._server = await self._launched(held)
                return
            except BaseException as failure:
                self._port = None
                taken = isinstance(failure, EmbeddedServerFailed) and not is_free(port)
                if not taken or attempt == PORT_ATTEMPTS:
                    raise

    async def _launched(self, held: int) -> Leashed:
        log_begins = self.log.stat().st_size if self.log.exists() else 0
        try:
            server = await self._leashed(self._command(), held)
        except OSError as error:
            raise EmbeddedServerFailed(f"{self.title} cannot be run: {error}") from error
        sign_lock(held, server.pid)
        try:
            await self._until_ready(server, log_begins)
        except BaseException:
            await server.stop()
            raise
        return server

    async def _leashed(self, command: Sequence[str | Path], held: int) -> Leashed:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return await Leashed.start(command, self.log, signal.SIGINT, STOP_GRACE, environment, held=(held,))

    async def _until_ready(self, server: Leashed, log_begins: int) -> None:
        deadline = asyncio.get_running_loop().time() + READY_WITHIN
        answer = "none"
        while server.running and asyncio.get_running_loop().time() < deadline:
            try:
                return await self._greet()
            except NotReady as not_ready:
                answer = str(not_ready)
            await asyncio.sleep(POLL)
        what = f"gave no good answer within {READY_WITHIN:.0f} s" if server.running else "ended while starting"
        raise EmbeddedServerFailed(
            f"{self.title} {what} (last answer: {answer}); the end of {self.log}:\n{log_end(self.log, log_begins)}"
        )


def log_end(log: Path, begins: int = 0) -> str:
    """The last lines of a server's log, nothing from before the byte `begins`."""
    with log.open("rb") as file:
        file.seek(max(begins, log.stat().st_size - 10_000))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES:])


def write_private(path: Path, text: str) -> None:
    """Replaces the file in one step that lasts, readable by its owner only from the first byte."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    rename_durably(draft, path)


def rename_durably(source: Path, target: Path) -> None:
    """Renames within a folder, so that not even a power failure brings the old name back."""
    source.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _stored_password(path: Path) -> str:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text()


def _set_aside_if_long(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(log.name + ".1"))


def _by(other: FolderInUse) -> str:
    return f" by process {other.holder}" if other.holder else ""
