"""Lists with identity and telephone numbers: who is who, what is kept sealed, and what a fault never repeats."""

from datetime import date
from typing import Any

import pytest

from quanyutong.registry.v1 import imports_pb2 as pb
from quanyutong.registry.v1 import mandates_pb2, persons_pb2, secrets_pb2
from tests.contract.identities import identity_number
from tests.contract.office import DEPUTY, TOWN, TOWNSHIP_CONGRESS, Office, on
from tests.contract.test_importing import counts, everything, found, importing, row

BORN = date(1980, 1, 2)
PHONE = "13800138000"


def known(number: int, identity: str, name: str = "", **fields: Any) -> pb.ImportRow:
    """A row that states an identity number, and leaves what that says to it."""
    given = row(number, name, **fields)
    given.person.ClearField("birth_date")
    given.person.identity_number = identity
    return given


async def people(office: Office) -> list[persons_pb2.Person]:
    return list((await office.call("ListPersons", persons_pb2.ListPersonsRequest())).persons)


async def phone_of(office: Office, person: str) -> str:
    request = secrets_pb2.RevealPersonRequest(name=person, purpose="通知开会")
    return str((await office.call("RevealPerson", request)).phone)


async def test_the_same_list_twice_changes_nothing_that_is_sealed(office: Office) -> None:
    term, rows = await office.term(), [known(number, identity_number()) for number in range(1, 6)]
    for each in rows:
        each.person.phone = PHONE
    assert counts(await importing(office, term, rows, validate_only=True)) == (5, 0, 0, 0)
    assert counts(await importing(office, term, rows)) == (5, 0, 0, 0)
    before = await everything(office)
    assert counts(await importing(office, term, rows)) == (0, 0, 5, 0)
    assert await everything(office) == before
    person = (await people(office))[0]
    assert person.birth_date == on(BORN)
    assert person.identity_last_four == rows[0].person.identity_number[-4:]
    assert await phone_of(office, person.name) == f"+86{PHONE}"


async def test_a_person_is_known_by_the_number_under_any_name(office: Office) -> None:
    term, number = await office.term(), identity_number()
    await importing(office, term, [known(1, number, "王小明")])
    assert counts(await importing(office, term, [known(1, number, "王晓明")])) == (0, 1, 0, 0)
    (person,) = await people(office)
    assert person.display_name == "王晓明"
    (same,) = (await office.call("ListPersons", persons_pb2.ListPersonsRequest(query="wxm"))).persons
    assert same == person


async def test_another_number_is_another_person(office: Office) -> None:
    term = await office.term()
    await importing(office, term, [known(1, identity_number(), "王小明")])
    assert counts(await importing(office, term, [known(1, identity_number(), "王小明")])) == (1, 0, 0, 0)
    assert [person.display_name for person in await people(office)] == ["王小明", "王小明"]


async def test_a_number_is_added_to_the_person_who_had_none(office: Office) -> None:
    term, number = await office.term(), identity_number()
    bare = row(1, "王小明")
    bare.person.birth_date.CopyFrom(on(BORN))
    await importing(office, term, [bare])
    assert counts(await importing(office, term, [known(1, number, "王小明")])) == (0, 1, 0, 0)
    assert counts(await importing(office, term, [known(1, number, "王小明")])) == (0, 0, 1, 0)
    (person,) = await people(office)
    assert person.identity_last_four == number[-4:]


async def test_one_person_in_two_terms_is_one_entry(office: Office) -> None:
    number, town = identity_number(), await office.unit(2, TOWN)
    terms = await office.term(), await office.term(await office.assembly(town, TOWNSHIP_CONGRESS))
    rows = [known(1, number, "王小明", term=terms[0]), known(2, number, "王小明", term=terms[1], capacity=DEPUTY)]
    rows[1].person.phone = PHONE
    assert counts(await importing(office, "", rows)) == (2, 0, 0, 0)
    (person,) = await people(office)
    assert await phone_of(office, person.name) == f"+86{PHONE}"
    request = mandates_pb2.ListMandatesRequest(person=person.name)
    assert {mandate.term for mandate in (await office.call("ListMandates", request)).mandates} == set(terms)


async def test_a_new_telephone_number_is_a_change(office: Office) -> None:
    term, given = await office.term(), known(1, identity_number())
    await importing(office, term, [given])
    for number in (PHONE, "13900138000"):  # of the same last four digits
        given.person.phone = number
        assert counts(await importing(office, term, [given])) == (0, 1, 0, 0)
        assert counts(await importing(office, term, [given])) == (0, 0, 1, 0)
        (person,) = await people(office)
        assert await phone_of(office, person.name) == f"+86{number}"


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("identity_number", "500102198001020000", "FIELD_INVALID"),
        ("identity_number", "张三", "FIELD_INVALID"),
        ("phone", "12", "FIELD_INVALID"),
        ("gender", persons_pb2.GENDER_FEMALE, "IDENTITY_DISAGREES"),
    ],
)
async def test_a_fault_names_the_field_and_repeats_nothing(
    office: Office, field: str, value: str | int, fault: str
) -> None:
    given = known(7, identity_number())
    if field == "identity_number":
        given.person.birth_date.CopyFrom(on(BORN))
    setattr(given.person, field, value)
    answer = await importing(office, await office.term(), [given], validate_only=True)
    assert found(answer) == [(7, f"person.{field}", fault)]
    assert str(value) not in str(answer.faults[0].text_zh + answer.faults[0].text_en)
    assert await people(office) == []


async def test_what_a_known_number_says_is_not_contradicted(office: Office) -> None:
    term, number = await office.term(), identity_number()
    await importing(office, term, [known(1, number, "王小明")])
    given = row(1, "王小明")
    given.person.birth_date.CopyFrom(on(BORN))
    given.person.gender = persons_pb2.GENDER_FEMALE
    answer = await importing(office, term, [given], validate_only=True)
    assert found(answer) == [(1, "person.gender", "IDENTITY_DISAGREES")]


async def test_the_same_number_twice_in_a_term(office: Office) -> None:
    number = identity_number()
    rows = [known(1, number, "王小明"), known(2, number, "王大明")]
    answer = await importing(office, await office.term(), rows, validate_only=True)
    assert found(answer) == [(2, "person.display_name", "ROW_REPEATED")]
