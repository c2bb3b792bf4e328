"""Attendance, check-in and the quorum."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis.vault import Vault
from quanyutong.meetings.v1 import attendance_pb2 as pb
from services.meetings.check_in_codes import signed
from services.meetings.check_ins import PURPOSE
from tests.contract.office import NOBODY, Office
from tests.contract.refusals import refused_with
from tests.meetings.secretariat import Secretariat

SOMEBODY = f"mandates/{NOBODY}"


@refused_with("QUORUM_MISSING")
async def convening_before_anybody_is_there(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting, _ = await secretariat.ready(1, 0)
    await secretariat.do("Convene", meeting)


@refused_with("ATTENDEE_NOT_FOUND")
async def checking_in_who_has_no_seat(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting, _ = await secretariat.ready(0, 0)
    await secretariat.enter(meeting, SOMEBODY)


@refused_with("ATTENDEE_REFUSED")
async def a_delegate_for_somebody_else(office: Office) -> None:
    meeting, _ = await Secretariat(office.tenant).ready(0, 0)
    await office.meet("CheckIn", pb.CheckInRequest(name=meeting, attendee=SOMEBODY), "delegate")


@refused_with("CODE_INVALID")
async def a_code_of_ones_own(office: Office) -> None:
    meeting, _ = await Secretariat(office.tenant).ready(0, 0)
    await office.meet("CheckIn", pb.CheckInRequest(name=meeting, code="123456"))


@refused_with("CODE_EXPIRED")
async def a_code_of_yesterday(office: Office) -> None:
    meeting, _ = await Secretariat(office.tenant).ready(0, 0)
    key = Vault.of(office.tenant.platform.settings).derive_all(PURPOSE)[0]
    code = signed(key, office.district, UUID(meeting.partition("/")[2]), datetime.now(UTC) - timedelta(days=1))
    await office.meet("CheckIn", pb.CheckInRequest(name=meeting, code=code))


@refused_with("NOT_PRESENT")
async def leaving_before_coming(office: Office) -> None:
    meeting, mandates = await Secretariat(office.tenant).ready(1, 0)
    await office.meet("LeaveMeeting", pb.LeaveMeetingRequest(name=meeting, attendee=mandates[0]))


@refused_with("ALREADY_PRESENT")
async def on_leave_in_the_hall(office: Office) -> None:
    meeting, mandates = await Secretariat(office.tenant).ready(1, 1)
    await office.meet("RequestLeave", pb.RequestLeaveRequest(name=meeting, mandate=mandates[0], reason="出差"))


@refused_with("NOT_AN_OBSERVER")
async def a_delegate_taken_off_by_hand(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting, _ = await secretariat.ready(1, 0)
    (seat,) = await secretariat.roll(meeting)
    await office.meet("RemoveObserver", pb.RemoveObserverRequest(name=seat.name))
