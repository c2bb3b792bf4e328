"""A collector of OpenTelemetry that writes everything it is sent into files, one for traces, metrics and logs each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc


class _Writing(grpc.GenericRpcHandler):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        """Whatever the method is, its request is kept as it is, and the answer has no fields."""
        file = self._folder / details.method.split("/")[1].rpartition(".")[2]

        async def keep(request: bytes, _: Any) -> bytes:
            with file.open("ab") as kept:
                kept.write(request)
            return b""

        return grpc.unary_unary_rpc_method_handler(keep)


@asynccontextmanager
async def collecting(folder: Path) -> AsyncIterator[str]:
    """Its address. The files in the folder are `TraceService`, `MetricsService` and `LogsService`."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([_Writing(folder)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.stop(None)
