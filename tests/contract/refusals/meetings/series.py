"""Meetings that recur."""

from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration

from chassis.wire import timestamp
from quanyutong.meetings.v1 import series_pb2
from tests.contract.office import NOBODY, Office
from tests.contract.refusals import refused_with
from tests.meetings.secretariat import ASSEMBLY_MEETING, Secretariat, in_hours


def weekly(body: str, recurrence: str = "FREQ=WEEKLY;COUNT=3", **fields: Any) -> series_pb2.CreateSeriesRequest:
    series = series_pb2.Series(
        body=body,
        kind=ASSEMBLY_MEETING,
        display_name="例会",
        start_time=timestamp(in_hours(24)),
        duration=Duration(seconds=3600),
        recurrence=recurrence,
        **fields,
    )
    return series_pb2.CreateSeriesRequest(series=series)


@refused_with("RECURRENCE_REFUSED")
async def series_without_an_end(office: Office) -> None:
    await office.meet("CreateSeries", weekly(f"assemblies/{NOBODY}", "FREQ=WEEKLY"))


@refused_with("OCCURRENCE_CLASHES")
async def series_in_a_venue_that_is_booked_once(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    body, venue = await secretariat.assembly_of(0), await secretariat.venue()
    await secretariat.meeting(body, in_hours(24) + timedelta(days=7), venue=venue)
    await office.meet("CreateSeries", weekly(body, venue=venue))


@refused_with("SERIES_NOT_FOUND")
async def series_that_is_not_there(office: Office) -> None:
    await office.meet("GetSeries", series_pb2.GetSeriesRequest(name=f"series/{NOBODY}"))


@refused_with("SERIES_CANCELLED")
async def giving_a_series_up_twice(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    body = await secretariat.assembly_of(0)
    await secretariat.meeting(body, in_hours(999))
    made = await office.meet("CreateSeries", weekly(body))
    for _ in range(2):
        await office.meet("CancelSeries", series_pb2.CancelSeriesRequest(name=made.name, reason="改为线上"))
