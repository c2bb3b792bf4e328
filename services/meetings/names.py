"""Names of delegates, asked of the registry with the caller's own token. They are in no event."""

import logging
from collections.abc import Collection, Mapping
from uuid import UUID

import grpc

from chassis.errors import Refusal
from chassis.peers import Metadata, Peers
from chassis.wire import identifier
from quanyutong.registry.v1 import persons_pb2, registry_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub

log = logging.getLogger(__name__)
SERVICE = registry_pb2.DESCRIPTOR.services_by_name["RegistryService"]
BATCH = 500
# Seconds. No meeting waits longer to be convened for its names.
PATIENCE = 3.0


async def names_of(peers: Peers, caller: Metadata, persons: Collection[UUID]) -> Mapping[UUID, str]:
    """By person; none where the registry cannot be reached or does not answer the caller. Ask outside a transaction."""
    found: dict[UUID, str] = {}
    try:
        keys = sorted(persons)
        for start in range(0, len(keys), BATCH):
            request = persons_pb2.BatchGetPersonsRequest(
                names=[f"persons/{key}" for key in keys[start : start + BATCH]]
            )
            registry = RegistryServiceStub(peers.channel("registry", SERVICE))
            answer = await registry.BatchGetPersons(request, metadata=caller, timeout=PATIENCE)
            found |= {identifier(person.name): person.display_name for person in answer.persons}
    except (grpc.aio.AioRpcError, Refusal) as error:
        log.warning("a roll without names", extra={"kind": type(error).__name__, "persons": len(persons)})
    return found
