"""Which events a district's own systems are told, and which not, with why. Every event is in one of both."""

from collections.abc import Mapping

from quanyutong.ballots.v1 import events_pb2 as ballots
from quanyutong.common.v1 import events_pb2 as common
from quanyutong.feedback.v1 import events_pb2 as feedback
from quanyutong.meetings.v1 import events_pb2 as meetings
from quanyutong.registry.v1 import events_pb2 as registry

# The messages of these files are events, but for parts of events.
PARTS = frozenset({meetings.Seat.DESCRIPTOR, meetings.ObligationCount.DESCRIPTOR, ballots.PaperHolder.DESCRIPTOR})
WITHHELD: Mapping[str, str] = {
    common.DistrictChanged.DESCRIPTOR.full_name: "the platform's own directory, of its operators",
    ballots.PapersTaken.DESCRIPTOR.full_name: "who took a paper is for the performance record alone",
}
SUBSCRIBABLE = frozenset(
    message.full_name
    for file in (registry, meetings, ballots, feedback)
    for message in file.DESCRIPTOR.message_types_by_name.values()
    if message not in PARTS and message.full_name not in WITHHELD
)
