"""PostgreSQL and NATS beside the platform, so that one command on one machine is a whole platform.

Their data outlives them, they never outlive the process that started them, and
nothing of them is reachable from another machine. In a cluster the platform is
given the addresses of real ones and nothing of this is loaded.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chassis.embedded.nats import EmbeddedNats
from chassis.embedded.postgres import EmbeddedPostgres
from chassis.embedded.server import EmbeddedServer, EmbeddedServerFailed

__all__ = ["EmbeddedNats", "EmbeddedPostgres", "EmbeddedServerFailed", "EmbeddedServers", "embedded_servers"]


@dataclass(frozen=True, slots=True)
class EmbeddedServers:
    """Where they are: URLs with passwords, None for one that was not asked for."""

    postgres: str | None = field(repr=False)
    nats: str | None = field(repr=False)


@asynccontextmanager
async def embedded_servers(state: Path, *, postgres: bool, nats: bool) -> AsyncIterator[EmbeddedServers]:
    """Runs the servers asked for, each in its folder under `state`, until the block ends.

    Raises EmbeddedServerFailed, with none of them left running.
    """
    database = EmbeddedPostgres(state / "postgres") if postgres else None
    events = EmbeddedNats(state / "nats") if nats else None
    servers: list[EmbeddedServer] = [server for server in (database, events) if server is not None]
    try:
        await _all(server.start() for server in servers)
        yield EmbeddedServers(database.url if database else None, events.url if events else None)
    finally:
        await _all(server.stop() for server in servers)


async def _all(actions: Iterable[Coroutine[None, None, None]]) -> None:
    """Waits for every one to end, whatever the others did, then raises the first failure."""
    for outcome in await asyncio.gather(*actions, return_exceptions=True):
        if outcome is not None:
            raise outcome
