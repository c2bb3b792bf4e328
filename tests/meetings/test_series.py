"""Meetings that recur: entered together, changed one by one, given up together."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis import clock
from chassis.wire import timestamp
from quanyutong.meetings.v1 import meeting_pb2, series_pb2
from services.meetings.domain import Refused
from services.meetings.recurrence import LONGEST, MOST_OCCURRENCES, PARTS, occurrences
from tests.contract.office import on
from tests.harness import refused
from tests.meetings.secretariat import ASSEMBLY_MEETING, Secretariat

START = datetime(2027, 1, 12, 9, tzinfo=clock.SHANGHAI)


def planned(body: str, start: datetime, recurrence: str, **fields: Any) -> series_pb2.Series:
    return series_pb2.Series(
        body=body,
        display_name="第{number}次会议 {date}",
        start_time=timestamp(start),
        duration=Duration(seconds=7200),
        recurrence=recurrence,
        **({"kind": ASSEMBLY_MEETING} | fields),
    )


def soon(days: int = 7) -> datetime:
    """Nine o'clock in Chongqing, in so many days."""
    return clock.beginning(clock.today() + timedelta(days=days)) + timedelta(hours=9)


async def known_assembly(secretariat: Secretariat) -> str:
    """One that the meetings service has heard of; a first meeting is months ahead of the series."""
    body = await secretariat.assembly_of(0)
    await secretariat.meeting(body, soon(300))
    return body


async def enter(secretariat: Secretariat, series: series_pb2.Series, **fields: Any) -> series_pb2.Series:
    request = series_pb2.CreateSeriesRequest(series=series, **fields)
    made: series_pb2.Series = await secretariat.meet("CreateSeries", request)
    return made


async def meetings_of(secretariat: Secretariat, series: str) -> list[meeting_pb2.Meeting]:
    request = meeting_pb2.ListMeetingsRequest(series=series, page_size=500)
    return list((await secretariat.meet("ListMeetings", request)).meetings)


async def test_a_series_makes_a_meeting_each_week(secretariat: Secretariat) -> None:
    body, start = await known_assembly(secretariat), soon()
    skipped = on((start + timedelta(days=7)).date())
    made = await enter(secretariat, planned(body, start, "FREQ=WEEKLY;COUNT=4", exception_dates=[skipped]))
    found = await meetings_of(secretariat, made.name)
    starts = [one.start_time.ToDatetime(UTC) for one in found]
    assert starts == [start, start + timedelta(days=14), start + timedelta(days=21)]
    assert [one.original_start_time for one in found] == [one.start_time for one in found]
    assert [one.display_name.split()[0] for one in found] == ["第1次会议", "第2次会议", "第3次会议"]
    assert {one.series for one in found} == {made.name}
    assert made.occurrence_count == 3
    assert await secretariat.meet("GetSeries", series_pb2.GetSeriesRequest(name=made.name)) == made
    assert list((await secretariat.meet("ListSeries", series_pb2.ListSeriesRequest(body=body))).series) == [made]


async def test_one_occurrence_is_moved_and_keeps_where_it_was(secretariat: Secretariat) -> None:
    made = await enter(secretariat, planned(await known_assembly(secretariat), soon(), "FREQ=DAILY;COUNT=2"))
    first, second = await meetings_of(secretariat, made.name)
    later = soon(40)
    times = {"start_time": timestamp(later), "end_time": timestamp(later + timedelta(hours=1))}
    moved = await secretariat.do("Reschedule", first.name, reason="场地维修", **times)
    assert (moved.original_start_time, moved.start_time) == (first.start_time, timestamp(later))
    assert await secretariat.meet("GetMeeting", meeting_pb2.GetMeetingRequest(name=second.name)) == second


async def test_a_clash_enters_nothing(secretariat: Secretariat) -> None:
    body, venue, start = await known_assembly(secretariat), await secretariat.venue(), soon()
    await secretariat.meeting(body, start + timedelta(days=14), venue=venue)
    series = planned(body, start, "FREQ=WEEKLY;COUNT=3", venue=venue)
    assert await refused(enter(secretariat, series)) == "ERROR_REASON_OCCURRENCE_CLASHES"
    assert not (await secretariat.meet("ListSeries", series_pb2.ListSeriesRequest())).series
    assert len((await secretariat.meet("ListMeetings", meeting_pb2.ListMeetingsRequest(body=body))).meetings) == 2
    made = await enter(secretariat, series, overlap_reason="分会场")
    assert len(await meetings_of(secretariat, made.name)) == 3


