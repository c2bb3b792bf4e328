"""The roster of the meetings service is the register's, whatever becomes of the events on their way."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
from pydantic import SecretStr

from chassis.bus import Bus
from chassis.database import Database
from chassis.migrations import runtime_url
from quanyutong.registry.v1.events_pb2 import MandateReinstated
from tests.conftest import tenant_of
from tests.contract.office import Office
from tests.faults.clock import Clock
from tests.faults.roster import HANDLERS, TABLES, Told, agrees, applied, copied, emptied, everything_happens, told
from tests.harness import Platform, Process, platform, until

STREAM, DURABLE = "QYT_REGISTRY", "meetings-QYT_REGISTRY"
SHUFFLES = 8


@pytest.fixture(scope="module")
async def apart(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """The services in processes of their own, so that one can be away while the other goes on."""
    async with platform("split", tmp_path_factory.mktemp("rosters")) as site:
        yield site


@pytest.fixture
async def office(apart: Platform) -> AsyncIterator[Office]:
    async with tenant_of(apart, "direct") as tenant:
        yield Office(tenant)


@pytest.fixture
async def database(apart: Platform) -> AsyncIterator[Database]:
    """That of the meetings service, as its own processes open it."""
    settings = apart.settings.model_copy(update={"database_url": SecretStr(apart.postgres.url)})
    opened = Database(runtime_url(settings, "meetings"), "meetings", 1, 30)
    yield opened
    await opened.close()


async def test_a_register_that_goes_on_without_the_bus(apart: Platform, office: Office) -> None:
    """However long it is away: events wait in the outbox, and come in their order when it is back."""
    apart.nats.kill()
    try:
        await everything_happens(office)
        assert not await copied(apart, office.district)
    finally:
        await apart.nats.start()
    back = Clock("NATS away while a register was kept")
    await agrees(apart, office.district)
    back.tell("the meetings' roster is the register's")


async def test_meetings_that_were_away_hear_what_they_missed(apart: Platform, office: Office) -> None:
    await apart.processes["meetings"].leashed.stop()
    await everything_happens(office)
    assert not await copied(apart, office.district)
    await start_meetings(apart)
    await agrees(apart, office.district)


async def test_events_that_come_twice_and_the_later_before_the_earlier(apart: Platform, office: Office) -> None:
    """Sent again by the bus, each two neighbours the other way round: what was applied is not applied again."""
    await everything_happens(office)
    await agrees(apart, office.district)
    bus = await Bus.connect(apart.nats.url, "test")
    try:
        for number, each in enumerate(swapped(await told(apart, office.district))):
            again = {**each.headers, "Nats-Msg-Id": f"again-{office.district}-{number}"}
            await bus.js.publish(each.subject, each.content, headers=again)

        async def all_acknowledged() -> bool:
            info = await bus.js.consumer_info(STREAM, DURABLE)
            return bool(info.num_pending == info.num_ack_pending == 0)

        await until(all_acknowledged)
    finally:
        await bus.close()
    assert await copied(apart, office.district)


@pytest.mark.parametrize("order", ["as told", "neighbours swapped", "backwards", "shuffled"])
async def test_any_order_makes_the_same_roster(apart: Platform, office: Office, database: Database, order: str) -> None:
    """The handlers by themselves, each event twice, with no inbox before them."""
    await everything_happens(office)
    await agrees(apart, office.district)
    heard = await told(apart, office.district)
    assert {each.event.type for each in heard} == set(HANDLERS)
    for events in orders(order, heard):
        await emptied(apart, office.district)
        assert not await copied(apart, office.district)
        await applied(database, [each for each in events for _ in range(2)])
        assert await copied(apart, office.district)


async def test_events_of_an_earlier_release(apart: Platform, office: Office, database: Database) -> None:
    """They do not say since when a mandate that is reinstated was suspended."""
    await everything_happens(office)
    await agrees(apart, office.district)
    heard = await told(apart, office.district)
    await emptied(apart, office.district)
    await applied(database, [before(each) for each in heard])
    assert await copied(apart, office.district)


def before(each: Told) -> Told:
    if each.event.type != MandateReinstated.DESCRIPTOR.full_name:
        return each
    event = MandateReinstated.FromString(each.content)
    event.ClearField("suspended_from")
    return replace(each, content=event.SerializeToString())


def orders(order: str, events: list[Told]) -> list[list[Told]]:
    if order == "shuffled":
        return [random.sample(events, len(events)) for _ in range(SHUFFLES)]
    return [{"as told": events, "neighbours swapped": swapped(events), "backwards": events[::-1]}[order]]


def swapped(events: list[Told]) -> list[Told]:
    return [each for place in range(0, len(events), 2) for each in reversed(events[place : place + 2])]


async def test_copies_that_are_lost_are_told_anew(apart: Platform, office: Office) -> None:
    """What docs/operations.md says: without its consumer and its inbox the service hears the stream from its start."""
    await everything_happens(office)
    await agrees(apart, office.district)
    await apart.processes["meetings"].leashed.stop()
    connection = await asyncpg.connect(apart.postgres.url)
    await connection.execute(f"TRUNCATE {', '.join(f'meetings.{table}' for table in (*TABLES, 'inbox'))}")
    await connection.close()
    bus = await Bus.connect(apart.nats.url, "test")
    await bus.js.delete_consumer(STREAM, DURABLE)
    await bus.close()
    assert not await copied(apart, office.district)
    await start_meetings(apart)
    await agrees(apart, office.district)


async def start_meetings(site: Platform) -> None:
    arguments, folder = ["services", "serve", "--target=meetings"], site.settings.state.parent
    site.processes["meetings"] = await Process.start("meetings", arguments, site.environment, folder)
