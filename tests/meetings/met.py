"""What meetings leave behind: an entry of every kind that the meetings service keeps."""

from chassis.wire import timestamp
from quanyutong.meetings.v1 import calendars_pb2, meeting_pb2, preparations_pb2
from tests.contract.office import NOBODY
from tests.harness import until
from tests.meetings.annual import owed, planned, proposals
from tests.meetings.items import item, opinion, step
from tests.meetings.papers import generate
from tests.meetings.secretariat import Secretariat, in_hours
from tests.meetings.sitting import CONSULTATION, INQUIRY, agree, answer, ask, attach, enlist, link, opened, speak
from tests.meetings.test_series import enter
from tests.meetings.test_series import planned as series


async def met(secretariat: Secretariat, body: str, *owing: str) -> dict[str, str]:
    """A consultation of an assembly's one delegate, with all that can be said and written in it; calendar and plan.

    `owing` are further bodies that owe meetings next year. Returns the names of the entries, by their kinds.
    """
    venue = await secretariat.venue()
    await secretariat.meeting(body, in_hours(24 * 30), venue=venue)  # as soon as the body is known
    names = await _convened(secretariat, body, venue) | {"venue": venue}
    names |= await _said(secretariat, names["meeting"], names["seat"])
    await secretariat.do("Adjourn", names["meeting"])
    names["minutes"] = (await generate(secretariat, names["meeting"])).name
    calendar = calendars_pb2.Calendar(subject=body)
    made = await secretariat.meet("CreateCalendar", calendars_pb2.CreateCalendarRequest(calendar=calendar))
    return names | {"calendar": made.name} | await _planned(secretariat, body, *owing)


async def _convened(secretariat: Secretariat, body: str, venue: str) -> dict[str, str]:
    """The one meeting of a series, an hour ago."""
    start = in_hours(-2)
    made = await enter(secretariat, series(body, start, "FREQ=WEEKLY;COUNT=1", kind=CONSULTATION, venue=venue))
    request = meeting_pb2.ListMeetingsRequest(series=made.name)
    (meeting,) = (each.name for each in (await secretariat.meet("ListMeetings", request)).meetings)
    (seat,) = await secretariat.called(meeting, 1)
    await secretariat.enter(meeting, seat.mandate, check_in_time=timestamp(in_hours(-1.5)))
    await secretariat.do("Convene", meeting, convene_time=timestamp(in_hours(-1)))
    return {"series": made.name, "meeting": meeting, "attendee": seat.name, "seat": seat.mandate}


async def _said(secretariat: Secretariat, meeting: str, seat: str) -> dict[str, str]:
    inquiry = await opened(secretariat, meeting, item_class=INQUIRY)
    question = await ask(secretariat, inquiry, seat)
    await answer(secretariat, question)
    speaker = (await enlist(secretariat, inquiry, seat)).name
    for rpc in ("CallSpeaker", "EndSpeech"):
        await speak(secretariat, rpc, speaker)
    said = await opinion(secretariat, inquiry)
    await step(secretariat, "Hand", said, undertaker="区水利局")
    kind = preparations_pb2.PREPARATION_KIND_OPINION
    await item(secretariat, meeting)  # one that is left open
    return {
        "agenda item": inquiry,
        "question": question,
        "speaker": speaker,
        "attachment": (await attach(secretariat, inquiry)).name,
        "deliberation opinion": said,
        "preparation": await link(secretariat, meeting, f"opinions/{NOBODY}", kind),
        "measure": (await agree(secretariat, meeting)).name,
    }


async def _planned(secretariat: Secretariat, *bodies: str) -> dict[str, str]:
    async def heard() -> bool:
        return all([await owed(secretariat, body=body) for body in bodies])

    await until(heard)
    await planned(secretariat)
    proposal = (await proposals(secretariat, body=bodies[-1]))[0]
    return {"obligation": proposal.obligation, "proposal": proposal.name}
