"""Runs what the README tells its reader to run, against a platform as the README starts one."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import pytest

from quanyutong.registry.v1 import persons_pb2, units_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.harness import ROOT, Platform, reason, until

# The address in the README, which a test cannot have: other processes of this machine may.
ADDRESS = "127.0.0.1:8080"
DISTRICT = "500102"
BLOCK = re.compile(r"<!-- executed by tests/docs/test_readme\.py -->\n```(sh|python)\n(.*?)```", re.DOTALL)
PROGRAMS = Path(sys.executable).parent


def _blocks(language: str) -> str:
    found = BLOCK.findall((ROOT / "README.md").read_text())
    return "\n".join(text for kind, text in found if kind == language)


async def _run(city: Platform, *command: str, **environment: str) -> str:
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


def _here(city: Platform, text: str) -> str:
    """The README's text for this platform: with its address, and the programs of this environment."""
    assert ADDRESS in text
    return text.replace(ADDRESS, urlsplit(city.gateway).netloc).replace(".venv/bin/", f"{PROGRAMS}/")


@pytest.fixture
async def fuling(city: Platform) -> Platform:
    """A platform that knows the README's district."""

    async def known() -> bool:
        async with grpc.aio.insecure_channel(city.address("gateway")) as channel:
            try:
                await RegistryServiceStub(channel).ListUnits(
                    units_pb2.ListUnitsRequest(), metadata=city.metadata(["viewer"], DISTRICT)
                )
            except grpc.aio.AioRpcError as error:
                return reason(error) != "ERROR_REASON_DISTRICT_UNKNOWN"
            return True

    await until(known)
    return city


async def _persons(city: Platform) -> Sequence[persons_pb2.Person]:
    async with grpc.aio.insecure_channel(city.address("gateway")) as channel:
        request = persons_pb2.ListPersonsRequest(display_name_prefix="陈某")
        answer = await RegistryServiceStub(channel).ListPersons(request, metadata=city.metadata(["clerk"], DISTRICT))
        return answer.persons


async def test_the_calls_with_curl(fuling: Platform) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    before = await _persons(fuling)
    said = await _run(fuling, "bash", "-euo", "pipefail", "-c", _here(fuling, _blocks("sh")))
    assert said.count('"UNIT_KIND_SUBDISTRICT"') == 3
    assert len(await _persons(fuling)) == len(before) + 1


async def test_the_calls_with_python(fuling: Platform) -> None:
    before = await _persons(fuling)
    said = await _run(
        fuling, sys.executable, "-c", _here(fuling, _blocks("python")), TOKEN=fuling.token(["clerk"], DISTRICT)
    )
    assert said.strip() in (ROOT / "README.md").read_text()
    assert said.startswith("PERMISSION_DENIED ")
    assert len(await _persons(fuling)) == len(before) + 1
