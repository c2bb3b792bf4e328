"""Runs what the README tells its reader to run, against a platform as the README starts one."""

import shutil
import sys
from collections.abc import Sequence

import grpc
import pytest

from quanyutong.registry.v1 import persons_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.docs.running import blocks, here, known, run
from tests.harness import ROOT, Platform

DISTRICT = "500102"


def _text(city: Platform, language: str) -> str:
    return here(city, blocks("README.md", language, "test_readme"))


@pytest.fixture
async def fuling(city: Platform) -> Platform:
    """A platform that knows the README's district."""
    await known(city, DISTRICT)
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
    said = await run(fuling, "bash", "-euo", "pipefail", "-c", _text(fuling, "sh"))
    assert said.count('"UNIT_KIND_SUBDISTRICT"') == 3
    assert len(await _persons(fuling)) == len(before) + 1


async def test_the_calls_with_python(fuling: Platform) -> None:
    before = await _persons(fuling)
    said = await run(fuling, sys.executable, "-c", _text(fuling, "python"), TOKEN=fuling.token(["clerk"], DISTRICT))
    assert said.strip() in (ROOT / "README.md").read_text()
    assert said.startswith("PERMISSION_DENIED ")
    assert len(await _persons(fuling)) == len(before) + 1
