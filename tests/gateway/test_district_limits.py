"""A limit for each district: it stops that district alone, and nothing but the token says which one that is."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import grpc
import pytest

from chassis.directory import District
from gateway import limits
from tests.gateway.backend import probe_pb2
from tests.gateway.gate import FULING, WANZHOU, Gate, eventually, reason_of, refused, rest_status

REQUEST = probe_pb2.GetProbeRequest(name="probes/1")
Metadata = Sequence[tuple[str, str]]
LIMIT = 5
BURST = 60


@pytest.fixture
async def limited(gate: Gate) -> District:
    """A district that may call a few times a second, its limit in force."""
    district = District(f"5002{len(gate.directory.entries):02}", "小区", calls_per_second=LIMIT)
    gate.directory.put(district)
    await eventually(lambda: district.code in (gate.settings.state / "gateway" / "routes.json").read_text())
    return district


async def passed(probe: Any, metadata: Metadata, times: int = BURST) -> int:
    """How many of so many calls at once got through; the others must have been refused by the limit."""
    calls = [asyncio.ensure_future(_passes(probe, metadata)) for _ in range(times)]
    return sum(await asyncio.gather(*calls))


async def _passes(probe: Any, metadata: Metadata) -> bool:
    try:
        await probe.GetProbe(REQUEST, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
            return False
        raise
    return True


async def limit_in_force(probe: Any, metadata: Metadata, at_least: int, at_most: int) -> None:
    async def within() -> bool:
        return at_least <= await passed(probe, metadata) <= at_most

    await eventually(within)


async def test_district_is_held_to_its_limit(gate: Gate, probe: Any, limited: District) -> None:
    await limit_in_force(probe, gate.signer.bearer(limited.code), 1, 4 * LIMIT)


async def test_the_refusal(gate: Gate, probe: Any, limited: District) -> None:
    metadata = gate.signer.bearer(limited.code)
    await limit_in_force(probe, metadata, 0, 4 * LIMIT)
    async with gate.rest(limited.code) as rest:
        responses = await asyncio.gather(*(rest.get("/v1/probes/1") for _ in range(20)))
    (response, *_) = [response for response in responses if response.status_code != 200]
    assert response.status_code == 429
    assert reason_of(rest_status(response)) == "RATE_LIMITED"
    calls = await asyncio.gather(
        *(probe.GetProbe(REQUEST, metadata=metadata) for _ in range(20)), return_exceptions=True
    )
    (error, *_) = [call for call in calls if isinstance(call, grpc.aio.AioRpcError)]

    async def again() -> None:
        raise error

    assert await refused(again()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")


async def test_other_callers_are_not_touched(gate: Gate, probe: Any, limited: District) -> None:
    storm = asyncio.ensure_future(passed(probe, gate.signer.bearer(limited.code), 300))
    assert await passed(probe, gate.signer.bearer(WANZHOU)) == BURST
    assert await passed(probe, gate.signer.bearer(None)) == BURST
    assert await storm < 300


@pytest.mark.parametrize("name", ["x-qyt-district", "x-qyt-scope", "x-district"])
async def test_no_header_takes_another_bucket(gate: Gate, probe: Any, limited: District, name: str) -> None:
    value = "municipal" if name == "x-qyt-scope" else FULING
    forged = (*gate.signer.bearer(limited.code), (name, value), (name, value))
    await limit_in_force(probe, forged, 0, 4 * LIMIT)


@pytest.mark.parametrize("name", ["x-qyt-district", "x-district"])
async def test_no_header_empties_another_bucket(gate: Gate, probe: Any, limited: District, name: str) -> None:
    aimed = (*gate.signer.bearer(WANZHOU), (name, limited.code))
    assert await passed(probe, aimed, 100) == 100
    assert await passed(probe, gate.signer.bearer(limited.code), 1) == 1


async def test_limit_changes_while_calls_run(gate: Gate, probe: Any, limited: District) -> None:
    """On one connection."""
    metadata = gate.signer.bearer(limited.code)
    await limit_in_force(probe, metadata, 0, 4 * LIMIT)
    gate.directory.put(replace(limited, calls_per_second=1000))
    await limit_in_force(probe, metadata, BURST, BURST)
    gate.directory.put(limited)
    await limit_in_force(probe, metadata, 0, 4 * LIMIT)


async def test_zero_means_the_platform_s_default(gate: Gate) -> None:
    config = limits.calls_per_second([District("500101", "万州区")], gate.settings)
    assert {entry["token_bucket"]["max_tokens"] for entry in config["descriptors"]} == {500}
