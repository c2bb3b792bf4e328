"""Secret addresses: RPCs whose request itself carries what opens them, so that their paths are kept out of sight."""

from collections.abc import Iterable

from google.protobuf.descriptor import MethodDescriptor

from gateway.bindings import bindings
from quanyutong.options.v1 import options_pb2


def at_secret_address(method: MethodDescriptor) -> bool:
    """Whether the RPC is called without a token."""
    return bool(method.GetOptions().Extensions[options_pb2.access].scope == options_pb2.SCOPE_SECRET_ADDRESS)


def hidden_prefixes(methods: Iterable[MethodDescriptor]) -> list[str]:
    """How the paths begin that have a secret in them."""
    doors = bindings(method for method in methods if at_secret_address(method))
    return sorted({door.template.partition("{")[0] for door in doors})
