"""What the registry tells the other services, and what it hears from them."""

from collections.abc import Mapping

from google.protobuf.message import Message

from chassis.manifest import EventHandler
from quanyutong.ballots.v1 import events_pb2 as ballots
from quanyutong.common.v1.events_pb2 import DistrictChanged
from quanyutong.feedback.v1 import events_pb2 as feedback
from quanyutong.meetings.v1 import events_pb2 as meetings
from quanyutong.registry.v1.events_pb2 import (
    ActivitiesRecorded,
    AssemblyCreated,
    AssemblyRenamed,
    AuditSealed,
    ContactChanged,
    DistrictSucceeded,
    FiguresTold,
    MandateConfirmed,
    MandateEnded,
    MandateReinstated,
    MandateSuspended,
    OversightGroupFormed,
    OversightLeaderChanged,
    OversightMemberChanged,
    PersonMerged,
    RotaChanged,
    RuleChanged,
    StationClosed,
    StationOpened,
    StationRenamed,
    TermOpened,
)
from services.registry.hearing import attended, opinion_raised, papers_taken, proposal_raised, residents_received, spoke

PUBLISHES: tuple[type[Message], ...] = (
    DistrictChanged,
    AssemblyCreated,
    AssemblyRenamed,
    TermOpened,
    MandateConfirmed,
    MandateEnded,
    RuleChanged,
    AuditSealed,
    MandateSuspended,
    MandateReinstated,
    StationOpened,
    StationRenamed,
    StationClosed,
    RotaChanged,
    ContactChanged,
    OversightGroupFormed,
    OversightMemberChanged,
    OversightLeaderChanged,
    PersonMerged,
    ActivitiesRecorded,
    DistrictSucceeded,
    FiguresTold,
)
CONSUMES: Mapping[type[Message], EventHandler] = {
    meetings.AttendanceRecorded: attended,
    meetings.SpeechGiven: spoke,
    ballots.PapersTaken: papers_taken,
    feedback.OpinionReceived: opinion_raised,
    feedback.ResidentsReceived: residents_received,
    feedback.ProposalSubmitted: proposal_raised,
}
