"""Calendars: who has an address, and what a program reads there, with another library than the one that wrote it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import httpx
import pytest
import vobject

from chassis import development
from chassis.wire import timestamp
from quanyutong.meetings.v1 import calendars_pb2 as pb
from quanyutong.meetings.v1 import meeting_pb2, series_pb2
from quanyutong.registry.v1 import mandates_pb2
from tests.contract.office import NOBODY, Office
from tests.harness import reason, refused, until
from tests.meetings.secretariat import Secretariat
from tests.meetings.test_series import enter, known_assembly, meetings_of, planned, soon

PREFIX = "ERROR_REASON_"


async def make(office: Office, subject: str, **fields: Any) -> pb.Calendar:
    request = pb.CreateCalendarRequest(calendar=pb.Calendar(subject=subject), **fields)
    made: pb.Calendar = await office.meet("CreateCalendar", request)
    return made


async def fetch(office: Office, address: str) -> httpx.Response:
    """As a calendar program does: the address and nothing else."""
    async with httpx.AsyncClient(base_url=office.tenant.platform.gateway, trust_env=False, timeout=30) as program:
        return await program.get(address)


async def read(office: Office, address: str) -> dict[str, Any]:
    """The events at the address, by UID."""
    answer = await fetch(office, address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    file = vobject.readOne(answer.text)
    return {event.uid.value: event for event in file.contents.get("vevent", [])}


def uid(office: Office, meeting: str) -> str:
    return f"{meeting.partition('/')[2]}@{office.district}.quanyutong"


def as_delegate(secretariat: Secretariat, subject: str) -> list[tuple[str, str]]:
    settings = secretariat.tenant.platform.settings
    token = development.token(settings, subject, ["delegate"], secretariat.district)
    return [("authorization", f"Bearer {token}")]


async def delegate_of(secretariat: Secretariat, body: str) -> str:
    """The person of the one delegate of an assembly."""
    request = mandates_pb2.ListMandatesRequest(term=f"{body}/terms/1")
    return str((await secretariat.call("ListMandates", request)).mandates[0].person)


async def with_delegate(secretariat: Secretariat) -> tuple[str, str, meeting_pb2.Meeting]:
    """An assembly, its one delegate, and a meeting that books the delegate."""
    body = await secretariat.assembly_of(1)
    person, meeting = await delegate_of(secretariat, body), await secretariat.meeting(body, soon())

    async def known() -> pb.Calendar | None:
        try:
            return await make(secretariat, person)
        except grpc.aio.AioRpcError as error:
            if reason(error) != f"{PREFIX}PERSON_NOT_FOUND":
                raise
            return None

    await until(known)
    times = {"start_time": meeting.start_time, "end_time": meeting.end_time}
    return body, person, await secretariat.do("Reschedule", meeting.name, reason="名册更新", **times)


@asynccontextmanager
async def rows(secretariat: Secretariat) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(secretariat.tenant.platform.postgres.url)
    try:
        await connection.execute("SELECT set_config('app.district', $1, false)", secretariat.district)
        yield connection
    finally:
        await connection.close()


async def test_a_feed_of_a_year_round_trips(secretariat: Secretariat) -> None:
    body = await known_assembly(secretariat)
    venue = await secretariat.venue("三楼会议室", address="试验路1号; 东门, 二单元")
    series = await enter(secretariat, planned(body, soon(1), "FREQ=WEEKLY;COUNT=52", venue=venue))
    events = await read(secretariat, (await make(secretariat, body)).address)
    meetings = await meetings_of(secretariat, series.name)
    assert len(meetings) == 52
    assert len(events) == 53
    for meeting in meetings:
        event = events[uid(secretariat, meeting.name)]
        start, end = meeting.start_time.ToDatetime(UTC), meeting.end_time.ToDatetime(UTC)
        assert (event.dtstart.value.astimezone(UTC), event.dtend.value.astimezone(UTC)) == (start, end)
        assert event.dtstart.params["X-VOBJ-ORIGINAL-TZID"] == ["Asia/Shanghai"]
        assert (event.summary.value, int(event.sequence.value)) == (meeting.display_name, meeting.sequence)
        assert (event.status.value, event.location.value) == ("TENTATIVE", "三楼会议室 试验路1号; 东门, 二单元")
        assert event.last_modified.value <= event.dtstamp.value


async def test_the_file_says_what_it_is(secretariat: Secretariat) -> None:
    body = await known_assembly(secretariat)
    answer = await fetch(secretariat, (await make(secretariat, body)).address)
    file = vobject.readOne(answer.text)
    assert (file.version.value, file.method.value) == ("2.0", "PUBLISH")
    assert file.prodid.value
    assert file.vtimezone.tzid.value == "Asia/Shanghai"
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in answer.text
    assert all(len(line.encode()) <= 75 for line in answer.text.split("\r\n"))


async def test_changes_raise_the_sequence(secretariat: Secretariat) -> None:
    body = await secretariat.assembly_of(0)
    meeting = await secretariat.meeting(body, soon())
    address = (await make(secretariat, body)).address

    async def told() -> tuple[int, str]:
        event = (await read(secretariat, address))[uid(secretariat, meeting.name)]
        return int(event.sequence.value), event.status.value

    assert await told() == (0, "TENTATIVE")
    await secretariat.meet("GiveNotice", meeting_pb2.GiveNoticeRequest(name=meeting.name))
    assert await told() == (0, "CONFIRMED")
    await secretariat.do("Postpone", meeting.name, reason="防汛")
    assert await told() == (1, "CANCELLED")
    times = {"start_time": timestamp(soon(9)), "end_time": timestamp(soon(9) + timedelta(hours=1))}
    await secretariat.do("Reschedule", meeting.name, reason="汛情解除", **times)
    assert await told() == (2, "TENTATIVE")
    await secretariat.do("Cancel", meeting.name, reason="合并召开")
    assert await told() == (3, "CANCELLED")
    async with rows(secretariat) as connection:
        gone = datetime.now(UTC) - timedelta(days=91)
        await connection.execute(
            "UPDATE meetings.meeting SET changed_at = $1 WHERE district = $2", gone, secretariat.district
        )
    assert await read(secretariat, address) == {}


async def test_a_delegate_reads_what_books_the_person(secretariat: Secretariat) -> None:
    body, person, meeting = await with_delegate(secretariat)
    elsewhere = await secretariat.assembly(await secretariat.unit(8))
    await secretariat.term(elsewhere)
    other = await secretariat.meeting(elsewhere, soon(3))
    address = (await make(secretariat, person)).address
    assert set(await read(secretariat, address)) == {uid(secretariat, meeting.name)}
    await secretariat.do("Cancel", meeting.name, reason="防汛")
    events = await read(secretariat, address)
    assert events[uid(secretariat, meeting.name)].status.value == "CANCELLED"
    assert uid(secretariat, other.name) not in events
    assert body != elsewhere


async def test_a_delegate_keeps_the_own_calendars_alone(secretariat: Secretariat) -> None:
    body, person, _ = await with_delegate(secretariat)
    by_staff = await make(secretariat, body)
    metadata = as_delegate(secretariat, person)
    service = secretariat.tenant.meetings
    mine = await service.CreateCalendar(
        pb.CreateCalendarRequest(calendar=pb.Calendar(subject=person)), metadata=metadata
    )
    assert mine.address
    for subject in (body, f"persons/{NOBODY}"):
        request = pb.CreateCalendarRequest(calendar=pb.Calendar(subject=subject))
        assert await refused(service.CreateCalendar(request, metadata=metadata)) == f"{PREFIX}CALENDAR_NOT_YOURS"
    listed = await service.ListCalendars(pb.ListCalendarsRequest(), metadata=metadata)
    assert {one.subject for one in listed.calendars} == {person}
    assert not any(one.address for one in listed.calendars)
    for rpc, request_type in (("Revoke", pb.RevokeCalendarRequest), ("Rotate", pb.RotateCalendarRequest)):
        call = getattr(service, f"{rpc}Calendar")(request_type(name=by_staff.name), metadata=metadata)
        assert await refused(call) == f"{PREFIX}CALENDAR_NOT_FOUND"
    gone = await service.RevokeCalendar(pb.RevokeCalendarRequest(name=mine.name), metadata=metadata)
    assert gone.HasField("revoke_time")
    nobody = as_delegate(secretariat, "somebody")
    assert not (await service.ListCalendars(pb.ListCalendarsRequest(), metadata=nobody)).calendars


async def test_a_revoked_address_is_gone_at_once(secretariat: Secretariat) -> None:
    made = await make(secretariat, await known_assembly(secretariat))
    other = await secretariat.meet("RotateCalendar", pb.RotateCalendarRequest(name=made.name))
    assert (await fetch(secretariat, made.address)).status_code == 404
    assert await read(secretariat, other.address)
    await secretariat.meet("RevokeCalendar", pb.RevokeCalendarRequest(name=made.name, etag=other.etag))
    gone = await fetch(secretariat, other.address)
    never = await fetch(secretariat, f"/v1/calendars/{secretariat.district}/{'A' * 43}.ics")
    assert (gone.status_code, gone.json()) == (never.status_code, never.json())
    assert (gone.status_code, "ADDRESS_NOT_FOUND" in gone.text) == (404, True)
    assert other.address.rpartition("/")[2] not in gone.text


async def test_a_secret_opens_nothing_in_another_district(secretariat: Secretariat) -> None:
    made = await make(secretariat, await known_assembly(secretariat))
    file = made.address.rpartition("/")[2]
    another = await secretariat.tenant.platform.fresh_district()
    for district in (another, "599999"):
        answer = await fetch(secretariat, f"/v1/calendars/{district}/{file}")
        assert (answer.status_code, "ADDRESS_NOT_FOUND" in answer.text) == (404, True)


async def test_nothing_keeps_the_secret(secretariat: Secretariat) -> None:
    """Not the calendar's row, nor its audit, nor what answers a repeated request, nor a log."""
    body, request_id = await known_assembly(secretariat), str(uuid4())
    made = await make(secretariat, body, request_id=request_id)
    again = await make(secretariat, body, request_id=request_id)
    assert (again.name, again.address, bool(made.address)) == (made.name, "", True)
    await read(secretariat, made.address)
    secret = made.address.rpartition("/")[2].removesuffix(".ics")
    async with rows(secretariat) as connection:
        for table in ("calendar", "audit", "idempotency", "outbox"):
            kept = await connection.fetchval(f"SELECT string_agg(t::text, ' ') FROM meetings.{table} AS t")
            assert secret not in (kept or ""), table
        answers = await connection.fetch("SELECT answer FROM meetings.idempotency")
        assert not any(secret.encode() in row["answer"] for row in answers)
        hashed = await connection.fetchval(
            "SELECT secret_hash FROM meetings.calendar WHERE id = $1", UUID(made.name.split("/")[1])
        )
        audited = await connection.fetchval("SELECT string_agg(t::text, ' ') FROM meetings.audit AS t")
        assert hashed.hex() not in audited
    for process in secretariat.tenant.platform.processes.values():
        assert secret not in process.log.read_text()


