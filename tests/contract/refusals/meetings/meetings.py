"""Meetings and what they book."""

from chassis.wire import timestamp
from quanyutong.meetings.v1 import meeting_pb2, venues_pb2
from tests.contract.office import NOBODY, STATION, Office, in_days
from tests.contract.refusals import refused_with
from tests.meetings.secretariat import Secretariat, in_hours

RECEPTION_DAY = meeting_pb2.MEETING_KIND_RECEPTION_DAY
QUARTERLY = meeting_pb2.MEETING_KIND_QUARTERLY


@refused_with("BODY_NOT_FOUND")
async def meeting_of_nobody(office: Office) -> None:
    planned = Secretariat(office.tenant).planned(f"assemblies/{NOBODY}")
    await office.meet("CreateMeeting", meeting_pb2.CreateMeetingRequest(meeting=planned))


@refused_with("TERM_NOT_OPEN")
async def meeting_after_the_term(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    body = await secretariat.assembly_of(0)
    await secretariat.meeting(body)
    planned = secretariat.planned(body, in_hours(24 * 1000))
    await office.meet("CreateMeeting", meeting_pb2.CreateMeetingRequest(meeting=planned))


@refused_with("KIND_REFUSED")
async def a_quarterly_meeting_of_a_subdistrict(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    await secretariat.meeting(await secretariat.assembly_of(0), kind=QUARTERLY)


@refused_with("TIMES_REFUSED")
async def a_meeting_that_ends_before_it_begins(office: Office) -> None:
    planned = Secretariat(office.tenant).planned(f"assemblies/{NOBODY}", end_time=timestamp(in_hours(-9)))
    await office.meet("CreateMeeting", meeting_pb2.CreateMeetingRequest(meeting=planned))


@refused_with("NUMBER_TAKEN")
async def a_number_twice(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    body = await secretariat.assembly_of(0)
    for hours in (24, 48):
        await secretariat.meeting(body, in_hours(hours), number=7)


@refused_with("MEETING_NOT_FOUND")
async def a_meeting_that_is_not_there(office: Office) -> None:
    await office.meet("GetMeeting", meeting_pb2.GetMeetingRequest(name=f"meetings/{NOBODY}"))


@refused_with("PHASE_REFUSED")
async def closing_before_convening(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting = await secretariat.meeting(await secretariat.assembly_of(0))
    await secretariat.do("Close", meeting.name)


@refused_with("VENUE_NOT_FOUND")
async def a_venue_that_is_not_there(office: Office) -> None:
    await office.meet("GetVenue", venues_pb2.GetVenueRequest(name=f"venues/{NOBODY}"))


@refused_with("VENUE_EXISTS")
async def a_venue_twice(office: Office) -> None:
    for _ in range(2):
        await Secretariat(office.tenant).venue()


@refused_with("VENUE_CLOSED")
async def a_venue_closed_twice(office: Office) -> None:
    request = venues_pb2.CloseVenueRequest(name=await Secretariat(office.tenant).venue())
    for _ in range(2):
        await office.meet("CloseVenue", request)


@refused_with("VENUE_BOOKED")
async def a_venue_for_two_meetings(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    venue, first = await secretariat.venue(), await secretariat.assembly_of(0)
    second = await secretariat.assembly(await secretariat.unit(7))
    await secretariat.term(second)
    for body in (first, second):
        await secretariat.meeting(body, in_hours(24), venue=venue)


@refused_with("DELEGATES_BOOKED")
async def delegates_at_two_meetings(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    start = in_hours(24)
    first = await secretariat.meeting(await secretariat.assembly_of(1), start)
    await secretariat.called(first.name, 1)
    await secretariat.do(
        "Reschedule", first.name, reason="名册更新", start_time=first.start_time, end_time=first.end_time
    )
    planned = secretariat.planned(first.body, start)
    await office.meet("CreateMeeting", meeting_pb2.CreateMeetingRequest(meeting=planned))


@refused_with("RULE_NOT_FOUND")
async def a_quorum_before_there_was_a_rule(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    assembly = await secretariat.assembly()
    await secretariat.open_term(assembly, start="2012-01-01", end=in_days(-3000))
    meeting = await secretariat.meeting(assembly, in_hours(-24 * 365 * 13))
    await secretariat.quorum(meeting.name)


@refused_with("NOTICE_LATE")
async def notice_on_the_day(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    unit = await secretariat.unit()
    station = await secretariat.station(unit, STATION, belongs_to=await secretariat.station(unit))
    meeting = await secretariat.meeting(station, in_hours(1), kind=RECEPTION_DAY)
    await office.meet("GiveNotice", meeting_pb2.GiveNoticeRequest(name=meeting.name))


@refused_with("TIME_REFUSED")
async def convened_in_the_future(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting = await secretariat.meeting(await secretariat.assembly_of(0))
    await secretariat.do("Convene", meeting.name, convene_time=timestamp(in_hours(1)))
