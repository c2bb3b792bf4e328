"""Reads the bodies of REST calls strictly before they are transcoded.

Envoy's transcoder drops what it does not know: a misspelt field would be lost
with a 200. So Envoy shows each body to the front desk first, which parses it as
the RPC's message by protobuf's own JSON rules and says what is wrong with it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from google.api import httpbody_pb2
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor

from chassis.errors import Refusal, preferred_language
from gateway import authorization
from gateway.bindings import Binding
from gateway.configuration import Json, typed
from gateway.refusals import Refused

FILTER = "envoy.filters.http.ext_authz"
LARGEST_BODY = 1024 * 1024
FAULT_LENGTH = 200


class BodyUnreadable(Exception):
    """The body is not what the RPC takes. The text says where, and never quotes more than a line of it."""


def on_call() -> Json:
    """The filter, which is off where no route asks for it."""
    return typed(
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        grpc_service={"envoy_grpc": {"cluster_name": "frontdesk"}, "timeout": "5s"},
        transport_api_version="V3",
        with_request_body={"max_request_bytes": LARGEST_BODY, "pack_as_bytes": True},
        # The front desk judges the body alone: it gets no token.
        allowed_headers={"patterns": [{"exact": "accept-language"}]},
        failure_mode_allow=False,
        status_on_error={"code": 503},
    )


def on_this_route(door: Binding) -> Json:
    """Has a route's bodies read as what this door takes."""
    return typed(
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
        check_settings={"context_extensions": {"rpc": door.method.full_name, "body": door.body}},
    )


class Reader:
    """Answers Envoy's questions about bodies."""

    def __init__(self, methods: Iterable[MethodDescriptor]) -> None:
        self._methods = {method.full_name: method for method in methods}

    def check(self, request: Any) -> Any:
        """The answer to one question, as Envoy's authorization API has them."""
        context = {entry.key: entry.value for entry in request.attributes.context_extensions}
        http = request.attributes.request.http
        try:
            read(http.raw_body, self._methods[context["rpc"]], context["body"])
        except BodyUnreadable as unreadable:
            return _refuse(unreadable, {header.key: header.value for header in http.headers})
        return authorization.allowed()


def read(body: bytes, method: MethodDescriptor, field: str) -> None:
    """Raises BodyUnreadable unless the body is JSON of what fills `field` of the RPC's request.

    `*` is the whole message; an empty `field` means that nothing is taken from a body.
    """
    if not body:
        return
    if not field:
        if body.strip() != b"{}":
            raise BodyUnreadable("this path takes no body; its fields go into the query")
        return
    if _takes_anything(method, field):
        return
    try:
        value = json.loads(body, object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise BodyUnreadable("nested too deeply") from None
    except ValueError as error:  # of the syntax, of the encoding, or a name that stands twice
        raise BodyUnreadable(str(error)) from None
    if method.client_streaming and not isinstance(value, list):
        raise BodyUnreadable("a stream of requests is a JSON array")
    for each in value if method.client_streaming else [value]:
        _check_shape(each, method, field)
        _parse(each if field == "*" else {field: each}, method.input_type)


def _parse(value: Any, message_type: Descriptor) -> None:
    message = message_factory.GetMessageClass(message_type)()
    try:
        json_format.ParseDict(value, message, descriptor_pool=descriptor_pool.Default())
    except json_format.ParseError as error:
        raise BodyUnreadable(_first_sentence(str(error))) from None
    except (RecursionError, AttributeError, TypeError, ValueError, SystemError):
        # protobuf reports some wrong shapes as these: an array for an object, half a surrogate pair for a name.
        raise BodyUnreadable(f"not a {message_type.name}") from None


def _check_shape(value: Any, method: MethodDescriptor, field: str) -> None:
    """An empty array is no empty message, though protobuf's parser would take it for one."""
    repeated = field != "*" and method.input_type.fields_by_name[field].is_repeated
    filled = _filled(method, field)
    own_json = filled is not None and filled.full_name.startswith("google.protobuf.")
    if filled is not None and not repeated and not own_json and not isinstance(value, dict):
        raise BodyUnreadable(f"{filled.name} is a JSON object")


def _takes_anything(method: MethodDescriptor, field: str) -> bool:
    """A google.api.HttpBody takes any bytes: an attachment, a spreadsheet."""
    filled = _filled(method, field)
    return filled is not None and filled.full_name == httpbody_pb2.HttpBody.DESCRIPTOR.full_name


def _filled(method: MethodDescriptor, field: str) -> Descriptor | None:
    """The message that a body fills, None where it fills a scalar."""
    return method.input_type if field == "*" else method.input_type.fields_by_name[field].message_type


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands twice in one object")
    return found


def _first_sentence(text: str) -> str:
    """What protobuf found wrong, without its list of the fields that exist."""
    return re.split(r"\.?\s*\n|\. *Available", text)[0][:FAULT_LENGTH]


def _refuse(unreadable: BodyUnreadable, headers: Mapping[str, str]) -> Any:
    refusal = Refusal("REQUEST_UNREADABLE", fault=str(unreadable))
    refused = Refused.of(refusal, preferred_language(headers.get("accept-language", "")))
    return authorization.denied(refused.http, refused.json)
