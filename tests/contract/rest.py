"""The same call as REST and as gRPC: what `google.api.http` says a path and a body mean, read from the descriptors.

Written anew here rather than taken from the gateway, so that the two check each other.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.message import Message

from tests.isolation.rpcs import METHODS, request_of


def as_grpc(verb: str, target: str, body: Any) -> tuple[str, list[Message]]:
    """The RPC's path and its request; of a stream of requests each one, from an array."""
    url = urlsplit(target)
    for path, method in METHODS.items():
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        template = getattr(rule, verb.lower())
        if template and (found := re.fullmatch(_regex(template), url.path)):
            bodies = body if method.client_streaming else [body]
            variables = _variables(template, found)
            return path, [_request(path, rule.body, each, variables, url.query) for each in bodies]
    raise AssertionError(f"no RPC answers {verb} {target}")


def _regex(template: str) -> str:
    """`/v1/{name=units/*}:end` as a regex with one group a variable."""
    parts = re.split(r"\{[a-z_.]+=([^}]+)\}", template)
    return "".join(_segments(part) if index % 2 else re.escape(part) for index, part in enumerate(parts))


def _segments(pattern: str) -> str:
    return "(" + re.escape(pattern).replace(r"\*", "[^/:]+") + ")"


def _variables(template: str, found: re.Match[str]) -> dict[str, str]:
    return dict(zip(re.findall(r"\{([a-z_.]+)=", template), map(unquote, found.groups()), strict=True))


def _request(path: str, body_field: str, body: Any, variables: Mapping[str, str], query: str) -> Message:
    request = request_of(path)()
    if body_field == "*":
        json_format.ParseDict(body or {}, request)
    elif body_field:
        json_format.ParseDict({body_field: body or {}}, request)
    for name, value in parse_qsl(query, keep_blank_values=True):
        json_format.ParseDict(_nested(name, value, request), request)
    for name, value in variables.items():
        json_format.ParseDict(_nested(name, value, request), request)
    return request


def _nested(name: str, value: str, request: Message) -> dict[str, Any]:
    """`as_of.year=2024` as an object; a value of a repeated field as a list of one, which is then added.

    What JSON writes without quotes but a number, true and false, a query has as text too.
    """
    first, _, rest = name.partition(".")
    if rest:
        return {first: {rest: value}}
    fields = request.DESCRIPTOR.fields_by_name
    field = fields.get(first) or request.DESCRIPTOR.fields_by_camelcase_name[first]
    given = value == "true" if field.type == field.TYPE_BOOL else value
    return {first: [given] if field.is_repeated else given}


# What differs from one run to the next; the rest of two answers has to be the same.
_VOLATILE = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\b9[0-9]{5}(?=[0-9]{3}\b|\b)"), "<district>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<time>"),
    (re.compile(r"[0-2]\d:[0-5]\d"), "<hour>"),
    (re.compile(r'\\"(?:board|paper)_key\\":\\"[^\\"]+'), "<key>"),
    (re.compile(r'"digest": "[0-9a-f]{64}"'), '"digest": "<digest>"'),
    (re.compile(r'"nextPageToken": "[^"]+"'), '"nextPageToken": "<token>"'),
)


def comparable(answer: Any) -> Any:
    text = json.dumps(answer, ensure_ascii=False, sort_keys=True)
    for pattern, stands in _VOLATILE:
        text = pattern.sub(stands, text)
    return json.loads(text)
