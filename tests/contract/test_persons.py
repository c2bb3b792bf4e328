"""Persons (人员)."""

import pytest

from quanyutong.registry.v1 import persons_pb2 as pb
from tests.contract.office import Office, mask, on
from tests.harness import refused


async def test_person_is_read_as_entered(office: Office) -> None:
    given = {
        "display_name": "买买提·阿卜杜拉",
        "gender": pb.GENDER_FEMALE,
        "birth_date": on("1980-12-31"),
        "nationality": "KZ",
        "schooling": pb.SCHOOLING_POSTGRADUATE,
        "occupation": pb.OCCUPATION_MEDIATOR,
        "residence": await office.unit(),
        "residence_since": on("2001-01-01"),
        "workplace": await office.unit(2),
        "workplace_since": on("2003-02-01"),
    }
    name = await office.person(**given)
    read = await office.call("GetPerson", pb.GetPersonRequest(name=name))
    assert read.HasField("create_time")
    read.ClearField("create_time")
    assert read == pb.Person(name=name, etag='"1"', **given)


async def test_a_workplace_is_a_unit_of_the_district(office: Office) -> None:
    assert await refused(office.person(workplace="units/500102001")) == "ERROR_REASON_UNIT_NOT_FOUND"
    given = pb.Person(name=await office.person(), display_name="王小明", workplace=f"units/{office.district}999")
    request = pb.UpdatePersonRequest(person=given, update_mask=mask("workplace"))
    assert await refused(office.call("UpdatePerson", request)) == "ERROR_REASON_UNIT_NOT_FOUND"


async def test_what_is_not_stated_stays_open(office: Office) -> None:
    read = await office.call("GetPerson", pb.GetPersonRequest(name=await office.person()))
    assert (read.nationality, read.gender, read.residence, read.HasField("birth_date")) == ("CN", 0, "", False)


NEW = pb.Person(
    display_name="新名",
    gender=pb.GENDER_MALE,
    birth_date=on("1990-05-05"),
    nationality="MN",
    schooling=pb.SCHOOLING_COLLEGE,
    occupation=pb.OCCUPATION_FARMER,
    residence_since=on("2010-01-01"),
    workplace_since=on("2011-01-01"),
)


@pytest.mark.parametrize("fields", [[field.name for field, _ in NEW.ListFields()], ["gender"], ["birth_date"]])
async def test_update_changes_what_the_mask_names(office: Office, fields: list[str]) -> None:
    name = await office.person("旧名", gender=pb.GENDER_FEMALE, birth_date=on("1960-01-01"))
    before = await office.call("GetPerson", pb.GetPersonRequest(name=name))
    given = pb.Person(name=name)
    given.MergeFrom(NEW)
    saved = await office.call("UpdatePerson", pb.UpdatePersonRequest(person=given, update_mask=mask(*fields)))
    assert saved.etag == '"2"'
    for field in pb.Person.DESCRIPTOR.fields_by_name:
        if field != "etag":
            assert getattr(saved, field) == getattr(given if field in fields else before, field), field


async def test_update_of_everything_clears_what_is_not_given(office: Office) -> None:
    name = await office.person("旧名", gender=pb.GENDER_FEMALE, residence=await office.unit())
    given = pb.Person(name=name, display_name="旧名")
    saved = await office.call("UpdatePerson", pb.UpdatePersonRequest(person=given, update_mask=mask("*")))
    assert (saved.gender, saved.residence, saved.nationality) == (0, "", "CN")


async def test_update_needs_name_and_changeable_fields(office: Office) -> None:
    name = await office.person()
    for paths in (("name",), ("create_time",), ("person.gender",), ("*", "gender"), ()):
        given = pb.Person(name=name, display_name="新名")
        request = pb.UpdatePersonRequest(person=given, update_mask=mask(*paths))
        assert await refused(office.call("UpdatePerson", request)) == "ERROR_REASON_FIELD_MASK_INVALID"
    request = pb.UpdatePersonRequest(person=pb.Person(display_name="新名"), update_mask=mask("display_name"))
    assert await refused(office.call("UpdatePerson", request)) == "ERROR_REASON_FIELD_INVALID"


async def test_update_of_what_another_has_changed_since(office: Office) -> None:
    name = await office.person()

    def request(etag: str) -> pb.UpdatePersonRequest:
        given = pb.Person(name=name, display_name="新名", etag=etag)
        return pb.UpdatePersonRequest(person=given, update_mask=mask("display_name"))

    await office.call("UpdatePerson", request('"1"'))
    assert await refused(office.call("UpdatePerson", request('"1"'))) == "ERROR_REASON_ETAG_MISMATCH"
    assert (await office.call("UpdatePerson", request(""))).etag == '"3"'


async def test_list_narrows_by_name_and_residence(office: Office) -> None:
    unit = await office.unit()
    in_order = [await office.person(name, residence=unit) for name in ("王小明", "王%", "王_二", "李四")]
    elsewhere = await office.person("王小明")

    async def names(**filters: object) -> list[str]:
        answer = await office.call("ListPersons", pb.ListPersonsRequest(**filters))  # type: ignore[arg-type]
        return [person.name for person in answer.persons]

    assert await names() == [*in_order, elsewhere]
    assert await names(display_name_prefix="王") == [*in_order[:3], elsewhere]
    assert await names(display_name_prefix="王%") == [in_order[1]]
    assert await names(display_name_prefix="王_") == [in_order[2]]
    assert await names(display_name_prefix="小") == []
    assert await names(residence=unit, display_name_prefix="王小") == [in_order[0]]
    assert await names(residence=f"units/{office.district}999") == []
