"""Calls of a secret ballot at the gateway: routed like all others, and written down nowhere."""

from chassis.settings import Settings
from gateway import observing, routes
from gateway.addresses import traceless_paths
from gateway.upstream import Upstream
from quanyutong.ballots.v1 import ballots_pb2
from tests.gateway.gate import DISTRICTS

SERVICE = ballots_pb2.DESCRIPTOR.services_by_name["BallotsService"]
PATHS = [f"/{SERVICE.full_name}/{rpc}" for rpc in ("CastBallot", "TakePaper")]


def test_calls_of_a_vote_leave_no_line_and_no_span() -> None:
    assert traceless_paths(SERVICE.methods) == PATHS
    (log,) = observing.access_logs([], PATHS)
    filters = [each["header_filter"]["header"] for each in log["filter"]["and_filter"]["filters"]]
    assert [(each["string_match"], each["invert_match"]) for each in filters] == [
        ({"exact": path}, True) for path in PATHS
    ]
    made = routes.routes([Upstream("ballots", ("127.0.0.1:7001",), (SERVICE,))], [], DISTRICTS, Settings())
    table = [route for route in made["virtual_hosts"][0]["routes"] if "route" in route]
    untraced = [route for route in table if route.get("tracing", {}).get("overall_sampling") == {"numerator": 0}]
    assert len(untraced) == 2 * len(PATHS)
