"""What the bad-input tests share: a district with entries, both doors, and the service's log."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest

from chassis.auth import ROLES
from chassis.rpc import Rpc
from tests.ballots.season import Season
from tests.conftest import Platforms, fresh_tenant
from tests.contract.acts import record
from tests.contract.office import Office, in_days
from tests.feedback.hearing import Hearing, furnished
from tests.isolation.rpcs import RPCS, Metadata, Outcome, code_of, outcome
from tests.meetings.met import met
from tests.meetings.secretariat import Secretariat

# What only a fault of ours would put before a caller.
LEAKS = ("Traceback", 'File "', "asyncpg", "sqlalchemy", "site-packages")
OURS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)


@dataclass(frozen=True)
class Ground:
    """A district that the bad input is sent to."""

    office: Office
    names: tuple[str, ...]
    doors: dict[str, grpc.aio.Channel]
    rest: httpx.AsyncClient
    log: Path

    def metadata(self, rpc: Rpc) -> Metadata:
        """Of a caller who may call it."""
        platform = self.office.tenant.platform
        roles = [word for word, role in ROLES.items() if role in rpc.roles] or ["viewer"]
        return platform.metadata(roles, None if rpc.municipal else self.office.district)

    async def call(self, door: str, path: str, messages: list[bytes]) -> Outcome:
        """Calls and checks that the answer is one that the contract knows."""
        ended = await outcome(self.doors[door], path, messages, self.metadata(RPCS[path]))
        check(path, ended)
        return ended


def check(path: str, ended: Outcome) -> None:
    """Done, or refused with a declared reason, its code, and nothing of our inside."""
    if ended.code is grpc.StatusCode.OK:
        return
    assert ended.code not in OURS, ended
    assert ended.code is code_of(path, ended.reason), ended
    shown = ended.text + str(ended.status)
    assert not [leak for leak in LEAKS if leak in shown], ended


@pytest.fixture(scope="module")
async def ground(platforms: Platforms) -> AsyncIterator[Ground]:
    async with AsyncExitStack() as stack:
        tenant = await stack.enter_async_context(fresh_tenant(platforms, "all-direct"))
        office, platform = Office(tenant), tenant.platform
        doors = {door: grpc.aio.insecure_channel(platform.address(door)) for door in ("direct", "gateway")}
        for channel in doors.values():
            await stack.enter_async_context(channel)
        rest = httpx.AsyncClient(base_url=platform.gateway, trust_env=False, timeout=30)
        await stack.enter_async_context(rest)
        (process,) = platform.processes.values()
        yield Ground(office, await entries(office), doors, rest, process.log)


async def entries(office: Office) -> tuple[str, ...]:
    """The names of an entry of every kind, so that bad input gets past the first look-up."""
    unit = await office.unit()
    assembly = await office.assembly(unit)
    term, person = await office.term(assembly), await office.person(residence=unit)
    mandates = [await office.recommended(term, person), await office.vetted(term), await office.delegate(term)]
    # A district of the city's own, which the tests may change as they like.
    district = f"districts/{await office.tenant.platform.fresh_district()}"
    rules = ("rules/subdistrict_assembly.size_max", "rules/subdistrict_assembly.nomination")
    activity = await record(office, mandates[-1], day=in_days(0))
    between = await duties(office, unit, term, mandates[-1])
    own = (unit, assembly, term, person, *mandates, activity.name, district, *rules, *between)
    projects = await Season(office.tenant).furnished(await office.assembly(await office.unit(2)))
    opinions = await furnished(Hearing(office.tenant), mandates[-1])
    return (*own, *projects.values(), *opinions.values(), *(await met(Secretariat(office.tenant), assembly)).values())


async def duties(office: Office, unit: str, term: str, delegate: str) -> tuple[str, ...]:
    """What a delegate does between meetings, of each kind one."""
    station, group = await office.station(unit), await office.oversight_group(term)
    await office.join(group, delegate)
    contact = await office.contact(delegate, person=await office.person())
    return (station, await office.assigned(station, delegate), contact, group)


@pytest.fixture(autouse=True)
def quiet(ground: Ground) -> Iterator[None]:
    """The service has logged no fault of its own by the end of a test."""
    begins = ground.log.stat().st_size
    yield
    logged = ground.log.read_bytes()[begins:].decode(errors="replace").splitlines()
    assert [line for line in logged if '"level": "error"' in line or "Traceback" in line] == []
