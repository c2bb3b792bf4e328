"""Meetings: a month's calendar, one meeting with its roll, and what a clerk does with it."""

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from starlette.responses import Response

from gateway.console.backend import enum
from gateway.console.district import bodies
from gateway.console.page import ROWS, Page, Wrong, named, refused_before
from gateway.console.words import ZONE, local, today

# What a clerk does with a meeting, and the phases in which it is offered.
STEPS = {
    "invite": ("meetings.InviteDelegates", ("PHASE_PREPARATION",)),
    "convene": ("meetings.ConveneMeeting", ("PHASE_PREPARATION",)),
    "adjourn": ("meetings.AdjournMeeting", ("PHASE_CONVENED",)),
    "close": ("meetings.CloseMeeting", ("PHASE_SUMMARY",)),
}
PHASES = enum("meetings.v1.Phase")
KINDS = enum("meetings.v1.MeetingKind")


async def month(page: Page) -> Response:
    """The meetings of one month, in weeks from Monday."""
    first = _month(page)
    after = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    days = calendar.Calendar().monthdatescalendar(first.year, first.month)
    found = await page.everything(
        "meetings.ListMeetings",
        "meetings",
        from_date=Date(year=first.year, month=first.month, day=1),
        to_date=Date(year=after.year, month=after.month, day=1),
        kind=page.asked_value("kind", KINDS),
    )
    by_day: dict[date, list[Any]] = {}
    for meeting in sorted(found, key=lambda each: each.start_time.seconds):
        by_day.setdefault(local(meeting.start_time).date(), []).append(meeting)
    return page.show(
        "meetings.html",
        title=page.say("会议日历", "Meetings"),
        weeks=days,
        by_day=by_day,
        first=first,
        before=(first - timedelta(days=1)).strftime("%Y-%m"),
        after=after.strftime("%Y-%m"),
        today=today(),
        kinds=KINDS,
        count=sum(len(each) for each_day, each in by_day.items() if each_day.month == first.month),
    )


async def form(page: Page) -> Response:
    """The form of a new meeting."""
    again = refused_before(page)
    return page.show(
        "meeting_new.html",
        title=page.say("召集会议", "Call a meeting"),
        bodies=await bodies(page),
        venues=await page.everything("meetings.ListVenues", "venues"),
        kinds=KINDS,
        **again,
    )


async def create(page: Page, given: dict[str, str]) -> Response:
    """Enters a meeting."""
    start = _moment(page, given.get("start", ""))
    end = _moment(page, given.get("end", ""))
    meeting = {
        "body": given.get("body", ""),
        "kind": given.get("kind") if given.get("kind") in KINDS.values_by_name else KINDS.values[0].name,
        "display_name": given.get("display_name", ""),
        "venue": given.get("venue", ""),
        "start_time": start,
        "end_time": end,
    }
    made = await page.ask(
        "meetings.CreateMeeting",
        meeting=meeting,
        overlap_reason=given.get("overlap_reason", ""),
        request_id=given.get("request_id", ""),
    )
    return page.go(f"{page.base}/{made.name}")


async def one(page: Page) -> Response:
    """A meeting: its state, its quorum, its agenda, its polls; for a clerk the roll and the next step."""
    name = named(page, "meetings")
    meeting = await page.ask("meetings.GetMeeting", name=name)
    keeps = page.has_role("clerk")
    phase = PHASES.values_by_number[meeting.phase].name
    roll = None
    if page.has_role("clerk", "examiner", "administrator"):
        roll = await page.ask("meetings.ListAttendees", parent=name, page_size=ROWS, page_token=page.asked("page"))
    return page.show(
        "meeting.html",
        title=meeting.display_name,
        meeting=meeting,
        body=(await bodies(page)).get(meeting.body, meeting.body),
        quorum=await page.attempt("meetings.GetQuorum", name=name),
        agenda=await page.everything("meetings.ListAgendaItems", "agenda_items", meeting=name),
        polls=(await page.ask("ballots.ListPolls", meeting=name, page_size=ROWS)).polls,
        roll=roll,
        steps=[step for step, (_, phases) in STEPS.items() if keeps and phase in phases],
        checks_in=keeps and phase in ("PHASE_PREPARATION", "PHASE_CONVENED"),
        **refused_before(page),
    )


async def step(page: Page, given: dict[str, str]) -> Response:
    """The next step of a meeting."""
    rpc, _ = STEPS.get(given.get("step", ""), ("", ()))
    if not rpc:
        raise Wrong(400, page.say("没有这一步。", "There is no such step."))
    await page.ask(rpc, name=named(page, "meetings"), request_id=given.get("request_id", ""))
    return page.go(page.request.url.path)


async def check_in(page: Page, given: dict[str, str]) -> Response:
    """Somebody of the roll is here."""
    name = named(page, "meetings")
    await page.ask(
        "meetings.CheckIn", name=name, attendee=given.get("attendee", ""), request_id=given.get("request_id", "")
    )
    return page.go(f"{page.base}/{name}?page={given.get('page', '')}#roll")


def _month(page: Page) -> date:
    try:
        return date.fromisoformat(f"{page.asked('month') or today().strftime('%Y-%m')}-01")
    except ValueError:
        raise Wrong(400, page.say("月份的写法是 2026-03。", "A month is written like 2026-03.")) from None


def _moment(page: Page, text: str) -> Timestamp:
    """A date and time of a form, by the clocks of Chongqing. Raises Wrong."""
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=ZONE)
    except ValueError:
        raise Wrong(400, page.say("请填写开始和结束时间。", "Fill in when it begins and ends.")) from None
    made = Timestamp()
    made.FromDatetime(at.astimezone(UTC))
    return made
