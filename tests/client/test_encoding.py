"""The two forms that are hashed and signed: one value has one form, and what is no such form is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyutong_client.encoding import LARGEST_NUMBER, Malformed, canonical, fields, read_json, split
from quanyutong_client.reading import Members, base64, from_base64

TEXTS = st.text(st.characters(codec="utf-8"))
NAMES = st.text(st.characters(codec="ascii"))
PLAIN = st.none() | st.booleans() | st.integers(-LARGEST_NUMBER, LARGEST_NUMBER) | TEXTS
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=20)


@given(st.lists(st.binary()))
def test_fields_come_back(parts: list[bytes]) -> None:
    assert split(fields(*parts)) == parts


@given(st.binary())
def test_bytes_are_fields_in_one_way_or_none(encoded: bytes) -> None:
    try:
        parts = split(encoded)
    except Malformed:
        return
    assert fields(*parts) == encoded


@given(st.lists(st.binary(), min_size=1), st.integers(1, 4))
def test_a_cut_field_is_refused(parts: list[bytes], cut: int) -> None:
    encoded = fields(*parts)
    with pytest.raises(Malformed):
        split(encoded[:-cut] if len(parts[-1]) + 4 > cut else encoded[:-1])


@given(JSON)
def test_canonical_json_comes_back(value: Any) -> None:
    assert read_json(canonical(value)) == value
    assert canonical(read_json(canonical(value))) == canonical(value)


def test_canonical_form() -> None:
    """RFC 8785, sections 3.2.2 and 3.2.3."""
    value = {"b": [1, True, None], "a": '满意\u20ac"\\/\b\n\x0f\x7f', "B": {}}
    expected = '{"B":{},"a":"满意€\\"\\\\/\\b\\n\\u000f\x7f","b":[1,true,null]}'
    assert canonical(value) == expected.encode()


@pytest.mark.parametrize("value", [1.5, 2**53, "\ud800", {"键": 1}, b"", (1,)])
def test_what_has_no_canonical_form(value: Any) -> None:
    with pytest.raises(Malformed):
        canonical(value)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b'{"a":1,"a":2}', b"1.0", b"1e3", b"NaN", b'"\\ud800"', b"\xff", b"9007199254740992", b"[1,]"),
        *(b"[" * 100_000, b'{"\xe9\x94\xae":1}', b"1" * 5000),
    ],
    ids=lambda text: text[:20].decode("latin-1"),
)
def test_json_that_is_refused(text: bytes) -> None:
    with pytest.raises(Malformed):
        read_json(text)


@given(st.binary())
def test_base64_is_written_in_one_way(raw: bytes) -> None:
    text = base64(raw)
    assert from_base64(text, "here") == raw
    for other in (text + "\n", " " + text, text.rstrip("=") + "==="):
        with pytest.raises(Malformed):
            from_base64(other, "here")


@pytest.mark.parametrize("text", ["QQ=", "QR==", "Q", "é", None, 5, "-_8="])
def test_base64_that_is_refused(text: object) -> None:
    with pytest.raises(Malformed):
        from_base64(text, "here")


def test_members_are_read_once_each() -> None:
    members = Members({"a": 1, "b": "text", "c": True}, "there")
    assert members.whole_number("a") == 1
    with pytest.raises(Malformed, match="there has no a"):
        members.whole_number("a")
    with pytest.raises(Malformed, match=r"there\.c"):
        members.whole_number("c")
    with pytest.raises(Malformed, match="not known: b"):
        members.done()
    with pytest.raises(Malformed, match="not an object"):
        Members([], "there")
