"""The RPCs of the ballots service, each in the file of its resource."""

from chassis.auditing import Audits
from chassis.database import Database
from chassis.peers import Peers
from chassis.vault import Vault
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceServicer
from services.ballots.campaigns import Campaigns
from services.ballots.decisions import Decisions
from services.ballots.progress import Progress
from services.ballots.project_export import ProjectExport
from services.ballots.project_parts import ProjectParts
from services.ballots.projects import Projects
from services.ballots.suggestions import Suggestions
from services.ballots.timeline import Timeline


class BallotsServicer(
    Campaigns,
    Suggestions,
    Projects,
    ProjectParts,
    Progress,
    Decisions,
    Timeline,
    ProjectExport,
    Audits,
    BallotsServiceServicer,
):
    """One method an RPC: load, decide, save, publish, reply."""

    def __init__(self, database: Database, vault: Vault, peers: Peers) -> None:
        self._database = database
        self._vault = vault
        self._peers = peers
