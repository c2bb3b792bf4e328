"""What is recorded of a change: who made it, by what, and what it changed. Nothing more, and never less."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import insert, text, update

from chassis import actor, auth, tenancy
from chassis.audit import audited
from chassis.auth import ROLES, Caller
from chassis.database import Database
from chassis.migrations import relay_url
from quanyutong.registry.v1 import assemblies_pb2, districts_pb2, mandates_pb2, persons_pb2
from services.registry.tables import person
from tests.audit.archive import Archive, opened
from tests.contract.office import RESIDENT, Office, mask, new_people
from tests.harness import refused

SERVICE = "/quanyutong.registry.v1.RegistryService"
DENIED = asyncpg.InsufficientPrivilegeError


@pytest.fixture
async def database(office: Office) -> AsyncIterator[Database]:
    made = opened(office.tenant.platform)
    with tenancy.acting_for(office.district):
        yield made
    await made.close()


async def test_an_entry(office: Office, archive: Archive) -> None:
    request_id = str(uuid4())
    entry = persons_pb2.Person(display_name="王小明", gender=persons_pb2.GENDER_MALE)
    made = await office.call("CreatePerson", persons_pb2.CreatePersonRequest(person=entry, request_id=request_id))
    (record,) = await archive.records("person")
    assert (record.subject, record.roles) == ("tester", ("clerk", "examiner", "administrator"))
    assert (record.rpc, record.request_id) == (f"{SERVICE}/CreatePerson", request_id)
    assert record.change == ("insert", "person")
    assert record.key == {"id": made.name.removeprefix("persons/")}
    assert record.before is None
    assert record.after is not None
    assert (record.after["display_name"], record.after["gender"]) == ("王小明", "male")
    assert not {"id", "district"} & set(record.after)


async def test_a_change_has_what_it_changed(office: Office, archive: Archive) -> None:
    name = await office.person("王小明")
    renamed = persons_pb2.Person(name=name, display_name="王晓明", occupation=persons_pb2.OCCUPATION_COMMUNITY_WORKER)
    request = persons_pb2.UpdatePersonRequest(person=renamed, update_mask=mask("display_name"))
    await office.call("UpdatePerson", request)
    _, record = await archive.records("person")
    assert record.rpc == f"{SERVICE}/UpdatePerson"
    assert record.before == {"display_name": "王小明", "revision": 1}
    assert record.after == {"display_name": "王晓明", "revision": 2}


async def test_who_suspended_a_district(office: Office, archive: Archive) -> None:
    name = f"districts/{office.district}"
    await office.operate("SuspendDistrict", districts_pb2.SuspendDistrictRequest(name=name, reason="试验"))
    await office.operate("ResumeDistrict", districts_pb2.ResumeDistrictRequest(name=name))
    made, suspended, resumed = await archive.records("district")
    assert [record.key for record in (made, suspended, resumed)] == [{"code": office.district}] * 3
    assert suspended.roles == ("operator",)
    assert suspended.after == {"suspended": True, "suspension_reason": "试验", "revision": 2}
    assert resumed.before == {"suspended": True, "suspension_reason": "试验", "revision": 2}


async def test_a_change_of_many_rows_is_a_record_each(office: Office, archive: Archive) -> None:
    await office.register(await office.term(), new_people(7))
    for resource in ("person", "mandate"):
        records = await archive.records(resource)
        assert [record.rpc for record in records] == [f"{SERVICE}/RegisterMandates"] * 7
        assert len({str(record.key) for record in records}) == 7


async def test_a_refused_call_leaves_no_record(office: Office, archive: Archive) -> None:
    term = await office.term(await office.congress())
    before = await archive.records()
    rows = [*new_people(3), mandates_pb2.RegisterMandatesRequest.Row(person=f"persons/{uuid4()}", capacity=RESIDENT)]
    assert await refused(office.register(term, rows)) == "ERROR_REASON_ROWS_REFUSED"
    again = assemblies_pb2.OpenTermRequest(parent=term.partition("/terms/")[0])
    again.term.MergeFrom(assemblies_pb2.Term(number=1, start_date={"year": 2031, "month": 1, "day": 1}))
    assert await refused(office.call("OpenTerm", again)) == "ERROR_REASON_TERM_EXISTS"
    assert await archive.records() == before


async def test_a_repeated_request_is_recorded_once(office: Office, archive: Archive) -> None:
    person = persons_pb2.Person(display_name="王小明")
    request = persons_pb2.CreatePersonRequest(person=person, request_id=str(uuid4()))
    for _ in range(3):
        await office.call("CreatePerson", request)
    assert len(await archive.records("person")) == 1


async def test_what_is_no_change_is_not_recorded(database: Database, archive: Archive) -> None:
    async with database.write() as tx:
        await tx.execute(insert(person).values(display_name="甲"))
        await tx.execute(update(person).values(display_name="甲"))
    assert [record.change for record in await archive.records("person")] == [("insert", "person")]


async def test_an_event_and_the_platform_itself(database: Database, archive: Archive) -> None:
    with actor.applying("quanyutong.registry.v1.MandateEnded"):
        async with database.write() as tx:
            await tx.execute(insert(person).values(display_name="甲"))
    async with database.write() as tx:
        await tx.execute(insert(person).values(display_name="乙"))
    records = await archive.records("person")
    assert [record.subject for record in records] == ["event:quanyutong.registry.v1.MandateEnded", "system"]
    assert [(record.rpc, record.roles) for record in records] == [("", ())] * 2


async def test_shipped_entries_are_the_systems(archive: Archive) -> None:
    shipped = Archive(archive.connection, "500102")
    assert {record.subject for record in await shipped.records("unit")} == {"system"}


async def test_a_change_by_hand_is_its_logins(archive: Archive) -> None:
    await archive.connection.execute("SELECT set_config('app.district', $1, false)", archive.district)
    await archive.connection.execute("INSERT INTO person (district, display_name) VALUES ($1, '甲')", archive.district)
    (record,) = await archive.records("person")
    assert record.subject.startswith("database:")


HOSTILE = ["'; DROP TABLE person; --", "\\'", '"', "{district}", "甲", "🏛", "$$", "%s", "x" * 3000, "\x01\n"]


@pytest.mark.parametrize("subject", HOSTILE)
async def test_a_subject_is_recorded_as_it_is(database: Database, archive: Archive, subject: str) -> None:
    caller = Caller(subject, archive.district, frozenset({ROLES["clerk"]}), 0)
    token = auth.caller.set(caller)
    actor.calling(caller, f"{SERVICE}/CreatePerson")
    async with database.write() as tx:
        await tx.execute(insert(person).values(display_name="甲"))
    auth.caller.reset(token)
    (record,) = await archive.records("person")
    assert (record.subject, record.roles) == (subject, ("clerk",))


async def test_a_note(database: Database, archive: Archive) -> None:
    name = f"persons/{uuid4()}"
    async with database.write() as tx:
        tx.note("read_phone", name)
        tx.note("export", "persons")
    records = await archive.records()
    assert [record.change for record in records[-2:]] == [("read_phone", name), ("export", "persons")]
    assert [record.subject for record in records[-2:]] == ["system"] * 2


async def test_a_note_goes_with_its_transaction(database: Database, archive: Archive) -> None:
    async def fails() -> None:
        async with database.write() as tx:
            tx.note("export", "persons")
            await tx.execute(text("SELECT 1 / 0"))

    with pytest.raises(asyncpg.DivisionByZeroError):
        await fails()
    assert await archive.records("persons") == []


async def test_a_write_asks_no_more_than_without_an_audit(office: Office) -> None:
    """Who acts goes with the BEGIN; what is recorded, with the change."""
    asked: list[str] = []
    database = opened(office.tenant.platform, 1)
    with tenancy.acting_for(office.district):
        async with database.write() as tx:
            tx._connection._con.add_query_logger(lambda asking: asked.append(asking.query.split()[0]))
        async with database.write() as tx:
            await tx.execute(insert(person).values(display_name="甲"))
    await database.close()
    assert asked == ["COMMIT", "BEGIN", "INSERT", "COMMIT"]


FALSEHOODS = [
    "UPDATE audit SET subject = 'nobody'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "INSERT INTO audit (district, subject, roles, rpc, request_id, action, resource, key) "
    "VALUES (current_setting('app.district'), 'another', '{}', '', '', 'insert', 'person', '{}')",
    "UPDATE audit_seal SET records = 1",
    "DELETE FROM audit_seal",
    "TRUNCATE audit_seal",
    "ALTER TABLE person DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "DROP TRIGGER audit_insert ON person",
    "DROP FUNCTION record_change CASCADE",
    "CREATE TEMP TABLE mine (id int); CREATE TRIGGER t AFTER INSERT ON mine REFERENCING NEW TABLE AS new_rows "
    "FOR EACH STATEMENT EXECUTE FUNCTION registry.record_change('{id}', '{}')",
]


@pytest.mark.parametrize("statement", FALSEHOODS)
async def test_the_role_that_serves_can_only_add(database: Database, archive: Archive, statement: str) -> None:
    async with database.write() as tx:
        await tx.execute(insert(person).values(display_name="甲"))
    before = await archive.records()
    with pytest.raises(DENIED):
        async with database.write() as tx:
            await tx._connection.execute(statement)  # several statements, as no public method would take them
    assert await archive.records() == before


async def test_records_of_other_districts_are_not_there(database: Database, archive: Archive) -> None:
    async with database.write() as tx:
        await tx.execute(insert(person).values(display_name="甲"))
    async with database.read() as tx:
        mine = await tx.one(text("SELECT count(*) AS records, count(DISTINCT district) AS districts FROM audit"))
    assert (mine.records, mine.districts) == (len(await archive.records()), 1)


CARD = """
CREATE TABLE card (district text, id int, phone text, word text, PRIMARY KEY (district, id));
GRANT INSERT, SELECT, UPDATE, DELETE ON card TO PUBLIC;
"""
CHANGES = [
    "INSERT INTO card VALUES ($1, 1, '13900000001', 'a'), ($1, 2, '13900000001', 'b')",
    "UPDATE card SET phone = '13900000002' WHERE district = $1 AND id = 1",
    "UPDATE card SET id = 3, word = 'c' WHERE district = $1 AND id = 2",
    "DELETE FROM card WHERE district = $1 AND id = 1",
]


async def test_what_is_secret_is_left_out(archive: Archive) -> None:
    """That it was changed is recorded all the same; a changed key is one row that went and one that came."""
    connection = archive.connection
    undone = connection.transaction()
    await undone.start()
    await connection.execute("SELECT set_config('app.district', $1, true)", archive.district)
    await connection.execute(CARD + ";".join(audited("registry", "card", secret=("phone",))))
    for change in CHANGES:
        await connection.execute(change, archive.district)
    records = await archive.records("card")
    await undone.rollback()
    assert [(record.action, record.key["id"], record.before, record.after) for record in records] == [
        ("insert", 1, None, {"word": "a"}),
        ("insert", 2, None, {"word": "b"}),
        ("update", 1, {}, {}),
        ("update", 2, {"word": "b"}, None),
        ("update", 3, None, {"word": "c"}),
        ("delete", 1, {"word": "a"}, None),
    ]


async def test_the_relay_sees_no_record(office: Office) -> None:
    settings = office.tenant.platform.settings
    settings = settings.model_copy(update={"database_url": SecretStr(office.tenant.platform.postgres.url)})
    url = relay_url(settings, "registry").set(drivername="postgresql")
    relay = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        for statement in ("SELECT 1 FROM registry.audit", "SELECT registry.note_audit('a', 'b')"):
            with pytest.raises(DENIED):
                await relay.execute(statement)
    finally:
        await relay.close()
