"""Check-in codes: for one meeting of one district, for a minute, and not to be forged."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.check_in_codes import check_code, signed
from services.meetings.domain import Refused

KEY, OLD = b"k" * 32, b"o" * 32
MEETING, OTHER = UUID(int=7), UUID(int=8)
NOW = datetime(2026, 7, 20, 1, tzinfo=UTC)
SOON = NOW + timedelta(minutes=1)


def refusal(code: str, district: str = "500102", meeting: UUID = MEETING, now: datetime = NOW) -> str:
    try:
        check_code([KEY, OLD], district, meeting, code, now)
    except Refused as refused:
        return refused.reason
    return ""


@pytest.mark.parametrize("key", [KEY, OLD])
def test_a_code_opens_its_meeting_until_it_expires(key: bytes) -> None:
    code = signed(key, "500102", MEETING, SOON)
    assert refusal(code) == ""
    assert refusal(code, now=SOON - timedelta(seconds=1)) == ""
    assert refusal(code, now=SOON) == "CODE_EXPIRED"


def test_a_code_opens_nothing_else() -> None:
    code = signed(KEY, "500102", MEETING, SOON)
    assert refusal(code, meeting=OTHER) == "CODE_INVALID"
    assert refusal(code, district="500103") == "CODE_INVALID"
    assert refusal(signed(b"x" * 32, "500102", MEETING, SOON)) == "CODE_INVALID"


@given(st.integers(0, 39), st.integers(1, 255))
def test_a_changed_code_is_none(place: int, change: int) -> None:
    content = bytearray(base64.urlsafe_b64decode(signed(KEY, "500102", MEETING, SOON) + "=="))
    content[place] ^= change
    assert refusal(base64.urlsafe_b64encode(content).rstrip(b"=").decode()) == "CODE_INVALID"


@given(st.text(max_size=200))
def test_any_text_is_none(text: str) -> None:
    assert refusal(text) == "CODE_INVALID"
