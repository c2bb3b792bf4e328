"""Two entries of one human being become one."""

import asyncio
from typing import Any

import pytest

from quanyutong.registry.v1 import mandates_pb2
from quanyutong.registry.v1 import persons_pb2 as persons
from quanyutong.registry.v1 import secrets_pb2 as pb
from tests.contract.identities import identity_number
from tests.contract.office import Office, in_days, mask, on
from tests.harness import refused


async def read(office: Office, name: str) -> persons.Person:
    found: persons.Person = await office.call("GetPerson", persons.GetPersonRequest(name=name))
    return found


async def test_everything_moves_to_the_entry_that_stays(office: Office) -> None:
    term = await office.term()
    keep, merged = await office.person(), await office.eligible(term, "王晓明")
    mandates = [await office.active(term, merged)]
    before = await office.call("GetMandate", mandates_pb2.GetMandateRequest(name=mandates[0]))
    kept = await office.merge(keep, merged)
    moved = await office.call("GetMandate", mandates_pb2.GetMandateRequest(name=mandates[0]))
    assert (kept.name, moved.person, before.person) == (keep, keep, merged)
    assert moved.etag != before.etag
    assert (await read(office, merged)).merged_into == keep
    listed = await office.call("ListPersons", persons.ListPersonsRequest())
    assert [person.name for person in listed.persons] == [keep]


async def test_merging_again_changes_nothing(office: Office) -> None:
    keep, merged = await office.person(), await office.person()
    assert await office.merge(keep, merged) == await office.merge(keep, merged)
    assert await refused(office.merge(merged, keep)) == "ERROR_REASON_PERSON_MERGED"


async def test_what_was_sealed_goes_with_it(office: Office) -> None:
    number = identity_number()
    keep, merged = await office.person(), await office.person(identity_number=number, phone="13800138000")
    kept = await office.merge(keep, merged)
    assert (kept.identity_last_four, kept.gender) == (number[-4:], persons.GENDER_MALE)
    assert kept.birth_date == on("1980-01-02")
    found = await office.call("FindPerson", pb.FindPersonRequest(identity_number=number))
    assert found.name == keep
    reveal = pb.RevealPersonRequest(name=keep, purpose="通知开会")
    assert (await office.call("RevealPerson", reveal)).phone == "+8613800138000"
    reveal.name = merged
    assert await refused(office.call("RevealPerson", reveal)) == "ERROR_REASON_PERSON_MERGED"


async def test_a_birth_date_that_the_number_denies(office: Office) -> None:
    keep = await office.person(birth_date=on("1990-01-01"))
    merged = await office.person(identity_number=identity_number())
    assert await refused(office.merge(keep, merged)) == "ERROR_REASON_PERSONS_DIFFER"


async def test_no_pointer_points_at_a_pointer(office: Office) -> None:
    first, second, third = [await office.person() for _ in range(3)]
    await office.merge(second, first)
    await office.merge(third, second)
    assert (await read(office, first)).merged_into == third


async def test_a_pointer_is_not_written_to(office: Office) -> None:
    keep, merged = await office.person(), await office.person()
    await office.merge(keep, merged)
    given = persons.Person(name=merged, display_name="新名")
    request = persons.UpdatePersonRequest(person=given, update_mask=mask("display_name"))
    assert await refused(office.call("UpdatePerson", request)) == "ERROR_REASON_PERSON_MERGED"
    term = await office.term()
    rows = [mandates_pb2.RegisterMandatesRequest.Row(person=merged, capacity=mandates_pb2.CAPACITY_RESIDENT)]
    assert await refused(office.register(term, rows)) == "ERROR_REASON_ROWS_REFUSED"


@pytest.mark.parametrize(("since", "reason"), [(-5, "ERROR_REASON_MERGE_DOUBLES"), (0, "")])
async def test_seats_held_at_the_same_time(office: Office, since: int, reason: str) -> None:
    term = await office.term()
    people = [await office.eligible(term) for _ in range(2)]
    earlier, later = [await office.vetted(term, person) for person in people]
    await office.confirm(earlier, in_days(-10))
    end = mandates_pb2.EndMandateRequest(name=earlier, reason=mandates_pb2.END_REASON_MOVED)
    await office.call("EndMandate", end)
    await office.confirm(later, in_days(since))
    if reason:
        assert await refused(office.merge(*people)) == reason
    else:
        await office.merge(*people)
        moved = await office.call("GetMandate", mandates_pb2.GetMandateRequest(name=later))
        assert moved.person == people[0]


async def test_a_merge_that_is_refused_moves_nothing(office: Office) -> None:
    term, people = await office.term(), [await office.person() for _ in range(2)]
    names = [await office.recommended(term, person) for person in people]
    assert await refused(office.merge(*people)) == "ERROR_REASON_MERGE_DOUBLES"
    for name, person in zip(names, people, strict=True):
        assert (await office.call("GetMandate", mandates_pb2.GetMandateRequest(name=name))).person == person
    assert not (await read(office, people[1])).merged_into


async def test_opposite_merges_at_the_same_moment(office: Office) -> None:
    one, other = await office.person(), await office.person()
    both: Any = asyncio.gather(office.merge(one, other), office.merge(other, one), return_exceptions=True)
    outcomes = await both
    assert len([outcome for outcome in outcomes if isinstance(outcome, persons.Person)]) == 1
    pointers = [(await read(office, name)).merged_into for name in (one, other)]
    assert sorted(pointers) in (["", one], ["", other])