async def test_giving_a_series_up_leaves_what_has_been(secretariat: Secretariat) -> None:
    start = soon(-7)
    made = await enter(secretariat, planned(await known_assembly(secretariat), start, "FREQ=WEEKLY;COUNT=4"))
    past, *_, last = await meetings_of(secretariat, made.name)
    await secretariat.do("Cancel", last.name, reason="重复")
    request = series_pb2.CancelSeriesRequest(name=made.name, reason="改为线上", etag=made.etag)
    given_up = await secretariat.meet("CancelSeries", request)
    assert (given_up.cancelled, given_up.reason) == (True, "改为线上")
    found = await meetings_of(secretariat, made.name)
    to_come = [one for one in found if one.start_time.ToDatetime(UTC) > datetime.now(UTC)]
    assert {one.phase for one in to_come} == {meeting_pb2.PHASE_CANCELLED}
    assert (found[0], found[-1].reason, to_come[0].reason) == (past, "重复", "改为线上")


def fault(recurrence: str, exceptions: tuple[date, ...] = ()) -> str:
    with pytest.raises(Refused) as refusal:
        occurrences(recurrence, START, exceptions)
    return refusal.value.reason


@pytest.mark.parametrize(
    "recurrence",
    [
        *("FREQ=WEEKLY", "COUNT=3", "", "FREQ=WEEKLY;COUNT=3;COUNT=4", "FREQ=SECONDLY;COUNT=3", "FREQ=HOURLY;COUNT=2"),
        *("FREQ=WEEKLY;COUNT=3;UNTIL=20271231T000000Z", "FREQ=WEEKLY;UNTIL=20271231", "FREQ=WEEKLY;COUNT=0"),
        *("FREQ=DAILY;INTERVAL=0;COUNT=2", "FREQ=WEEKLY;UNTIL=20271399T000000Z", "FREQ=DAILY;COUNT=201"),
        *("FREQ=YEARLY;COUNT=9", "FREQ=WEEKLY;UNTIL=20991231T000000Z", "FREQ=WEEKLY;BYDAY=2TU;COUNT=3"),
        # A day that never comes, and one that is not the first.
        *("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=3", "FREQ=WEEKLY;BYDAY=MO;COUNT=3", "FREQ=DAILY;X-A=1;COUNT=2"),
    ],
)
def test_a_rule_without_an_end_or_a_sense_is_refused(recurrence: str) -> None:
    assert fault(recurrence) == "RECURRENCE_REFUSED"


def test_exceptions_are_occurrences_and_not_all_of_them() -> None:
    assert fault("FREQ=DAILY;COUNT=1", (START.date(),)) == "RECURRENCE_REFUSED"
    assert fault("FREQ=WEEKLY;COUNT=3", (date(2027, 1, 13),)) == "RECURRENCE_REFUSED"


def test_the_second_tuesday_of_each_month() -> None:
    found = occurrences("FREQ=MONTHLY;BYDAY=2TU;UNTIL=20270415T000000Z", START)
    assert [moment.date().isoformat() for moment in found] == ["2027-01-12", "2027-02-09", "2027-03-09", "2027-04-13"]


FREQUENCIES = {"FREQ": st.sampled_from(PARTS["FREQ"].split("|"))}
VALUES = {
    "INTERVAL": st.integers(0, 40).map(str),
    "COUNT": st.integers(0, 300).map(str),
    "UNTIL": st.datetimes(datetime(2026, 1, 1), datetime(2032, 1, 1)).map(lambda day: f"{day:%Y%m%dT%H%M%SZ}"),  # noqa: DTZ001
    "BYDAY": st.sampled_from(["TU", "MO,TU", "2TU", "-1FR", "9XX"]),
    "BYMONTHDAY": st.sampled_from(["12", "-1", "12,30", "32"]),
    "BYMONTH": st.sampled_from(["1", "2", "1,7", "13"]),
}


@settings(deadline=None)
@given(parts=st.fixed_dictionaries(FREQUENCIES, optional=VALUES))
def test_whatever_the_rule_it_is_bounded(parts: dict[str, str]) -> None:
    try:
        found = occurrences(";".join(map("=".join, parts.items())), START)
    except Refused as refusal:
        assert refusal.reason == "RECURRENCE_REFUSED"  # noqa: PT017 - both ends are right
        return
    assert found[0] == START
    assert 1 <= len(found) <= MOST_OCCURRENCES
    assert found[-1] <= START + LONGEST
    assert all(earlier < later for earlier, later in pairwise(found))
    assert {moment.time() for moment in found} == {START.time()}
    assert len(found) == int(parts.get("COUNT", len(found)))
