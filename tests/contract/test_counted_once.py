"""An act of duty is counted once, whoever tells of it and however often.

The events of other services are told here as a consumer's handler does it: in a
transaction of the registry's own role, acting for the event's district.
"""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from asyncpg import CheckViolationError
from pydantic import SecretStr
from sqlalchemy import func, select, update

from chassis import tenancy
from chassis.database import Database
from chassis.migrations import runtime_url
from chassis.wire import identifier
from quanyutong.common.v1 import audit_pb2
from quanyutong.registry.v1 import activities_pb2 as pb
from quanyutong.registry.v1 import events_pb2, mandates_pb2
from services.registry.counting import Act
from services.registry.domain import Refused
from services.registry.recording import record_from_event
from services.registry.tables import activity, participation
from tests.contract.acts import (
    ATTENDANCE,
    INSPECTION,
    MEETING,
    PAPER,
    RECEPTION,
    delegates,
    entry,
    kinds,
    listed,
    performance,
    read,
    record,
    record_all,
    totals,
    withdraw,
)
from tests.contract.heard import heard
from tests.contract.office import NOBODY, Office, in_days, mask, on
from tests.harness import refused

ATTENDED = "quanyutong.meetings.v1.DelegateAttended"
COUNTED = "quanyutong.meetings.v1.AttendanceCounted"
PAPER_TAKEN = "quanyutong.ballots.v1.PaperTaken"


@pytest.fixture
async def database(office: Office) -> AsyncIterator[Database]:
    """The registry's, as its own processes open it."""
    platform = office.tenant.platform
    settings = platform.settings.model_copy(update={"database_url": SecretStr(platform.postgres.url)})
    opened = Database(runtime_url(settings, "registry"), "registry", 2, 30)
    yield opened
    await opened.close()


class Consumer:
    """Tells the registry of acts in one district, each event in a transaction."""

    def __init__(self, database: Database, district: str) -> None:
        self._database = database
        self._district = district

    async def told(self, *mandates: str, event_type: str = ATTENDED, **fields: Any) -> None:
        given = {"kind": "attendance", "day": in_days(-1), "source": MEETING, **fields}
        act = Act(mandates=tuple(map(identifier, mandates)), **given)
        with tenancy.acting_for(self._district):
            async with self._database.write() as tx:
                await record_from_event(tx, event_type, act)


@pytest.fixture
def consumer(database: Database, office: Office) -> Consumer:
    return Consumer(database, office.district)


async def person_times(office: Office) -> int:
    return sum(total.person_times for total in await totals(office))


async def test_an_event_that_is_told_twice_counts_once(office: Office, consumer: Consumer) -> None:
    (mandate,) = await delegates(office)
    for _ in range(2):
        await consumer.told(mandate)
    (name,) = await listed(office)
    found = await read(office, name)
    assert (found.kind, found.source, found.confirmed, list(found.mandates)) == (ATTENDANCE, MEETING, True, [mandate])
    assert await person_times(office) == 1


async def test_events_on_one_meeting_are_one_activity_of_all_who_came(office: Office, consumer: Consumer) -> None:
    first, second, third = await delegates(office, 3)
    await consumer.told(first)
    await consumer.told(second, third)
    (name,) = await listed(office)
    assert (await read(office, name)).delegates == 3
    assert await person_times(office) == 3


async def test_two_kinds_of_event_on_the_same_count_once(office: Office, consumer: Consumer) -> None:
    (mandate,) = await delegates(office)
    await consumer.told(mandate, event_type=ATTENDED)
    await consumer.told(mandate, event_type=COUNTED)
    assert await person_times(office) == 1


async def test_an_own_entry_is_confirmed_by_the_event(office: Office, consumer: Consumer) -> None:
    first, second = sorted(await delegates(office, 2))
    recorded = await record(office, first, kind=ATTENDANCE, source=MEETING, subject="年中会议")
    await consumer.told(first, second)
    found = await read(office, recorded.name)
    assert (found.confirmed, found.subject, list(found.mandates)) == (True, "年中会议", [first, second])
    assert await listed(office) == [recorded.name]
    assert await person_times(office) == 2


