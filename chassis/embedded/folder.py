"""Who may use a server's folder: one owner, and one server at a time.

Two locks, because an owner can die before its server has shut down. The owner's
lock ends with the owner; the server's lock is inherited by the server and every
process that it starts, so it ends with the last of them. Both are locks of the
kernel: nothing that dies can leave one behind.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

POLL = 0.02


class FolderInUse(Exception):
    """The lock is held by another. `holder` is the process id that it wrote down, if it did."""

    def __init__(self, holder: int | None) -> None:
        super().__init__(holder)
        self.holder = holder


def take_lock(path: Path) -> int:
    """The descriptor that holds the lock: closing it, or dying, gives it up. Raises FolderInUse."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode()
        os.close(descriptor)
        if not isinstance(error, BlockingIOError):
            raise
        raise FolderInUse(int(holder) if holder.isdecimal() else None) from None
    os.ftruncate(descriptor, 0)
    return descriptor


def sign_lock(descriptor: int, pid: int) -> None:
    """Writes into a lock that we hold who is to be asked about it."""
    os.pwrite(descriptor, str(pid).encode(), 0)


@asynccontextmanager
async def lock_within(path: Path, seconds: float) -> AsyncIterator[int]:
    """The lock, as a descriptor to be inherited, after waiting for its present holder to end. Raises FolderInUse."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            descriptor = take_lock(path)
            break
        except FolderInUse:
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(POLL)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
