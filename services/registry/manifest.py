"""The registry, to the chassis."""

from pathlib import Path

from chassis.manifest import Manifest
from quanyutong.registry.v1 import errors_pb2, registry_pb2
from quanyutong.registry.v1.events_pb2 import AuditSealed
from quanyutong.registry.v1.registry_pb2_grpc import add_RegistryServiceServicer_to_server
from services.registry.audit_commands import audit
from services.registry.commands import districts
from services.registry.events import CONSUMES, PUBLISHES
from services.registry.reference import enter_reference_data
from services.registry.servicer import Registry
from services.registry.tables import CITY_TABLES

MANIFEST = Manifest(
    name="registry",
    service=registry_pb2.DESCRIPTOR.services_by_name["RegistryService"],
    add_to_server=add_RegistryServiceServicer_to_server,
    servicer=Registry,
    reasons=errors_pb2.ErrorReason.DESCRIPTOR,
    migrations=Path(__file__).parent / "migrations",
    city_tables=CITY_TABLES,
    publishes=PUBLISHES,
    consumes=CONSUMES,
    seals=AuditSealed,
    seed=enter_reference_data,
    commands=(districts, audit),
)
