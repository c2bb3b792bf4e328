"""The performance record (履职档案): what delegates did, added up."""

from datetime import date
from typing import Any

import pytest

from quanyutong.registry.v1 import mandates_pb2, oversight_pb2
from quanyutong.registry.v1 import performance_pb2 as pb
from tests.contract.acts import (
    CHECK,
    INSPECTION,
    OUTREACH,
    RECEPTION,
    SPEECH,
    delegates,
    kinds,
    performance,
    record,
    totals,
    withdraw,
)
from tests.contract.office import NOBODY, Office, in_days, on
from tests.harness import refused

BY_TERM, BY_YEAR, BY_MONTH = pb.GROUPING_TERM, pb.GROUPING_YEAR, pb.GROUPING_MONTH


def numbers(found: pb.Performance) -> tuple[int, int, int]:
    return found.activities, found.person_times, found.people_received


async def test_a_delegate_who_did_nothing_has_a_record_of_nothing(office: Office) -> None:
    term = await office.term()
    (mandate,) = await delegates(office, term=term)
    expected = pb.Performance(mandate=mandate, term=term, display_name="王小明")
    assert await performance(office, mandate) == expected
    assert await totals(office) == [expected]
    assert await totals(office, grouping=BY_TERM) == [pb.Performance(term=term, display_name="试验街道议事代表会议")]
    assert await totals(office, grouping=BY_YEAR) == []


async def test_person_times_are_the_delegates_of_each_activity(office_everywhere: Office) -> None:
    """Three at one inspection are three person-times; those whom two received together are received once."""
    office = office_everywhere
    term = await office.term()
    first, second, third = await delegates(office, 3, term)
    await record(office, first, second, third)
    await record(office, first, second, kind=RECEPTION, people_received=40)
    await record(office, first, kind=CHECK)
    assert numbers(await performance(office, first)) == (3, 3, 40)
    assert numbers(await performance(office, second)) == (2, 2, 40)
    assert kinds(await performance(office, first)) == {INSPECTION: 1, RECEPTION: 1, CHECK: 1}
    (of_term,) = await totals(office, grouping=BY_TERM)
    assert (numbers(of_term), kinds(of_term)) == ((3, 6, 40), {INSPECTION: 3, RECEPTION: 2, CHECK: 1})
    days = {"start_date": on(in_days(-30)), "end_date": on(in_days(1))}
    by_year = await totals(office, grouping=BY_YEAR, **days)
    assert [numbers(total) for total in by_year] == [(3, 6, 40)]


async def test_what_was_withdrawn_does_not_count(office: Office) -> None:
    (mandate,) = await delegates(office)
    gone = await record(office, mandate)
    await record(office, mandate, kind=OUTREACH)
    await withdraw(office, gone.name)
    assert kinds(await performance(office, mandate)) == {OUTREACH: 1}


async def test_a_period_has_its_first_day_and_not_its_last(office: Office) -> None:
    (mandate,) = await delegates(office)
    for days in (-20, -10, -5):
        await record(office, mandate, day=in_days(days))
    period = {"start_date": on(in_days(-20)), "end_date": on(in_days(-5))}
    assert (await performance(office, mandate, **period)).person_times == 2
    assert (await performance(office, mandate, start_date=on(in_days(-10)))).person_times == 2
    assert (await performance(office, mandate, end_date=on(in_days(-20)))).person_times == 0
    empty = {"start_date": on(in_days(-5)), "end_date": on(in_days(-5))}
    for call in (performance(office, mandate, **empty), totals(office, **empty)):
        assert await refused(call) == "ERROR_REASON_PERIOD_REFUSED"


async def test_a_list_names_those_in_force_in_the_period(office: Office) -> None:
    term = await office.term()
    staying, gone = await delegates(office, 2, term)
    await office.recommended(term)
    ending = mandates_pb2.EndMandateRequest(
        name=gone, reason=mandates_pb2.END_REASON_MOVED, active_to=on(in_days(-100))
    )
    await office.call("EndMandate", ending)
    everybody = {total.mandate for total in await totals(office)}
    assert everybody == {staying, gone}
    late = await totals(office, start_date=on(in_days(-100)))
    assert [total.mandate for total in late] == [staying]
    assert await totals(office, end_date=on(in_days(-365))) == []


