"""The RPCs of the meetings service, each in the file of its resource."""

from chassis.auditing import Audits
from chassis.database import Database
from chassis.peers import Peers
from chassis.vault import Vault
from quanyutong.meetings.v1.meetings_pb2_grpc import MeetingsServiceServicer
from services.meetings.agenda import Agenda
from services.meetings.attachments import Attachments
from services.meetings.attendance import Attendance
from services.meetings.calendars import Calendars
from services.meetings.check_ins import CheckIns
from services.meetings.convening import Convening
from services.meetings.deliberations import Deliberations
from services.meetings.measures import Measures
from services.meetings.meetings import Meetings
from services.meetings.minutes import MeetingMinutes
from services.meetings.owing import Obligations
from services.meetings.plans import Plans
from services.meetings.preparation import Preparations
from services.meetings.proposals import Proposals
from services.meetings.questions import Questions
from services.meetings.series import AllSeries
from services.meetings.signatures import Signatures
from services.meetings.speakers import Speakers
from services.meetings.venues import Venues
from services.meetings.watching import Watching


class MeetingsServicer(
    Venues,
    Meetings,
    Obligations,
    Plans,
    Proposals,
    AllSeries,
    Calendars,
    Convening,
    Attendance,
    CheckIns,
    Watching,
    Agenda,
    Deliberations,
    Speakers,
    Questions,
    Attachments,
    Preparations,
    Measures,
    MeetingMinutes,
    Signatures,
    Audits,
    MeetingsServiceServicer,
):
    """One method an RPC: load, decide, save, publish, reply."""

    def __init__(self, database: Database, vault: Vault, peers: Peers) -> None:
        self._database = database
        self._vault = vault
        self._peers = peers
