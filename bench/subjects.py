"""What is compared: a read and a write through both doors of a platform, and the floors under them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import grpc
import psutil

from bench import floor
from bench.measure import Subject
from bench.processes import served_by
from quanyutong.registry.v1 import persons_pb2, units_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.harness import Platform

UNIT = units_pb2.GetUnitRequest(name="units/500102013")
DISTRICT = "500102"


def a_person() -> persons_pb2.CreatePersonRequest:
    return persons_pb2.CreatePersonRequest(person=persons_pb2.Person(display_name="试验者"), request_id=str(uuid4()))


@asynccontextmanager
async def subjects(city: Platform) -> AsyncIterator[dict[str, Subject]]:
    """By their short names; a floor stands before what is compared with it."""
    metadata = city.metadata(["clerk"], DISTRICT)
    served = served_by(city)
    own = {"services": served["services"]}
    both = own | {"envoy": served["envoy"]}
    async with AsyncExitStack() as stack:

        async def channel(address: str) -> grpc.aio.Channel:
            return await stack.enter_async_context(grpc.aio.insecure_channel(address))

        port, process = await stack.enter_async_context(_floors(city.postgres.url))
        echo, insert = _bare(await channel(f"127.0.0.1:{port}"))
        direct = RegistryServiceStub(await channel(city.direct))
        gateway = RegistryServiceStub(await channel(city.address("gateway")))
        bare = {"services": process}
        yield {
            "echo": Subject("bare echo", lambda: echo(UNIT, metadata=metadata), bare),
            "read": Subject("read, directly", lambda: direct.GetUnit(UNIT, metadata=metadata), own),
            "read_gateway": Subject("read, gateway", lambda: gateway.GetUnit(UNIT, metadata=metadata), both),
            "insert": Subject("bare insert", lambda: insert(a_person(), metadata=metadata), bare),
            "write": Subject("write, directly", lambda: direct.CreatePerson(a_person(), metadata=metadata), own),
            "write_gateway": Subject(
                "write, gateway", lambda: gateway.CreatePerson(a_person(), metadata=metadata), both
            ),
        }


@asynccontextmanager
async def _floors(url: str) -> AsyncIterator[tuple[int, psutil.Process]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.floor", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    # Not as an argument, which every user of the machine could read: it holds a password.
    process.stdin.write(f"{url}\n".encode())
    try:
        yield int(await process.stdout.readline()), psutil.Process(process.pid)
    finally:
        process.stdin.close()
        await process.wait()


def _bare(channel: grpc.aio.Channel) -> tuple[Any, Any]:
    """The calls of the floors, with the messages of those compared with them."""
    echo = channel.unary_unary(
        f"/{floor.SERVICE}/Echo",
        request_serializer=units_pb2.GetUnitRequest.SerializeToString,
        response_deserializer=units_pb2.Unit.FromString,
    )
    insert = channel.unary_unary(
        f"/{floor.SERVICE}/Insert",
        request_serializer=persons_pb2.CreatePersonRequest.SerializeToString,
        response_deserializer=persons_pb2.Person.FromString,
    )
    return echo, insert
