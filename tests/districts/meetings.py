"""What a district's meetings leave behind: something of everything that the meetings service keeps."""

from quanyutong.meetings.v1 import calendars_pb2, preparations_pb2
from tests.contract.office import NOBODY, Office
from tests.meetings.annual import assembly_for_years, planned
from tests.meetings.items import in_session, item, opinion, step
from tests.meetings.papers import generate
from tests.meetings.secretariat import Secretariat
from tests.meetings.sitting import (
    CONSULTATION,
    INQUIRY,
    agree,
    answer,
    ask,
    attach,
    enlist,
    link,
    opened,
    speak,
)
from tests.meetings.test_series import enter, soon
from tests.meetings.test_series import planned as series


async def met(office: Office) -> None:
    """A consultation with all that can be said and written in it, a series, a calendar and the plan of a year."""
    secretariat = Secretariat(office.tenant)
    meeting, (one, other) = await in_session(secretariat, 2, unit=31, kind=CONSULTATION)
    inquiry = await opened(secretariat, meeting, item_class=INQUIRY)
    await answer(secretariat, await ask(secretariat, inquiry, one))
    speaker = (await enlist(secretariat, inquiry, other)).name
    for rpc in ("CallSpeaker", "EndSpeech"):
        await speak(secretariat, rpc, speaker)
    await attach(secretariat, (await item(secretariat, meeting)).name)
    await link(secretariat, meeting, f"opinions/{NOBODY}", preparations_pb2.PREPARATION_KIND_OPINION)
    await step(secretariat, "Hand", await opinion(secretariat, inquiry), undertaker="区水利局")
    await agree(secretariat, meeting)
    await secretariat.do("Adjourn", meeting)
    await generate(secretariat, meeting)
    await _to_come(secretariat)


async def _to_come(secretariat: Secretariat) -> None:
    body = await assembly_for_years(secretariat, 33)
    await secretariat.meeting(body, soon(), venue=await secretariat.venue())
    await enter(secretariat, series(body, soon(8), "FREQ=WEEKLY;COUNT=2"))
    calendar = calendars_pb2.Calendar(subject=body)
    await secretariat.meet("CreateCalendar", calendars_pb2.CreateCalendarRequest(calendar=calendar))
    await planned(secretariat)
