"""What is done district by district goes on, whatever is wrong with one of them."""

import asyncio

import pytest
from sqlalchemy import make_url

from chassis import tenancy
from chassis.database import Database
from chassis.directory import Directory, District
from chassis.manifest import Round
from chassis.rounds import go_round
from chassis.vault import Vault

DISTRICTS = ("500101", "500102", "500103")


async def visited(fault: Exception, districts: int, *known: District) -> list[str]:
    """The first districts that are visited, where the second one always fails."""
    seen: list[str] = []
    enough = asyncio.Event()

    async def visit(_: Database, vault: Vault) -> None:
        seen.append(tenancy.district())
        if len(seen) == districts:
            enough.set()
        if tenancy.district() == DISTRICTS[1]:
            raise fault

    database = Database(make_url("postgresql://nowhere"), "trial", 1, 1.0)
    going = asyncio.create_task(
        go_round(Round("trial", 0, visit), database, Vault([bytes(32)]), Directory(known), DISTRICTS)
    )
    waiting = asyncio.create_task(enough.wait())
    await asyncio.wait((going, waiting), return_when=asyncio.FIRST_COMPLETED)
    for task in (going, waiting):
        task.cancel()
    await asyncio.gather(going, waiting, return_exceptions=True)
    if going.done() and not going.cancelled() and (error := going.exception()):
        raise error
    return seen[:districts]


async def test_a_fault_of_one_district_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    assert await visited(ValueError("its rows are at fault"), 6) == [*DISTRICTS, *DISTRICTS]
    assert {record.message for record in caplog.records} == {"trial failed"}


async def test_a_server_that_is_away_is_for_the_caller() -> None:
    with pytest.raises(ConnectionResetError):
        await visited(ConnectionResetError(), 6)


async def test_a_suspended_district_is_left_as_it_is() -> None:
    suspended = District(DISTRICTS[0], "停", suspended=True)
    assert await visited(ValueError("its rows are at fault"), 4, suspended) == [*DISTRICTS[1:], *DISTRICTS[1:]]
