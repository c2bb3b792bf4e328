"""Which call goes to which upstream, and with what patience.

The districts' admission and limits stand here too, since Envoy takes a new route
table within a second without touching a connection.
"""

from collections.abc import Iterable, Sequence

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from chassis.directory import District
from chassis.settings import Settings
from gateway import admission, limits, observing, reading, sizes
from gateway.addresses import at_secret_address, hidden_prefixes, is_traceless
from gateway.bindings import Binding, bindings
from gateway.configuration import Json, typed
from gateway.upstream import Upstream, methods

NAME = "routes"
FRONTDESK = "frontdesk"
TYPE = "envoy.config.route.v3.RouteConfiguration"
REST_TIMEOUT = "30s"
# A REST client that stops sending holds memory; a gRPC stream may rest as long as it likes.
REST_IDLE = "60s"
# What Envoy or the transcoder adds for itself. None of it is a service's business.
INTERNAL_HEADERS = [
    "x-envoy-original-path",
    "x-envoy-original-method",
    "x-envoy-external-address",
    "x-envoy-internal",
    observing.TRACED_BY_CLIENT,
]


def routes(
    upstreams: Sequence[Upstream], frontdesk: Sequence[str], districts: Iterable[District], settings: Settings
) -> Json:
    """The route table. `frontdesk` names the gRPC services that the gateway answers itself, without a token."""
    entries = list(districts)
    host = {
        "name": "everything",
        "domains": ["*"],
        "request_headers_to_remove": INTERNAL_HEADERS,
        "typed_per_filter_config": {
            admission.RULES_FILTER: admission.rules(entries, certificates=settings.gateway_client_ca is not None),
            limits.FILTER: limits.calls_per_second(entries, settings),
        },
        "routes": [
            *(_opened(_grpc(upstream, method), method, entries) for upstream, method in methods(upstreams)),
            *(_open(service) for service in frontdesk),
            *_rest(upstreams, entries),
            *(_unknown(hidden) for hidden in hidden_prefixes(method for _, method in methods(upstreams))),
            _unknown(),
        ],
    }
    return {"name": NAME, "virtual_hosts": [host]}


def _grpc(upstream: Upstream, method: MethodDescriptor) -> Json:
    # A gRPC call lasts as long as its `grpc-timeout` says, without one as long as it likes.
    patience: Json = {"timeout": "0s", "max_stream_duration": {"grpc_timeout_header_max": "0s"}}
    action = {"cluster": upstream.name, "idle_timeout": "0s", **patience, **_retry(method)}
    path = f"/{method.containing_service.full_name}/{method.name}"
    return {"match": {"path": path, "case_sensitive": True}, "route": action}


def _open(service: str) -> Json:
    action = {"cluster": FRONTDESK, "timeout": "0s", "idle_timeout": "0s"}
    return {
        "match": {"prefix": f"/{service}/"},
        "route": action,
        "typed_per_filter_config": admission.open_to_all(),
    }


def _rest(upstreams: Sequence[Upstream], districts: Sequence[District]) -> list[Json]:
    serving = {method.full_name: upstream for upstream, method in methods(upstreams)}
    # Routes are tried one after the other: a storm at the addresses, which no other path is like, is to be found early.
    doors = sorted(
        bindings(method for _, method in methods(upstreams)), key=lambda door: not at_secret_address(door.method)
    )
    return [_opened(_door(serving[door.method.full_name], door), door.method, districts) for door in doors]


def _opened(route: Json, method: MethodDescriptor, districts: Sequence[District]) -> Json:
    """The route as it is, or without a token where the secret is in the request itself; without a span where the call
    leaves no trace.
    """
    if is_traceless(method):
        return {**route, "tracing": _UNTRACED}
    if not at_secret_address(method):
        return route
    return {
        **route,
        "tracing": _UNTRACED_PATH,
        "response_headers_to_add": _NEVER_KEPT,
        "typed_per_filter_config": {
            **route.get("typed_per_filter_config", {}),
            **admission.open_to_all(),
            limits.FILTER: limits.secret_addresses(districts, method),
            sizes.FILTER: sizes.at_address(),
        },
    }


_UNTRACED = {f"{kind}_sampling": {"numerator": 0} for kind in ("client", "random", "overall")}
# A span of a call that was refused before it was transcoded would have the secret in its name.
_UNTRACED_PATH = {
    "operation": observing.WITHHELD,
    "custom_tags": [{"tag": "http.url", "literal": {"value": observing.WITHHELD}}],
}
# What was revoked is in no cache, and the address in no other site's log.
_NEVER_KEPT = [
    {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    for key, value in {"cache-control": "private, no-store", "referrer-policy": "no-referrer"}.items()
]


def _door(upstream: Upstream, door: Binding) -> Json:
    streaming = door.method.client_streaming or door.method.server_streaming
    patience = {"timeout": "0s" if streaming else REST_TIMEOUT, "idle_timeout": "0s" if streaming else REST_IDLE}
    route: Json = {
        "match": {
            "safe_regex": {"regex": door.path_regex},
            "headers": [
                {"name": ":method", "string_match": {"exact": door.verb}},
                # gRPC has its own paths; the transcoder would let it through here untouched.
                {
                    "name": "content-type",
                    "string_match": {"prefix": "application/grpc"},
                    "invert_match": True,
                    "treat_missing_header_as_empty": True,
                },
            ],
        },
        "route": {"cluster": upstream.name, **patience, **_retry(door.method)},
    }
    if door.verb != "GET":
        route["typed_per_filter_config"] = {reading.FILTER: reading.on_this_route(door)}
    return route


def _unknown(prefix: str = "/") -> Json:
    """No such path. One that begins like a secret address may be one with a slip in it: no trace has it."""
    return {
        "match": {"prefix": prefix},
        "direct_response": {"status": 404},
        "typed_per_filter_config": admission.open_to_all(),
        **({"tracing": _UNTRACED_PATH} if prefix != "/" else {}),
    }


def _retry(method: MethodDescriptor) -> Json:
    """Three tries for an RPC that has no effect; one for every other, since a failed call may have had its effect."""
    safe = method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
    if not safe or method.client_streaming or method.server_streaming:
        return {}
    return {
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,reset,unavailable",
            "num_retries": 2,
            "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
            "retry_host_predicate": [_NOT_THE_SAME_HOST],
            "host_selection_retry_max_attempts": 3,
        }
    }


_NOT_THE_SAME_HOST = {
    "name": "envoy.retry_host_predicates.previous_hosts",
    "typed_config": typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
}
