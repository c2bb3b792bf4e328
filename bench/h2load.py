"""The read's rate through both doors by h2load, which costs next to nothing itself; where it is installed."""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path

from bench.subjects import DISTRICT, UNIT
from quanyutong.registry.v1 import units_pb2
from tests.harness import Platform

PATH = "/quanyutong.registry.v1.RegistryService/GetUnit"
CONNECTIONS, STREAMS = 4, 4


def installed() -> str | None:
    return shutil.which("h2load")


async def rates(city: Platform, reply: units_pb2.Unit, seconds: float, rounds: int) -> dict[str, list[float]]:
    """Calls a second, by door, in turn."""
    found: dict[str, list[float]] = {"direct": [], "gateway": []}
    with tempfile.TemporaryDirectory() as scratch:
        body = Path(scratch) / "body"
        body.write_bytes(_framed(UNIT.SerializeToString()))
        size = len(_framed(reply.SerializeToString()))
        for _ in range(rounds):
            for door, rounds_of_door in found.items():
                said = await _h2load(city, door, body, seconds)
                rounds_of_door.append(_rate(said, size))
    return found


def _framed(message: bytes) -> bytes:
    """As gRPC sends it: not compressed, and its length before it."""
    return b"\0" + len(message).to_bytes(4, "big") + message


async def _h2load(city: Platform, door: str, body: Path, seconds: float) -> str:
    program = installed()
    assert program is not None
    address = city.address("gateway") if door == "gateway" else city.direct
    headers = {"content-type": "application/grpc", "te": "trailers", **dict(city.metadata(["clerk"], DISTRICT))}
    process = await asyncio.create_subprocess_exec(
        *(program, "-t1", f"-c{CONNECTIONS}", f"-m{STREAMS}", f"-D{seconds:.0f}", "-d", str(body)),
        *(part for name, value in headers.items() for part in ("-H", f"{name}: {value}")),
        f"http://{address}{PATH}",
        stdout=asyncio.subprocess.PIPE,
    )
    return (await process.communicate())[0].decode()


def _rate(said: str, size: int) -> float:
    """h2load does not read grpc-status, but a refused call has no message: the bytes tell."""
    rate = float(_number(r"finished in .*?, ([\d.]+) req/s", said))
    done, data = int(_number(r"(\d+) succeeded", said)), int(_number(r"\((\d+)\) data", said))
    assert done, said
    assert data >= done * size, f"{done} calls gave {data} bytes, not {size} each"
    return rate


def _number(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    assert found, said
    return found[1]
