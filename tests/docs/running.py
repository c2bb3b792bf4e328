"""Runs what a document tells its reader to run, against a platform of the tests."""

import asyncio
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import grpc

from quanyutong.registry.v1 import units_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.harness import ROOT, Platform, reason, until

# The address in the documents, which a test cannot have: other processes of this machine may.
ADDRESS = "127.0.0.1:8080"
BLOCK = re.compile(r"<!-- executed by (tests/docs/\w+\.py) -->\n```(sh|python)\n(.*?)```", re.DOTALL)
PROGRAMS = Path(sys.executable).parent


def blocks(document: str, language: str, test: str) -> str:
    """The blocks of a document that a test executes, as one program."""
    found = BLOCK.findall((ROOT / document).read_text())
    return "\n".join(text for by, kind, text in found if (by, kind) == (f"tests/docs/{test}.py", language))


def here(city: Platform, text: str) -> str:
    """A document's text for this platform: with its address, and the programs of this environment."""
    return text.replace(ADDRESS, urlsplit(city.gateway).netloc).replace(".venv/bin/", f"{PROGRAMS}/")


async def run(city: Platform, *command: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={
            **os.environ,
            **city.environment,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}:{ROOT / 'client'}",
            **environment,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    return said.decode()


async def known(city: Platform, district: str) -> None:
    """Waits until the gateway knows a district that the platform begins with."""

    async def answered() -> bool:
        async with grpc.aio.insecure_channel(city.address("gateway")) as channel:
            try:
                await RegistryServiceStub(channel).ListUnits(
                    units_pb2.ListUnitsRequest(), metadata=city.metadata(["viewer"], district)
                )
            except grpc.aio.AioRpcError as error:
                return reason(error) != "ERROR_REASON_DISTRICT_UNKNOWN"
            return True

    await until(answered)