async def test_an_own_entry_after_the_event_is_refused(office: Office, consumer: Consumer) -> None:
    first, second = await delegates(office, 2)
    await consumer.told(first)
    late = record(office, second, kind=ATTENDANCE, source=MEETING)
    assert await refused(late) == "ERROR_REASON_ACTIVITY_EXISTS"
    assert await person_times(office) == 1


async def test_an_own_entry_of_another_day_kind_or_source_is_another_act(office: Office, consumer: Consumer) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, kind=ATTENDANCE, source=MEETING, day=in_days(-2))
    await record(office, mandate, kind=INSPECTION, source=MEETING)
    await record(office, mandate, kind=ATTENDANCE, source="meetings/2")
    await consumer.told(mandate)
    assert await person_times(office) == 4


async def test_a_number_of_people_that_the_entry_has_is_kept(office: Office, consumer: Consumer) -> None:
    (mandate,) = await delegates(office)
    sources = {"receptions/1": 40, "receptions/2": 0}
    for source, people in sources.items():
        await record(office, mandate, kind=RECEPTION, source=source, people_received=people)
        await consumer.told(mandate, kind="reception", source=source, people_received=7)
    assert (await performance(office, mandate)).people_received == 47


async def test_what_was_withdrawn_or_corrected_does_not_come_back_with_the_event(
    office: Office, consumer: Consumer
) -> None:
    first, second = sorted(await delegates(office, 2))
    await consumer.told(first, second)
    (name,) = await listed(office)
    correction = pb.CorrectActivityRequest(activity=entry(first, name=name), update_mask=mask("mandates"))
    await office.call("CorrectActivity", correction)
    await consumer.told(first, second)
    assert list((await read(office, name)).mandates) == [first]
    await withdraw(office, name)
    await consumer.told(first, second)
    assert await listed(office) == []


async def test_an_event_on_what_the_office_withdrew_before_counts(office: Office, consumer: Consumer) -> None:
    """The office's own entry was wrong; what the meeting tells is another's word."""
    (mandate,) = await delegates(office)
    await withdraw(office, (await record(office, mandate, kind=ATTENDANCE, source=MEETING)).name)
    await consumer.told(mandate)
    assert await person_times(office) == 1


async def test_a_ballot_paper_comes_from_the_poll_alone(office: Office, consumer: Consumer) -> None:
    (mandate,) = await delegates(office)
    assert await refused(record(office, mandate, kind=PAPER)) == "ERROR_REASON_PAPER_BY_POLL_ALONE"
    await consumer.told(mandate, event_type=PAPER_TAKEN, kind="ballot_paper_taken", source="polls/1")
    (name,) = await listed(office)
    assert kinds(await performance(office, mandate)) == {PAPER: 1}
    correction = pb.CorrectActivityRequest(activity=entry(mandate, name=name), update_mask=mask("mandates"))
    assert await refused(office.call("CorrectActivity", correction)) == "ERROR_REASON_PAPER_BY_POLL_ALONE"


async def test_beside_a_ballot_paper_nothing_is_kept(office: Office, consumer: Consumer, database: Database) -> None:
    """No word of a choice fits into the table, and none that a hand wrote."""
    (mandate,) = await delegates(office)
    paper = {"event_type": PAPER_TAKEN, "kind": "ballot_paper_taken", "source": "polls/1"}
    with pytest.raises(CheckViolationError):
        await consumer.told(mandate, subject="赞成", **paper)
    await consumer.told(mandate, **paper)
    with tenancy.acting_for(office.district), pytest.raises(CheckViolationError):
        async with database.write() as tx:
            await tx.execute(update(activity).values(confirmed=False))


