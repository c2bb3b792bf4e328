"""Servers that vanish for some seconds under load. Nothing but they is started again."""

import asyncio

from tests.faults.breaking import SERVICES, answers, envoy, outage
from tests.faults.clock import Clock
from tests.faults.load import delivered, under_load
from tests.harness import Platform, until


async def test_bus_killed_for_ten_seconds(site: Platform) -> None:
    """Writing needs no bus: events wait in the outbox, and the processes stay ready."""
    ready = f"http://{site.processes[SERVICES].said['metrics']}/ready"
    async with under_load(site) as load:
        away = asyncio.create_task(outage(site.nats, seconds=10))
        await load.goes_on()
        assert answers(ready) == 200
        await away
        back = Clock("NATS killed for 10 s")
        await load.flows()
        assert not load.failures
        await until(lambda: delivered(site))
        back.tell("outbox empty", within=20)


async def test_database_killed_for_ten_seconds(site: Platform) -> None:
    async with under_load(site) as load:
        await outage(site.postgres, seconds=10)
        back = Clock("PostgreSQL killed for 10 s")
        await load.flows()
        back.tell("every client served", within=10)
        assert load.failures


async def test_database_and_bus_killed_together(site: Platform) -> None:
    async with under_load(site) as load:
        await outage(site.postgres, site.nats, seconds=2)
        back = Clock("PostgreSQL and NATS killed for 2 s")
        await load.flows()
        back.tell("every client served", within=10)


async def test_envoy_killed(site: Platform) -> None:
    """Its supervisor starts another; meanwhile there is nobody who could say a reason."""
    async with under_load(site, gateway_stays=False) as load:
        back = Clock("Envoy killed")
        envoy(site).kill()
        await load.flows()
        back.tell("every client served", within=10)
