"""What the feedback service tells the other services, and what it hears from them."""

from collections.abc import Mapping

from google.protobuf.message import Message

from chassis.manifest import EventHandler
from chassis.rulebooks import rule_changed
from quanyutong.ballots.v1 import events_pb2 as ballots
from quanyutong.feedback.v1.events_pb2 import (
    AuditSealed,
    FiguresTold,
    Nominated,
    OpinionDueSoon,
    OpinionEscalated,
    OpinionProgressed,
    OpinionReceived,
    ProposalDueSoon,
    ProposalEscalated,
    ProposalProgressed,
    ProposalSubmitted,
    ResidentsReceived,
)
from quanyutong.registry.v1 import events_pb2 as registry
from services.feedback import roster
from services.feedback.nominations import nomination_advanced

PUBLISHES: tuple[type[Message], ...] = (
    AuditSealed,
    Nominated,
    OpinionReceived,
    OpinionProgressed,
    OpinionDueSoon,
    OpinionEscalated,
    ResidentsReceived,
    ProposalSubmitted,
    ProposalProgressed,
    ProposalDueSoon,
    ProposalEscalated,
    FiguresTold,
)
CONSUMES: Mapping[type[Message], EventHandler] = {
    registry.RuleChanged: rule_changed,
    registry.StationOpened: roster.station_opened,
    registry.MandateConfirmed: roster.mandate_confirmed,
    registry.PersonMerged: roster.person_merged,
    ballots.NominationAdvanced: nomination_advanced,
}
