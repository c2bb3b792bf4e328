"""An event that cannot be applied is set aside and stops no other; once its cause is gone, it is applied, once."""

from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import grpc

from chassis import client
from chassis.bus import Bus, DeadLetter
from chassis.manifest import Event
from quanyutong.registry.v1 import events_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.faults.load import ROLES, SERVICE, TALLY, Books, Client, balanced, tally
from tests.harness import Platform, until
from tests.probe.commands import Command, run_commands


async def test_poison_is_set_aside_and_replayed(site: Platform) -> None:
    district, books = await site.fresh_district(), Books()
    unit = f"units/{district}001"
    obstacles = await asyncpg.connect(site.postgres.url)
    await obstacles.execute("INSERT INTO tally.obstacle VALUES ($1, $2)", district, unit)
    async with client.channel(site.address("gateway"), [SERVICE, TALLY]) as channel:
        clerk = Client(RegistryServiceStub(channel), site.metadata(ROLES, district), books)
        await clerk.unit(unit)
        await clerk.assembly(unit)
        await clerk.assembly()
        await until(lambda: counts(site, channel, district, 1))
    await obstacles.execute("DELETE FROM tally.obstacle WHERE district = $1", district)
    await obstacles.close()
    (letter,) = await letters(site, district)
    shown, replayed = await run_commands([qyt(site, "list"), qyt(site, "replay", str(letter.number))])
    assert f"{letter.number}\ttally\tqyt.{district}.registry.assembly_created\tObstructed\n" in shown.output
    assert (replayed.status, replayed.output.splitlines()[-1]) == (0, "replayed 1")
    await balanced(site, {district: books})
    assert await letters(site, district) == []


def qyt(site: Platform, *words: str) -> Command:
    return Command(("dlq", *words), {"QYT_NATS_URL": site.nats.url, "QYT_STATE": site.environment["QYT_STATE"]})


async def letters(site: Platform, district: str) -> list[DeadLetter]:
    bus = await Bus.connect(site.nats.url, "test")
    found = [letter for letter in await bus.dead_letters() if f".{district}." in letter.subject]
    await bus.close()
    return found


async def counts(site: Platform, channel: grpc.aio.Channel, district: str, assemblies: int) -> bool:
    return bool((await tally(site, channel, district)).assemblies == assemblies)


async def test_event_that_the_database_refuses_stops_no_other(site: Platform) -> None:
    """A character that PostgreSQL cannot store, and a number that no column holds: neither passes by waiting."""
    district = await site.fresh_district()
    bus = await Bus.connect(site.nats.url, "forger")
    try:
        for unit in ("units/\0", ""):
            await publish(bus, district, events_pb2.AssemblyCreated(unit=unit))
        await publish(bus, district, events_pb2.TermOpened(term=f"assemblies/1/terms/{10**12}"))
        await publish(bus, district, events_pb2.AssemblyCreated())
        async with client.channel(site.address("gateway"), [TALLY]) as channel:
            await until(lambda: counts(site, channel, district, 2))
        assert [letter.fault for letter in await letters(site, district)] == [
            "CharacterNotInRepertoireError",
            "DataError",
        ]
    finally:
        await bus.close()


async def publish(bus: Bus, district: str, message: events_pb2.AssemblyCreated | events_pb2.TermOpened) -> None:
    event = Event(uuid4(), district, message.DESCRIPTOR.full_name, "assemblies/1")
    await bus.publish(event, message.SerializeToString(), datetime.now(UTC), "")
