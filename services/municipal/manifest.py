"""The municipal service, to the chassis."""

from pathlib import Path

from chassis.manifest import Manifest
from quanyutong.municipal.v1 import errors_pb2, municipal_pb2
from quanyutong.municipal.v1.municipal_pb2_grpc import add_MunicipalServiceServicer_to_server
from services.municipal.commands import municipal
from services.municipal.events import CONSUMES
from services.municipal.servicer import MunicipalServicer
from services.municipal.tables import CITY_TABLES

MANIFEST = Manifest(
    name="municipal",
    service=municipal_pb2.DESCRIPTOR.services_by_name["MunicipalService"],
    add_to_server=add_MunicipalServiceServicer_to_server,
    servicer=MunicipalServicer,
    reasons=errors_pb2.ErrorReason.DESCRIPTOR,
    migrations=Path(__file__).parent / "migrations",
    city_tables=CITY_TABLES,
    # What was told is audited where it was changed.
    unaudited=CITY_TABLES,
    consumes=CONSUMES,
    of_all_districts=True,
    commands=(municipal,),
)
