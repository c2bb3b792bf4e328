"""Every RPC of every service, as the descriptors declare it, and a way to call each by its bytes.

New services and new RPCs are found here, so the suites that iterate over them need no editing.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from chassis.errors import STATUS_CODES, Catalogue
from chassis.rpc import Rpc, inventory
from services.__main__ import TARGETS

RPCS: dict[str, Rpc] = dict(inventory(manifest.service for manifest in TARGETS.values()))
METHODS: dict[str, MethodDescriptor] = {
    f"/{manifest.service.full_name}/{method.name}": method
    for manifest in TARGETS.values()
    for method in manifest.service.methods
}
CATALOGUES = {manifest.service.full_name: Catalogue(manifest.reasons) for manifest in TARGETS.values()}
Metadata = Sequence[tuple[str, str | bytes]]
# Streams that go on until what they watch is over: the first answer is all that is read of them.
ENDLESS = frozenset({"WatchMeeting", "WatchTurnout", "WatchOverview", "WatchEvents"})

# What the city adds up comes some seconds after what it is made of, and means are of all districts.
OF_CITY = frozenset({"GetDistrictOverview", "GetDistrictTimeSeries"})


def short(path: str) -> str:
    """`GetUnit` of `/quanyutong.registry.v1.RegistryService/GetUnit`: what a test is called."""
    return path.rpartition("/")[2]


def request_of(path: str) -> type[Message]:
    return GetMessageClass(METHODS[path].input_type)


def answer_of(path: str) -> type[Message]:
    return GetMessageClass(METHODS[path].output_type)


@dataclass(frozen=True)
class Outcome:
    """How a call ended: its code, the reason of its refusal without the prefix, its answers as bytes."""

    code: grpc.StatusCode
    reason: str = ""
    text: str = ""
    status: status_pb2.Status = field(default_factory=status_pb2.Status, compare=False)
    answers: tuple[bytes, ...] = ()


async def outcome(channel: grpc.aio.Channel, path: str, messages: Sequence[bytes], metadata: Any = ()) -> Outcome:
    """Calls an RPC of any of the four kinds with ready bytes. `messages` has one entry unless requests are streamed."""
    rpc = RPCS[path]
    kind = f"{'stream' if rpc.request_streaming else 'unary'}_{'stream' if rpc.response_streaming else 'unary'}"
    request: Any = _each(messages) if rpc.request_streaming else messages[0]
    call = getattr(channel, kind)(path)(request, metadata=metadata, timeout=30)
    try:
        answers = await _answers(path, call) if rpc.response_streaming else [await call]
    except grpc.aio.AioRpcError as error:
        return _refusal(error)
    return Outcome(grpc.StatusCode.OK, answers=tuple(answers))


async def _answers(path: str, call: Any) -> list[bytes]:
    if short(path) not in ENDLESS:
        return [answer async for answer in call]
    first = await call.read()
    call.cancel()
    return [first]


async def _each(messages: Sequence[bytes]) -> AsyncIterator[bytes]:
    for message in messages:
        yield message


def _refusal(error: grpc.aio.AioRpcError) -> Outcome:
    metadata = dict(error.trailing_metadata() or ())
    found = status_pb2.Status.FromString(metadata.get("grpc-status-details-bin", b""))
    reasons = [_reason(detail) for detail in found.details if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
    # A refusal has exactly one; anything else is shown, so that no comparison with a reason holds.
    reason = reasons[0] if len(reasons) == 1 else f"{len(reasons)} reasons"
    return Outcome(error.code(), reason, error.details() or "", found)


def _reason(detail: Any) -> str:
    info = error_details_pb2.ErrorInfo()
    detail.Unpack(info)
    return str(info.reason).removeprefix("ERROR_REASON_")


def code_of(path: str, reason: str) -> grpc.StatusCode:
    """The status code that errors.proto declares for the reason. KeyError when no errors.proto has it."""
    return STATUS_CODES[CATALOGUES[RPCS[path].service][reason].code]
