"""The tally, to the chassis."""

from pathlib import Path

from chassis.manifest import Manifest
from tests.probe.tally.events import CONSUMES
from tests.probe.tally.servicer import Tallies, tally_pb2, tally_pb2_grpc

MANIFEST = Manifest(
    name="tally",
    service=tally_pb2.DESCRIPTOR.services_by_name["TallyService"],
    add_to_server=tally_pb2_grpc.add_TallyServiceServicer_to_server,
    servicer=Tallies,
    reasons=tally_pb2.ErrorReason.DESCRIPTOR,
    migrations=Path(__file__).parent / "migrations",
    consumes=CONSUMES,
)
