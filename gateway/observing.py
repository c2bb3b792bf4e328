"""What the gateway leaves behind of a call: one line in the access log, and a span where traces are wanted.

Neither holds a token, an address of a client, or a query string.
"""

from collections.abc import Sequence

from gateway.configuration import Json, typed

TRACES_CLUSTER = "traces"
WITHHELD = "-"
# What Envoy reads to trace a call because its client does. It goes no further than the gateway.
TRACED_BY_CLIENT = "x-client-trace-id"
# After transcoding: the RPC, also where the call came in as REST, so no resource's name is kept.
PATH = "%PATH(NQ:PATH)%"

LINE = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "path": PATH,
    "http_status": "%RESPONSE_CODE%",
    "grpc_status": "%GRPC_STATUS_NUMBER%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "district": "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:claims:district)%",
    "milliseconds": "%DURATION%",
    "received_bytes": "%BYTES_RECEIVED%",
    "sent_bytes": "%BYTES_SENT%",
    "upstream": "%UPSTREAM_CLUSTER%",
    "tries": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
}


def access_logs(hidden: Sequence[str], unlogged: Sequence[str] = ()) -> list[Json]:
    """A JSON line for each call on standard output, without its path where that begins like a secret address.

    Such a path is still there when a call is refused before it was transcoded. Calls with the paths in `unlogged`, or
    below one that ends with a slash, have no line at all: not even when they came.
    """
    begins = [{"name": ":path", "string_match": {"prefix": prefix}} for prefix in hidden]
    secret = [{"header_filter": {"header": header}} for header in begins]
    never = [
        {"name": ":path", "string_match": {"prefix" if path.endswith("/") else "exact": path}} for path in unlogged
    ]
    plain = [{"header_filter": {"header": {**header, "invert_match": True}}} for header in (*begins, *never)]
    unseen = [_log(LINE | {"path": WITHHELD}, each) for each in secret]
    return [_log(LINE, _all_of(plain)), *unseen]


def _all_of(filters: Sequence[Json]) -> Json:
    return filters[0] if len(filters) == 1 else {"and_filter": {"filters": list(filters)}} if filters else {}


def _log(line: Json, only: Json) -> Json:
    """`only` says of which calls; empty: of all."""
    format_of = typed("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", log_format={"json_format": line})
    return {"name": "envoy.access_loggers.stdout", "typed_config": format_of, **({"filter": only} if only else {})}


def tracing(share: float) -> Json:
    """Spans for this share of the calls (0 to 1), and for every call whose caller traces it."""
    return {
        "random_sampling": {"value": share * 100},
        "operation": PATH,
        # Envoy writes these by itself; what it would write is replaced.
        "custom_tags": [
            {"tag": "http.url", "value": PATH},
            {"tag": "peer.address", "literal": {"value": WITHHELD}},
            {"tag": "user_agent", "literal": {"value": WITHHELD}},
        ],
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": typed(
                "envoy.config.trace.v3.OpenTelemetryConfig",
                grpc_service={"envoy_grpc": {"cluster_name": TRACES_CLUSTER}, "timeout": "1s"},
                service_name="gateway",
            ),
        },
    }
