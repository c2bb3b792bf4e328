"""The gRPC server of one process: its services behind the chain, their health, and their reflection."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.auth import Verifier
from chassis.calls import Chain
from chassis.database import Database
from chassis.directory import Directory
from chassis.errors import Catalogue
from chassis.faults import OperatorFault
from chassis.manifest import Manifest
from chassis.peers import Peers
from chassis.rpc import inventory
from chassis.settings import Settings
from chassis.telemetry import Telemetry
from chassis.vault import Vault

# A stream of 5,000 rows arrives message by message; no single message is larger than this.
LARGEST_MESSAGE = 4 * 1024 * 1024
# As many as the gateway lets through to one upstream.
CALLS_WAITING = 10_000
OPTIONS = [
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.so_reuseport", 0),  # a port that is taken is an error, not a second listener
    ("grpc.keepalive_time_ms", 60_000),
    # The gateway asks every ten seconds whether the connection lives. On a busy machine two questions come close
    # together, and that is no reason to end every call on it.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Beyond a thousand calls that wait for this process gRPC would end some, by chance and without a reason. How many
    # may be on their way is the gateway's to say, and of each district the chain's.
    ("grpc.server.max_pending_requests", CALLS_WAITING),
    ("grpc.server.max_pending_requests_hard_limit", CALLS_WAITING),
]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class PortTaken(OperatorFault):
    """The address to listen on cannot be bound."""


@dataclass
class Listening:
    """A server that listens. It says NOT_SERVING until `ready` is called."""

    address: str
    _health: health.aio.HealthServicer
    _names: Sequence[str]

    async def ready(self, yes: bool) -> None:
        for name in ("", *self._names):
            await self._health.set(name, SERVING if yes else NOT_SERVING)


@asynccontextmanager
async def listening(
    settings: Settings,
    services: Sequence[tuple[Manifest, Database]],
    verifier: Verifier,
    directory: Directory,
    telemetry: Telemetry,
    peers: Peers,
) -> AsyncIterator[Listening]:
    """Serves until the end of the block, then lets calls in flight finish within `shutdown_grace`.

    Those that would go on for ever end at once (`chassis/ending.py`).
    """
    manifests = [manifest for manifest, _ in services]
    names = [manifest.service.full_name for manifest in manifests]
    vault = Vault.of(settings)
    chain = Chain(
        inventory(manifest.service for manifest in manifests),
        {manifest.service.full_name: Catalogue(manifest.reasons) for manifest in manifests},
        verifier,
        directory,
        telemetry,
        settings.district_calls_in_flight,
        vault.derive_all("requests"),
    )
    server = grpc.aio.server(interceptors=[chain], options=OPTIONS)
    for manifest, database in services:
        manifest.add_to_server(manifest.servicer(database, vault, peers), server)
    state = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    if settings.reflection:
        reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    try:
        port = server.add_insecure_port(settings.listen)
    except RuntimeError as error:
        raise PortTaken(f"cannot listen on {settings.listen}: is the port taken?") from error
    listener = Listening(f"{settings.listen.rpartition(':')[0]}:{port}", state, names)
    peers.are_here([manifest.name for manifest in manifests], listener.address)
    await listener.ready(False)
    await server.start()
    try:
        yield listener
    finally:
        await listener.ready(False)
        chain.stop()
        await server.stop(settings.shutdown_grace)
