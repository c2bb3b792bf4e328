"""Acts of duty (履职活动): recorded, corrected, withdrawn, listed."""

from datetime import date
from typing import Any

import grpc
import pytest

from quanyutong.registry.v1 import activities_pb2 as pb
from quanyutong.registry.v1 import mandates_pb2
from tests.contract.acts import (
    ATTENDANCE,
    INSPECTION,
    MEETING,
    OUTREACH,
    PAPER,
    RECEPTION,
    delegates,
    entry,
    listed,
    read,
    record,
    record_all,
    withdraw,
)
from tests.contract.office import NOBODY, Office, in_days, mask, on
from tests.contract.test_registration import bad_request
from tests.harness import reason, refused

NOT_IN_FORCE = "ERROR_REASON_MANDATE_NOT_IN_FORCE"


async def test_activity_is_read_as_recorded(office_everywhere: Office) -> None:
    office = office_everywhere
    mandates, unit = sorted(await delegates(office, 2)), await office.unit(7)
    given: dict[str, Any] = {
        "people_received": 12,
        "subject": "群众接待日",
        "unit": unit,
        "source": "receptions/2026-10",
    }
    recorded = await record(office, *mandates, kind=RECEPTION, **given)
    found = await read(office, recorded.name)
    assert found == recorded
    assert found.HasField("create_time")
    found.ClearField("create_time")
    expected = entry(*mandates, kind=RECEPTION, name=found.name, delegates=2, etag='"1"', **given)
    assert found == expected


async def test_what_is_output_only_is_not_taken_from_the_caller(office: Office) -> None:
    (mandate,) = await delegates(office)
    recorded = await record(office, mandate, delegates=9, confirmed=True, withdrawal_reason="无", etag='"7"')
    assert (recorded.delegates, recorded.confirmed, recorded.withdrawal_reason, recorded.etag) == (1, False, "", '"1"')


async def test_a_mandate_is_in_force_from_its_first_day_until_before_its_last(office: Office) -> None:
    term = await office.term()
    mandate = await office.vetted(term)
    assert await refused(record(office, mandate, day=in_days(-10))) == NOT_IN_FORCE
    await office.confirm(mandate, in_days(-10))
    ending = mandates_pb2.EndMandateRequest(
        name=mandate, reason=mandates_pb2.END_REASON_MOVED, active_to=on(in_days(-5))
    )
    await office.call("EndMandate", ending)
    for day in (-10, -6):
        assert (await record(office, mandate, day=in_days(day))).day == on(in_days(day))
    for day in (-11, -5, 0):
        assert await refused(record(office, mandate, day=in_days(day))) == NOT_IN_FORCE


async def test_a_mandate_ends_with_its_term_although_nobody_entered_that(office: Office) -> None:
    term = await office.term()
    (mandate,) = await delegates(office, term=term)
    await office.over(term, in_days(-100))
    await record(office, mandate, day=in_days(-101))
    assert await refused(record(office, mandate, day=in_days(-100))) == NOT_IN_FORCE


async def test_one_of_several_not_in_force_is_enough(office: Office) -> None:
    term = await office.term()
    (mandate,) = await delegates(office, term=term)
    assert await refused(record(office, mandate, await office.recommended(term))) == NOT_IN_FORCE
    assert await listed(office) == []


async def test_acts_without_a_source_are_each_their_own(office: Office) -> None:
    (mandate,) = await delegates(office)
    first, second = await record(office, mandate), await record(office, mandate)
    assert await listed(office) == [first.name, second.name]


async def test_an_act_with_a_source_is_recorded_once(office: Office) -> None:
    first, second = await delegates(office, 2)
    recorded = await record(office, first, kind=ATTENDANCE, source=MEETING)
    again = record(office, second, kind=ATTENDANCE, source=MEETING)
    assert await refused(again) == "ERROR_REASON_ACTIVITY_EXISTS"
    await record(office, first, kind=INSPECTION, source=MEETING)
    await record(office, first, kind=ATTENDANCE, source=MEETING, day=in_days(-2))
    await withdraw(office, recorded.name)
    await record(office, second, kind=ATTENDANCE, source=MEETING)
    assert len(await listed(office)) == 3


