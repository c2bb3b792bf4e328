"""Where the upstreams are, and when one of their processes is left alone for a while."""

import ipaddress
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from gateway import tls
from gateway.configuration import GatewayConfigInvalid, Json, typed
from gateway.upstream import Upstream, split_address

TYPE = "envoy.config.cluster.v3.Cluster"
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
# Calls at once to one upstream. A district's own share of them is limited by the services.
CALLS_AT_ONCE = 10_000
WAITING_AT_ONCE = 2_000


def upstream_clusters(upstreams: Iterable[Upstream]) -> list[Json]:
    """One for each upstream, its processes asked for their health every second."""
    return [
        grpc_cluster(upstream.name, upstream.addresses)
        | {"health_checks": [_HEALTH_CHECK], "common_lb_config": _NO_PANIC, "outlier_detection": _OUTLIERS}
        for upstream in upstreams
    ]


def grpc_cluster(name: str, addresses: Iterable[str]) -> Json:
    """Plain HTTP/2 to `host:port` addresses."""
    return _cluster(name, [split_address(address) for address in addresses]) | {
        "typed_extension_protocol_options": {OPTIONS: _HTTP2},
        "circuit_breakers": {"thresholds": [_THRESHOLDS]},
    }


def peer_cluster(name: str, url: str, default_port: int, *, grpc: bool = False) -> Json:
    """Another server by its URL, with TLS if that says so. Raises GatewayConfigInvalid when it names no host."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise GatewayConfigInvalid(f"{url!r} is no URL of a server")
    cluster = _cluster(name, [(parts.hostname, parts.port or default_port)])
    if parts.scheme == "https":
        cluster["transport_socket"] = tls.to_peer(parts.hostname)
    if grpc:
        cluster["typed_extension_protocol_options"] = {OPTIONS: _HTTP2}
    return cluster


def _cluster(name: str, places: Sequence[tuple[str, int]]) -> Json:
    endpoints = [
        {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}} for host, port in places
    ]
    return {
        "name": name,
        # Names are looked up again every few seconds: a service moves, and has several addresses.
        "type": "STATIC" if all(_is_ip(host) for host, _ in places) else "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    }


_HTTP2 = typed(
    OPTIONS,
    explicit_http_config={
        # Finds a peer that vanished without closing its connection.
        "http2_protocol_options": {"connection_keepalive": {"interval": "10s", "timeout": "5s"}}
    },
)
_THRESHOLDS = {
    "max_requests": CALLS_AT_ONCE,
    "max_pending_requests": WAITING_AT_ONCE,
    # Retries must not double the load on a service that fails because of load.
    "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 10},
}
# Patient with a process that is busy for a moment, quick to see one that is back.
_HEALTH_CHECK = {
    "grpc_health_check": {},
    "timeout": "2s",
    "interval": "1s",
    "no_traffic_interval": "1s",
    "unhealthy_interval": "0.5s",
    "unhealthy_threshold": 3,
    "healthy_threshold": 1,
}
# Without any healthy process calls are refused at once. Envoy's default would send
# them to one that hangs, where a call without a deadline waits for ever.
_NO_PANIC = {"healthy_panic_threshold": {"value": 0}}
# Only what happens between the gateway and a process counts against the process.
# Answers do not: one district's calls that all fail must not take a process from the others.
_OUTLIERS = {
    "split_external_local_origin_errors": True,
    "consecutive_local_origin_failure": 3,
    "enforcing_consecutive_5xx": 0,
    "enforcing_success_rate": 0,
    "enforcing_local_origin_success_rate": 0,
    "interval": "1s",
    "base_ejection_time": "3s",
    "max_ejection_time": "10s",
}


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