async def test_a_subject_has_so_many_calendars(secretariat: Secretariat) -> None:
    body = await known_assembly(secretariat)
    for _ in range(20):
        last = await make(secretariat, body)
    assert await refused(make(secretariat, body)) == f"{PREFIX}CALENDARS_FULL"
    await secretariat.meet("RevokeCalendar", pb.RevokeCalendarRequest(name=last.name))
    await make(secretariat, body)
    listing = pb.ListCalendarsRequest(subject=body, page_size=500)
    assert len((await secretariat.meet("ListCalendars", listing)).calendars) == 20
    listing.show_revoked = True
    assert len((await secretariat.meet("ListCalendars", listing)).calendars) == 21


@pytest.mark.parametrize("file", ["x.ics", f"{'A' * 43}", f"{'A' * 42}*.ics"])
async def test_what_cannot_be_a_secret_is_not_looked_up(secretariat: Secretariat, file: str) -> None:
    answer = await fetch(secretariat, f"/v1/calendars/{secretariat.district}/{file}")
    assert (answer.status_code, "FIELD_INVALID" in answer.text) == (400, True)


async def test_a_storm_is_limited_and_leaves_no_secret_behind(secretariat: Secretariat) -> None:
    """Refused before it is transcoded, a call still has its path."""
    guessed = token_urlsafe(32)
    address = f"/v1/calendars/{secretariat.district}/{guessed}.ics"
    async with httpx.AsyncClient(base_url=secretariat.tenant.platform.gateway, trust_env=False, timeout=30) as program:
        answers = await asyncio.gather(*(program.get(address) for _ in range(100)), program.get(f"{address}/slip"))
    assert {answer.status_code for answer in answers} == {404, 429}
    assert any("RATE_LIMITED" in answer.text for answer in answers)
    for process in secretariat.tenant.platform.processes.values():
        assert guessed not in process.log.read_text()


async def test_a_repeated_mutation_is_answered_as_at_first(secretariat: Secretariat) -> None:
    """But for the address, which is told once."""
    body = await known_assembly(secretariat)
    calendars = [await make(secretariat, body) for _ in range(2)]
    series = await enter(secretariat, planned(body, soon(), "FREQ=DAILY;COUNT=2"))
    requests: dict[str, Any] = {
        "CreateSeries": series_pb2.CreateSeriesRequest(series=planned(body, soon(20), "FREQ=DAILY;COUNT=2")),
        "CancelSeries": series_pb2.CancelSeriesRequest(name=series.name, reason="改为线上"),
        "CreateCalendar": pb.CreateCalendarRequest(calendar=pb.Calendar(subject=body)),
        "RotateCalendar": pb.RotateCalendarRequest(name=calendars[0].name),
        "RevokeCalendar": pb.RevokeCalendarRequest(name=calendars[1].name),
    }
    for rpc, request in requests.items():
        request.request_id = str(uuid4())
        first, again = await secretariat.meet(rpc, request), await secretariat.meet(rpc, request)
        assert not getattr(again, "address", "")
        if hasattr(first, "address"):
            first.address = ""
        assert first == again, rpc