async def test_a_correction_changes_what_its_mask_names(office: Office) -> None:
    first, second, third = sorted(await delegates(office, 3))
    recorded = await record(office, first, second, subject="视察")
    given = entry(third, first, kind=OUTREACH, day=in_days(-3), subject="宣传", name=recorded.name, etag=recorded.etag)
    request = pb.CorrectActivityRequest(activity=given, update_mask=mask("mandates", "day"))
    corrected = await office.call("CorrectActivity", request)
    found = await read(office, recorded.name)
    assert list(found.mandates) == [first, third]
    assert (found.kind, found.day, found.subject, found.etag) == (INSPECTION, on(in_days(-3)), "视察", '"2"')
    assert (corrected.delegates, corrected.etag) == (2, '"2"')
    assert await refused(office.call("CorrectActivity", request)) == "ERROR_REASON_ETAG_MISMATCH"


async def test_a_correction_is_judged_like_a_new_entry(office: Office) -> None:
    term = await office.term()
    (mandate,) = await delegates(office, term=term)
    recorded = await record(office, mandate, source=MEETING)
    await record(office, mandate, source=MEETING, kind=ATTENDANCE)
    wrong: dict[str, dict[str, Any]] = {
        "ACTIVITY_DATE_REFUSED": {"day": in_days(1)},
        "MANDATE_NOT_IN_FORCE": {"day": in_days(-400)},
        "PEOPLE_RECEIVED_REFUSED": {"people_received": 1},
        "UNIT_NOT_FOUND": {"unit": "units/500102001"},
        "ACTIVITY_EXISTS": {"kind": ATTENDANCE},
        "PAPER_BY_POLL_ALONE": {"kind": PAPER},
    }
    for expected, fields in wrong.items():
        request = pb.CorrectActivityRequest(
            activity=entry(mandate, name=recorded.name, **fields), update_mask=mask(*fields)
        )
        assert await refused(office.call("CorrectActivity", request)) == f"ERROR_REASON_{expected}"
    # As it is, it is its own equal and no other's.
    same = pb.CorrectActivityRequest(activity=entry(mandate, name=recorded.name), update_mask=mask("*"))
    assert (await office.call("CorrectActivity", same)).etag == '"2"'


async def test_the_source_is_not_corrected(office: Office) -> None:
    (mandate,) = await delegates(office)
    recorded = await record(office, mandate)
    given = entry(mandate, name=recorded.name, source=MEETING)
    for path, expected in {"source": "FIELD_MASK_INVALID", "confirmed": "FIELD_MASK_INVALID"}.items():
        request = pb.CorrectActivityRequest(activity=given, update_mask=mask(path))
        assert await refused(office.call("CorrectActivity", request)) == f"ERROR_REASON_{expected}"


async def test_what_was_withdrawn_is_kept_and_stays_as_it_is(office: Office) -> None:
    (mandate,) = await delegates(office)
    recorded = await record(office, mandate)
    withdrawn = await withdraw(office, recorded.name)
    assert (withdrawn.withdrawal_reason, list(withdrawn.mandates)) == ("登记有误", [mandate])
    assert await read(office, recorded.name) == withdrawn
    assert await listed(office) == []
    assert await listed(office, show_withdrawn=True) == [recorded.name]
    assert await refused(withdraw(office, recorded.name)) == "ERROR_REASON_ACTIVITY_WITHDRAWN"
    correction = pb.CorrectActivityRequest(activity=entry(mandate, name=recorded.name), update_mask=mask("*"))
    assert await refused(office.call("CorrectActivity", correction)) == "ERROR_REASON_ACTIVITY_WITHDRAWN"


