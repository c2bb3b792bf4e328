"""A server process that ends with this one, even if this one is killed with SIGKILL.

Between the two stands a leash (`leash.py`), which stops the server as soon as the
pipe to its owner ends. Nothing here knows which server it is.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

LEASH = Path(__file__).with_name("leash.py")


class Leashed:
    """One running server. Made by `start`; of no more use once the server has ended."""

    def __init__(self, pid: int, leash: asyncio.subprocess.Process, lifeline: int) -> None:
        self.pid = pid
        self._leash = leash
        self._lifeline: int | None = lifeline
        self._ended = asyncio.create_task(self._see_to_the_end())

    @classmethod
    async def start(
        cls,
        command: Sequence[str | Path],
        log: Path,
        stop_signal: signal.Signals,
        grace: float,
        env: Mapping[str, str] | None = None,
        *,
        held: Iterable[int] = (),
    ) -> Self:
        """Starts the command; its output is appended to `log`.

        `stop_signal` ends it when `stop` is called or this process dies, SIGKILL
        if it has not ended `grace` seconds later. `env` replaces the whole
        environment. The descriptors `held` stay open in the leash and the server:
        a lock on one of them lasts exactly as long as they do.

        Raises OSError if the command cannot be started.
        """
        leash, lifeline = await _start_leash(command, log, stop_signal, grace, env, held)
        try:
            pid = await _reported_pid(leash, str(command[0]))
        except BaseException:
            os.close(lifeline)
            raise
        return cls(pid, leash, lifeline)

    @property
    def running(self) -> bool:
        """Whether the server has neither ended nor been told to."""
        return self._lifeline is not None

    async def wait(self) -> int:
        """The exit code, once the server has ended: its own, or 128 + the signal that ended it."""
        return await asyncio.shield(self._ended)

    async def stop(self) -> int:
        """Ends the server gracefully and returns its exit code. Takes no longer than the grace."""
        self._let_go()
        return await self.wait()

    def kill(self) -> None:
        """Ends the server with SIGKILL, as a crash would; `wait` tells when it is gone.

        The leash does it: only the one who reaps a process can know that its id is still its own.
        """
        if self._lifeline is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._lifeline, b"k")
            self._let_go()

    async def _see_to_the_end(self) -> int:
        code = await self._leash.wait()
        self._let_go()
        if code < 0:
            # The leash itself was killed: a server without one could outlive this process.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            return 128 + signal.SIGKILL
        return code

    def _let_go(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None


async def _start_leash(
    command: Sequence[str | Path],
    log: Path,
    stop_signal: signal.Signals,
    grace: float,
    env: Mapping[str, str] | None,
    held: Iterable[int],
) -> tuple[asyncio.subprocess.Process, int]:
    """The leash and the end of its lifeline that keeps it holding."""
    own_end, lifeline = os.pipe()
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    leash: list[str | Path] = [
        sys.executable,
        "-I",
        "-S",
        LEASH,
        "--signal",
        stop_signal.name,
        "--grace",
        str(grace),
        "--",
    ]
    try:
        process = await asyncio.create_subprocess_exec(
            *leash,
            *command,
            stdin=own_end,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
            env=env,
            pass_fds=tuple(held),
            start_new_session=True,
        )
    except BaseException:
        os.close(lifeline)
        raise
    finally:
        os.close(own_end)
        os.close(output)
    return process, lifeline


async def _reported_pid(leash: asyncio.subprocess.Process, program: str) -> int:
    report = await leash.stdout.readline() if leash.stdout else b""
    if not report:
        raise OSError(f"the leash of {program} ended before it started anything")
    if (pid := int(report)) < 0:
        await leash.wait()
        raise OSError(-pid, os.strerror(-pid), program)
    return pid
