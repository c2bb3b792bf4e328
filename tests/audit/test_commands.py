"""`qyt audit`: what an operator runs, and its status when the audit is not what it was."""

import json
from uuid import UUID

import pytest

from chassis import tenancy
from chassis.embedded.ports import free_port
from chassis.vault import Vault
from chassis.verifying import STEP
from quanyutong.common.v1 import audit_pb2
from tests.audit.archive import Archive, opened
from tests.audit.test_sealing import add, heads
from tests.audit.test_sealing import sealed as chain_of
from tests.contract.office import Office
from tests.harness import run_command, until


async def sealed(office: Office, seals: int) -> None:
    """Waits until all of the district's records are sealed, at least so often, and that is told on the bus."""
    platform = office.tenant.platform

    async def told() -> bool:
        answer = await office.call("VerifyAudit", audit_pb2.VerifyAuditRequest())
        heard = len(await heads(platform, office.district))
        return not answer.unsealed and len(answer.seals) >= seals and heard == len(answer.seals)

    await until(told)


async def verify(office: Office, status: int = 0) -> str:
    environment = office.tenant.platform.environment
    return await run_command(["audit", "verify", "--district", office.district], environment, status)


async def test_a_list(office: Office) -> None:
    await office.person("王小明")
    arguments = ["audit", "list", "--district", office.district, "--resource", "person", "--from", "2026-01-01"]
    (line,) = (await run_command(arguments, office.tenant.platform.environment)).splitlines()
    record = json.loads(line)
    assert (record["subject"], record["after"]["display_name"]) == ("tester", "王小明")


async def test_an_audit_that_fits(office: Office) -> None:
    await office.person()
    await sealed(office, 1)
    assert f"district {office.district}: " in await verify(office)


async def test_without_the_bus_the_chain_alone_is_verified(office: Office) -> None:
    environment = office.tenant.platform.environment | {"QYT_NATS_URL": f"nats://127.0.0.1:{free_port()}"}
    said = await run_command(["audit", "verify", "--district", office.district], environment)
    assert "not compared with the bus" in said
    assert f"district {office.district}: " in said


async def test_a_long_chain_shows_its_progress(office: Office) -> None:
    platform = office.tenant.platform
    database = opened(platform)
    with tenancy.acting_for(office.district):
        for _ in range(STEP + 1):
            await add(database, 1)
            await chain_of(database, Vault.of(platform.settings), office.district)
    await database.close()
    said = await verify(office)
    assert f"{STEP} seals with " in said
    assert "fit so far" in said


async def test_a_changed_record_is_named(office: Office, archive: Archive) -> None:
    name = UUID((await office.person()).rpartition("/")[2])
    await sealed(office, 1)
    changed = await archive.connection.fetchval(
        "UPDATE audit SET subject = 'another' WHERE district = $1 AND key->>'id' = $2 RETURNING id",
        office.district,
        str(name),
    )
    assert f"auditRecords/{changed}" in await verify(office, status=1)


@pytest.mark.parametrize("with_its_records", [True, False])
async def test_a_removed_end_is_missed_by_the_bus(office: Office, archive: Archive, with_its_records: bool) -> None:
    """In the database nothing is wrong; what the platform told when it sealed says that something is gone, or other."""
    await office.person()
    await sealed(office, 1)
    await office.person()
    await sealed(office, 2)
    last = await archive.connection.fetchrow(
        """DELETE FROM audit_seal WHERE (district, number) IN (
               SELECT district, max(number) FROM audit_seal WHERE district = $1 GROUP BY district
           ) RETURNING number, first_id""",
        office.district,
    )
    if with_its_records:
        await archive.connection.execute(
            "DELETE FROM audit WHERE district = $1 AND id >= $2", office.district, last["first_id"]
        )
    assert f"seal {last['number']}" in await verify(office, status=1)
