"""The registry, to the chassis."""

from pathlib import Path

from chassis.database import Database
from chassis.manifest import Manifest
from quanyutong.registry.v1 import errors_pb2, registry_pb2
from quanyutong.registry.v1.events_pb2 import AuditSealed
from quanyutong.registry.v1.registry_pb2_grpc import add_RegistryServiceServicer_to_server
from services.registry.city_figures import FIGURES
from services.registry.commands import districts, registry
from services.registry.districts import enter_imported
from services.registry.events import CONSUMES, PUBLISHES
from services.registry.key_commands import keys
from services.registry.performance_command import performance
from services.registry.reference import enter_reference_data
from services.registry.respelling import spell_names
from services.registry.servicer import Registry
from services.registry.succession_command import succeed
from services.registry.tables import CITY_TABLES


async def bring_in(database: Database) -> None:
    """What a migration cannot bring, since it acts for no district."""
    await enter_reference_data(database)
    await spell_names(database)


registry.add_command(performance)
districts.add_command(succeed)
MANIFEST = Manifest(
    name="registry",
    service=registry_pb2.DESCRIPTOR.services_by_name["RegistryService"],
    add_to_server=add_RegistryServiceServicer_to_server,
    servicer=Registry,
    reasons=errors_pb2.ErrorReason.DESCRIPTOR,
    migrations=Path(__file__).parent / "migrations",
    city_tables=CITY_TABLES,
    # What was told last is nobody's act; what it was counted from is audited.
    unaudited=frozenset({"told_month"}),
    publishes=PUBLISHES,
    consumes=CONSUMES,
    seals=AuditSealed,
    figures=FIGURES,
    seed=bring_in,
    imported=enter_imported,
    commands=(districts, registry, keys),
)
