"""The floors: a bare grpc.aio server that echoes, and that inserts one row with bare asyncpg.

    python -m bench.floor

Reads PostgreSQL's URL, a line of its input, and prints its port. The messages are those of the
calls that are compared with it.
"""

import asyncio
import sys
from typing import Any

import asyncpg
import grpc
import uvloop

from quanyutong.registry.v1 import persons_pb2, units_pb2

SERVICE = "bench.Floor"
TABLE = "CREATE TABLE IF NOT EXISTS floor (id uuid PRIMARY KEY DEFAULT uuidv7(), display_name text NOT NULL)"
INSERT = "INSERT INTO floor (display_name) VALUES ($1)"
POOL = 16


async def serve(url: str) -> None:
    pool = await asyncpg.create_pool(url, min_size=POOL, max_size=POOL)
    await pool.execute(TABLE)
    unit = units_pb2.Unit(name="units/500102013", display_name="白涛街道", kind=units_pb2.UNIT_KIND_SUBDISTRICT)

    async def echo(_: Any, __: Any) -> units_pb2.Unit:
        return unit

    async def insert(request: persons_pb2.CreatePersonRequest, _: Any) -> persons_pb2.Person:
        async with pool.acquire() as connection:
            await connection.execute(INSERT, request.person.display_name)
        return request.person

    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Echo": grpc.unary_unary_rpc_method_handler(
            echo, units_pb2.GetUnitRequest.FromString, units_pb2.Unit.SerializeToString
        ),
        "Insert": grpc.unary_unary_rpc_method_handler(
            insert, persons_pb2.CreatePersonRequest.FromString, persons_pb2.Person.SerializeToString
        ),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until its starter lets go
    await server.stop(None)


if __name__ == "__main__":
    uvloop.run(serve(sys.stdin.readline().strip()))
