"""Identity numbers and telephone numbers: given, found, revealed, and nowhere to be read."""

import hashlib
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from stdnum.cn import ric

from quanyutong.common.v1 import audit_pb2
from quanyutong.registry.v1 import mandates_pb2
from quanyutong.registry.v1 import persons_pb2 as persons
from quanyutong.registry.v1 import secrets_pb2 as pb
from tests.contract.identities import identity_number
from tests.contract.office import RESIDENT, Office, Row, mask, on
from tests.harness import refused

PHONE, E164 = "138 0013 8000", "+8613800138000"
BORN = date(1980, 1, 2)


async def read(office: Office, name: str) -> persons.Person:
    found: persons.Person = await office.call("GetPerson", persons.GetPersonRequest(name=name))
    return found


async def find(office: Office, number: str) -> Any:
    return await office.call("FindPerson", pb.FindPersonRequest(identity_number=number))


async def reveal(office: Office, name: str, request_id: str = "") -> pb.RevealPersonResponse:
    request = pb.RevealPersonRequest(name=name, purpose="通知开会", request_id=request_id)
    shown: pb.RevealPersonResponse = await office.call("RevealPerson", request)
    return shown


async def update(office: Office, name: str, *fields: str, **given: Any) -> persons.Person:
    person = persons.Person(name=name, display_name="王小明")
    person.MergeFrom(persons.Person(**given))
    request = persons.UpdatePersonRequest(person=person, update_mask=mask(*fields))
    saved: persons.Person = await office.call("UpdatePerson", request)
    return saved


async def test_what_is_given_is_shown_by_its_last_four(office: Office) -> None:
    number = identity_number(BORN, woman=True)
    entry = await read(office, await office.person(identity_number=number, phone=PHONE))
    assert (entry.identity_number, entry.phone) == ("", "")
    assert (entry.identity_last_four, entry.phone_masked) == (number[-4:], "*******8000")
    assert (entry.birth_date, entry.gender) == (on(BORN), persons.GENDER_FEMALE)


async def test_a_person_is_found_by_the_whole_number(office: Office) -> None:
    numbers = [identity_number() for _ in range(2)]
    names = [await office.person(identity_number=number) for number in numbers]
    assert [(await find(office, number)).name for number in numbers] == names
    assert await refused(find(office, identity_number())) == "ERROR_REASON_IDENTITY_NOT_FOUND"


async def test_another_district_does_not_find_a_number_and_may_enter_it(office: Office) -> None:
    number = identity_number()
    await office.person(identity_number=number)
    elsewhere = office.tenant.platform.metadata(["clerk"], await office.tenant.platform.fresh_district())
    request = pb.FindPersonRequest(identity_number=number)
    call = office.registry.FindPerson(request, metadata=elsewhere)
    assert await refused(call) == "ERROR_REASON_IDENTITY_NOT_FOUND"
    entry = persons.Person(display_name="王小明", identity_number=number)
    made = await office.registry.CreatePerson(persons.CreatePersonRequest(person=entry), metadata=elsewhere)
    assert (await office.registry.FindPerson(request, metadata=elsewhere)).name == made.name


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("138 0013 8000", "+8613800138000"),
        ("+86 138-0013-8000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("(023) 7224 1234", "+862372241234"),
        ("+86 23 72241234", "+862372241234"),
    ],
)
async def test_a_phone_is_revealed_in_one_form(office: Office, given: str, stored: str) -> None:
    name = await office.person(phone=given)
    assert (await reveal(office, name)).phone == stored


@pytest.mark.parametrize("given", ["12345", "+1 202 555 0123", "138001380001", "0", "--"])
async def test_what_is_no_phone_is_refused(office: Office, given: str) -> None:
    assert await refused(office.person(phone=given)) == "ERROR_REASON_PHONE_INVALID"


@pytest.mark.parametrize("body", ["50010219800230001", "50010219801301001", "50010229990101001"])
async def test_an_impossible_day_of_birth_is_refused(office: Office, body: str) -> None:
    number = body + ric.calc_check_digit(body + "0")
    assert await refused(office.person(identity_number=number)) == "ERROR_REASON_IDENTITY_NUMBER_INVALID"