async def test_activities_are_listed_by_day_and_filtered(office: Office) -> None:
    first, second = await delegates(office, 2)
    unit = await office.unit(7)
    late = await record(office, first, day=in_days(-1))
    early = await record(office, first, second, day=in_days(-9), unit=unit)
    middle = await record(office, second, day=in_days(-5), kind=OUTREACH)
    assert await listed(office) == [early.name, middle.name, late.name]
    assert await listed(office, mandate=first) == [early.name, late.name]
    assert await listed(office, kinds=[OUTREACH, RECEPTION]) == [middle.name]
    assert await listed(office, unit=unit) == [early.name]
    assert await listed(office, start_date=on(in_days(-9)), end_date=on(in_days(-1))) == [early.name, middle.name]
    assert await listed(office, start_date=on(in_days(-8))) == [middle.name, late.name]
    assert await listed(office, mandate=f"mandates/{NOBODY}") == []
    answer = await office.call("ListActivities", pb.ListActivitiesRequest(unit=unit))
    assert (answer.activities[0].delegates, list(answer.activities[0].mandates)) == (2, [])


async def test_pages_neither_miss_nor_repeat_an_activity(office: Office) -> None:
    (mandate,) = await delegates(office)
    entries = [entry(mandate, day=in_days(-1 - number % 3)) for number in range(7)]
    names = set((await record_all(office, *entries)).activities)
    found, token = [], ""
    for _ in range(4):
        answer = await office.call("ListActivities", pb.ListActivitiesRequest(page_size=2, page_token=token))
        found += [(date(a.day.year, a.day.month, a.day.day), a.name) for a in answer.activities]
        token = answer.next_page_token
    assert token == ""
    assert found == sorted(found)
    assert ({name for _, name in found}, len(found)) == (names, 7)


async def test_many_are_recorded_in_their_order(office_everywhere: Office) -> None:
    office = office_everywhere
    mandates = await delegates(office, 2)
    answer = await record_all(office, entry(mandates[0]), entry(*mandates, kind=OUTREACH, source=MEETING))
    assert answer.recorded == 2
    first, second = [await read(office, name) for name in answer.activities]
    assert (first.kind, first.delegates, second.kind, second.delegates) == (INSPECTION, 1, OUTREACH, 2)


async def test_every_row_at_fault_is_named_and_none_is_recorded(office_everywhere: Office) -> None:
    office = office_everywhere
    term = await office.term()
    (mandate,) = await delegates(office, term=term)
    await record(office, mandate, source=MEETING)
    rows = [
        entry(mandate),
        entry(mandate, f"mandates/{NOBODY}", await office.recommended(term)),
        entry(mandate, day=in_days(1), people_received=3),
        entry(mandate, kind=PAPER),
        entry(mandate, unit="units/500102001"),
        entry(mandate, source=MEETING),
        entry(mandate, source="meetings/2"),
        entry(mandate, source="meetings/2"),
    ]
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await record_all(office, *rows)
    assert reason(refusal.value) == "ERROR_REASON_ROWS_REFUSED"
    assert [violation.field for violation in bad_request(refusal.value).field_violations] == [
        "activities[1].mandates[1]",
        "activities[1].mandates[2]",
        "activities[2].day",
        "activities[2].people_received",
        "activities[3].kind",
        "activities[4].unit",
        "activities[5].source",
        "activities[7].source",
    ]
    assert len(await listed(office)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"mandates": []},
        {"mandates": [f"mandates/{NOBODY}"] * 2},
        {"kind": 0},
        {"kind": 99},
        {"people_received": -1},
        {"source": "meetings"},
        {"source": "meetings/1/"},
        {"subject": "a\nb"},
    ],
)
async def test_field_rules(office: Office, fields: dict[str, Any]) -> None:
    given = pb.Activity(**{"kind": INSPECTION, "day": on(in_days(-1)), "mandates": [f"mandates/{NOBODY}"], **fields})
    for request in (pb.RecordActivityRequest(activity=given), pb.RecordActivitiesRequest(activities=[given])):
        rpc = type(request).__name__.removesuffix("Request")
        assert await refused(office.call(rpc, request)) == "ERROR_REASON_FIELD_INVALID"
