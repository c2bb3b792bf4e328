"""Every value of every enum that the pages show has its words, in both languages."""

from datetime import UTC, datetime

import pytest

from chassis.wire import timestamp
from gateway.console import meetings, opinions, projects  # noqa: F401 - the services' protos are known then
from gateway.console.backend import enum
from gateway.console.page import environment
from gateway.console.words import WORDS, Speech
from services.__main__ import TARGETS

PATHS = ("ProjectVerb", "OpinionVerb")
PACKAGES = ("registry", "meetings", "ballots", "feedback", "municipal")


def kind_of(name: str):  # type: ignore[no-untyped-def]
    assert TARGETS
    # Two services have an OpinionState; the pages show that of residents' opinions.
    for package in ("feedback", *PACKAGES) if name == "OpinionState" else PACKAGES:
        try:
            return enum(f"{package}.v1.{name}")
        except KeyError:
            continue
    raise AssertionError(f"no enum {name}")


@pytest.mark.parametrize("name", sorted(set(WORDS) - set(PATHS)))
def test_each_value_has_words(name: str) -> None:
    values = {value.name for value in kind_of(name).values if value.number}
    assert set(WORDS[name]) == values
    for zh, en in WORDS[name].values():
        assert zh
        assert en
        assert zh != en


def test_a_value_of_a_later_version_is_shown_by_its_number() -> None:
    assert Speech("zh").value(kind_of("PollState"), 99) == "99"
    assert Speech("en").verb("ProjectVerb", "sing") == "sing"


def test_times_are_those_of_chongqing() -> None:
    at = timestamp(datetime(2026, 1, 31, 16, 30, tzinfo=UTC))
    assert Speech("zh").moment(at) == "2026年2月1日 00:30"
    assert Speech("en").moment(at) == "1 Feb 2026, 00:30"


def test_money_is_written_as_budgets_are() -> None:
    assert Speech("zh").yuan(240_000_000) == "240 万元"
    assert Speech("zh").yuan(12_345) == "123.45 元"
    assert Speech("en").yuan(12_345) == "CNY 123.45"


def test_no_template_has_a_script_or_a_style_of_its_own() -> None:
    """The Content-Security-Policy would refuse it; so it is found here, and not by a person."""
    loader = environment().loader
    assert loader is not None
    for name in loader.list_templates():
        source, _, _ = loader.get_source(environment(), name)
        lowered = source.lower()
        assert "<style" not in lowered
        assert " style=" not in lowered
        assert " onclick" not in lowered
        assert lowered.count("<script") == lowered.count('<script type="module" src="/console/static/')
