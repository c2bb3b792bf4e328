"""The end of the process, for calls that would outlast it: what streams for as long as it is watched pauses here."""

import asyncio
from contextvars import ContextVar

from chassis.errors import Refusal

# Set when the server stops. Each call has that of its server.
stopping: ContextVar[asyncio.Event] = ContextVar("stopping")


async def pause(seconds: float) -> None:
    """Raises Refusal SERVICE_UNAVAILABLE when the server stops meanwhile: the caller finds another one."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.get().wait()
    except TimeoutError:
        return
    raise Refusal("SERVICE_UNAVAILABLE")
