"""What the meetings service tells the other services, and what it hears from them."""

from collections.abc import Mapping

from google.protobuf.message import Message

from chassis.manifest import EventHandler
from chassis.rulebooks import rule_changed
from quanyutong.meetings.v1.events_pb2 import (
    AttendanceRecorded,
    AuditSealed,
    DeliberationOpinionAnswered,
    DeliberationOpinionClosed,
    DeliberationOpinionHanded,
    FiguresTold,
    ItemConcluded,
    MeasureAgreed,
    MeetingClosed,
    MeetingConvened,
    MeetingHeld,
    MeetingScheduled,
    MeetingWithdrawn,
    MinutesSigned,
    ObligationsCounted,
    SpeechGiven,
)
from quanyutong.registry.v1 import events_pb2 as registry
from services.meetings import roster

PUBLISHES: tuple[type[Message], ...] = (
    AuditSealed,
    MeetingScheduled,
    MeetingWithdrawn,
    MeetingConvened,
    MeetingHeld,
    MeetingClosed,
    ObligationsCounted,
    AttendanceRecorded,
    ItemConcluded,
    DeliberationOpinionHanded,
    DeliberationOpinionAnswered,
    DeliberationOpinionClosed,
    SpeechGiven,
    MeasureAgreed,
    MinutesSigned,
    FiguresTold,
)
CONSUMES: Mapping[type[Message], EventHandler] = {
    registry.AssemblyCreated: roster.assembly_created,
    registry.AssemblyRenamed: roster.assembly_renamed,
    registry.TermOpened: roster.term_opened,
    registry.MandateConfirmed: roster.mandate_confirmed,
    registry.MandateEnded: roster.mandate_ended,
    registry.MandateSuspended: roster.mandate_suspended,
    registry.MandateReinstated: roster.mandate_reinstated,
    registry.PersonMerged: roster.person_merged,
    registry.StationOpened: roster.station_opened,
    registry.StationRenamed: roster.station_renamed,
    registry.StationClosed: roster.station_closed,
    registry.RotaChanged: roster.rota_changed,
    registry.RuleChanged: rule_changed,
}
