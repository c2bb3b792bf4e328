"""Persons, their secrets, and entries of one human being."""

from quanyutong.registry.v1 import persons_pb2, secrets_pb2
from tests.contract.identities import identity_number
from tests.contract.office import NOBODY, Office, on
from tests.contract.refusals import refused_with


@refused_with("UNIT_NOT_FOUND")
async def person_of_another_districts_unit(office: Office) -> None:
    await office.person(residence="units/500102001")


@refused_with("UNIT_NOT_FOUND")
async def person_moving_to_another_districts_unit(office: Office) -> None:
    given = persons_pb2.Person(name=await office.person(), display_name="王小明", residence="units/500102001")
    request = persons_pb2.UpdatePersonRequest(person=given)
    request.update_mask.paths.append("residence")
    await office.call("UpdatePerson", request)


@refused_with("PERSON_NOT_FOUND")
async def person_who_is_not_there(office: Office) -> None:
    await office.call("GetPerson", persons_pb2.GetPersonRequest(name=f"persons/{NOBODY}"))


@refused_with("IDENTITY_NUMBER_INVALID")
async def identity_number_of_no_day(office: Office) -> None:
    await office.person(identity_number="500102198013010016")


@refused_with("IDENTITY_DISAGREES")
async def identity_number_of_another_day(office: Office) -> None:
    await office.person(identity_number=identity_number(), birth_date=on("1999-09-09"))


@refused_with("IDENTITY_TAKEN")
async def identity_number_of_another(office: Office) -> None:
    number = identity_number()
    await office.person(identity_number=number)
    await office.person(identity_number=number)


@refused_with("IDENTITY_NOT_FOUND")
async def identity_number_of_nobody(office: Office) -> None:
    await office.call("FindPerson", secrets_pb2.FindPersonRequest(identity_number=identity_number()))


@refused_with("PHONE_INVALID")
async def phone_of_another_country(office: Office) -> None:
    await office.person(phone="+1 202 555 0123")


@refused_with("PERSONS_DIFFER")
async def merging_two_human_beings(office: Office) -> None:
    people = [await office.person(identity_number=identity_number()) for _ in range(2)]
    await office.merge(*people)


@refused_with("MERGE_DOUBLES")
async def merging_two_who_sit_in_one_term(office: Office) -> None:
    term, people = await office.term(), [await office.person() for _ in range(2)]
    for person in people:
        await office.recommended(term, person)
    await office.merge(*people)


@refused_with("MERGE_WITH_ITSELF")
async def merging_an_entry_with_itself(office: Office) -> None:
    person = await office.person()
    await office.merge(person, person)
