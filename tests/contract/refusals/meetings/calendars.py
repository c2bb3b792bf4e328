"""Calendars and their secret addresses."""

from typing import Any

from quanyutong.meetings.v1 import calendars_pb2 as pb
from tests.contract.office import NOBODY, Office
from tests.contract.refusals import refused_with
from tests.meetings.secretariat import Secretariat, in_hours


def of(subject: str) -> pb.CreateCalendarRequest:
    return pb.CreateCalendarRequest(calendar=pb.Calendar(subject=subject))


async def made(office: Office) -> Any:
    secretariat = Secretariat(office.tenant)
    body = await secretariat.assembly_of(0)
    await secretariat.meeting(body, in_hours(24))
    return await office.meet("CreateCalendar", of(body))


@refused_with("PERSON_NOT_FOUND")
async def calendar_of_somebody_without_a_mandate(office: Office) -> None:
    await office.meet("CreateCalendar", of(f"persons/{NOBODY}"))


@refused_with("CALENDAR_NOT_YOURS")
async def delegate_asking_for_anothers_calendar(office: Office) -> None:
    await office.meet("CreateCalendar", of(f"persons/{NOBODY}"), "delegate")


@refused_with("CALENDAR_NOT_FOUND")
async def revoking_a_calendar_that_is_not_there(office: Office) -> None:
    await office.meet("RevokeCalendar", pb.RevokeCalendarRequest(name=f"calendars/{NOBODY}"))


@refused_with("CALENDAR_REVOKED")
async def another_address_for_what_was_revoked(office: Office) -> None:
    name = (await made(office)).name
    await office.meet("RevokeCalendar", pb.RevokeCalendarRequest(name=name))
    await office.meet("RotateCalendar", pb.RotateCalendarRequest(name=name))


@refused_with("CALENDARS_FULL")
async def one_calendar_too_many(office: Office) -> None:
    subject = (await made(office)).subject
    for _ in range(20):
        await office.meet("CreateCalendar", of(subject))
