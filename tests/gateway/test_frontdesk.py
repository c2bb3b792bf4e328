"""What the gateway answers itself, without a token: health and reflection of all services."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from gateway.frontdesk import HEALTH, REFLECTION
from gateway.health import GATEWAY
from tests.gateway.backend import SERVICE
from tests.gateway.gate import Gate, eventually, refused, running

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
async def channel(gate: Gate) -> AsyncIterator[grpc.aio.Channel]:
    async with gate.channel() as channel:
        yield channel


async def health(channel: grpc.aio.Channel, service: str) -> int:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    return int(answer.status)


@pytest.mark.parametrize("service", ["", SERVICE.full_name, GATEWAY])
async def test_health(channel: grpc.aio.Channel, service: str) -> None:
    assert await health(channel, service) == SERVING


async def test_health_of_an_unknown_service(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await health(channel, "quanyutong.nothing.v1.NothingService")
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


async def test_health_follows_the_services(gate: Gate, channel: grpc.aio.Channel) -> None:
    async def has(status: int) -> bool:
        return {await health(channel, name) for name in ("", SERVICE.full_name)} == {status}

    watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE.full_name))
    assert (await watched.read()).status == SERVING
    await gate.backend.stop()
    try:
        await eventually(lambda: has(NOT_SERVING))
        assert (await watched.read()).status == NOT_SERVING
        assert await health(channel, GATEWAY) == SERVING
    finally:
        await gate.backend.start()
    await eventually(lambda: has(SERVING))
    assert (await watched.read()).status == SERVING
    watched.cancel()


async def reflect(channel: grpc.aio.Channel, version: str, **question: Any) -> Any:
    method = channel.stream_stream(
        f"/{version}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    call = method()
    await call.write(reflection_pb2.ServerReflectionRequest(**question))
    answer = await call.read()
    await call.done_writing()
    return answer


@pytest.mark.parametrize("version", REFLECTION)
async def test_reflection_lists_every_service(channel: grpc.aio.Channel, version: str) -> None:
    answer = await reflect(channel, version, list_services="")
    assert {SERVICE.full_name, HEALTH} <= {service.name for service in answer.list_services_response.service}


@pytest.mark.parametrize("version", REFLECTION)
async def test_reflection_describes_every_listed_service(channel: grpc.aio.Channel, version: str) -> None:
    listed = await reflect(channel, version, list_services="")
    for service in listed.list_services_response.service:
        answer = await reflect(channel, version, file_containing_symbol=service.name)
        (first, *_) = answer.file_descriptor_response.file_descriptor_proto
        file = descriptor_pb2.FileDescriptorProto.FromString(first)
        assert service.name in {f"{file.package}.{described.name}" for described in file.service}


async def test_reflection_can_be_turned_off(tmp_path: Path) -> None:
    async with running(tmp_path, reflection=False) as gate, gate.channel() as channel:
        assert await health(channel, "") == SERVING
        for version in REFLECTION:
            # As one message: a stream may notice the refusal while it is still writing, and then has no words for it.
            method: Any = channel.unary_unary(f"/{version}/ServerReflectionInfo")
            assert await refused(method(b"")) == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_UNKNOWN")


async def test_bodies_are_read_for_envoy_alone(channel: grpc.aio.Channel) -> None:
    """Callers do not reach the service that reads REST bodies."""
    check: Any = channel.unary_unary("/envoy.service.auth.v3.Authorization/Check")
    assert await refused(check(b"")) == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_UNKNOWN")
