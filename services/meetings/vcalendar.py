"""Meetings as an iCalendar file (RFC 5545), published for whoever has the address."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from icalendar import Calendar, Event, Timezone, TimezoneStandard, vDuration

from chassis import clock
from chassis.database import Row

MEDIA_TYPE = "text/calendar; charset=utf-8"
REFRESH = timedelta(hours=1)
WITHDRAWN = ("postponed", "cancelled")


def file_of(title: str, district: str, meetings: Iterable[Row], now: datetime) -> bytes:
    """The whole file, as it is at this moment."""
    file = Calendar()
    file.add("prodid", "-//Quanyutong//Meetings//ZH")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    file.add("x-wr-calname", title)
    file.add("x-wr-timezone", str(clock.SHANGHAI))
    file.add("refresh-interval", vDuration(REFRESH), parameters={"value": "DURATION"})
    file.add("x-published-ttl", vDuration(REFRESH))
    file.add_component(_shanghai())
    for meeting in meetings:
        file.add_component(_event(meeting, district, now))
    return bytes(file.to_ical())


def _shanghai() -> Timezone:
    """No summer time since 1991, so one rule says it all."""
    standard = TimezoneStandard()
    standard.add("dtstart", datetime(1992, 1, 1))  # noqa: DTZ001 - the clock on the wall
    standard.add("tzoffsetfrom", timedelta(hours=8))
    standard.add("tzoffsetto", timedelta(hours=8))
    standard.add("tzname", "CST")
    zone = Timezone()
    zone.add("tzid", str(clock.SHANGHAI))
    zone.add_component(standard)
    return zone


def _event(meeting: Row, district: str, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{meeting.id}@{district}.quanyutong")
    event.add("dtstamp", now)
    event.add("created", meeting.created_at)
    event.add("last-modified", meeting.changed_at)
    event.add("sequence", meeting.sequence)
    event.add("status", status(meeting))
    event.add("summary", meeting.display_name)
    event.add("categories", [meeting.kind.upper().replace("_", "-")])
    event.add("dtstart", meeting.start_at.astimezone(clock.SHANGHAI))
    event.add("dtend", meeting.end_at.astimezone(clock.SHANGHAI))
    if meeting.venue:
        event.add("location", " ".join(filter(None, (meeting.venue_name, meeting.venue_address))))
    return event


def status(meeting: Row) -> str:
    """Tentative before notice is given, cancelled when withdrawn."""
    if meeting.phase in WITHDRAWN:
        return "CANCELLED"
    return "TENTATIVE" if meeting.phase == "preparation" and meeting.notice_at is None else "CONFIRMED"
