"""`qyt serve --workers 2`: two processes on two ports, each started again when it dies, gone with their parent."""

import os
import signal
from pathlib import Path

import grpc
import psutil

from chassis.embedded.ports import RANGE, free_port, is_free
from quanyutong.registry.v1 import districts_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.embedded.outside import gone
from tests.harness import Platform, Process, until


async def test_two_workers_one_of_them_killed(city: Platform, tmp_path: Path) -> None:
    """The port set for the service alone is the first one's, and the other has the next."""
    port = next(port for port in iter(free_port, None) if port + 1 in RANGE and is_free(port + 1))
    environment = city.environment | {"QYT_REGISTRY_LISTEN": f"127.0.0.1:{port}", "QYT_METRICS_LISTEN": "127.0.0.1:0"}
    process = await Process.start(
        "workers", ["services", "serve", "--target=registry", "--workers=2"], environment, tmp_path
    )
    first, second = process.said["services"]
    assert [first, second] == [f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"]
    for address in (first, second):
        await until(lambda address=address: serves(city, address))  # type: ignore[misc]
    killed, spared = listener(port), listener(port + 1)
    os.kill(killed, signal.SIGKILL)
    assert await serves(city, second)
    await until(lambda: serves(city, first))
    assert listener(port) != killed
    assert listener(port + 1) == spared
    workers = [listener(port), listener(port + 1)]
    os.kill(process.leashed.pid, signal.SIGTERM)
    assert await process.leashed.wait() == 0
    assert all(gone(worker) for worker in workers)


async def serves(city: Platform, address: str) -> bool:
    async with grpc.aio.insecure_channel(address) as channel:
        try:
            await RegistryServiceStub(channel).ListDistricts(
                districts_pb2.ListDistrictsRequest(), metadata=city.metadata(["operator"]), timeout=5
            )
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            return False
    return True


def listener(port: int) -> int:
    """The process that listens there."""
    (pid,) = {c.pid for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr.port == port}
    assert pid
    return int(pid)
