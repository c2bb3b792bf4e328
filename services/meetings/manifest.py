"""The meetings service, to the chassis."""

from pathlib import Path

from chassis.manifest import Manifest
from quanyutong.meetings.v1 import errors_pb2, meetings_pb2
from quanyutong.meetings.v1.events_pb2 import AuditSealed
from quanyutong.meetings.v1.meetings_pb2_grpc import add_MeetingsServiceServicer_to_server
from services.meetings.city_figures import FIGURES
from services.meetings.events import CONSUMES, PUBLISHES
from services.meetings.servicer import MeetingsServicer
from services.meetings.tables import COPIES
from services.meetings.telling import ROUND

MANIFEST = Manifest(
    name="meetings",
    service=meetings_pb2.DESCRIPTOR.services_by_name["MeetingsService"],
    add_to_server=add_MeetingsServiceServicer_to_server,
    servicer=MeetingsServicer,
    reasons=errors_pb2.ErrorReason.DESCRIPTOR,
    migrations=Path(__file__).parent / "migrations",
    # What the registry told is audited where it was changed; what was counted last is nobody's act.
    unaudited=COPIES | {"obligation_count", "told_month"},
    publishes=PUBLISHES,
    consumes=CONSUMES,
    rounds=(ROUND,),
    seals=AuditSealed,
    figures=FIGURES,
)
