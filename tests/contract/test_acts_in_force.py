"""Acts of duty lie on days on which the delegate could act: recorded or corrected, and when the mandate stops later."""

import asyncio
from datetime import date
from typing import Any

import grpc
import pytest

from quanyutong.registry.v1 import activities_pb2 as pb
from quanyutong.registry.v1 import mandates_pb2
from tests.contract.acts import delegates, entry, listed, performance, record, record_all, withdraw
from tests.contract.office import Office, in_days, mask, on
from tests.contract.test_registration import bad_request
from tests.harness import facts, reason, refused

SUSPENDED, LATER = "ERROR_REASON_MANDATE_SUSPENDED", "ERROR_REASON_ACTIVITIES_LATER"


async def suspended(office: Office, start: date, end: date | None = None) -> str:
    """A delegate who was suspended from a day on, and perhaps acts again."""
    (mandate,) = await delegates(office)
    await office.suspend(mandate, start)
    if end:
        await office.reinstate(mandate, end)
    return mandate


async def test_from_the_first_day_of_a_suspension_to_the_last(office: Office) -> None:
    mandate = await suspended(office, in_days(-20), in_days(-10))
    for days in (-20, -11):
        assert await refused(record(office, mandate, day=in_days(days))) == SUSPENDED
    for days in (-21, -10):
        await record(office, mandate, day=in_days(days))
    assert (await performance(office, mandate)).activities == 2


async def test_while_it_lasts(office: Office) -> None:
    mandate = await suspended(office, in_days(0))
    assert await refused(record(office, mandate, day=in_days(0))) == SUSPENDED
    await record(office, mandate, day=in_days(-1))


async def test_each_of_several_suspensions(office: Office) -> None:
    mandate = await suspended(office, in_days(-30), in_days(-20))
    await office.suspend(mandate, in_days(-10))
    for days in (-25, -5):
        assert await refused(record(office, mandate, day=in_days(days))) == SUSPENDED
    await record(office, mandate, day=in_days(-15))


async def test_after_the_end_it_is_not_in_force_rather_than_suspended(office: Office) -> None:
    mandate = await suspended(office, in_days(-20))
    await office.end(mandate, in_days(-10))
    assert await refused(record(office, mandate, day=in_days(-15))) == SUSPENDED
    assert await refused(record(office, mandate, day=in_days(-10))) == "ERROR_REASON_MANDATE_NOT_IN_FORCE"


async def test_many_at_once_name_the_suspended(office: Office) -> None:
    mandate, (other,) = (
        await suspended(office, in_days(-5)),
        await delegates(office, term=await office.term(await office.congress())),
    )
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await record_all(office, entry(other), entry(other, mandate), entry(mandate, day=in_days(-6)))
    assert reason(refusal.value) == "ERROR_REASON_ROWS_REFUSED"
    assert [each.field for each in bad_request(refusal.value).field_violations] == ["activities[1].mandates[1]"]
    assert await listed(office) == []


@pytest.mark.parametrize("path", ["day", "mandates"])
async def test_a_correction_is_held_to_it_too(office: Office, path: str) -> None:
    term = await office.term()
    mandate, other = await delegates(office, 2, term)
    await office.suspend(mandate, in_days(-5))
    recorded = await record(office, mandate if path == "day" else other, day=in_days(-6 if path == "day" else -2))
    given = entry(mandate, name=recorded.name, day=in_days(-3))
    request = pb.CorrectActivityRequest(activity=given, update_mask=mask(path))
    assert await refused(office.call("CorrectActivity", request)) == SUSPENDED


async def stop(office: Office, how: str, mandate: str, day: date) -> Any:
    return await (office.end(mandate, day) if how == "end" else office.suspend(mandate, day))


@pytest.mark.parametrize("how", ["end", "suspend"])
async def test_a_mandate_does_not_stop_before_its_acts(office: Office, how: str) -> None:
    (mandate,) = await delegates(office)
    earlier, later = [await record(office, mandate, day=in_days(days)) for days in (-9, -4)]
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stop(office, how, mandate, in_days(-9))
    assert reason(refusal.value) == LATER
    assert facts(refusal.value) == {
        "mandate": mandate,
        "date": str(in_days(-9)),
        "count": "2",
        "latest": str(in_days(-4)),
    }
    await withdraw(office, later.name)
    assert await refused(stop(office, how, mandate, in_days(-9))) == LATER
    await stop(office, how, mandate, in_days(-8))
    assert await listed(office) == [earlier.name]


@pytest.mark.parametrize("how", ["end", "suspend"])
async def test_what_was_done_today_before_it_stops_today_stands(office: Office, how: str) -> None:
    (mandate,) = await delegates(office)
    recorded = await record(office, mandate, day=in_days(0))
    await stop(office, how, mandate, in_days(0))
    assert await listed(office) == [recorded.name]


async def test_an_act_that_was_of_others_is_corrected_first(office: Office) -> None:
    term = await office.term()
    mandate, other = await delegates(office, 2, term)
    recorded = await record(office, mandate, other, day=in_days(-4))
    assert await refused(office.end(mandate, in_days(-5), mandates_pb2.END_REASON_DEATH)) == LATER
    given = pb.Activity(name=recorded.name, kind=recorded.kind, day=on(in_days(-4)), mandates=[other])
    await office.call("CorrectActivity", pb.CorrectActivityRequest(activity=given, update_mask=mask("mandates")))
    await office.end(mandate, in_days(-5), mandates_pb2.END_REASON_DEATH)
    await record(office, other, day=in_days(-3))


@pytest.mark.parametrize("how", ["end", "suspend"])
async def test_an_act_and_the_stop_at_the_same_moment(office: Office, how: str) -> None:
    """One of them comes first, and the other is judged by it."""
    (mandate,) = await delegates(office)
    attempts = [record(office, mandate, day=in_days(-2)), stop(office, how, mandate, in_days(-3))]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(outcome, grpc.aio.AioRpcError) for outcome in outcomes) == 1
