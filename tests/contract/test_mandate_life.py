"""Suspension, end and by-election: dates, seats and counts stay right."""

import asyncio
from datetime import date

import pytest

from chassis import clock
from quanyutong.registry.v1 import mandates_pb2 as pb
from quanyutong.registry.v1 import summary_pb2
from tests.contract.office import Office, in_days, new_people, on
from tests.harness import refused

DATE_REFUSED = "ERROR_REASON_MANDATE_DATE_REFUSED"
FULL = "ERROR_REASON_ASSEMBLY_FULL"
# None, and those that are not a delegate's own affair.
OF_THEMSELVES = (0, pb.END_REASON_EXPIRY, pb.END_REASON_SUCCESSION)


async def count(office: Office, day: date | None = None) -> tuple[int, int, int]:
    """Delegates, suspended seats and delegates by capacity of the district's assemblies on a day."""
    request = summary_pb2.GetSummaryRequest(as_of=on(day) if day else None)
    (counted,) = (await office.call("GetSummary", request)).assemblies
    return counted.delegates, counted.suspended, sum(each.delegates for each in counted.capacities)


async def test_a_suspended_mandate_keeps_its_seat_and_its_person_does_not_act(office: Office) -> None:
    term = await office.term()
    await office.override("1")
    name = await office.active(term, day=in_days(-30))
    suspended = await office.suspend(name, in_days(-20))
    assert (suspended.state, suspended.state_since, suspended.remark, suspended.active_from) == (
        pb.MANDATE_STATE_SUSPENDED,
        on(in_days(-20)),
        "因刑事案件被羁押",
        on(in_days(-30)),
    )
    assert await refused(office.confirm(await office.vetted(term))) == FULL
    assert await refused(office.register(term, new_people(1))) == FULL
    reinstated = await office.reinstate(name, in_days(-10))
    assert (reinstated.state, reinstated.state_since, reinstated.remark) == (
        pb.MANDATE_STATE_ACTIVE,
        on(in_days(-10)),
        "案件撤销",
    )
    days = {days: await count(office, in_days(days)) for days in (-31, -30, -21, -20, -11, -10, 0)}
    assert days == {
        -31: (0, 0, 0),
        -30: (1, 0, 1),
        -21: (1, 0, 1),
        -20: (0, 1, 0),
        -11: (0, 1, 0),
        -10: (1, 0, 1),
        0: (1, 0, 1),
    }


async def test_a_suspended_person_is_recommended_no_second_time(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term)
    await office.suspend(await office.active(term, person))
    assert await refused(office.recommended(term, person)) == "ERROR_REASON_MANDATE_EXISTS"


async def test_each_state_begins_after_the_one_before_and_not_tomorrow(office: Office) -> None:
    name = await office.active(await office.term(), day=in_days(-30))
    for day in (in_days(-31), in_days(1)):
        assert await refused(office.suspend(name, day)) == DATE_REFUSED
    await office.suspend(name, in_days(-20))
    for day in (in_days(-21), in_days(1)):
        assert await refused(office.reinstate(name, day)) == DATE_REFUSED
        assert await refused(office.end(name, day)) == DATE_REFUSED
    await office.reinstate(name, in_days(-20))
    await office.suspend(name, in_days(-20))
    await office.end(name, in_days(-20))
    assert await count(office, in_days(-21)) == (1, 0, 1)
    assert await count(office, in_days(-20)) == (0, 0, 0)


async def test_the_end_of_a_suspended_mandate_ends_the_suspension(office: Office) -> None:
    name = await office.active(await office.term(), day=in_days(-30))
    await office.suspend(name, in_days(-20))
    ended = await office.end(name, in_days(-10), pb.END_REASON_REMOVAL)
    assert (ended.state, ended.active_to, ended.end_reason) == (
        pb.MANDATE_STATE_ENDED,
        on(in_days(-10)),
        pb.END_REASON_REMOVAL,
    )
    assert await count(office, in_days(-11)) == (0, 1, 0)
    assert await count(office) == (0, 0, 0)


@pytest.mark.parametrize("reason", [value for value in pb.EndReason.values() if value not in OF_THEMSELVES])
async def test_ends_within_the_term(office: Office, reason: "pb.EndReason.ValueType") -> None:
    ended = await office.end(await office.active(await office.term()), reason=reason)
    assert (ended.end_reason, ended.active_to) == (reason, on(clock.today()))


async def test_suspension_and_end_at_the_same_moment(office: Office) -> None:
    """Whichever comes first, the mandate is ended and no suspension stays open."""
    name = await office.active(await office.term())
    outcomes = await asyncio.gather(office.suspend(name), office.end(name), return_exceptions=True)
    assert not isinstance(outcomes[1], BaseException)
    assert (await office.read(name)).state == pb.MANDATE_STATE_ENDED
    assert await count(office) == (0, 0, 0)


# --- by-election


async def test_a_vacancy_is_filled_until_the_end_of_the_term(office: Office) -> None:
    term = await office.term()
    left = await office.end(await office.active(term, day=in_days(-30)), in_days(-10), pb.END_REASON_DEATH)
    assert left.filled_by == ""
    successor = await office.recommended(term, fills=left.name)
    assert (await office.read(successor)).fills == left.name
    assert (await office.read(left.name)).filled_by == successor
    await office.vet(successor)
    confirmed = await office.confirm(successor, in_days(-5))
    assert (confirmed.fills, confirmed.term, confirmed.HasField("active_to")) == (left.name, term, False)
    listed = (await office.call("ListMandates", pb.ListMandatesRequest(term=term))).mandates
    assert [(each.name, each.fills, each.filled_by) for each in listed] == [
        (left.name, "", successor),
        (successor, left.name, ""),
    ]
    assert await count(office) == (1, 0, 1)


async def test_a_vacancy_is_open_again_after_a_rejection_alone(office: Office) -> None:
    term = await office.term()
    left = await office.end(await office.active(term))
    first = await office.recommended(term, fills=left.name)
    await office.call("RejectMandate", pb.RejectMandateRequest(name=first, reason="材料不实"))
    assert (await office.read(left.name)).filled_by == ""
    second = await office.recommended(term, fills=left.name)
    await office.vet(second)
    await office.confirm(second)
    again = await office.end(second)
    # The seat is the second one's now: who follows fills that one's vacancy.
    assert await refused(office.recommended(term, fills=left.name)) == "ERROR_REASON_VACANCY_FILLED"
    await office.recommended(term, fills=again.name)


async def test_two_for_one_vacancy_at_the_same_moment(office: Office) -> None:
    term = await office.term()
    left = await office.end(await office.active(term))
    people = [await office.eligible(term) for _ in range(4)]
    calls = [office.recommended(term, person, fills=left.name) for person in people]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert len([outcome for outcome in outcomes if isinstance(outcome, str)]) == 1


async def test_vacancies_are_those_of_the_same_term(office: Office) -> None:
    term, congress = await office.term(), await office.term(await office.congress())
    left = await office.end(await office.active(congress, await office.eligible(congress)))
    assert await refused(office.recommended(term, fills=left.name)) == "ERROR_REASON_VACANCY_REFUSED"
    for name in (await office.recommended(term), await office.suspended(term)):
        assert await refused(office.recommended(term, fills=name)) == "ERROR_REASON_VACANCY_REFUSED"
    nobody = "mandates/00000000-0000-7000-8000-000000000000"
    assert await refused(office.recommended(term, fills=nobody)) == "ERROR_REASON_MANDATE_NOT_FOUND"
