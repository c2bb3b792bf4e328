"""The change of term: all mandates end with the term, the next one is there, or nothing has happened."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from quanyutong.registry.v1 import assemblies_pb2
from quanyutong.registry.v1 import mandate_life_pb2 as life
from quanyutong.registry.v1 import mandates_pb2 as pb
from tests.contract.office import RESIDENT, Office, Row, in_days, new_people, on
from tests.contract.test_mandate_life import count
from tests.harness import refused

ENDED, EXPIRY = pb.MANDATE_STATE_ENDED, pb.END_REASON_EXPIRY
# Seconds; by far more than the change of the largest congress takes.
PROMPT = 5.0


async def listed(office: Office, **filters: Any) -> list[pb.Mandate]:
    request = pb.ListMandatesRequest(page_size=500, **filters)
    return list((await office.call("ListMandates", request)).mandates)


async def test_a_term_takes_its_mandates_with_it(office: Office) -> None:
    term = await office.term()
    assembly = term.partition("/terms/")[0]
    resigned = await office.end(await office.active(term, day=in_days(-20)), in_days(-10))
    active, suspended = await office.active(term, day=in_days(-20)), await office.active(term, day=in_days(-20))
    await office.suspend(suspended, in_days(-15))
    pending = await office.recommended(term)
    end = await office.over(term, in_days(-2))
    changed = await office.change_term(term, 2, end)
    assert changed.ended == 2
    assert (changed.next.name, changed.next.start_date) == (f"{assembly}/terms/2", on(end))
    for name in (active, suspended):
        found = await office.read(name)
        assert (found.state, found.end_reason, found.active_to) == (ENDED, EXPIRY, on(end))
    assert await office.read(resigned.name) == resigned
    assert (await office.read(pending)).state == pb.MANDATE_STATE_RECOMMENDED
    assert await count(office, end - timedelta(days=1)) == (1, 1, 1)
    assert await count(office, end) == (0, 0, 0)


async def test_who_sat_sits_again_in_the_next_term(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term)
    await office.active(term, person, in_days(-20))
    end = await office.over(term, in_days(-2))
    following = (await office.change_term(term, 2, end)).next.name
    confirmed = await office.confirm(await office.vetted(following, person), end)
    assert confirmed.active_from == on(end)
    assert await count(office) == (1, 0, 1)


async def test_a_congress_of_450(office: Office) -> None:
    """As the largest is: one transaction, and soon done."""
    term = await office.term(await office.congress())
    await office.register(term, new_people(450), in_days(-20))
    await office.over(term)
    begins = time.monotonic()
    assert (await office.change_term(term, 2, clock.today())).ended == 450
    assert time.monotonic() - begins < PROMPT
    found = await listed(office, term=term)
    assert {(each.state, each.end_reason) for each in found} == {(ENDED, EXPIRY)}
    assert len(found) == 450


async def test_a_refused_change_changes_nothing(office: Office) -> None:
    term = await office.term()
    name = await office.active(term, day=in_days(-20))
    before = await office.read(name)
    assembly = term.partition("/terms/")[0]
    assert await refused(office.change_term(term, 2, in_days(700))) == "ERROR_REASON_TERM_NOT_OVER"
    end = await office.over(term, in_days(-9))
    await office.open_term(assembly, 3, in_days(100), in_days(200))
    for number, start, stop, reason in (
        (2, in_days(-10), in_days(0), "TERM_OVERLAPS"),
        (2, in_days(-9), in_days(101), "TERM_OVERLAPS"),
        (3, in_days(-9), in_days(50), "TERM_EXISTS"),
        (1, in_days(-9), in_days(50), "TERM_EXISTS"),
        (2, in_days(-9), in_days(-9), "TERM_DATES_REFUSED"),
    ):
        assert await refused(office.change_term(term, number, start, stop)) == f"ERROR_REASON_{reason}"
    stale = life.ChangeTermRequest(
        name=term, etag='"7"', next=assemblies_pb2.Term(number=2, start_date=on(end), end_date=on(in_days(50)))
    )
    assert await refused(office.call("ChangeTerm", stale)) == "ERROR_REASON_ETAG_MISMATCH"
    # It reads as ended by then, at the etag that it had: nobody has entered its end.
    assert ((await office.read(name)).etag, (await office.read(name)).state) == (before.etag, ENDED)


async def test_a_term_that_was_opened_before_is_the_next(office: Office) -> None:
    term = await office.term()
    await office.active(term, day=in_days(-20))
    end = await office.over(term)
    opened = await office.open_term(term.partition("/terms/")[0], 2, end, in_days(900))
    changed = await office.change_term(term, 2, end, in_days(900))
    assert (changed.next, changed.ended) == (opened, 1)
    assert (await office.change_term(term, 2, end, in_days(900))).ended == 0


async def test_two_changes_at_the_same_moment_end_each_mandate_once(office: Office) -> None:
    term = await office.term()
    for _ in range(3):
        await office.active(term, day=in_days(-20))
    end = await office.over(term)
    outcomes = await asyncio.gather(*(office.change_term(term, 2, end, in_days(900)) for _ in range(3)))
    assert sorted(outcome.ended for outcome in outcomes) == [0, 0, 3]
    assert len(await listed(office, states=[ENDED])) == 3


# --- a term that is over although nobody has changed it


async def test_a_mandate_reads_as_ended_once_its_term_is_over(office: Office) -> None:
    term = await office.term()
    name = await office.active(term, day=in_days(-20))
    end = await office.over(term, in_days(-2))
    found = await office.read(name)
    assert (found.state, found.end_reason, found.active_to, found.state_since) == (ENDED, EXPIRY, on(end), on(end))
    assert [each.name for each in await listed(office, states=[ENDED])] == [name]
    assert await listed(office, states=[pb.MANDATE_STATE_ACTIVE]) == []
    assert await count(office) == (0, 0, 0)
    assert await refused(office.suspend(name)) == "ERROR_REASON_MANDATE_STATE_REFUSED"


async def test_an_expiry_can_be_entered_one_by_one(office: Office) -> None:
    term = await office.term()
    name = await office.active(term, day=in_days(-20))
    end = await office.over(term, in_days(-2))
    for day in (end - timedelta(days=1), clock.today()):
        assert await refused(office.end(name, day, EXPIRY)) == "ERROR_REASON_MANDATE_DATE_REFUSED"
    ended = await office.end(name, reason=EXPIRY)
    assert (ended.end_reason, ended.active_to) == (EXPIRY, on(end))
    assert await refused(office.end(name, reason=EXPIRY)) == "ERROR_REASON_MANDATE_STATE_REFUSED"


async def test_a_resignation_of_the_last_days_can_be_entered_late(office: Office) -> None:
    term = await office.term()
    name = await office.active(term, day=in_days(-20))
    end = await office.over(term, in_days(-2))
    assert await refused(office.end(name)) == "ERROR_REASON_MANDATE_DATE_REFUSED"
    assert (await office.end(name, end)).end_reason == pb.END_REASON_RESIGNATION


@pytest.mark.parametrize("again", [False, True])
async def test_the_past_is_registered_as_past(office: Office, again: bool) -> None:
    """And is judged as the present is: as many seats as the rule allows, nobody twice at a time."""
    assembly = await office.assembly()
    term = (await office.open_term(assembly, start="2016-01-01", end=in_days(-1))).name
    await office.override("2")
    person = await office.person()
    row = Row(person=person, capacity=RESIDENT)
    (name,) = (await office.register(term, [row], in_days(-500))).mandates
    found = await office.read(name)
    assert (found.state, found.end_reason, found.active_to) == (ENDED, EXPIRY, on(in_days(-1)))
    assert await count(office, in_days(-2)) == (1, 0, 1)
    rows = [row] if again else new_people(100)
    expected = "ERROR_REASON_ROWS_REFUSED" if again else "ERROR_REASON_ASSEMBLY_FULL"
    assert await refused(office.register(term, rows, in_days(-500))) == expected
