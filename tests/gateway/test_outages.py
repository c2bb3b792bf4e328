"""What callers see while something is down, and what is tried again on their behalf."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.health import GATEWAY
from gateway.upstream import Upstream
from tests.gateway.backend import Backend, Probes, probe_pb2, probe_pb2_grpc
from tests.gateway.gate import Gate, eventually, reason_of, refused, rest_status, running, stub

READ = probe_pb2.GetProbeRequest(name="probes/1")
WRITE = probe_pb2.CreateProbeRequest(probe=probe_pb2.Probe(name="probes/1"))
DOWN = (grpc.StatusCode.UNAVAILABLE, "SERVICE_UNAVAILABLE")


async def answers(gate: Gate, probe: Any) -> bool:
    try:
        await probe.GetProbe(READ, metadata=gate.signer.bearer(), timeout=5)
    except grpc.aio.AioRpcError as error:
        return error.code() != grpc.StatusCode.UNAVAILABLE
    return True


@pytest.fixture
async def down(gate: Gate) -> AsyncIterator[None]:
    """The service does not run, during the test."""
    await gate.backend.stop()
    yield
    await gate.backend.start()


async def test_service_down(gate: Gate, probe: Any, down: None) -> None:
    assert await refused(probe.GetProbe(READ, metadata=gate.signer.bearer())) == DOWN
    assert await refused(probe.CreateProbe(WRITE, metadata=gate.signer.bearer())) == DOWN
    async with gate.rest() as rest:
        for response in (await rest.get("/v1/probes/1"), await rest.post("/v1/probes", json={})):
            assert response.status_code == 503
            assert reason_of(rest_status(response)) == "SERVICE_UNAVAILABLE"


async def test_streams_of_a_service_that_is_down(gate: Gate, probe: Any, down: None) -> None:
    call = probe.WatchProbes(probe_pb2.WatchProbesRequest(), metadata=gate.signer.bearer())
    assert await refused(call.read()) == DOWN


async def test_what_the_gateway_refuses_is_refused_all_the_same(gate: Gate, probe: Any, down: None) -> None:
    assert (await refused(probe.GetProbe(READ)))[1] == "TOKEN_MISSING"


async def test_service_back_without_anybody_s_doing(gate: Gate, probe: Any) -> None:
    for _ in range(3):
        await gate.backend.stop()
        await eventually(lambda: _not(answers(gate, probe)))
        await gate.backend.start()
        await eventually(lambda: answers(gate, probe), within=5)


async def _not(answer: Any) -> bool:
    return not await answer


async def test_service_dies_during_a_call(gate: Gate, probe: Any, probes: Probes) -> None:
    request = probe_pb2.PokeProbeRequest(name="probes/slow")
    stream = probe.EchoProbes(metadata=gate.signer.bearer())
    await stream.write(probe_pb2.Probe(name="1"))
    await stream.read()
    await gate.backend.stop()
    with pytest.raises(grpc.aio.AioRpcError) as broken:
        await stream.read()
    assert broken.value.code() != grpc.StatusCode.OK
    await gate.backend.start()
    await eventually(lambda: answers(gate, probe))
    await probe.PokeProbe(request, metadata=gate.signer.bearer())


async def test_service_that_hangs(gate: Gate, probe: Any, down: None) -> None:
    """It takes connections and says nothing: calls are refused soon, although they have no deadline of their own."""
    host, _, port = gate.backend.address.partition(":")
    with socket.create_server((host, int(port))):

        async def refused_at_once() -> bool:
            try:
                async with asyncio.timeout(0.5):
                    outcome = await refused(probe.CreateProbe(WRITE, metadata=gate.signer.bearer()))
            except TimeoutError:
                return False
            return bool(outcome == DOWN)

        await eventually(refused_at_once, within=20)


@pytest.mark.parametrize("failures", [1, 2])
async def test_safe_call_is_tried_again(gate: Gate, probe: Any, probes: Probes, failures: int) -> None:
    await eventually(lambda: answers(gate, probe))
    probes.forget()
    probes.failures = failures
    await probe.GetProbe(READ, metadata=gate.signer.bearer())
    assert probes.calls["GetProbe"] == failures + 1


async def test_safe_call_is_tried_three_times_at_most(gate: Gate, probe: Any, probes: Probes) -> None:
    probes.failures = 99
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await probe.GetProbe(READ, metadata=gate.signer.bearer())
    assert (refused.value.code(), refused.value.details()) == (grpc.StatusCode.UNAVAILABLE, "not now")
    assert probes.calls["GetProbe"] == 3


async def test_safe_rest_call_is_tried_again(gate: Gate, probes: Probes) -> None:
    probes.failures = 1
    async with gate.rest() as rest:
        assert (await rest.get("/v1/probes/1")).status_code == 200
    assert probes.calls["GetProbe"] == 2


FORCED = (
    ("x-envoy-retry-on", "5xx,reset,connect-failure"),
    ("x-envoy-retry-grpc-on", "unavailable"),
    ("x-envoy-max-retries", "5"),
    ("x-envoy-hedge-on-per-try-timeout", "true"),
    ("x-envoy-upstream-rq-per-try-timeout-ms", "1"),
)


@pytest.mark.parametrize("asked_for", [(), FORCED], ids=["plainly", "with-headers-of-envoy"])
@pytest.mark.parametrize("method", ["CreateProbe", "PokeProbe", "CollectProbes", "EchoProbes", "WatchProbes"])
async def test_other_calls_are_never_tried_again(
    gate: Gate, probe: Any, probes: Probes, method: str, asked_for: tuple[tuple[str, str], ...]
) -> None:
    await eventually(lambda: answers(gate, probe))
    probes.forget()
    probes.failures = 1
    metadata = (*gate.signer.bearer(), *asked_for)
    message = {"CreateProbe": WRITE, "PokeProbe": probe_pb2.PokeProbeRequest(name="probes/1")}.get(method)
    if method == "WatchProbes":
        call: Any = probe.WatchProbes(probe_pb2.WatchProbesRequest(count=1), metadata=metadata).read()
    elif method == "EchoProbes":
        call = probe.EchoProbes(metadata=metadata).read()
    elif method == "CollectProbes":
        call = probe.CollectProbes(metadata=metadata)
    else:
        call = getattr(probe, method)(message, metadata=metadata)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert probes.calls[method] == 1


async def test_one_of_two_processes_is_enough(tmp_path: Path) -> None:
    other = Backend()
    async with running(tmp_path, others=[other]) as gate, stub(gate) as probe:
        await other.start()
        await gate.backend.stop()
        await eventually(lambda: answers(gate, probe))
        # Once the dead one is known to be dead, nobody is sent there.
        outcomes = await eventually(lambda: _all_pass(gate, probe))
        assert outcomes
        await other.stop()


async def _all_pass(gate: Gate, probe: Any) -> bool:
    calls = (probe.CreateProbe(WRITE, metadata=gate.signer.bearer()) for _ in range(20))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    return not any(isinstance(outcome, Exception) for outcome in outcomes)


async def test_envoy_killed(gate: Gate, probe: Any) -> None:
    """It is started again on the same port, and clients find it by themselves."""
    assert await answers(gate, probe)
    before = gate.envoy()
    before.kill()
    await eventually(lambda: answers(gate, probe))
    assert gate.envoy().pid != before.pid


async def test_service_that_never_ran(tmp_path: Path) -> None:
    """The gateway opens all the same, and one service's absence is not another's."""
    absent = Upstream("absent", ("127.0.0.1:1",), ())
    async with running(tmp_path, more=[absent]) as gate, stub(gate) as probe:
        assert await answers(gate, probe)


async def test_call_under_way_finishes_when_the_gateway_stops(tmp_path: Path) -> None:
    whole = running(tmp_path, shutdown_grace=10)
    gate = await whole.__aenter__()
    async with stub(gate) as probe, gate.channel() as observer:
        call = probe.EchoProbes(metadata=gate.signer.bearer())
        await call.write(probe_pb2.Probe(name="1"))
        assert (await call.read()).name == "1"
        stopping = asyncio.ensure_future(whole.__aexit__(None, None, None))
        await eventually(lambda: _leaving(observer))
        await call.write(probe_pb2.Probe(name="2"))
        assert (await call.read()).name == "2"
        assert not stopping.done()
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        await stopping


async def _leaving(observer: grpc.aio.Channel) -> bool:
    try:
        answer = await health_pb2_grpc.HealthStub(observer).Check(health_pb2.HealthCheckRequest(service=GATEWAY))
    except grpc.aio.AioRpcError:
        return True
    return bool(answer.status == answer.NOT_SERVING)


async def test_gateway_that_stops_waits_no_longer_than_its_grace(tmp_path: Path) -> None:
    async with running(tmp_path, shutdown_grace=0.2) as gate:
        channel = gate.channel()
        call = probe_pb2_grpc.ProbeServiceStub(channel).EchoProbes(metadata=gate.signer.bearer())
        await call.write(probe_pb2.Probe(name="1"))
        await call.read()
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 5
    await channel.close()
