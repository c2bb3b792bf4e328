"""What the municipal service hears. It tells nothing."""

from collections.abc import Mapping

from google.protobuf.message import Message

from chassis.manifest import EventHandler
from quanyutong.ballots.v1 import events_pb2 as ballots
from quanyutong.common.v1.events_pb2 import DistrictChanged
from quanyutong.feedback.v1 import events_pb2 as feedback
from quanyutong.meetings.v1 import events_pb2 as meetings
from quanyutong.registry.v1 import events_pb2 as registry
from services.municipal.telling import district_changed, figures_told

# Whose figures are added up.
TOLD: tuple[type[Message], ...] = (
    registry.FiguresTold,
    meetings.FiguresTold,
    ballots.FiguresTold,
    feedback.FiguresTold,
)
CONSUMES: Mapping[type[Message], EventHandler] = {
    DistrictChanged: district_changed,
    **dict.fromkeys(TOLD, figures_told),
}
