"""The ballots service, to the chassis."""

from pathlib import Path

from chassis.manifest import Manifest
from quanyutong.ballots.v1 import ballots_pb2, errors_pb2
from quanyutong.ballots.v1.ballots_pb2_grpc import add_BallotsServiceServicer_to_server
from quanyutong.ballots.v1.events_pb2 import AuditSealed
from services.ballots.events import CONSUMES, PUBLISHES
from services.ballots.servicer import BallotsServicer
from services.ballots.tables import COPIES

MANIFEST = Manifest(
    name="ballots",
    service=ballots_pb2.DESCRIPTOR.services_by_name["BallotsService"],
    add_to_server=add_BallotsServiceServicer_to_server,
    servicer=BallotsServicer,
    reasons=errors_pb2.ErrorReason.DESCRIPTOR,
    migrations=Path(__file__).parent / "migrations",
    # What the registry and the meetings service told is audited where it was changed.
    unaudited=COPIES,
    publishes=PUBLISHES,
    consumes=CONSUMES,
    seals=AuditSealed,
)
