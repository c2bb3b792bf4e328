"""What happens to every call before and after its servicer: the interceptor chain.

In this order: telemetry, errors, authentication, tenancy, access rule, limit of
the district, validation, idempotency. One interceptor builds the chain for an
RPC once; a call then runs through plain code.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
import grpc
import protovalidate
from google.protobuf.message import Message

from chassis import actor, auth, ending, idempotency, tenancy
from chassis.auth import ROLES, Caller, Verifier
from chassis.database import fault_of
from chassis.directory import Directory, District
from chassis.errors import STATUS_CODES, Catalogue, Declared, FieldsInvalid, Refusal, preferred_language
from chassis.rpc import Rpc
from chassis.telemetry import Measured, Telemetry

log = logging.getLogger(__name__)
Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
OPEN_TO_ALL = ("/grpc.health.v1.Health/", "/grpc.reflection.")


class Chain(grpc.aio.ServerInterceptor):
    """The chain of one server."""

    def __init__(
        self,
        rpcs: Mapping[str, Rpc],
        catalogues: Mapping[str, Catalogue],
        verifier: Verifier,
        directory: Directory,
        telemetry: Telemetry,
        calls_in_flight: int,
        digest_keys: Sequence[bytes],
    ) -> None:
        self._rpcs = rpcs
        self._catalogues = catalogues
        self._verifier = verifier
        self._directory = directory
        self._telemetry = telemetry
        self._limit = calls_in_flight
        self._digest_keys = digest_keys
        self._in_flight: Counter[tuple[str, bool]] = Counter()
        self._handlers: dict[str, Handler | None] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Tells the calls that would go on for ever that the server stops."""
        self._stopping.set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Any],
        details: grpc.HandlerCallDetails,
    ) -> Any:
        path = details.method
        if path not in self._handlers:
            handler = await continuation(details)
            if handler is None or path.startswith(OPEN_TO_ALL):
                return handler
            self._handlers[path] = self._chained(self._rpcs[path], handler)
        return self._handlers[path]

    def _chained(self, rpc: Rpc, handler: Any) -> Handler:
        behaviour = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        incoming = _each_valid if rpc.request_streaming else _valid

        async def single(request: Any, context: Context) -> Any:
            async with self._call(rpc, context, request):
                try:
                    return await behaviour(incoming(rpc, request), context)
                except idempotency.Replayed as replayed:
                    return _Serialized(replayed.answer)

        # No generator: one whose caller left would wait for the garbage collector, and its place with it.
        async def stream(request: Any, context: Context) -> None:
            async with self._call(rpc, context, request), aclosing(behaviour(incoming(rpc, request), context)) as each:
                async for response in each:
                    await context.write(response)

        def serialize(response: Any) -> bytes:
            return response.answer if isinstance(response, _Serialized) else handler.response_serializer(response)

        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[rpc.request_streaming, rpc.response_streaming]
        chained = stream if rpc.response_streaming else single
        return make(chained, _reader(handler.request_deserializer), serialize)

    @asynccontextmanager
    async def _call(self, rpc: Rpc, context: Context, request: Any) -> AsyncIterator[None]:
        metadata = _metadata(context)
        with self._telemetry.call(rpc, metadata) as measured:
            try:
                caller = await self._caller(rpc, metadata, request)
                auth.caller.set(caller)
                ending.stopping.set(self._stopping)
                actor.calling(caller, rpc.path)
                district = self._tenant(rpc, caller, metadata)
                _check_access(rpc, caller)
                if not rpc.safe:
                    idempotency.begin(caller.subject, rpc.path, self._digest_keys)
                if district is None:
                    yield
                else:
                    with self._place(district, rpc), tenancy.acting_for(district):
                        yield
            except (asyncio.CancelledError, grpc.aio.AbortError, GeneratorExit):
                measured.reason = "CANCELLED"
                raise
            except Exception as error:
                await self._refuse(rpc, context, metadata, measured, error)

    async def _caller(self, rpc: Rpc, metadata: Mapping[str, str], request: Any) -> Caller:
        """Who the token says; at a secret address no token is looked at, and the district is the address's own."""
        if not rpc.secret_address:
            return await self._verifier.verify(metadata.get("authorization"))
        district: str = getattr(_checked(request), "district")  # noqa: B009 - rpc.py has seen that it is there
        if district not in self._directory.entries:
            raise Refusal("ADDRESS_NOT_FOUND")
        return auth.bearer_of_address(district)

    def _tenant(self, rpc: Rpc, caller: Caller, metadata: Mapping[str, str]) -> str | None:
        """The district that the call acts in; None on city-wide RPCs."""
        picked = metadata.get("x-district")
        if caller.district is not None:
            _check_called(self._directory.entries.get(caller.district))
            if rpc.secret_address:
                return caller.district
            if picked not in (None, caller.district):
                raise Refusal("DISTRICT_REFUSED", district=picked)
            if rpc.municipal:
                raise Refusal("SCOPE_REFUSED", scope="municipal")
            return caller.district if rpc.tenant else None
        if not rpc.tenant:
            return None
        if picked is None:
            raise Refusal("DISTRICT_NOT_PICKED")
        if not rpc.safe:
            raise Refusal("READ_ONLY_CALLER")
        # It may have ended: its own calls have too, but what it left can be read by the city.
        _check_called(self._directory.begun(picked))
        return picked

    @contextmanager
    def _place(self, district: str, rpc: Rpc) -> Any:
        """A place among the district's calls in flight: a storm in one must not slow another.

        Streams of answers have places of their own, as many: screens that watch all day leave the others room.
        """
        entry = self._directory.begun(district)
        limit = (entry and entry.calls_in_flight) or self._limit
        kind = district, rpc.response_streaming
        if self._in_flight[kind] >= limit:
            raise Refusal("DISTRICT_BUSY", limit=limit)
        self._in_flight[kind] += 1
        try:
            yield
        finally:
            self._in_flight[kind] -= 1
            if not self._in_flight[kind]:
                del self._in_flight[kind]

    async def _refuse(
        self, rpc: Rpc, context: Context, metadata: Mapping[str, str], measured: Measured, error: Exception
    ) -> None:
        """Ends the call with a status. A fault of ours is logged with its trace and shown as a reference only."""
        refusal = error if isinstance(error, Declared) else _fault(rpc, error)
        measured.reason = refusal.reason
        catalogue = self._catalogues[rpc.service]
        status = catalogue.status(refusal, preferred_language(metadata.get("accept-language", "")))
        details = (("grpc-status-details-bin", status.SerializeToString()),)
        await context.abort(STATUS_CODES[status.code], status.message, details)


