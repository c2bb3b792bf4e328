"""A repeated request has the effect of one.

The answer of a mutation is stored under (district, caller, request_id) in the
transaction of its effect, for 24 hours. A write transaction asks first whether
the answer is there; if so the call ends with it. AIP-155.

The digest of what was asked is keyed: a request may hold what nobody may find in
the database, and of a number with few unknown digits a plain digest tells all.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from google.protobuf.message import Message

KEPT_HOURS = 24


@dataclass(frozen=True, slots=True)
class Request:
    """What makes a request the same: who sent it, under which id, and the digest of what was asked, under each of the
    keys: the first is stored, and an answer stored before a master key was replaced is found by another.
    """

    subject: str
    request_id: str
    digests: Sequence[bytes]

    @property
    def digest(self) -> bytes:
        return self.digests[0]


class Replayed(Exception):
    """The request was answered before; `answer` is the serialized message."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("answered before")
        self.answer = answer


_mutation: ContextVar[tuple[str, str, Sequence[bytes]]] = ContextVar("mutation")
_request: ContextVar[Request | None] = ContextVar("request", default=None)


def begin(subject: str, path: str, keys: Sequence[bytes]) -> None:
    """This task's call is a mutation of this RPC by this caller; `keys` are those of the digest, the newest first."""
    _mutation.set((subject, path, keys))


def identify(request_id: str, messages: Iterable[Message]) -> None:
    """Makes the call repeatable: the messages are all that was asked. An empty request_id asks for nothing."""
    if request_id:
        subject, path, keys = _mutation.get()
        digest = hashlib.sha256(path.encode())
        for message in messages:
            content = message.SerializeToString(deterministic=True)
            digest.update(len(content).to_bytes(8))  # or two messages could be taken for one
            digest.update(content)
        digests = [hmac.digest(key, digest.digest(), "sha256") for key in keys]
        _request.set(Request(subject, request_id, digests))


def current() -> Request | None:
    return _request.get()
