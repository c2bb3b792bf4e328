"""Page tokens: every entry once, and no token is good for another list."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Refusal
from chassis.pagination import DEFAULT_SIZE, MOST, slice_page
from quanyutong.registry.v1 import persons_pb2, units_pb2

ENTRIES = [f"{number:04}" for number in range(MOST + 100)]


def a_page(request: Any, entries: list[str] | None = None) -> tuple[list[str], str]:
    found, token = slice_page(request, ENTRIES if entries is None else entries, str)
    return list(found), token


# What PostgreSQL can hold, as the keys of a list are.
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(st.sets(WORDS, max_size=30), st.integers(1, 12))
def test_every_entry_once_and_in_order(words: set[str], size: int) -> None:
    entries, found, token = sorted(words), [], ""
    while True:
        page, token = a_page(units_pb2.ListUnitsRequest(page_size=size, page_token=token), entries)
        found += page
        assert len(page) <= size
        if not token:
            break
    assert found == entries


@pytest.mark.parametrize(("asked", "given"), [(0, DEFAULT_SIZE), (1, 1), (MOST, MOST), (MOST + 1, MOST), (10**9, MOST)])
def test_size_of_a_page(asked: int, given: int) -> None:
    page, token = a_page(units_pb2.ListUnitsRequest(page_size=asked))
    assert len(page) == given
    assert token


def test_entry_added_behind_a_page_is_not_repeated_and_moves_none() -> None:
    request = units_pb2.ListUnitsRequest(page_size=2)
    _, request.page_token = a_page(request, ["b", "c", "d"])
    assert a_page(request, ["a", "b", "c", "cc", "d"])[0] == ["cc", "d"]


def test_size_may_change_between_pages_but_the_filter_may_not() -> None:
    _, token = a_page(persons_pb2.ListPersonsRequest(page_size=5, display_name_prefix="王"))
    other_size = persons_pb2.ListPersonsRequest(page_size=7, page_token=token, display_name_prefix="王")
    assert a_page(other_size)[0] == ENTRIES[5:12]
    for other in (
        persons_pb2.ListPersonsRequest(page_token=token, display_name_prefix="李"),
        persons_pb2.ListPersonsRequest(page_token=token),
        units_pb2.ListUnitsRequest(page_token=token),
    ):
        assert refused(other) == "PAGE_TOKEN_INVALID"


def token_of(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        *("x", "=", "____", "令牌"),
        *map(token_of, (None, [], {}, "x", [["x"] * 3])),
        *(base64.urlsafe_b64encode(content).decode() for content in (b"[" * 100_000, b"\xff")),
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refused(units_pb2.ListUnitsRequest(page_token=token)) == "PAGE_TOKEN_INVALID"


@given(st.text(max_size=60))
def test_any_text_is_a_token_or_refused(text: str) -> None:
    assert refused(units_pb2.ListUnitsRequest(page_token=text or "x")) == "PAGE_TOKEN_INVALID"


def test_own_token_with_a_further_key_is_refused() -> None:
    _, token = a_page(units_pb2.ListUnitsRequest(page_size=1))
    longer = token_of([*json.loads(base64.urlsafe_b64decode(token)), "more"])
    assert refused(units_pb2.ListUnitsRequest(page_token=longer)) == "PAGE_TOKEN_INVALID"


def refused(request: Any) -> str:
    with pytest.raises(Refusal) as error:
        a_page(request)
    return error.value.reason