async def test_an_event_is_judged_like_an_entry(office: Office, consumer: Consumer) -> None:
    term = await office.term()
    (mandate,) = await delegates(office, term=term)
    ending = mandates_pb2.EndMandateRequest(
        name=mandate, reason=mandates_pb2.END_REASON_MOVED, active_to=on(in_days(-30))
    )
    await office.call("EndMandate", ending)
    wrong: dict[str, tuple[str, date]] = {
        "MANDATE_NOT_IN_FORCE": (mandate, in_days(-30)),
        "MANDATE_NOT_FOUND": (f"mandates/{NOBODY}", in_days(-31)),
        "ACTIVITY_DATE_REFUSED": (mandate, in_days(1)),
    }
    for expected, (named, day) in wrong.items():
        with pytest.raises(Refused) as refusal:
            await consumer.told(named, day=day)
        assert refusal.value.reason == expected
    await consumer.told(mandate, day=in_days(-31))
    assert await person_times(office) == 1


async def test_who_was_suspended_is_left_out_of_an_event_and_noted(office: Office, consumer: Consumer) -> None:
    """The act of the others counts, and the event does not end among the dead ones."""
    first, second = sorted(await delegates(office, 2))
    await office.suspend(second, in_days(-5))
    for _ in range(2):
        await consumer.told(first, second)
    (name,) = await listed(office)
    assert list((await read(office, name)).mandates) == [first]
    assert await person_times(office) == 1
    (note,) = await notes(office, second)
    assert note.action == f"not counted while suspended: attendance {in_days(-1)} {MEETING}"
    assert await notes(office, first) == []


async def test_an_event_on_the_suspended_alone_is_no_activity(office: Office, consumer: Consumer) -> None:
    (mandate,) = await delegates(office)
    await office.suspend(mandate, in_days(-5))
    await consumer.told(mandate)
    assert await listed(office) == []
    await office.reinstate(mandate, in_days(-3))
    await consumer.told(mandate)
    assert await listed(office) == []
    await record(office, mandate, kind=ATTENDANCE, source=MEETING)
    await consumer.told(mandate, day=in_days(-1), source="meetings/2")
    assert await person_times(office) == 2


async def notes(office: Office, mandate: str) -> list[audit_pb2.AuditRecord]:
    """What the audit says of acts that were not counted."""
    answer = await office.call("ListAudit", audit_pb2.ListAuditRequest(resource=mandate))
    return [record for record in answer.audit_records if record.action.startswith("not counted")]


async def test_what_failed_was_not_told(office: Office, consumer: Consumer, database: Database) -> None:
    """The event that is refused is tried again when its cause is gone."""
    term = await office.term()
    mandate = await office.vetted(term)
    with pytest.raises(Refused):
        await consumer.told(mandate)
    await office.confirm(mandate, in_days(-9))
    await consumer.told(mandate)
    with tenancy.acting_for(office.district):
        async with database.read() as tx:
            row = await tx.one(select(func.count().label("parts")).select_from(participation))
    assert row.parts == 1


async def test_the_city_hears_by_how_much_the_counts_changed(office: Office, consumer: Consumer) -> None:
    first, second = await delegates(office, 2)
    await record_all(office, entry(first, second), entry(first, kind=RECEPTION, people_received=30))
    gone = await record(office, first, second, day=in_days(-40))
    await withdraw(office, gone.name)
    await consumer.told(first)
    await consumer.told(first, second)
    await consumer.told(first, second)
    expected = {INSPECTION: (1, 2, 0), RECEPTION: (1, 1, 30), ATTENDANCE: (1, 2, 0)}
    assert await counted_by(office, 5) == expected


async def counted_by(office: Office, number: int) -> dict[Any, tuple[int, ...]]:
    """The sum by kind of what the first events say."""
    summed: dict[Any, tuple[int, ...]] = {}
    for event in await heard(office, events_pb2.ActivitiesRecorded, number):
        for change in event.changes:
            counts = (change.activities, change.person_times, change.people_received)
            summed[change.kind] = tuple(map(sum, zip(summed.get(change.kind, (0, 0, 0)), counts, strict=True)))
            assert change.month.day == 1
    return summed