def _check_called(entry: District | None) -> None:
    if entry is None:
        raise Refusal("DISTRICT_UNKNOWN")
    if entry.suspended:
        raise Refusal("DISTRICT_SUSPENDED")


def _metadata(context: Context) -> Mapping[str, str]:
    """What the call carries. A repeated key is one list (RFC 9110, 5.3): two tokens are no token, as in Envoy."""
    found: dict[str, str] = {}
    for key, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            found[key] = f"{found[key]}, {value}" if key in found else value
    return found


@dataclass(frozen=True, slots=True)
class _Serialized:
    answer: bytes


class _Unreadable:
    """Stands for a request that is not the RPC's message, so that the chain refuses it with a reason."""


def _reader(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(content: bytes) -> Any:
        try:
            return deserialize(content)
        except Exception:  # whatever the parser raises: the bytes are not the message
            return _Unreadable()

    return read


def _fault(rpc: Rpc, error: Exception) -> Refusal:
    """What the caller is told of a fault that the service did not declare."""
    if reason := fault_of(error):
        return Refusal(reason)
    refusal = Refusal("INTERNAL_FAULT", reference=secrets.token_hex(8))
    # A database error's text holds rows, so its trace stays out of the log.
    trace = None if isinstance(error, asyncpg.PostgresError) else error
    log.error("fault", exc_info=trace, extra={"rpc": rpc.path, "kind": _kind(error), **refusal.facts})
    return refusal


def _check_access(rpc: Rpc, caller: Caller) -> None:
    if rpc.municipal and not caller.municipal:
        raise Refusal("SCOPE_REFUSED", scope="municipal")
    if rpc.roles and not rpc.roles & caller.roles:
        raise Refusal("ROLE_MISSING", roles=", ".join(name for name, role in ROLES.items() if role in rpc.roles))


def _valid(rpc: Rpc, request: Any) -> Message:
    """The request, checked against its field rules; a mutation is made repeatable by its request_id."""
    message = _checked(request)
    if not rpc.safe and not rpc.request_streaming and not rpc.traceless:
        idempotency.identify(request.request_id, [request])
    return message


def _checked(request: Any) -> Message:
    if isinstance(request, _Unreadable):
        raise Refusal("REQUEST_UNREADABLE")
    if violations := protovalidate.collect_violations(request):
        raise FieldsInvalid([(_path(violation), violation.proto.message) for violation in violations])
    message: Message = request
    return message


async def _each_valid(rpc: Rpc, requests: AsyncIterator[Any]) -> AsyncIterator[Message]:
    async for request in requests:
        yield _valid(rpc, request)


def _path(violation: protovalidate.Violation) -> str:
    """The field's path, for example `mandate.term` or `states[1]`; empty when the rule is on the whole message."""
    elements = violation.proto.field.elements if violation.proto.field else []
    return ".".join(
        element.field_name + (f"[{element.subscript.value}]" if element.subscript else "") for element in elements
    )


def _kind(error: Exception) -> str:
    """The exception's class; of a database error the SQLSTATE too, never its parameters: they hold people."""
    return f"{type(error).__name__} {getattr(error, 'sqlstate', None) or ''}".strip()
