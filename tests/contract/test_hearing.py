"""What a meeting tells the registry stands in the performance record once, however often and late it is told."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from chassis import actor, tenancy
from chassis.database import Database
from chassis.manifest import Event
from chassis.migrations import runtime_url
from quanyutong.common.v1 import audit_pb2
from quanyutong.meetings.v1 import events_pb2
from services.registry import hearing
from services.registry.domain import Refused
from tests.contract.acts import ATTENDANCE, MEETING, delegates, listed, read, totals
from tests.contract.office import NOBODY, Office, in_days, on

TYPE = events_pb2.AttendanceRecorded.DESCRIPTOR.full_name


@pytest.fixture
async def database(office: Office) -> AsyncIterator[Database]:
    """The registry's, as its own processes open it."""
    platform = office.tenant.platform
    settings = platform.settings.model_copy(update={"database_url": SecretStr(platform.postgres.url)})
    opened = Database(runtime_url(settings, "registry"), "registry", 2, 30)
    yield opened
    await opened.close()


async def told(office: Office, database: Database, mandate: str, **fields: Any) -> None:
    """As the consumer does it, but for the inbox, which would stop what comes twice."""
    event = events_pb2.AttendanceRecorded(**({"meeting": MEETING, "mandate": mandate, "day": on(in_days(-1))} | fields))
    origin = Event(uuid4(), office.district, TYPE, MEETING)
    with tenancy.acting_for(office.district), actor.applying(TYPE):
        async with database.write() as tx:
            await hearing.attended(tx, event, origin)


async def test_all_who_came_to_a_meeting_are_one_activity_and_each_is_counted_once(
    office: Office, database: Database
) -> None:
    mandates = sorted(await delegates(office, 3))
    for mandate in [*mandates, *reversed(mandates)]:
        await told(office, database, mandate)
    (name,) = await listed(office)
    found = await read(office, name)
    assert (found.kind, found.source, found.confirmed, list(found.mandates)) == (ATTENDANCE, MEETING, True, mandates)
    assert sum(total.person_times for total in await totals(office)) == 3


async def test_another_meeting_on_the_same_day_is_another_activity(office: Office, database: Database) -> None:
    (mandate,) = await delegates(office)
    for number in (1, 2, 1):
        await told(office, database, mandate, meeting=f"meetings/01970000-0000-7000-8000-00000000000{number}")
    assert len(await listed(office)) == 2


async def test_whose_mandate_had_ended_is_left_out_and_stops_no_other(office: Office, database: Database) -> None:
    """The roll was frozen in the morning; what the clerk entered since says that one of them sat no more."""
    gone, there = await delegates(office, 2)
    await office.end(gone, in_days(-1))
    for mandate in (gone, there, gone):
        await told(office, database, mandate)
    (name,) = await listed(office)
    assert list((await read(office, name)).mandates) == [there]
    request = audit_pb2.ListAuditRequest(resource=gone, page_size=500)
    notes = [each for each in (await office.call("ListAudit", request)).audit_records if MEETING in each.action]
    assert len(notes) == 1


async def test_what_the_register_does_not_know_is_no_record(office: Office, database: Database) -> None:
    with pytest.raises(Refused) as refused:
        await told(office, database, f"mandates/{NOBODY}")
    assert refused.value.reason == "MANDATE_NOT_FOUND"
    (mandate,) = await delegates(office)
    with pytest.raises(ValueError, match="day"):
        await told(office, database, mandate, day=None)
    assert await listed(office) == []
