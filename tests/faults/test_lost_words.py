"""What was done, and whose confirmation is lost on its way back: it is asked for again, and not done again.

A lock holds the work up until the one who waits for its outcome can no longer hear of it.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chassis import client
from chassis.bus import Bus
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.embedded.outside import value
from tests.faults.breaking import SERVICES, envoy, holding, kill, start_services, waiting
from tests.faults.clock import Clock
from tests.faults.load import ROLES, SERVICE, Books, Client, balanced, terms
from tests.harness import Platform, until

REGISTRY, TALLY, RELAY = "qyt-registry", "qyt-tally", "qyt-registry-duties"
HOLD_ASSEMBLY = "SELECT FROM registry.assembly WHERE district = $1 FOR UPDATE"
HOLD_TALLY = "SELECT FROM tally.tally WHERE district = $1 FOR UPDATE"
HOLD_OUTBOX = "LOCK TABLE registry.outbox IN EXCLUSIVE MODE"


@dataclass
class Congress:
    """The district congress of a fresh district, and its clerk."""

    site: Platform
    district: str
    clerk: Client
    assembly: str

    async def counts(self, what: str, number: int) -> None:
        """Returns when the database says so."""
        query = f"SELECT count(*) FROM {what} WHERE district = '{self.district}'"
        if what.startswith("tally"):
            query = f"SELECT terms FROM {what} WHERE district = '{self.district}'"

        async def so_many() -> bool:
            return bool(await value(self.site.postgres.url, query) == number)

        await until(so_many)

    async def open_terms(self, first: int, last: int) -> None:
        for term in terms(last)[first - 1 :]:
            await self.clerk.term(self.assembly, term)

    async def balanced(self) -> None:
        await balanced(self.site, {self.district: self.clerk.books})


@asynccontextmanager
async def congress(site: Platform) -> AsyncIterator[Congress]:
    """With its first term, of which the tally knows."""
    district, books = await site.fresh_district(), Books()
    async with client.channel(site.address("gateway"), [SERVICE]) as channel:
        clerk = Client(RegistryServiceStub(channel), site.metadata(ROLES, district), books)
        made = Congress(site, district, clerk, await clerk.assembly())
        await made.open_terms(1, 1)
        await made.counts("tally.tally", 1)
        yield made


async def test_answer_lost_on_its_way_to_the_client(site: Platform) -> None:
    """The gateway stands still while the service commits, and is killed before it could pass the answer on."""
    async with congress(site) as here:
        async with holding(site, HOLD_ASSEMBLY, here.district) as let_go:
            opening = asyncio.create_task(here.open_terms(2, 2))
            await waiting(site, REGISTRY)
            gateway = envoy(site)
            gateway.suspend()
            await let_go()
            await here.counts("registry.term", 2)
        gateway.kill()
        await opening
        assert here.clerk.failures
        await here.balanced()


async def test_ack_lost_on_its_way_from_the_consumer(site: Platform) -> None:
    """The bus stands still while the consumer commits, and is killed before it could read the ack."""
    async with congress(site) as here:
        async with holding(site, HOLD_TALLY, here.district) as let_go:
            await here.open_terms(2, 2)
            await waiting(site, TALLY)
            os.kill(site.nats.pid, signal.SIGSTOP)
            await let_go()
            await here.counts("tally.tally", 2)
        site.nats.kill()
        await site.nats.start()
        await here.open_terms(3, 3)
        await here.balanced()


async def test_killed_with_everything_half_done(site: Platform) -> None:
    """The stream has events whose rows the relay could not delete, and the consumer some that it could not apply.

    When they are back, the events are not stored again, and what was in hand comes first, at once.
    """
    async with congress(site) as here:
        site.nats.kill()
        await here.open_terms(2, 12)
        async with holding(site, HOLD_TALLY, here.district), holding(site, HOLD_OUTBOX):
            await site.nats.start()
            await waiting(site, RELAY)
            await waiting(site, TALLY)
            await kill(site.processes[SERVICES])
        site.processes[SERVICES] = await start_services(site)
        back = Clock("killed with events in hand, and started again")
        await here.open_terms(13, 14)
        await here.balanced()
        back.tell("all events applied", within=20)
        await stored(site, f"qyt.{here.district}.registry.term_opened", 14)


async def stored(site: Platform, subject: str, number: int) -> None:
    bus = await Bus.connect(site.nats.url, "test")
    found = (await bus.js.stream_info("QYT_REGISTRY", subjects_filter=subject)).state.subjects
    await bus.close()
    assert found == {subject: number}
