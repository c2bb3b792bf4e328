"""The RPCs of the ballots service, each in the file of its resource."""

from chassis.auditing import Audits
from chassis.database import Database
from chassis.peers import Peers
from chassis.vault import Vault
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceServicer
from services.ballots.announcing import Announcing
from services.ballots.batching import Batches
from services.ballots.campaigns import Campaigns
from services.ballots.casting import Casting
from services.ballots.certifying import Certifying
from services.ballots.decisions import Decisions
from services.ballots.holding import Holding
from services.ballots.papers import Papers
from services.ballots.polls import Polls
from services.ballots.progress import Progress
from services.ballots.project_export import ProjectExport
from services.ballots.project_parts import ProjectParts
from services.ballots.projects import Projects
from services.ballots.results import Results
from services.ballots.suggestions import Suggestions
from services.ballots.timeline import Timeline
from services.ballots.turnout import Turnouts


class BallotsServicer(
    Polls,
    Holding,
    Papers,
    Casting,
    Turnouts,
    Certifying,
    Announcing,
    Results,
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
        self._desks = Batches(self._hand_out)
        self._slots = Batches(self._drop)
