"""What one process of a service does for all of them: relay, consumers, clearing up.

The process that holds the service's advisory lock does it; when it dies, the
lock goes with its connection and another takes over. One relay and one consumer
at a time keep the order of events.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import URL

from chassis.bus import NatsError
from chassis.database import fault_of
from chassis.idempotency import KEPT_HOURS
from chassis.tasks import together

log = logging.getLogger(__name__)
Connect = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]
Duty = Callable[[Connect], Coroutine[Any, Any, None]]
# Seconds between two tries to become the one, after a fault, and between two clearings.
RETRY = 0.5
CLEARING = 600.0


async def lead(url: URL, schema: str, duties: Sequence[Duty]) -> None:
    """Runs the duties for as long as this process is the one; for ever, through every fault of its servers."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(
            url.set(drivername="postgresql").render_as_string(hide_password=False),
            timeout=5,
            command_timeout=30,
            server_settings={
                "search_path": f"{schema}, public",
                "application_name": f"qyt-{schema}-duties",
                # The server asks after us: the lock of a machine that vanished is free in seconds, not hours.
                "tcp_keepalives_idle": "5",
                "tcp_keepalives_interval": "2",
                "tcp_keepalives_count": "3",
            },
        )
        try:
            yield connection
        finally:
            connection.terminate()

    told: list[str] = []
    while True:
        try:
            await _once(connect, schema, duties, told)
        except* Exception as faults:
            told[:] = _log(faults, schema, told)
        await asyncio.sleep(RETRY)


async def _once(connect: Connect, schema: str, duties: Sequence[Duty], told: list[str]) -> None:
    async with connect() as lock:
        # Not the waiting kind of lock: that is a statement for hours, which holds back every vacuum.
        while not await lock.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", f"qyt-{schema}"):  # noqa: ASYNC110
            await asyncio.sleep(RETRY)
        log.info("leading", extra={"service": schema})
        told.clear()
        await together(_held(lock), *(duty(connect) for duty in duties))


async def _held(lock: asyncpg.Connection) -> None:
    lost = asyncio.Event()
    lock.add_termination_listener(lambda _: lost.set())
    if not lock.is_closed():
        await lost.wait()
    raise ConnectionResetError("the connection that holds the lock is gone")


async def clear_answers(connect: Connect) -> None:
    """Forgets the answers of requests that are older than they are kept."""
    while True:
        async with connect() as connection:
            await connection.execute(
                "DELETE FROM idempotency WHERE answered_at < now() - make_interval(hours => $1)", KEPT_HOURS
            )
        await asyncio.sleep(CLEARING)


def _log(faults: BaseExceptionGroup[Exception], schema: str, told: Sequence[str]) -> list[str]:
    """A fault of a server is a warning, given once; anything else is a mistake of ours, logged with its trace.

    Returns the kinds of fault that are known by now.
    """
    away, ours = faults.split(lambda fault: isinstance(fault, NatsError) or fault_of(fault) is not None)
    kinds = sorted(set(_kinds(away))) if away else []
    if kinds and kinds != told:
        log.warning("duties interrupted", extra={"service": schema, "kinds": kinds})
    if ours:
        log.error("duties failed", exc_info=ours, extra={"service": schema})
    return kinds


def _kinds(group: BaseExceptionGroup[Any]) -> list[str]:
    return [
        kind
        for fault in group.exceptions
        for kind in (_kinds(fault) if isinstance(fault, BaseExceptionGroup) else [type(fault).__name__])
    ]
