"""The ballots service, to the chassis."""

from pathlib import Path

from chassis.manifest import Manifest
from quanyutong.ballots.v1 import ballots_pb2, errors_pb2
from quanyutong.ballots.v1.ballots_pb2_grpc import add_BallotsServiceServicer_to_server
from quanyutong.ballots.v1.events_pb2 import AuditSealed
from services.ballots.board_commands import ballots
from services.ballots.city_figures import FIGURES
from services.ballots.events import CONSUMES, PUBLISHES
from services.ballots.holding import ROUND as TIMES
from services.ballots.nominations import ROUND as NOMINATIONS
from services.ballots.servicer import BallotsServicer
from services.ballots.sweeping import ROUND as SWEEPING
from services.ballots.tables import COPIES, SECRET

MANIFEST = Manifest(
    name="ballots",
    service=ballots_pb2.DESCRIPTOR.services_by_name["BallotsService"],
    add_to_server=add_BallotsServiceServicer_to_server,
    servicer=BallotsServicer,
    reasons=errors_pb2.ErrorReason.DESCRIPTOR,
    migrations=Path(__file__).parent / "migrations",
    # What the registry and the meetings service told is audited where it was changed.
    # Of papers and ballots nobody may know when they came, or with what else: their changes are recorded nowhere.
    unaudited=COPIES | SECRET | {"told_month"},
    publishes=PUBLISHES,
    consumes=CONSUMES,
    rounds=(TIMES, SWEEPING, NOMINATIONS),
    seals=AuditSealed,
    figures=FIGURES,
    commands=(ballots,),
)
