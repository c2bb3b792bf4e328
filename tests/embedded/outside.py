"""A server as others see it: by nothing but its URL and its process id."""

import asyncpg
import psutil
from nats.aio.client import Client


def gone(pid: int) -> bool:
    """Whether the process has ended, also where nobody has asked for its exit code yet."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def own_children(before: list[psutil.Process]) -> list[psutil.Process]:
    """The processes that this one has started since; other tests may keep platforms running beside."""
    return [child for child in psutil.Process().children() if child not in before]


async def reach(url: str) -> None:
    """Returns if the server lets us in, raises what the client raises otherwise."""
    if url.startswith("nats:"):
        client = Client()
        try:
            await client.connect(url, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0)
            await client.jetstream().account_info()
        finally:
            await client.close()
    else:
        await (await asyncpg.connect(url)).close()


async def value(url: str, query: str) -> object:
    """The one value of an SQL statement."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
