"""A gRPC call through the gateway is the same call: kinds, metadata, deadlines, cancellation, errors."""

import asyncio
from typing import Any

import grpc
import pytest

from tests.gateway.backend import LEAD, TRAIL, Probes, fault, probe_pb2
from tests.gateway.gate import Gate, eventually


def probe_named(*names: str) -> list[Any]:
    return [probe_pb2.Probe(display_name=name) for name in names]


async def test_unary(gate: Gate, probe: Any) -> None:
    answer = await probe.GetProbe(probe_pb2.GetProbeRequest(name="probes/1"), metadata=gate.signer.bearer())
    assert answer.display_name == "全过程人民民主"


async def test_server_stream(gate: Gate, probe: Any) -> None:
    answers = probe.WatchProbes(probe_pb2.WatchProbesRequest(count=50), metadata=gate.signer.bearer())
    assert [answer.name async for answer in answers] == [f"probes/{number}" for number in range(50)]


async def test_client_stream(gate: Gate, probe: Any) -> None:
    answer = await probe.CollectProbes(iter(probe_named("一", "二", "三")), metadata=gate.signer.bearer())
    assert list(answer.display_names) == ["一", "二", "三"]


async def test_both_ways_each_message_as_it_is_sent(gate: Gate, probe: Any) -> None:
    call = probe.EchoProbes(metadata=gate.signer.bearer())
    for sent in probe_named("一", "二"):
        await call.write(sent)
        assert await call.read() == sent
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


@pytest.mark.parametrize("kind", ["unary", "stream"])
async def test_cancellation_reaches_the_service(gate: Gate, probe: Any, probes: Probes, kind: str) -> None:
    if kind == "unary":
        call = probe.GetProbe(probe_pb2.GetProbeRequest(name="probes/slow"), metadata=gate.signer.bearer())
        waiting = asyncio.ensure_future(call)
        await eventually(lambda: probes.calls["GetProbe"])
        waiting.cancel()
    else:
        call = probe.WatchProbes(probe_pb2.WatchProbesRequest(), metadata=gate.signer.bearer())
        await call.read()
        call.cancel()
    await asyncio.wait_for(probes.cancelled.wait(), 10)


async def test_deadline_reaches_the_service(gate: Gate, probe: Any, probes: Probes) -> None:
    await probe.GetProbe(probe_pb2.GetProbeRequest(name="probes/1"), metadata=gate.signer.bearer(), timeout=7)
    assert probes.deadline is not None
    assert 5 < probes.deadline < 8


async def test_a_call_without_deadline_has_none(gate: Gate, probe: Any, probes: Probes) -> None:
    await probe.GetProbe(probe_pb2.GetProbeRequest(name="probes/1"), metadata=gate.signer.bearer())
    assert probes.deadline is None


async def test_passed_deadline_ends_the_call_on_both_sides(gate: Gate, probe: Any, probes: Probes) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await probe.GetProbe(probe_pb2.GetProbeRequest(name="probes/slow"), metadata=gate.signer.bearer(), timeout=0.3)
    assert refused.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(probes.cancelled.wait(), 10)


async def test_metadata_in(gate: Gate, probe: Any, probes: Probes) -> None:
    sent = (
        ("x-district", "500101"),
        ("x-request-id", "not-a-uuid"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("accept-language", "en"),
        ("x-probe", "one"),
        ("x-probe", "two"),
        ("x-probe-bin", bytes(range(256))),
    )
    await probe.GetProbe(probe_pb2.GetProbeRequest(name="probes/1"), metadata=(*gate.signer.bearer(), *sent))
    arrived = [(key, value) for key, value in probes.metadata if key in dict(sent)]
    assert sorted(map(repr, arrived)) == sorted(map(repr, sent))


async def test_nothing_of_the_gateway_s_own_is_added(gate: Gate, probe: Any, probes: Probes) -> None:
    await probe.GetProbe(probe_pb2.GetProbeRequest(name="probes/1"), metadata=gate.signer.bearer())
    assert {key for key, _ in probes.metadata} <= {"user-agent", "authorization", "x-forwarded-proto"}


async def test_token_arrives_as_it_was_sent(gate: Gate, probe: Any, probes: Probes) -> None:
    bearer = gate.signer.bearer()
    await probe.GetProbe(probe_pb2.GetProbeRequest(name="probes/1"), metadata=bearer)
    assert dict(probes.metadata)["authorization"] == bearer[0][1]


async def test_metadata_and_trailers_out(gate: Gate, probe: Any) -> None:
    call = probe.GetProbe(probe_pb2.GetProbeRequest(name="probes/leading"), metadata=gate.signer.bearer())
    await call
    assert set(LEAD) <= set(await call.initial_metadata())
    assert set(TRAIL) <= set(await call.trailing_metadata())


async def test_error_details_are_equal_to_the_byte(gate: Gate, probe: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await probe.GetProbe(probe_pb2.GetProbeRequest(name="probes/faulty"), metadata=gate.signer.bearer())
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert refused.value.details() == fault().message
    assert dict(refused.value.trailing_metadata())["grpc-status-details-bin"] == fault().SerializeToString()


async def test_large_answer(gate: Gate, probe: Any) -> None:
    request = probe_pb2.GetProbeRequest(name="probes/1", padding=3_500_000)
    answer = await probe.GetProbe(request, metadata=gate.signer.bearer())
    assert len(answer.display_name.encode()) > 3_400_000


async def test_large_request(gate: Gate, probe: Any) -> None:
    sent = probe_pb2.Probe(name="probes/1", display_name="民" * 1_000_000)
    answer = await probe.CreateProbe(probe_pb2.CreateProbeRequest(probe=sent), metadata=gate.signer.bearer())
    assert answer == sent
