"""How long everything takes, with its servers embedded in one folder, until the gateway answers a call."""

import time
from pathlib import Path
from urllib.parse import urlsplit

import grpc

from bench.subjects import DISTRICT, UNIT
from chassis import development
from chassis.settings import Settings
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.harness import Process


async def starts(folder: Path) -> dict[str, float]:
    """Seconds of the first start, which makes the database, and of the second."""
    return {which: await _start(which, folder) for which in ("first", "second")}


async def _start(which: str, folder: Path) -> float:
    begun = time.perf_counter()
    process = await Process.start(which, ["services", "serve"], {"QYT_STATE": str(folder / "state")}, folder)
    try:
        token = development.token(Settings(state=folder / "state"), "bench", ["viewer"], DISTRICT)
        async with grpc.aio.insecure_channel(urlsplit(process.said["gateway"]).netloc) as channel:
            await RegistryServiceStub(channel).GetUnit(UNIT, metadata=[("authorization", f"Bearer {token}")])
        return time.perf_counter() - begun
    finally:
        await process.leashed.stop()
