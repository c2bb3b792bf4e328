"""Limits of speeches, and where an attachment may be, without a platform."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings import speaking
from services.meetings.domain import Refused
from services.meetings.links import check_link

STATES = ("waiting", "speaking", "spoken", "withdrawn")


@pytest.mark.parametrize(("own", "of_item", "limit"), [(0, 0, 0), (0, 8, 8), (5, 8, 5), (12, 0, 12)])
def test_an_own_limit_goes_before_that_of_the_item(own: int, of_item: int, limit: int) -> None:
    assert speaking.minutes_limit(own, of_item) == limit


def test_a_speech_is_as_long_as_its_whole_seconds() -> None:
    now = datetime.now(UTC)
    assert speaking.length(None, now) == timedelta()
    assert speaking.length(now - timedelta(seconds=89, milliseconds=999), now) == timedelta(seconds=89)


@given(st.integers(0, 90_000), st.integers(0, 1440))
def test_overtime_begins_with_the_first_second_beyond_the_limit(seconds: int, minutes: int) -> None:
    over = speaking.overtime(timedelta(seconds=seconds), minutes).total_seconds()
    assert over == (max(seconds - minutes * 60, 0) if minutes else 0)


@pytest.mark.parametrize(("verb", "state"), [*product(speaking.PATH, STATES)])
def test_each_verb_leads_from_one_state_alone(verb: str, state: str) -> None:
    led = {("call", "waiting"): "speaking", ("end", "speaking"): "spoken", ("withdraw", "waiting"): "withdrawn"}
    if (verb, state) in led:
        assert speaking.next_state(verb, state) == led[verb, state]
        return
    with pytest.raises(Refused, match="SPEAKER_STATE_REFUSED"):
        speaking.next_state(verb, state)


def test_a_limit_is_changed_until_the_end_and_a_summary_afterwards() -> None:
    speaking.check_changes("spoken", ["summary"])
    with pytest.raises(Refused, match="SPEAKER_STATE_REFUSED"):
        speaking.check_changes("spoken", ["summary", "minutes_allowed"])


@pytest.mark.parametrize(
    "link", ["https://store.example.gov.cn/a/1.pdf", "https://[::1]:8443/a?b=c#d", "/2023/报告.pdf", "/a/b-c_d.docx"]
)
def test_links_that_are_taken(link: str) -> None:
    check_link(link)


@pytest.mark.parametrize(
    "link",
    [
        *(
            "http://store.example.gov.cn/1.pdf",
            "ftp://a/b",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
        ),
        *("https://", "https:///a", "https://u:p@store.example.gov.cn/1", "https://u@store.example.gov.cn/1"),
        *("https://a:99999/b", "https://[::1/b", "https://a/b c", "https://a/\u202eb", "https://a\\b", "https://a/\tb"),
        *("//evil.example/a", "/a/../b", "/./a", "/a//b", "/", "/a/", "a/b", "", "/a\\b", "/a\nb"),
    ],
)
def test_links_that_are_refused(link: str) -> None:
    with pytest.raises(Refused, match="LINK_REFUSED"):
        check_link(link)
