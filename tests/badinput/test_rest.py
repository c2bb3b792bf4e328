"""The REST door with garbage in every place: verb, path, query, headers and body."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from hypothesis import assume, example, given
from hypothesis import strategies as st

from chassis.errors import PREFIX
from tests.badinput.conftest import LEAKS, Ground
from tests.badinput.strategies import NASTY, bounded, damaged, requests
from tests.isolation.rpcs import CATALOGUES, ENDLESS, METHODS, RPCS, request_of, short

REASONS = {reason for catalogue in CATALOGUES.values() for reason in catalogue}
VERBS = ("get", "post", "patch", "put", "delete")
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(NASTY[:-2]), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)),
    max_leaves=8,
)


def bindings() -> dict[str, tuple[str, str, str]]:
    """Path of the RPC -> verb, template and body of its REST form."""
    found = {}
    for path, method in METHODS.items():
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        for verb in VERBS:
            if template := getattr(rule, verb):
                found[path] = (verb.upper(), template, rule.body)
    return found


BINDINGS = bindings()
WITH_BODY = [path for path, (_, _, body) in BINDINGS.items() if body]


def target(ground: Ground, template: str) -> str:
    """The template with names that exist, where there are any."""

    def filled(found: re.Match[str]) -> str:
        form = re.compile(found[1].replace("*", "[^/]+"))
        return next((name for name in ground.names if form.fullmatch(name)), found[1].replace("*", "x"))

    return re.sub(r"\{[a-z_.]+=([^}]+)\}", filled, template)


async def answered(ground: Ground, path: str, verb: str, url: str, **content: Any) -> httpx.Response:
    """Calls and checks that the answer is one that the contract knows."""
    headers: Mapping[str, Any] = dict(ground.metadata(RPCS[path]))
    asked = ground.rest.build_request(verb, url, headers={**headers, **content.pop("headers", {})}, **content)
    response = await ground.rest.send(asked, stream=True)
    try:
        if response.is_success and short(path) in ENDLESS:
            assert (await anext(response.aiter_bytes())).startswith(b"[{")
            return response
        await response.aread()
    finally:
        await response.aclose()
    if response.is_success:
        if METHODS[path].output_type.full_name != "google.api.HttpBody":
            response.json()
        return response
    assert 400 <= response.status_code < 500, response.text
    status = json_format.Parse(response.text, status_pb2.Status())
    reasons = [reason_of(detail) for detail in status.details if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
    assert len(reasons) == 1
    assert reasons[0].removeprefix(PREFIX) in REASONS
    assert not [leak for leak in LEAKS if leak in response.text]
    return response


def reason_of(detail: Any) -> str:
    info = error_details_pb2.ErrorInfo()
    detail.Unpack(info)
    return str(info.reason)


@pytest.mark.parametrize("path", WITH_BODY, ids=short)
@bounded(12)
@given(data=st.data())
async def test_body(ground: Ground, path: str, data: st.DataObject) -> None:
    """Nearly right, damaged, of another shape, or no JSON at all."""
    verb, template, field = BINDINGS[path]
    whole = as_dict(data.draw(requests(request_of(path), ground.names)))
    right = as_json(whole if field == "*" else whole.get(json_name(path, field), {}))
    body = data.draw(st.one_of(st.just(right), damaged(right), values.map(as_json), st.binary(max_size=100)))
    await answered(ground, path, verb, target(ground, template), content=body)


def as_dict(message: Message) -> dict[str, Any]:
    try:
        return json_format.MessageToDict(message)
    except json_format.SerializeToJsonError:
        return {}  # a mask or an instant that JSON has no form for


def json_name(path: str, field: str) -> str:
    return str(METHODS[path].input_type.fields_by_name[field].json_name)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("path", BINDINGS, ids=short)
@bounded(8)
@given(data=st.data())
async def test_query(ground: Ground, path: str, data: st.DataObject) -> None:
    """Fields of the request, and things that are none, with values of every kind."""
    verb, template, _ = BINDINGS[path]
    fields = list(METHODS[path].input_type.fields_by_name) or ["x"]
    known = st.sampled_from([*fields, "asOf.year", "as_of.month.x", "pageSize", "states", "updateMask", "..", "a[0]"])
    text = st.one_of(st.sampled_from(NASTY[:-2]), st.text(max_size=30), st.integers().map(str))
    pairs = data.draw(st.lists(st.tuples(st.one_of(known, st.text(max_size=10)), text), min_size=1, max_size=4))
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    assume(len(query) < 6000)
    await answered(ground, path, verb, f"{target(ground, template)}?{query}")


@bounded(60)
@given(
    verb=st.sampled_from(("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS")),
    rest=st.one_of(st.text(max_size=40), st.sampled_from(NASTY[:-2])).map(lambda text: quote(text, safe="/:*%?&=")),
)
@example(verb="GET", rest="units/%00")
@example(verb="GET", rest="units/%ff%fe")
@example(verb="GET", rest="units/500102001%0a")
@example(verb="GET", rest="units/..%2f..%2fpersons")
@example(verb="GET", rest="units/%zz")
@example(verb="GET", rest="persons/x:confirm")
@example(verb="POST", rest="mandates/x:")
@example(verb="GET", rest="assemblies//terms/1")
async def test_path(ground: Ground, verb: str, rest: str) -> None:
    headers: Mapping[str, Any] = dict(ground.metadata(RPCS[next(iter(WITH_BODY))]))
    try:
        response = await ground.rest.request(verb, f"/v1/{rest}", headers=headers)
    except httpx.InvalidURL:
        assume(False)
    assert response.status_code in (200, 301, 400, 401, 403, 404, 405, 409), (response.status_code, response.text)
    if verb != "HEAD":
        assert response.headers["content-type"] == "application/json"
        response.json()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "", "application/json; charset=latin-1", "x" * 500]
)
async def test_content_type_does_not_matter(ground: Ground, content_type: str) -> None:
    (path,) = (path for path in WITH_BODY if short(path) == "CreatePerson")
    verb, template, _ = BINDINGS[path]
    response = await answered(
        ground,
        path,
        verb,
        template,
        content='{"displayName": "王小明"}'.encode(),
        headers={"content-type": content_type},
    )
    assert response.is_success


@pytest.mark.parametrize(
    "body",
    [
        b'{"\\ud800": 1}',
        b'{"displayName": "\\ud800"}',
        b'{"displayName": "\\u0000"}',
        b'{"displayName": "\xff"}',
        b"[" * 50_000,
        b'{"a":' * 20_000,
        b'{"displayName": "x", "birthDate": {"year": 1e300}}',
        b'{"displayName": "x", "birthDate": {"year": "NaN"}}',
        b'{"displayName": "x", "birthDate": [1990, 1, 1]}',
        b'{"displayName": "x", "gender": 1.5}',
        b'{"displayName": "x", "createTime": "0000-00-00T00:00:00Z"}',
        b'{"displayName": "x", "createTime": "9999-12-31T23:59:60Z"}',
        b"\xef\xbb\xbf{}",
        b"{}{}",
        b"9" * 5000,
    ],
    ids=lambda body: ascii(body[:30]),
)
async def test_body_found_before(ground: Ground, body: bytes) -> None:
    (path,) = (path for path in WITH_BODY if short(path) == "CreatePerson")
    response = await answered(ground, path, "POST", "/v1/persons", content=body)
    assert response.status_code == 400