async def test_a_wrong_check_digit_is_refused(office: Office) -> None:
    number = identity_number()
    wrong = number[:-1] + ("1" if number[-1] == "0" else "0")
    assert await refused(office.person(identity_number=wrong)) == "ERROR_REASON_IDENTITY_NUMBER_INVALID"
    assert await refused(find(office, wrong)) == "ERROR_REASON_IDENTITY_NUMBER_INVALID"


async def test_the_number_agrees_with_the_entry(office: Office) -> None:
    number = identity_number(BORN)
    wrong: list[dict[str, Any]] = [{"birth_date": on("1980-01-03")}, {"gender": persons.GENDER_FEMALE}]
    for fields in wrong:
        disagreeing = office.person(identity_number=number, **fields)
        assert await refused(disagreeing) == "ERROR_REASON_IDENTITY_DISAGREES"
    name = await office.person(identity_number=number, birth_date=on(BORN), gender=persons.GENDER_MALE)
    assert await refused(update(office, name, "gender", gender=2)) == "ERROR_REASON_IDENTITY_DISAGREES"
    right = identity_number(date(1981, 1, 1), woman=True)
    assert await refused(update(office, name, "identity_number", identity_number=right)) == (
        "ERROR_REASON_IDENTITY_DISAGREES"
    )
    saved = await update(office, name, "identity_number", "gender", "birth_date", identity_number=right)
    assert (saved.gender, saved.birth_date) == (persons.GENDER_FEMALE, on("1981-01-01"))
    assert await refused(find(office, number)) == "ERROR_REASON_IDENTITY_NOT_FOUND"


async def test_an_update_of_everything_readable_keeps_what_cannot_be_read(office: Office) -> None:
    number = identity_number(BORN)
    name = await office.person(identity_number=number, phone=PHONE)
    saved = await update(office, name, "*")
    assert (saved.identity_last_four, saved.phone_masked) == (number[-4:], "*******8000")
    assert (saved.birth_date, saved.gender) == (on(BORN), persons.GENDER_MALE)
    cleared = await update(office, name, "identity_number", "phone")
    assert (cleared.identity_last_four, cleared.phone_masked) == ("", "")
    assert await office.person(identity_number=number) != name


async def test_a_number_has_one_holder(office: Office) -> None:
    number = identity_number()
    holder, other = await office.person(identity_number=number), await office.person()
    with pytest.raises(Exception, match=holder) as told:
        await office.person(identity_number=number)
    assert number not in str(told.value)
    taken = update(office, other, "identity_number", identity_number=number)
    assert await refused(taken) == "ERROR_REASON_IDENTITY_TAKEN"


async def test_rows_of_a_registration_are_checked_and_sealed(office: Office) -> None:
    term, taken, numbers = await office.term(), identity_number(), [identity_number() for _ in range(2)]
    await office.person(identity_number=taken)

    def row(number: str, phone: str = "") -> Row:
        person = persons.Person(display_name="代表", identity_number=number, phone=phone)
        return Row(new_person=person, capacity=RESIDENT)

    for rows in ([row(taken)], [row(numbers[0]), row(numbers[0])], [row(""), row("", "1")]):
        assert await refused(office.register(term, rows)) == "ERROR_REASON_ROWS_REFUSED"
    registered = await office.register(term, [row(number, PHONE) for number in numbers])
    for mandate, number in zip(registered.mandates, numbers, strict=True):
        holder = (await office.call("GetMandate", mandates_pb2.GetMandateRequest(name=mandate))).person
        assert (await find(office, number)).name == holder
        assert (await reveal(office, holder)).phone == E164


async def test_every_reading_is_recorded_once(office: Office) -> None:
    name, request_id = await office.person(phone=PHONE), str(uuid4())
    shown = [await reveal(office, name, request_id) for _ in range(2)]
    assert [one.phone for one in shown] == [E164, E164]
    listed = await office.call("ListAudit", audit_pb2.ListAuditRequest(page_size=500))
    assert [record.action for record in listed.audit_records].count("reveal: 通知开会") == 1


