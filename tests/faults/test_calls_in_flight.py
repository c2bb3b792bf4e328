"""What becomes of calls that are under way: when the process is told to end, and when their client gives up."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import psutil
import pytest

from quanyutong.registry.v1 import assemblies_pb2, districts_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.embedded.outside import gone, value
from tests.faults.breaking import SERVICES, answers, holding, start_services, waiting
from tests.faults.load import CONGRESS_TERM, ROLES, Books, Client, balanced, delivered
from tests.harness import Platform, until

BUSY = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'qyt-registry' AND state <> 'idle'"
BACKEND = """SELECT pid, client_port FROM pg_stat_activity
             WHERE application_name = 'qyt-registry' AND wait_event_type = 'Lock'"""


@dataclass
class Held:
    """A call that waits inside its transaction, for as long as somebody else holds a row that it needs."""

    site: Platform
    books: dict[str, Books]
    begin: Callable[..., Any]
    let_go: Callable[[], Awaitable[None]]

    async def blocked(self) -> None:
        """Returns when the call has come as far as the row."""
        await waiting(self.site, "qyt-registry")


@pytest.fixture
async def held(site: Platform) -> AsyncIterator[Held]:
    district, books = await site.fresh_district(), Books()
    metadata = site.metadata(ROLES, district)
    async with grpc.aio.insecure_channel(site.direct) as channel:
        stub = RegistryServiceStub(channel)
        assembly = await Client(stub, metadata, books).assembly()
        request = assemblies_pb2.OpenTermRequest(parent=assembly, term=CONGRESS_TERM, request_id=str(uuid4()))
        books.terms.add(f"{assembly}/terms/{CONGRESS_TERM.number}")

        def begin(**how: Any) -> Any:
            return stub.OpenTerm(request, metadata=metadata, **how)

        async with holding(site, "SELECT FROM registry.assembly WHERE district = $1 FOR UPDATE", district) as let_go:
            yield Held(site, {district: books}, begin, let_go)


async def test_told_to_end_it_finishes_what_it_began(held: Held) -> None:
    """Not ready first; calls in flight are answered and their events relayed; then it ends, with status 0."""
    process = held.site.processes[SERVICES]
    probe = f"http://{process.said['metrics']}"
    assert answers(f"{probe}/ready") == 200
    call = asyncio.ensure_future(held.begin())
    await held.blocked()
    os.kill(process.leashed.pid, signal.SIGTERM)

    async def not_ready() -> bool:
        return await asyncio.to_thread(answers, f"{probe}/ready") == 503

    await until(not_ready)
    assert answers(f"{probe}/live") == 200
    async with grpc.aio.insecure_channel(held.site.direct) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await RegistryServiceStub(channel).ListDistricts(
                districts_pb2.ListDistrictsRequest(), metadata=held.site.metadata(["operator"])
            )
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert not call.done()
    await held.let_go()
    assert (await call).number == CONGRESS_TERM.number
    assert await process.leashed.wait() == 0
    assert gone(process.leashed.pid)
    assert await delivered(held.site)
    held.site.processes[SERVICES] = await start_services(held.site)
    await balanced(held.site, held.books)


async def test_client_that_gives_up_leaves_no_transaction(held: Held) -> None:
    calls = [held.begin(timeout=2), held.begin()]
    await held.blocked()  # the second waits for the first, whose request_id it has
    calls[1].cancel()
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await calls[0]
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED

    async def idle() -> bool:
        return await value(held.site.postgres.url, BUSY) == 0

    await until(idle, within=5)
    await held.let_go()
    assert (await held.begin()).number == CONGRESS_TERM.number
    await balanced(held.site, held.books)


async def test_connection_that_hangs_is_thrown_away(held: Held) -> None:
    """A database that neither answers nor closes the connection, as when its machine is gone, costs one call."""
    call = held.begin(timeout=1)
    await held.blocked()
    backend, port = await row(held.site, BACKEND)
    os.kill(backend, signal.SIGSTOP)
    try:
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await call
        assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        services = psutil.Process(held.site.processes[SERVICES].leashed.pid)

        async def given_up() -> bool:
            return port not in {connection.laddr.port for connection in services.net_connections("tcp")}

        await until(given_up, within=20)
    finally:
        os.kill(backend, signal.SIGCONT)
    await held.let_go()
    assert (await held.begin()).number == CONGRESS_TERM.number
    await balanced(held.site, held.books)


async def row(site: Platform, query: str) -> tuple[int, int]:
    connection = await asyncpg.connect(site.postgres.url)
    try:
        pid, port = await connection.fetchrow(query)
        return pid, port
    finally:
        await connection.close()
