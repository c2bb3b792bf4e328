"""Records are sealed in batches, none too early and none left out, and everything fits whatever goes on meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import insert, text

from chassis import tenancy
from chassis.bus import Bus
from chassis.database import Database
from chassis.directory import Directory, District
from chassis.sealing import BATCH, Sealer, backlogs
from chassis.vault import Vault
from chassis.verifying import STEP, Fault, Verified, Verifier
from quanyutong.common.v1 import audit_pb2
from quanyutong.registry.v1 import events_pb2
from services.registry.tables import person
from tests.audit.archive import Archive, opened
from tests.contract.office import Office
from tests.harness import Platform, refused, until

ADD = insert(person).values(display_name="甲")
ADD_MANY = text("INSERT INTO person (display_name) SELECT '甲' FROM generate_series(1, :count)")


@pytest.fixture
async def database(office: Office) -> AsyncIterator[Database]:
    made = opened(office.tenant.platform)
    with tenancy.acting_for(office.district):
        yield made
    await made.close()


@pytest.fixture
def vault(office: Office) -> Vault:
    return Vault.of(office.tenant.platform.settings)


def sealer(database: Database, vault: Vault) -> Sealer:
    return Sealer(database, vault, Directory(), events_pb2.AuditSealed)


async def sealed(database: Database, vault: Vault, district: str) -> Verified:
    """The last step, once every record is sealed: other transactions of the server may have to end first."""

    async def all_sealed() -> bool:
        await sealer(database, vault).seal(district)
        return (await verified(database, vault)).unsealed == 0

    await until(all_sealed)
    return await verified(database, vault)


async def verified(database: Database, vault: Vault) -> Verified:
    """The last step of a verification from the beginning."""
    after = 0
    while True:
        async with database.read() as tx:
            step = await Verifier(vault, "registry").step(tx, after)
        if not step.more:
            return step
        after = step.seals[-1].number


async def add(database: Database, count: int) -> None:
    async with database.write() as tx:
        await tx.execute(
            text("INSERT INTO person (display_name) SELECT '甲' FROM generate_series(1, :count)"), count=count
        )


async def test_the_platform_seals_by_itself(office: Office) -> None:
    """And tells the head of the chain on the bus."""
    await office.person()

    async def all_sealed() -> bool:
        return not (await office.call("VerifyAudit", audit_pb2.VerifyAuditRequest())).unsealed

    await until(all_sealed)
    answer = await office.call("VerifyAudit", audit_pb2.VerifyAuditRequest())
    assert not answer.HasField("fault")
    assert sum(seal.records for seal in answer.seals) == 2  # the district, and the person
    assert answer.district == f"districts/{office.district}"
    told = await until(lambda: heads(office.tenant.platform, office.district))
    assert [(head.number, head.hash) for head in told] == [(seal.number, seal.hash) for seal in answer.seals]


async def heads(platform: Platform, district: str) -> list[events_pb2.AuditSealed]:
    bus = await Bus.connect(platform.nats.url, "test")
    try:
        kept = await bus.kept("quanyutong.registry.v1.AuditSealed", district, datetime.now(UTC) - timedelta(days=1))
        return [events_pb2.AuditSealed.FromString(one) for one in kept]
    finally:
        await bus.close()


async def test_a_batch_has_a_limit(database: Database, vault: Vault, office: Office) -> None:
    await add(database, 2 * BATCH + 1)
    last = await sealed(database, vault, office.district)
    counts = [seal.records for seal in last.seals]
    assert sum(counts) == 2 * BATCH + 2
    assert max(counts) <= BATCH
    assert [seal.number for seal in last.seals] == list(range(1, len(counts) + 1))


async def test_a_long_chain_is_verified_in_steps(database: Database, vault: Vault, office: Office) -> None:
    for _ in range(STEP + 2):
        await add(database, 1)
        await sealed(database, vault, office.district)
    first = await office.call("VerifyAudit", audit_pb2.VerifyAuditRequest())
    assert (len(first.seals), first.more, first.unsealed) == (STEP, True, 0)
    rest = await office.call("VerifyAudit", audit_pb2.VerifyAuditRequest(after=first.seals[-1].number))
    assert not rest.more
    assert rest.seals[0].number == STEP + 1
    behind = audit_pb2.VerifyAuditRequest(after=10_000)
    assert await refused(office.call("VerifyAudit", behind)) == "ERROR_REASON_AUDIT_SEAL_NOT_FOUND"


async def test_what_may_still_change_is_not_sealed(
    database: Database, vault: Vault, office: Office, archive: Archive
) -> None:
    """A transaction that began first and commits last: its record is not left behind by those that overtook it."""
    slow = await asyncpg.connect(office.tenant.platform.postgres.url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("SELECT set_config('app.district', $1, true)", office.district)
    await slow.execute("INSERT INTO registry.person (district, display_name) VALUES ($1, '慢')", office.district)
    await add(database, 3)
    late = sealer(database, vault)
    assert late.backlog() is None
    await late.seal(office.district)
    assert (await verified(database, vault)).unsealed >= 3
    waits = late.backlog()
    assert waits is not None
    assert 0 < waits < late.backlog()  # type: ignore[operator]  # it goes on waiting
    assert backlogs([sealer(database, vault), late])["registry"] > waits
    await transaction.commit()
    await slow.close()
    last = await sealed(database, vault, office.district)
    assert last.fault is None
    assert sum(seal.records for seal in last.seals) == len(await archive.records()) == 5


async def test_nothing_waits_when_everything_is_sealed(database: Database, vault: Vault, office: Office) -> None:
    own = sealer(database, vault)
    await add(database, BATCH + 1)

    async def sealed_all() -> bool:
        await own.seal(office.district)
        return own.backlog() == 0

    await until(sealed_all)
    assert await none_left(database, vault)


async def test_many_writers_and_two_sealers(database: Database, vault: Vault, office: Office, archive: Archive) -> None:
    """As when two processes lead for a moment."""
    pool = opened(office.tenant.platform, 12)
    writing = asyncio.Event()

    async def write() -> None:
        for _ in range(40):
            async with pool.write() as tx:
                await tx.execute(ADD)
                await tx.execute(ADD)

    async def seal() -> None:
        while not writing.is_set():
            await sealer(pool, vault).seal(office.district)

    sealing = [asyncio.create_task(seal()) for _ in range(2)]
    await asyncio.gather(*(write() for _ in range(8)))
    writing.set()
    await asyncio.gather(*sealing)
    last = await sealed(pool, vault, office.district)
    await pool.close()
    assert last.fault is None
    numbers = await archive.connection.fetch(
        "SELECT number, records FROM audit_seal WHERE district = $1 ORDER BY number", office.district
    )
    assert [row["number"] for row in numbers] == list(range(1, len(numbers) + 1))
    assert sum(row["records"] for row in numbers) == len(await archive.records()) == 641


async def test_a_new_master_key(database: Database, office: Office) -> None:
    """What is sealed stays under its key, what is new comes under the new one; without the old one nobody can tell."""
    first, second = Vault([b"a" * 32]), Vault([b"b" * 32])
    both = Vault([b"b" * 32, b"a" * 32])
    # A district that no process of the platform knows, so that none of them seals it under its own key.
    district = f"8{office.district[1:]}"
    with tenancy.acting_for(district):
        for vault in (first, both):
            async with database.write() as tx:
                tx.note("export", "persons")
            last = await sealed(database, vault, district)
        assert (last.fault, [seal.key_id for seal in last.seals]) == (None, [first.current, second.current])
        alone = await verified(database, second)
    assert alone.fault == Fault(1, "key_missing")


async def test_a_fault_of_one_district_stops_no_other(
    database: Database, vault: Vault, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    await add(database, 1)
    directory = Directory([District("nobody", ""), District(office.district, "")])
    own = Sealer(database, vault, directory, events_pb2.AuditSealed)
    duty = asyncio.create_task(own.run(None))  # type: ignore[arg-type]
    await until(lambda: none_left(database, vault))
    assert backlogs([own])["registry"] > 0
    duty.cancel()
    await asyncio.wait([duty])
    assert backlogs([own]) == {}
    (fault,) = {record.__dict__["district"] for record in caplog.records if record.message == "sealing failed"}
    assert fault == "nobody"


async def none_left(database: Database, vault: Vault) -> bool:
    return not (await verified(database, vault)).unsealed
