"""Refusals as callers see them, and in which language."""

import pytest
from google.rpc import error_details_pb2

from chassis.errors import PREFIX, Catalogue, FieldsInvalid, Refusal, preferred_language
from quanyutong.common.v1 import errors_pb2 as common
from quanyutong.options.v1 import options_pb2
from quanyutong.registry.v1 import errors_pb2

CATALOGUE = Catalogue(errors_pb2.ErrorReason.DESCRIPTOR)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh-CN"),
        ("zh-CN", "zh-CN"),
        ("zh-Hant-TW", "zh-CN"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("en;q=0.8, zh;q=0.9", "zh-CN"),
        ("zh;q=0.2,en;q=0.7", "en"),
        ("fr, en;q=0.1", "en"),
        ("fr", "zh-CN"),
        ("*", "zh-CN"),
        ("en, zh", "en"),
        ("en;q=0", "zh-CN"),
        ("en;q=, zh;q=abc", "en"),
        ("en;q=nan, zh;q=1", "zh-CN"),
        (",;q=,;;", "zh-CN"),
    ],
)
def test_language(header: str, language: str) -> None:
    assert preferred_language(header) == language


def test_status_says_reason_and_facts_in_both_languages() -> None:
    status = CATALOGUE.status(Refusal("ROLE_MISSING", roles="clerk"), "en")
    info, chinese, english = error_details_pb2.ErrorInfo(), *(error_details_pb2.LocalizedMessage() for _ in range(2))
    for detail, message in zip(status.details, (info, chinese, english), strict=True):
        assert detail.Unpack(message)
    assert (info.reason, info.domain) == ("ERROR_REASON_ROLE_MISSING", "quanyutong")
    assert dict(info.metadata) == {"roles": "clerk"}
    assert (chinese.locale, english.locale) == ("zh-CN", "en")
    assert all("clerk" in text for text in (chinese.message, english.message))
    assert status.message == english.message


def test_own_reason_has_the_domain_of_its_service() -> None:
    status = CATALOGUE.status(Refusal("UNIT_NOT_FOUND", unit="7"))
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "registry.quanyutong"


def test_each_field_at_fault_is_named() -> None:
    status = CATALOGUE.status(FieldsInvalid([("a.b", "too long"), ("c", "missing")]))
    bad = error_details_pb2.BadRequest()
    assert status.details[-1].Unpack(bad)
    assert [(v.field, v.description) for v in bad.field_violations] == [("a.b", "too long"), ("c", "missing")]


def test_every_reason_can_be_said_with_its_example() -> None:
    """What a text needs, its example in the proto gives."""
    for enum in (common.ErrorReason.DESCRIPTOR, errors_pb2.ErrorReason.DESCRIPTOR):
        for value in enum.values[1:]:
            examples = value.GetOptions().Extensions[options_pb2.meaning].example
            facts = dict(example.split("=", 1) for example in examples)
            status = CATALOGUE.status(Refusal(value.name.removeprefix(PREFIX), **facts), "en")
            assert status.code
            assert all(fact in status.message for fact in facts.values())