async def test_neither_number_is_anywhere_in_the_database_or_the_logs(office: Office) -> None:
    number, phone = identity_number(), "13912345678"
    name = await office.person()
    entry = persons.Person(display_name="王小明", identity_number=number, phone=phone)
    create = persons.CreatePersonRequest(person=entry, request_id=str(uuid4()))
    made = await office.call("CreatePerson", create)
    await find(office, number)
    await reveal(office, made.name, str(uuid4()))
    await refused(office.call("CreatePerson", persons.CreatePersonRequest(person=entry)))
    changed = persons.Person(name=name, phone=phone, display_name="王小明")
    request = persons.UpdatePersonRequest(person=changed, update_mask=mask("phone"), request_id=str(uuid4()))
    await office.call("UpdatePerson", request)
    platform = office.tenant.platform
    content = await everything(platform.postgres.url, office.district)
    assert "王小明" in content  # what is looked into is what was written
    assert made.name.removeprefix("persons/") in content
    logs = "".join(path.read_text(errors="replace") for path in platform.settings.state.rglob("*.log"))
    logs += "".join(process.log.read_text() for process in platform.processes.values())
    assert logs
    for secret in (number, phone):
        assert secret not in content
        assert secret.encode().hex() not in content
        assert secret not in logs


async def everything(url: str, district: str) -> str:
    """Every row of a district in the registry's tables, past row-level security."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT attrelid::regclass::text AS name FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
            "WHERE relnamespace = 'registry'::regnamespace AND relkind = 'r' AND attname = 'district'"
        )
        assert {"registry.person", "registry.outbox", "registry.idempotency", "registry.audit"} <= {
            row["name"] for row in tables
        }
        texts = []
        for table in tables:
            rows = await connection.fetch(
                f"SELECT t::text AS row FROM {table['name']} AS t WHERE district = $1",
                district,
            )
            texts += [row["row"] for row in rows]
        return "\n".join(texts)
    finally:
        await connection.close()


async def test_a_stored_digest_does_not_give_the_request_away(office: Office) -> None:
    """Who has the database and nearly all of a request could try the digits that are missing."""
    entry = persons.Person(display_name="王小明", identity_number=identity_number())
    request = persons.CreatePersonRequest(person=entry, request_id=str(uuid4()))
    await office.call("CreatePerson", request)
    content = request.SerializeToString(deterministic=True)
    digest = hashlib.sha256(b"/quanyutong.registry.v1.RegistryService/CreatePerson")
    digest.update(len(content).to_bytes(8) + content)
    stored = await everything(office.tenant.platform.postgres.url, office.district)
    assert digest.hexdigest() not in stored


async def test_search_by_name_and_spelling(office: Office) -> None:
    unit = await office.unit()
    names = ["王小明", "曾国强", "Aigul Omar", "欧阳小红"]
    by_name = {name: await office.person(name, residence=unit) for name in names}

    async def search(query: str) -> list[str]:
        answer = await office.call("ListPersons", persons.ListPersonsRequest(query=query, page_size=500))
        return [next(n for n, made in by_name.items() if made == found.name) for found in answer.persons]

    assert await search("小") == ["王小明", "欧阳小红"]
    assert await search("WangX") == ["王小明"]
    assert await search("wang xiao") == ["王小明"]
    assert await search("wxm") == ["王小明"]
    assert await search("zgq") == ["曾国强"]
    assert await search("zeng") == ["曾国强"]
    assert await search("oyxh") == ["欧阳小红"]
    assert await search("OMAR") == ["Aigul Omar"]
    assert await search("%") == []
    assert await search("xiaoming") == []
    renamed = persons.Person(name=by_name["王小明"], display_name="李四")
    await office.call("UpdatePerson", persons.UpdatePersonRequest(person=renamed, update_mask=mask("display_name")))
    assert await search("lisi") == ["王小明"]
    assert await search("wxm") == []
