"""What the ballots service tells the other services, and what it hears from them."""

from collections.abc import Mapping

from google.protobuf.message import Message

from chassis.manifest import EventHandler
from chassis.rulebooks import rule_changed
from quanyutong.ballots.v1.events_pb2 import (
    AuditSealed,
    FiguresTold,
    NominationAdvanced,
    PapersTaken,
    PollAnnounced,
    PollClosed,
    PollOpened,
    PollVoided,
    ProjectAccepted,
    ProjectAdopted,
    ProjectDecided,
    ProjectProgressed,
)
from quanyutong.feedback.v1 import events_pb2 as feedback
from quanyutong.meetings.v1 import events_pb2 as meetings
from quanyutong.registry.v1 import events_pb2 as registry
from services.ballots import nominations, roster

PUBLISHES: tuple[type[Message], ...] = (
    AuditSealed,
    PollOpened,
    PapersTaken,
    PollClosed,
    PollAnnounced,
    PollVoided,
    ProjectAdopted,
    ProjectProgressed,
    ProjectAccepted,
    ProjectDecided,
    NominationAdvanced,
    FiguresTold,
)
CONSUMES: Mapping[type[Message], EventHandler] = {
    registry.RuleChanged: rule_changed,
    registry.AssemblyCreated: roster.assembly_created,
    registry.AssemblyRenamed: roster.assembly_renamed,
    registry.PersonMerged: roster.person_merged,
    meetings.MeetingScheduled: roster.meeting_scheduled,
    meetings.MeetingWithdrawn: roster.meeting_withdrawn,
    meetings.MeetingConvened: roster.meeting_convened,
    meetings.MeetingHeld: roster.meeting_held,
    meetings.MeetingClosed: roster.meeting_closed,
    meetings.AttendanceRecorded: roster.attendance_recorded,
    feedback.Nominated: nominations.nominated,
}
