"""Events of one aggregate arrive in the order in which they were committed, whatever is killed on their way."""

import asyncio

from chassis import client
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.faults.breaking import outage
from tests.faults.load import ROLES, SERVICE, Books, Client, balanced, terms
from tests.harness import Platform

MANY = 120


async def test_terms_of_one_assembly_in_order(site: Platform) -> None:
    """The bus is killed again and again while an assembly gets one term after another."""
    district, books = await site.fresh_district(), Books()
    async with client.channel(site.address("gateway"), [SERVICE]) as channel:
        clerk = Client(RegistryServiceStub(channel), site.metadata(ROLES, district), books)
        assembly = await clerk.assembly()
        opening = asyncio.create_task(open_terms(clerk, assembly))
        while not opening.done():
            await outage(site.nats, seconds=0.1)
            await clerk.person()
        await opening
    await balanced(site, {district: books})


async def open_terms(clerk: Client, assembly: str) -> None:
    for term in terms(MANY):
        await clerk.term(assembly, term)
