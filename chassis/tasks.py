"""Tasks that run beside others, and end when they are told to.

`asyncio.TaskGroup` cancels a task once. Before Python 3.12 that can be in vain:
`asyncio.wait_for`, which the bus's client uses, drops a cancellation that comes
at the moment of its result, and the group then waits for ever.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

Work = Coroutine[Any, Any, None]
# Seconds after which a task that goes on is cancelled again.
AGAIN = 0.5


async def together(*works: Work) -> None:
    """Runs them side by side until one ends; then ends the others. Raises what they raised, as a group."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await ended(tasks)
    _raise_faults(tasks)


@asynccontextmanager
async def beside(*works: Work) -> AsyncIterator[None]:
    """Runs them for as long as the block lasts. Raises what they raised, as a group, when it has ended well."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        await ended(tasks)
    _raise_faults(tasks)


async def ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancels tasks, again and again, until they are over; also when this is itself cancelled meanwhile."""
    pending = {task for task in tasks if not task.done()}
    interrupted: asyncio.CancelledError | None = None
    while pending:
        for task in pending:
            task.cancel()
        try:
            _, pending = await asyncio.wait(pending, timeout=AGAIN)
        except asyncio.CancelledError as cancelled:
            interrupted = cancelled
    if interrupted:
        raise interrupted


def _raise_faults(tasks: Iterable[asyncio.Task[None]]) -> None:
    faults = [fault for task in tasks if not task.cancelled() and (fault := task.exception())]
    if faults:
        raise BaseExceptionGroup("tasks beside each other", faults)
