"""The feedback service, to the chassis."""

from pathlib import Path

from chassis.manifest import Manifest
from quanyutong.feedback.v1 import errors_pb2, feedback_pb2
from quanyutong.feedback.v1.events_pb2 import AuditSealed
from quanyutong.feedback.v1.feedback_pb2_grpc import add_FeedbackServiceServicer_to_server
from services.feedback.city_figures import FIGURES
from services.feedback.contacts import ROUND as CONTACTS
from services.feedback.events import CONSUMES, PUBLISHES
from services.feedback.overdue import ROUND as DUE
from services.feedback.servicer import FeedbackServicer
from services.feedback.tables import COPIES, DERIVED

MANIFEST = Manifest(
    name="feedback",
    service=feedback_pb2.DESCRIPTOR.services_by_name["FeedbackService"],
    add_to_server=add_FeedbackServiceServicer_to_server,
    servicer=FeedbackServicer,
    reasons=errors_pb2.ErrorReason.DESCRIPTOR,
    migrations=Path(__file__).parent / "migrations",
    # What the registry told is audited where it was changed.
    unaudited=COPIES | DERIVED | {"told_month"},
    publishes=PUBLISHES,
    consumes=CONSUMES,
    rounds=(DUE, CONTACTS),
    seals=AuditSealed,
    figures=FIGURES,
)
