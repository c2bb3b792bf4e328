"""A district's own systems follow what happens in it: at least once, in order, from a cursor, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.manifest import package_of
from quanyutong.feedback.v1 import events_pb2 as feedback
from quanyutong.registry.v1 import events_pb2
from quanyutong.registry.v1 import subscriptions_pb2 as pb
from services.__main__ import TARGETS
from services.registry.subscribable import SUBSCRIBABLE, WITHHELD
from services.registry.subscribing import MOST
from tests.conftest import Platforms, Tenant, fresh_tenant, tenant_of
from tests.contract.office import Office
from tests.feedback.hearing import Hearing
from tests.harness import ROOT, platform, reason, refused, until

CREATED = events_pb2.AssemblyCreated.DESCRIPTOR.full_name
OPENED = events_pb2.TermOpened.DESCRIPTOR.full_name
CONFIRMED = events_pb2.MandateConfirmed.DESCRIPTOR.full_name
RECEIVED = feedback.OpinionReceived.DESCRIPTOR.full_name


@pytest.fixture(params=["all-gateway", "split-direct"])
async def office(request: pytest.FixtureRequest, platforms: Platforms) -> AsyncIterator[Hearing]:
    async with fresh_tenant(platforms, request.param) as tenant:
        yield Hearing(tenant)


def watch(tenant: Tenant, *types: str, **asked: Any) -> Any:
    request = pb.WatchEventsRequest(types=types, **asked)
    return tenant.registry.WatchEvents(request, metadata=tenant.metadata("administrator"), timeout=120)


async def events(call: Any, count: int) -> list[pb.WatchEventsResponse]:
    """The next messages with an event in them."""
    found: list[pb.WatchEventsResponse] = []
    while len(found) < count:
        message = await call.read()
        assert message is not grpc.aio.EOF
        if message.HasField("event"):
            found.append(message)
    return found


async def begun(call: Any) -> str:
    """The cursor of the sign of life that comes first."""
    first = await call.read()
    assert not first.HasField("event")
    return str(first.cursor)


def test_every_event_of_every_service_is_told_or_withheld_with_a_reason() -> None:
    published = {kind.DESCRIPTOR.full_name for manifest in TARGETS.values() for kind in manifest.publishes}
    assert published == SUBSCRIBABLE | set(WITHHELD)
    assert not SUBSCRIBABLE & set(WITHHELD)


def test_the_guide_lists_every_type() -> None:
    text = (ROOT / "docs" / "subscriptions.md").read_text()
    assert [each for each in sorted(SUBSCRIBABLE) if f"`{each.rpartition('.')[2]}`" not in text] == []


async def test_what_happens_is_told_in_its_order_with_the_event_itself(office: Hearing) -> None:
    call = watch(office.tenant, CREATED, OPENED, CONFIRMED)
    await begun(call)
    assembly = await office.assembly()
    term = await office.term(assembly)
    mandates = [await office.active(term) for _ in range(3)]
    told = [message.event for message in await events(call, 5)]
    assert [event.type for event in told[:2]] == [CREATED, OPENED]
    assert events_pb2.AssemblyCreated.FromString(told[0].data).assembly == assembly
    assert {event.source for event in told} == {"/quanyutong/registry"}
    assert [events_pb2.MandateConfirmed.FromString(event.data).mandate for event in told[2:]] == mandates
    assert [event.subject for event in told[2:]] == mandates
    call.cancel()


async def test_events_of_other_services_come_too(office: Hearing) -> None:
    call = watch(office.tenant, RECEIVED)
    await begun(call)
    opinion = (await office.opinion()).name
    (message,) = await events(call, 1)
    assert feedback.OpinionReceived.FromString(message.event.data).opinion == opinion
    assert message.event.source == f"/quanyutong/{package_of(RECEIVED)}"
    call.cancel()


async def test_from_a_cursor_nothing_is_missed(office: Hearing) -> None:
    call = watch(office.tenant, CREATED)
    await begun(call)
    first = await office.assembly()
    (message,) = await events(call, 1)
    call.cancel()
    later = [await office.assembly(await office.unit(number)) for number in (2, 3)]
    again = watch(office.tenant, CREATED, cursor=message.cursor)
    await begun(again)
    told = [events_pb2.AssemblyCreated.FromString(each.event.data).assembly for each in await events(again, 2)]
    assert told == later
    again.cancel()
    # An event that was not dealt with comes again: the cursor before it.
    start = watch(office.tenant, CREATED, from_start=True)
    await begun(start)
    assert [events_pb2.AssemblyCreated.FromString(each.event.data).assembly for each in await events(start, 3)] == [
        first,
        *later,
    ]
    start.cancel()


async def test_a_cursor_holds_for_another_choice_of_types(office: Hearing) -> None:
    call = watch(office.tenant, RECEIVED)
    cursor = await begun(call)
    call.cancel()
    assembly = await office.assembly()
    again = watch(office.tenant, CREATED, cursor=cursor)
    await begun(again)
    (message,) = await events(again, 1)
    assert events_pb2.AssemblyCreated.FromString(message.event.data).assembly == assembly
    again.cancel()


async def test_no_district_is_told_anothers(platforms: Platforms) -> None:
    async with fresh_tenant(platforms, "all-direct") as one, fresh_tenant(platforms, "all-direct") as other:
        call = watch(one, from_start=True)
        cursor = await begun(call)
        theirs, own = await Office(other).assembly(), await Office(one).assembly()
        told = []
        while own not in told:
            (message,) = await events(call, 1)
            if message.event.type == CREATED:
                told.append(events_pb2.AssemblyCreated.FromString(message.event.data).assembly)
        assert theirs not in told
        call.cancel()
        foreign = watch(other, cursor=cursor)
        assert await refused(foreign.read()) == "ERROR_REASON_EVENT_CURSOR_INVALID"


@pytest.mark.parametrize("cursor", ["x", "AAAA", "e30=", "A" * 999])
async def test_a_cursor_that_nobody_gave_out_is_refused(office: Hearing, cursor: str) -> None:
    assert await refused(watch(office.tenant, cursor=cursor).read()) == "ERROR_REASON_EVENT_CURSOR_INVALID"


@pytest.mark.parametrize("kind", ["quanyutong.registry.v1.NoSuchEvent", *sorted(WITHHELD)])
async def test_what_is_withheld_cannot_be_asked_for(office: Hearing, kind: str) -> None:
    assert await refused(watch(office.tenant, kind).read()) == "ERROR_REASON_EVENT_TYPE_REFUSED"


async def test_only_so_many_lines_at_once(office: Hearing) -> None:
    calls = [watch(office.tenant, CREATED) for _ in range(MOST)]
    await asyncio.gather(*map(begun, calls))
    assert await refused(watch(office.tenant, CREATED).read()) == "ERROR_REASON_TOO_MANY_SUBSCRIBERS"
    for call in calls:
        call.cancel()

    async def free() -> bool:
        call = watch(office.tenant, CREATED)
        try:
            await begun(call)
        except grpc.aio.AioRpcError as error:
            if reason(error) == "ERROR_REASON_TOO_MANY_SUBSCRIBERS":
                return False
            raise
        call.cancel()
        return True

    await until(free)


async def test_nothing_is_lost_while_the_bus_and_the_registry_are_killed(tmp_path: Path) -> None:
    """The subscriber goes on with its cursor; what it is told twice it knows by the id."""
    async with platform("split", tmp_path / "site", durable=True) as site, tenant_of(site, "direct") as tenant:
        office, told, cursor = Office(tenant), dict[str, str](), ""
        units = [await office.unit(number) for number in range(1, 13)]

        async def follow() -> None:
            nonlocal cursor
            while len(told) < len(units):
                try:
                    call = watch(tenant, CREATED, cursor=cursor, from_start=True)
                    while (message := await call.read()) is not grpc.aio.EOF:
                        if message.HasField("event"):
                            told[message.event.id] = events_pb2.AssemblyCreated.FromString(message.event.data).unit
                        cursor = message.cursor
                        if len(told) == len(units):
                            return
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise
                    await asyncio.sleep(0.2)

        async with asyncio.timeout(180):
            following = asyncio.create_task(follow())
            for number, unit in enumerate(units):
                await created(office, unit)
                if number == 4:
                    await site.kill_and_start("registry")
                if number == 8:
                    site.nats.kill()
                    await site.nats.start()
            await following
    assert list(told.values()) == units


async def created(office: Office, unit: str) -> None:
    """As a client does: again, until it is there."""

    async def done() -> bool:
        try:
            await office.assembly(unit)
        except grpc.aio.AioRpcError as error:
            if reason(error) == "ERROR_REASON_ASSEMBLY_EXISTS":
                return True
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                return False
            raise
        return True

    await until(done)
