"""Channels to other processes: a deadline on every call, and a retry of safe ones only."""

import json
from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from chassis.rpc import inventory

# Seconds for a call that its caller gave no deadline.
DEADLINE = 10.0
LARGEST_ANSWER = 64 * 1024 * 1024


def channel(
    address: str,
    services: Iterable[ServiceDescriptor],
    credentials: grpc.ChannelCredentials | None = None,
    deadline: float = DEADLINE,
) -> grpc.aio.Channel:
    """A channel to `address` (`host:port`). What changes nothing is tried up to three times when unavailable."""
    options = [
        ("grpc.service_config", _service_config(services, deadline)),
        # An import answers with each of its faults.
        ("grpc.max_receive_message_length", LARGEST_ANSWER),
        ("grpc.keepalive_time_ms", 60_000),
        # A peer is reached directly, whatever proxy the environment names for the outside.
        ("grpc.enable_http_proxy", 0),
        # Without it a channel that has seen a refusal waits up to two minutes before it tries again.
        ("grpc.max_reconnect_backoff_ms", 1_000),
    ]
    if credentials:
        return grpc.aio.secure_channel(address, credentials, options)
    return grpc.aio.insecure_channel(address, options)


def _service_config(services: Iterable[ServiceDescriptor], deadline: float) -> str:
    """gRPC's service config (A6): the same rule that the gateway's routes follow."""
    rpcs = inventory(services).values()
    safe = [{"service": r.service, "method": r.method} for r in rpcs if r.safe and not r.response_streaming]
    every = [{"service": r.service, "method": r.method} for r in rpcs if not (r.safe or r.response_streaming)]
    retry = {
        "maxAttempts": 3,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    methods: list[dict[str, Any]] = [
        {"name": safe, "timeout": f"{deadline}s", "retryPolicy": retry},
        {"name": every, "timeout": f"{deadline}s"},
    ]
    return json.dumps({"methodConfig": [method for method in methods if method["name"]]})
