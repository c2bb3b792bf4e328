"""Processes that are killed with SIGKILL, at the worst moment and at any moment."""

import random

import psutil

from tests.embedded.outside import value
from tests.faults.breaking import SERVICES, kill, kill_and_restart, start_services
from tests.faults.clock import Clock
from tests.faults.load import delivered, under_load
from tests.harness import Platform, Process, until

WAITING = "SELECT count(*) FROM registry.outbox"
# The ports of those who hold the lock of a service's duties: the other ends of their connections.
LEADERS = """SELECT array_agg(client_port) FROM pg_stat_activity JOIN pg_locks USING (pid)
             WHERE locktype = 'advisory' AND granted AND application_name = 'qyt-{}-duties'"""


async def test_killed_between_commit_and_publish(site: Platform) -> None:
    """Without the bus, what is committed cannot be published; then the process is killed."""
    async with under_load(site) as load:
        site.nats.kill()
        await load.goes_on()
        waiting = await value(site.postgres.url, WAITING)
        assert waiting
        await kill(site.processes[SERVICES])
        await site.nats.start()
        site.processes[SERVICES] = await start_services(site)
        started = Clock(f"killed with at least {waiting} events to publish, and started again")
        await load.flows()
        started.tell("every client served", within=10)
        await until(lambda: delivered(site))
        started.tell("outbox empty", within=20)


async def test_killed_at_any_moment(site: Platform) -> None:
    async with under_load(site) as load:
        for _ in range(2):
            await load.goes_on(random.randint(1, 100))
            await kill_and_restart(site)
            back = Clock("services killed and started again")
            await load.flows()
            back.tell("every client served", within=10)


async def test_one_of_two_replicas_leads(site: Platform) -> None:
    """When the leader is killed, the other leads, and the clients go on with it."""
    first, second = site.processes[SERVICES], await start_services(site)
    site.processes[SERVICES] = second
    for service in ("registry", "tally"):
        assert await leading(site, service) == [first.leashed.pid]
    async with under_load(site) as load:
        await kill(first)
        killed = Clock("one of two replicas killed")
        await load.flows()
        killed.tell("every client served", within=10)
        for service in ("registry", "tally"):
            await until(lambda service=service: led_by(site, service, second))  # type: ignore[misc]
        killed.tell("the other leads", within=10)


async def leading(site: Platform, service: str) -> list[int]:
    """The processes that hold the lock."""
    ports = await value(site.postgres.url, LEADERS.format(service))
    assert isinstance(ports, list | None)
    connections = psutil.net_connections("tcp")
    return [c.pid for port in ports or () for c in connections if c.laddr.port == port and c.raddr and c.pid]


async def led_by(site: Platform, service: str, process: Process) -> bool:
    return await leading(site, service) == [process.leashed.pid]
