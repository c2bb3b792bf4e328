"""What the protos declare of each RPC: who may call it, and whether it changes anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from quanyutong.options.v1 import options_pb2

WITHOUT_ROLES = (options_pb2.SCOPE_ANY, options_pb2.SCOPE_SECRET_ADDRESS)


class AccessUndeclared(Exception):
    """An RPC does not say who may call it, or cannot be repeated safely. The process must not start."""


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC. `safe` means that it has no effect, so a retry or a municipal caller is harmless.

    `traceless`: of a secret ballot; nothing may be kept that tells who called when.
    """

    path: str
    service: str
    method: str
    scope: int
    roles: frozenset[int]
    safe: bool
    request_streaming: bool
    response_streaming: bool
    traceless: bool = False

    @property
    def municipal(self) -> bool:
        return self.scope == options_pb2.SCOPE_MUNICIPAL

    @property
    def tenant(self) -> bool:
        return self.scope == options_pb2.SCOPE_DISTRICT

    @property
    def secret_address(self) -> bool:
        """Whether the request itself carries what opens it, and no token."""
        return self.scope == options_pb2.SCOPE_SECRET_ADDRESS


def inventory(services: Iterable[ServiceDescriptor]) -> Mapping[str, Rpc]:
    """Every RPC by its path, `/package.Service/Method`. Raises AccessUndeclared."""
    rpcs = (_rpc(method) for service in services for method in service.methods)
    return {rpc.path: rpc for rpc in rpcs}


def _rpc(method: MethodDescriptor) -> Rpc:
    access = method.GetOptions().Extensions[options_pb2.access]
    safe = method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
    if not access.scope or (not access.roles and access.scope not in WITHOUT_ROLES):
        raise AccessUndeclared(f"{method.full_name} has no complete option (quanyutong.options.v1.access)")
    if access.scope == options_pb2.SCOPE_ANY and not safe:
        raise AccessUndeclared(f"{method.full_name} is open to any token but not declared NO_SIDE_EFFECTS")
    if access.scope == options_pb2.SCOPE_SECRET_ADDRESS:
        _check_secret_address(method)
    repeatable = "request_id" in method.input_type.fields_by_name
    if access.traceless and (safe or repeatable):
        raise AccessUndeclared(f"{method.full_name} leaves no trace: it changes something and keeps no request_id")
    if not safe and not method.client_streaming and not repeatable and not access.traceless:
        raise AccessUndeclared(f"{method.full_name} changes something, so its request needs a request_id")
    service = method.containing_service.full_name
    return Rpc(
        path=f"/{service}/{method.name}",
        service=service,
        method=method.name,
        scope=access.scope,
        roles=frozenset(access.roles),
        safe=safe,
        request_streaming=method.client_streaming,
        response_streaming=method.server_streaming,
        traceless=access.traceless,
    )


def _check_secret_address(method: MethodDescriptor) -> None:
    """Without a token nobody has a role, and one message says the district."""
    streaming = method.client_streaming or method.server_streaming
    if streaming or method.GetOptions().Extensions[options_pb2.access].roles:
        raise AccessUndeclared(f"{method.full_name} is at a secret address but not unary and without roles")
    if "district" not in method.input_type.fields_by_name:
        raise AccessUndeclared(f"{method.full_name} is at a secret address, so its request needs a district")
