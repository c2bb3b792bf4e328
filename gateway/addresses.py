"""RPCs of which no log may have all: those at secret addresses, whose path opens something, and those of a secret
ballot, of which nothing is written down.
"""

from collections.abc import Iterable

from google.protobuf.descriptor import MethodDescriptor

from gateway.bindings import bindings
from quanyutong.options.v1 import options_pb2


def at_secret_address(method: MethodDescriptor) -> bool:
    """Whether the RPC is called without a token."""
    return bool(method.GetOptions().Extensions[options_pb2.access].scope == options_pb2.SCOPE_SECRET_ADDRESS)


def is_traceless(method: MethodDescriptor) -> bool:
    """Whether a call of the RPC leaves no line and no span."""
    return bool(method.GetOptions().Extensions[options_pb2.access].traceless)


def traceless_paths(methods: Iterable[MethodDescriptor]) -> list[str]:
    """The paths of such RPCs, as they are once a call was transcoded."""
    return sorted(f"/{method.containing_service.full_name}/{method.name}" for method in methods if is_traceless(method))


def hidden_prefixes(methods: Iterable[MethodDescriptor]) -> list[str]:
    """How the paths begin that have a secret in them."""
    doors = bindings(method for method in methods if at_secret_address(method))
    return sorted({door.template.partition("{")[0] for door in doors})
