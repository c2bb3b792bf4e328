"""What makes a request of the demo repeatable."""

from typing import TypeVar
from uuid import NAMESPACE_URL, uuid5

from google.protobuf.message import Message

R = TypeVar("R", bound=Message)


def identified(request: R, caller: str = "") -> R:
    """With the request_id of exactly this request, by this caller: repeated by a later run, it is the same."""
    content = request.SerializeToString(deterministic=True).hex()
    said = f"quanyutong-demo/{request.DESCRIPTOR.name}/{caller}{content}"
    request.request_id = str(uuid5(NAMESPACE_URL, said))  # type: ignore[attr-defined]
    return request
