"""Secret addresses at the gateway: open without a token, limited by district, and in no log."""

from typing import Any

import pytest

from chassis.settings import Settings
from gateway import admission, limits, observing, routes
from gateway.addresses import at_secret_address, hidden_prefixes
from gateway.upstream import Upstream
from quanyutong.meetings.v1 import meetings_pb2
from tests.gateway.gate import DISTRICTS, WANZHOU

SERVICE = meetings_pb2.DESCRIPTOR.services_by_name["MeetingsService"]
HIDDEN = "/v1/calendars/"


@pytest.fixture
def table() -> list[dict[str, Any]]:
    made = routes.routes([Upstream("meetings", ("127.0.0.1:7001",), (SERVICE,))], [], DISTRICTS, Settings())
    entries: list[dict[str, Any]] = made["virtual_hosts"][0]["routes"]
    return entries


def untraced(route: dict[str, Any]) -> bool:
    return bool(route.get("tracing", {}).get("operation") == observing.WITHHELD)


def test_both_doors_and_no_other_are_open(table: list[dict[str, Any]]) -> None:
    addressed = {method.name for method in SERVICE.methods if at_secret_address(method)}
    assert addressed == {"GetCalendarFile"}
    served = [route for route in table if "route" in route]
    opened = [route for route in served if admission.FILTER in route.get("typed_per_filter_config", {})]
    assert len(opened) == 2 * len(addressed)
    assert all(untraced(route) and limits.FILTER in route["typed_per_filter_config"] for route in opened)


def test_a_slip_in_an_address_is_not_traced_either(table: list[dict[str, Any]]) -> None:
    slip, anything = table[-2:]
    assert (slip["match"], untraced(slip)) == ({"prefix": HIDDEN}, True)
    assert (anything["match"], untraced(anything)) == ({"prefix": "/"}, False)


def test_each_district_has_a_bucket_for_its_addresses() -> None:
    config = limits.secret_addresses(DISTRICTS, SERVICE.methods_by_name["GetCalendarFile"])
    entries = [descriptor["entries"][0] for descriptor in config["descriptors"]]
    assert [entry["value"] for entry in entries] == [limits.ELSEWHERE, *(district.code for district in DISTRICTS)]
    asked = [rule["actions"][0]["header_value_match"] for rule in config["rate_limits"]]
    matches = [each["headers"][0]["string_match"] for each in asked if each["descriptor_value"] == WANZHOU]
    assert matches == [{"exact": WANZHOU}, {"prefix": f"{HIDDEN}{WANZHOU}/"}]


def test_the_log_has_each_call_once_and_no_secret_path() -> None:
    assert hidden_prefixes(SERVICE.methods) == [HIDDEN]
    plain, hidden = observing.access_logs([HIDDEN])
    assert plain["filter"]["header_filter"]["header"]["invert_match"]
    assert hidden["typed_config"]["log_format"]["json_format"]["path"] == observing.WITHHELD
    (only,) = observing.access_logs([])
    assert "filter" not in only
