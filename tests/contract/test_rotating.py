"""The keys of a district: rotated, wrapped anew, and what they protect stays readable."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg

from chassis import tenancy
from chassis.vault import Vault
from quanyutong.common.v1 import audit_pb2
from quanyutong.registry.v1 import persons_pb2
from quanyutong.registry.v1 import secrets_pb2 as pb
from services.registry import keys
from tests.audit.archive import opened
from tests.contract.identities import identity_number
from tests.contract.office import DEPUTY, Office, Row
from tests.contract.test_secrets import find, reveal
from tests.harness import run_command

PHONES = [f"+861380013{number:04}" for number in range(20)]


async def rotate(office: Office, resume: bool = False) -> pb.RotateDistrictKeysResponse:
    request = pb.RotateDistrictKeysRequest(name=f"districts/{office.district}", resume=resume)
    told: pb.RotateDistrictKeysResponse = await office.operate("RotateDistrictKeys", request)
    return told


async def versions(office: Office) -> set[int]:
    connection = await asyncpg.connect(office.tenant.platform.postgres.url)
    try:
        rows = await connection.fetch("SELECT phone_key FROM registry.person WHERE district = $1", office.district)
        return {row["phone_key"] for row in rows if row["phone_key"]}
    finally:
        await connection.close()


async def test_a_new_key_takes_over_from_the_old_one(office: Office) -> None:
    number = identity_number()
    names = [await office.person(phone=phone) for phone in PHONES[:3]]
    holder = await office.person(identity_number=number)
    told = await rotate(office)
    assert (told.version, told.encrypted, told.remaining) == (2, 3, 0)
    assert await versions(office) == {2}
    assert [(await reveal(office, name)).phone for name in names] == PHONES[:3]
    assert (await find(office, number)).name == holder
    again = await rotate(office, resume=True)
    assert (again.version, again.encrypted, again.remaining) == (2, 0, 0)


async def rotate_own(office: Office, **fields: Any) -> pb.RotateKeysResponse:
    told: pb.RotateKeysResponse = await office.call("RotateKeys", pb.RotateKeysRequest(**fields), "administrator")
    return told


async def test_an_administrator_rotates_the_own_district(office: Office) -> None:
    name, request_id = await office.person(phone=PHONES[0]), str(uuid4())
    told = await rotate_own(office, request_id=request_id)
    assert (told.version, told.encrypted, told.remaining) == (2, 1, 0)
    assert await rotate_own(office, request_id=request_id) == told
    again = await rotate_own(office, resume=True)
    assert (again.version, again.encrypted, again.remaining) == (2, 0, 0)
    assert await versions(office) == {2}
    assert (await reveal(office, name)).phone == PHONES[0]


async def test_a_rotation_is_in_the_audit_and_the_key_is_not(office: Office) -> None:
    await rotate_own(office)
    answer = await office.call("ListAudit", audit_pb2.ListAuditRequest(resource="district_key"))
    (record,) = answer.audit_records
    assert record.rpc.endswith("/RotateKeys")
    assert "wrapped" not in str(record.after)


async def test_both_rotate_at_the_same_moment(office: Office) -> None:
    """One after the other: each makes a version of its own, and nothing is lost between them."""
    name = await office.person(phone=PHONES[0])
    answers = await asyncio.gather(rotate_own(office), rotate(office), rotate_own(office))
    assert sorted(answer.version for answer in answers) == [2, 3, 4]
    assert await versions(office) == {4}
    assert (await reveal(office, name)).phone == PHONES[0]


async def test_a_district_without_secrets_gets_its_key(office: Office) -> None:
    told = await rotate(office)
    assert (told.version, told.remaining) == (1, 0)


async def test_a_number_that_comes_in_meanwhile_is_under_the_new_key(office: Office) -> None:
    await office.person(phone=PHONES[0])
    outcomes = await asyncio.gather(*(office.person(phone=phone) for phone in PHONES), rotate(office))
    assert (await rotate(office, resume=True)).remaining == 0
    assert await versions(office) == {2}
    names = outcomes[:-1]
    assert [(await reveal(office, str(name))).phone for name in names] == PHONES


async def test_a_replaced_master_key_is_let_go_after_a_rotation(office: Office) -> None:
    """Wrapped by a master key that is replaced, then by the new one alone."""
    settings = office.tenant.platform.settings
    name, number = await office.person(phone=PHONES[0]), identity_number()
    await office.person(identity_number=number)
    old, fresh = Vault.of(settings), b"n" * 32
    both, alone = Vault([fresh, *old._keys.values()]), Vault([fresh])
    database = opened(office.tenant.platform)
    try:
        with tenancy.acting_for(office.district):
            async with database.write() as tx:
                before = await keys.identity_key(tx, old)
                version = await keys._renew(tx, both, fresh=True)
                assert await keys._encrypt_anew(tx, both, version) == 1
                assert await keys.identity_key(tx, alone) == before
                row = await tx.one(keys.SOME_LEFT, count=version + 1)
                field = keys.field_of(row.id)
                assert await keys.unseal(tx, alone, field, row.phone_sealed, row.phone_key) == PHONES[0]
                raise Undone
    except Undone:
        pass
    finally:
        await database.close()
    assert (await reveal(office, name)).phone == PHONES[0]


class Undone(Exception):
    """Nothing of the test's own master key may stay: the platform does not have it."""


async def test_the_command_rotates_one_district_or_finishes_it(office: Office) -> None:
    name, environment = await office.person(phone=PHONES[0]), office.tenant.platform.environment
    said = await run_command(["keys", "rotate", "--district", office.district], environment)
    assert "version 2" in said
    assert "1 encrypted anew, 0 to go" in said
    said = await run_command(["keys", "rotate", "--district", office.district, "--resume"], environment)
    assert "version 2" in said
    assert (await reveal(office, name)).phone == PHONES[0]
    await run_command(["keys", "rotate"], environment, 2)
    await run_command(["keys", "rotate", "--all", "--district", office.district], environment, 2)
    await run_command(["keys", "rotate", "--district", "599999"], environment, 1)


async def test_more_numbers_than_one_call_encrypts(office: Office) -> None:
    many = keys.BATCH + 3
    people = (persons_pb2.Person(display_name="代表", phone=f"1390000{number:04}") for number in range(many))
    rows = [Row(new_person=person, capacity=DEPUTY) for person in people]
    assembly = await office.congress()
    await office.register(await office.term(assembly), rows)
    first = await rotate(office)
    assert (first.version, first.encrypted, first.remaining) == (2, keys.BATCH, 3)
    rest = await rotate(office, resume=True)
    assert (rest.version, rest.encrypted, rest.remaining) == (2, 3, 0)
