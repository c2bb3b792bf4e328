"""The RPCs of the feedback service, each in the file of its resource."""

from chassis.auditing import Audits
from chassis.database import Database
from chassis.peers import Peers
from chassis.vault import Vault
from quanyutong.feedback.v1.feedback_pb2_grpc import FeedbackServiceServicer
from services.feedback.contacts import Contacts
from services.feedback.evaluating import Evaluating
from services.feedback.following import Following
from services.feedback.handling import Handling
from services.feedback.intakes import Intakes
from services.feedback.merging import Merging
from services.feedback.nominations import Nominations
from services.feedback.opinions import Opinions
from services.feedback.places import Places
from services.feedback.proposal_handling import ProposalHandling
from services.feedback.proposals import Proposals
from services.feedback.receptions import Receptions
from services.feedback.routing import Routes


class FeedbackServicer(
    Opinions,
    Contacts,
    Handling,
    Merging,
    Routes,
    Receptions,
    Intakes,
    Following,
    Proposals,
    ProposalHandling,
    Evaluating,
    Nominations,
    Audits,
    FeedbackServiceServicer,
):
    """One method an RPC: load, decide, save, publish, reply."""

    def __init__(self, database: Database, vault: Vault, peers: Peers) -> None:
        self._database = database
        self._vault = vault
        self._peers = peers
        self._places = Places()
