"""The public address, and what happens to a call between there and its route.

The order of the filters is the order in which a call can be refused: a token
that is not ours, a district that may not call, a limit, a body that is too
large or cannot be read. Only then is JSON turned into gRPC.
"""

import base64
from collections.abc import Iterable, Sequence

from google.protobuf.descriptor import ServiceDescriptor

from chassis.settings import Settings
from gateway import admission, limits, observing, reading, sizes, tls
from gateway.configuration import Json, typed
from gateway.descriptors import descriptor_set
from gateway.refusals import local_replies, note_arrival
from gateway.upstream import split_address

NAME = "public"
TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
TYPE = "envoy.config.listener.v3.Listener"
# The largest answer that is turned into JSON. A service's own limit for a gRPC message is 4 MiB.
LARGEST_ANSWER = 32 * 1024 * 1024


def listener(
    address: str,
    settings: Settings,
    routes: Json,
    filters: Sequence[Json],
    secrets: tls.Place | None,
    *,
    hidden: Sequence[str],
    unlogged: Sequence[str],
    traced: bool,
) -> Json:
    """The public listener. `routes` says where its route table is, `secrets` where its certificates are.

    `hidden` is how paths begin that no log may hold; `unlogged` are those of calls that no log may tell of.
    """
    host, port = split_address(address)
    chain: Json = {
        "filters": [
            {
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": _connections(
                    settings, routes, filters, observing.access_logs(hidden, unlogged), traced=traced
                ),
            }
        ]
    }
    if tls.enabled(settings):
        chain["transport_socket"] = tls.transport_socket(settings, secrets)
    return {
        "name": NAME,
        "address": {"socket_address": {"address": host, "port_value": port}},
        "filter_chains": [chain],
        # A second gateway on the same address must fail, not share the calls unseen.
        "enable_reuse_port": False,
        "connection_balance_config": {"exact_balance": {}},
    }


def _connections(
    settings: Settings, routes: Json, filters: Sequence[Json], access_logs: Sequence[Json], *, traced: bool
) -> Json:
    return typed(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=NAME,
        **routes,
        http_filters=list(filters),
        local_reply_config=local_replies(),
        access_log=list(access_logs),
        early_header_mutation_extensions=[_clean_on_arrival(), *([_marked()] if traced else [])],
        # The peer is the client: nothing that it says of addresses is believed or passed on.
        use_remote_address=True,
        skip_xff_append=True,
        normalize_path=True,
        server_header_transformation="PASS_THROUGH",
        # A client's request id is a client's: kept as it is, and invented only where calls are sampled by it.
        generate_request_id=traced,
        preserve_external_request_id=True,
        request_id_extension={"typed_config": _REQUEST_ID},
        # Streams may rest. A peer that is gone is found by the keepalive below.
        stream_idle_timeout="0s",
        request_headers_timeout="15s",
        http2_protocol_options={"connection_keepalive": {"interval": "30s", "timeout": "10s"}},
        **({"tracing": observing.tracing(settings.trace_share)} if traced else {}),
    )


_REQUEST_ID = typed(
    "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
    pack_trace_reason=False,
)


def _clean_on_arrival() -> Json:
    """Before anything reads a header: drops those that only the gateway may set.

    `x-envoy-*` would let a client set retries and timeouts.
    """
    ours = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in ("x-qyt-", "x-envoy-")]
    theirs = [{"remove": name} for name in ("x-forwarded-for", "forwarded", "x-real-ip", observing.TRACED_BY_CLIENT)]
    return _mutated(*ours, *theirs)


def _marked() -> Json:
    """A call that is part of a client's trace is marked as Envoy wants it, so that it is traced whatever the share is:
    but for the calls that leave no trace, whose routes say so.
    """
    mark = {"key": observing.TRACED_BY_CLIENT, "value": "%REQ(traceparent)%"}
    return _mutated({"append": {"header": mark, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}})


def _mutated(*mutations: Json) -> Json:
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": typed(
            "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            mutations=list(mutations),
        ),
    }


def filters(token: Json, services: Iterable[ServiceDescriptor]) -> list[Json]:
    """The filters of a call, in order. `token` says where the one that verifies tokens is found."""
    return [
        _filter("envoy.filters.http.header_to_metadata", note_arrival()),
        _filter("envoy.filters.http.grpc_web", typed("envoy.extensions.filters.http.grpc_web.v3.GrpcWeb")),
        {"name": admission.FILTER, **token},
        _filter(admission.RULES_FILTER, admission.closed()),
        _filter(limits.FILTER, limits.off()),
        _filter(sizes.FILTER, sizes.on_call()) | {"disabled": True},
        _filter(reading.FILTER, reading.on_call()) | {"disabled": True},
        _filter(TRANSCODER, _transcoder(services)),
        _filter("envoy.filters.http.router", _ROUTER),
    ]


_ROUTER = typed("envoy.extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)


def _filter(name: str, config: Json) -> Json:
    return {"name": name, "typed_config": config}


def _transcoder(services: Iterable[ServiceDescriptor]) -> Json:
    served = list(services)
    return typed(
        "envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor_bin=base64.b64encode(descriptor_set(served)).decode(),
        services=sorted(service.full_name for service in served),
        convert_grpc_status=True,
        # The route of the REST path has the REST timeout and belongs to the same RPC.
        match_incoming_request_route=True,
        request_validation_options={
            "reject_unknown_method": True,
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
        query_param_unescape_plus=True,
        max_request_body_size=reading.LARGEST_BODY,
        max_response_body_size=LARGEST_ANSWER,
    )
