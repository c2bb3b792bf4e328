"""Calls of a secret ballot at the gateway: routed like all others, and written down nowhere."""

from pathlib import Path

import pytest

from chassis.settings import Settings
from gateway import observing, routes
from gateway.addresses import traceless_paths
from gateway.upstream import Upstream
from quanyutong.ballots.v1 import ballots_pb2
from tests.gateway.backend import probe_pb2
from tests.gateway.gate import DISTRICTS, eventually, running, stub
from tests.gateway.test_observing import PARENT, REQUEST, Collector, collector

__all__ = ["collector"]

SERVICE = ballots_pb2.DESCRIPTOR.services_by_name["BallotsService"]
LATER = probe_pb2.CreateProbeRequest(probe=probe_pb2.Probe(name="probes/1"))
TRACED = ("traceparent", PARENT)
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


@pytest.mark.parametrize("share", [0, 1])
async def test_no_span_whoever_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collector: Collector, share: float
) -> None:
    """Not of a share of all calls, and not of a call that its client traces: one trace would hold paper and ballot."""
    monkeypatch.setattr(routes, "is_traceless", lambda method: method.name == "GetProbe")
    async with running(tmp_path, trace_share=share) as gate, stub(gate) as probe:
        for more in ((), (TRACED,)):
            await probe.GetProbe(REQUEST, metadata=(*gate.signer.bearer(), *more))
        # What comes later is told later: once its span is there, theirs would be.
        await probe.CreateProbe(LATER, metadata=(*gate.signer.bearer(), TRACED))
        await eventually(lambda: collector.spans)
    assert {span.name.rpartition("/")[2] for span in collector.spans} == {"CreateProbe"}


async def test_the_share_of_traced_calls(tmp_path: Path, collector: Collector) -> None:
    """Nothing is traced of a share of none, but for what its client traces."""
    async with running(tmp_path, trace_share=0) as gate, stub(gate) as probe:
        await probe.GetProbe(REQUEST, metadata=gate.signer.bearer())
        await probe.GetProbe(REQUEST, metadata=(*gate.signer.bearer(), TRACED))
        (span,) = await eventually(lambda: collector.spans)
    assert span.trace_id.hex() == PARENT.split("-")[1]
