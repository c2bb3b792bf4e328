"""The services, as a page asks them: with the token of whoever looks at it, in that person's language."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import EnumDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from gateway.health import CHANNEL_OPTIONS
from gateway.upstream import Upstream, methods

Metadata = Sequence[tuple[str, str]]
# A request's fields by their names: messages as mappings, values of enums by their names.
Fields = Mapping[str, Any]
# Seconds for an answer: a person looks at a page that loads.
PATIENCE = 10.0
STATUS_DETAILS = "grpc-status-details-bin"
# What each status is over HTTP (google.rpc.Code).
HTTP_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


@dataclass
class Refused(Exception):
    """A service does not do what a page asks for. `text` is for the person, in the language that was asked for."""

    status: int
    reason: str
    text: str
    retry_after: int = 0

    @classmethod
    def of(cls, error: grpc.aio.AioRpcError) -> Self:
        reason, retry = "", 0
        for key, value in error.trailing_metadata() or ():
            if key == STATUS_DETAILS:
                for detail in status_pb2.Status.FromString(value).details:
                    info, wait = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
                    if detail.Unpack(info):
                        reason = info.reason
                    elif detail.Unpack(wait):
                        retry = wait.retry_delay.seconds
        return cls(HTTP_STATUS.get(error.code(), 500), reason, error.details() or error.code().name, retry)


class Backend:
    """Channels to every process of every service. A page names an RPC; which service has it is looked up here."""

    def __init__(self, channels: Mapping[str, tuple[MethodDescriptor, Sequence[grpc.aio.Channel]]]) -> None:
        self._channels = channels

    @classmethod
    @asynccontextmanager
    async def over(cls, upstreams: Sequence[Upstream]) -> AsyncIterator[Self]:
        """With its channels, closed at the end."""
        async with AsyncExitStack() as opened:
            channels = {}
            for upstream in upstreams:
                own = [
                    await opened.enter_async_context(grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS))
                    for address in upstream.addresses
                ]
                for _, method in methods([upstream]):
                    channels[f"{upstream.name}.{method.name}"] = (method, own)
            yield cls(channels)

    async def ask(self, rpc: str, metadata: Metadata, fields: Fields) -> Any:
        """The answer of `service.Rpc`. Raises Refused; ValueError for a field that its request does not have."""
        method, channel = self._of(rpc)
        request = GetMessageClass(method.input_type)(**fields)
        call = channel.unary_unary(_path(method), _bytes, GetMessageClass(method.output_type).FromString)
        try:
            return await call(request, metadata=metadata, timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            raise Refused.of(error) from None

    async def follow(self, rpc: str, metadata: Metadata, fields: Fields) -> AsyncIterator[Any]:
        """The answers of a streaming RPC, until it ends. Raises Refused; ValueError."""
        method, channel = self._of(rpc)
        request = GetMessageClass(method.input_type)(**fields)
        call = channel.unary_stream(_path(method), _bytes, GetMessageClass(method.output_type).FromString)
        answers = call(request, metadata=metadata)
        try:
            async for answer in answers:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise Refused.of(error) from None
        finally:
            answers.cancel()

    def _of(self, rpc: str) -> tuple[MethodDescriptor, grpc.aio.Channel]:
        method, channels = self._channels[rpc]
        return method, random.choice(channels)  # noqa: S311 - which process answers is no secret


def enum(full_name: str) -> EnumDescriptor:
    """An enum of the protos, by its name without `quanyutong.`: `meetings.v1.MeetingKind`."""
    return descriptor_pool.Default().FindEnumTypeByName(f"quanyutong.{full_name}")


def _path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def _bytes(request: Message) -> bytes:
    return request.SerializeToString()