async def test_a_term_is_counted_by_its_own_delegates(office: Office) -> None:
    congress, assembly = await office.term(await office.congress()), await office.term()
    (deputy,), (representative,) = await delegates(office, 1, congress), await delegates(office, 1, assembly)
    await record(office, deputy, representative, kind=RECEPTION, people_received=10)
    await record(office, deputy)
    of_term = {total.term: numbers(total) for total in await totals(office, grouping=BY_TERM)}
    assert of_term == {congress: (2, 2, 10), assembly: (1, 1, 10)}
    (only,) = await totals(office, grouping=BY_TERM, term=assembly)
    assert (only.term, numbers(only)) == (assembly, (1, 1, 10))
    assert [total.mandate for total in await totals(office, term=congress)] == [deputy]
    for grouping in (pb.GROUPING_DELEGATE, BY_TERM, BY_YEAR):
        assert await totals(office, grouping=grouping, term=f"assemblies/{NOBODY}/terms/1") == []


async def test_a_group_has_what_its_members_did_while_they_were_in_it(office: Office) -> None:
    term = await office.term()
    member, leaving, other = await delegates(office, 3, term)
    group = await office.oversight_group(term)
    await office.join(group, member, in_days(-50))
    await office.join(group, leaving, in_days(-50))
    leave = oversight_pb2.RemoveOversightMemberRequest(name=group, mandate=leaving, end_date=on(in_days(-20)))
    await office.call("RemoveOversightMember", leave)
    for day in (-51, -50, -21, -20):
        await record(office, member, leaving, other, kind=RECEPTION, people_received=5, day=in_days(day))
    (found,) = await totals(office, grouping=pb.GROUPING_OVERSIGHT_GROUP)
    assert (found.oversight_group, found.term, numbers(found)) == (group, term, (3, 5, 15))
    assert found.topic == oversight_pb2.OVERSIGHT_TOPIC_INDUSTRY_AND_RURAL_REVIVAL
    nobody = f"assemblies/{NOBODY}/terms/1"
    assert await totals(office, grouping=pb.GROUPING_OVERSIGHT_GROUP, term=nobody) == []


async def test_years_and_months_are_those_of_the_acts(office: Office) -> None:
    term = (await office.open_term(await office.assembly(), start="2024-01-01", end=in_days(400))).name
    mandate = await office.vetted(term)
    await office.confirm(mandate, date_of("2024-01-01"))
    for day in ("2024-02-29", "2024-02-01", "2024-12-31", "2025-01-01"):
        await record(office, mandate, day=date_of(day))
    years = {total.period: total.person_times for total in await totals(office, grouping=BY_YEAR)}
    assert years == {"2024": 3, "2025": 1}
    months = [(total.period, total.person_times) for total in await totals(office, grouping=BY_MONTH)]
    assert months == [("2024-02", 2), ("2024-12", 1), ("2025-01", 1)]


def date_of(text: str) -> date:
    return date.fromisoformat(text)


async def test_order_and_pages(office: Office) -> None:
    mandates = sorted(await delegates(office, 5))
    for times, mandate in zip((2, 0, 3, 2, 1), mandates, strict=True):
        for _ in range(times):
            await record(office, mandate, kind=SPEECH)
    await record(office, mandates[1], kind=RECEPTION, people_received=9)
    a, b, c, d, e = mandates
    orders = {
        pb.PERFORMANCE_ORDER_UNSPECIFIED: [a, b, c, d, e],
        pb.PERFORMANCE_ORDER_PERSON_TIMES: [c, a, d, b, e],
        pb.PERFORMANCE_ORDER_PEOPLE_RECEIVED: [b, a, c, d, e],
    }
    for order, expected in orders.items():
        assert await in_pages(office, order) == expected


async def in_pages(office: Office, order: Any) -> list[str]:
    found, token = [], ""
    for _ in range(3):
        request = pb.ListPerformanceRequest(order=order, page_size=2, page_token=token)
        answer = await office.call("ListPerformance", request)
        found += [total.mandate for total in answer.performances]
        token = answer.next_page_token
    assert token == ""
    return found


@pytest.mark.parametrize("role", ["clerk", "examiner", "administrator", "delegate", "viewer"])
async def test_the_district_reads_its_records(office: Office, role: str) -> None:
    (mandate,) = await delegates(office)
    found = await office.call("GetPerformance", pb.GetPerformanceRequest(name=mandate), role)
    assert found.mandate == mandate
