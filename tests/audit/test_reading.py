"""Reading the audit: by whom, and by which filters."""

from datetime import timedelta

import pytest

from chassis import clock
from chassis.wire import date_message
from quanyutong.common.v1 import audit_pb2
from tests.contract.office import Office
from tests.harness import refused


async def listed(office: Office, **filters: object) -> list[audit_pb2.AuditRecord]:
    """All pages, in small ones."""
    records: list[audit_pb2.AuditRecord] = []
    request = audit_pb2.ListAuditRequest(page_size=2, **filters)  # type: ignore[arg-type]
    while True:
        answer = await office.call("ListAudit", request)
        records += answer.audit_records
        if not answer.next_page_token:
            return records
        request.page_token = answer.next_page_token


async def test_all_of_it_in_its_order(office: Office) -> None:
    await office.term()
    records = await listed(office)
    assert [record.resource for record in records] == ["district", "unit", "assembly", "term"]
    assert [record.create_time.ToDatetime() for record in records] == sorted(
        record.create_time.ToDatetime() for record in records
    )
    assert records[-1].key["number"] == 1
    assert records[-1].HasField("after")
    assert not records[-1].HasField("before")


async def test_by_kind_and_by_subject(office: Office) -> None:
    await office.person()
    assert [record.resource for record in await listed(office, resource="person")] == ["person"]
    assert await listed(office, resource="mandate") == []
    assert {record.subject for record in await listed(office, subject="tester")} == {"tester"}
    assert await listed(office, subject="another") == []


async def test_by_period(office: Office) -> None:
    """Days as they are counted in Chongqing."""
    await office.person()
    today = clock.today()
    yesterday, tomorrow = (date_message(today + timedelta(days=days)) for days in (-1, 1))
    now = date_message(today)
    both = await listed(office)
    assert await listed(office, from_date=now, to_date=tomorrow) == both
    assert await listed(office, from_date=yesterday, to_date=now) == []
    assert await listed(office, from_date=tomorrow) == []


@pytest.mark.parametrize("year", [1, 9999])
async def test_at_the_ends_of_the_calendar(office: Office, year: int) -> None:
    day = {"year": year, "month": 12, "day": 31}
    found = await listed(office, from_date=day)
    assert bool(found) == (year == 1)
    assert bool(await listed(office, to_date=day)) != bool(found)


async def test_a_day_that_is_none(office: Office) -> None:
    day = {"year": 2026, "month": 2, "day": 30}
    assert await refused(listed(office, from_date=day)) == "ERROR_REASON_FIELD_INVALID"


async def test_the_district_reads_and_the_city_verifies(office: Office) -> None:
    for roles in (["clerk"], ["examiner"], ["viewer"], ["delegate"]):
        for rpc, request in (
            ("ListAudit", audit_pb2.ListAuditRequest()),
            ("VerifyAudit", audit_pb2.VerifyAuditRequest()),
        ):
            assert await refused(office.call(rpc, request, *roles)) == "ERROR_REASON_ROLE_MISSING"
    overseer = office.tenant.platform.metadata(["overseer"], x_district=office.district)
    answer = await office.registry.VerifyAudit(audit_pb2.VerifyAuditRequest(), metadata=overseer)
    assert answer.district == f"districts/{office.district}"
    call = office.registry.ListAudit(audit_pb2.ListAuditRequest(), metadata=overseer)
    assert await refused(call) == "ERROR_REASON_ROLE_MISSING"
