"""Fixed contacts (固定联系) of delegates."""

from typing import Any

import pytest

from chassis import clock
from quanyutong.registry.v1 import contacts_pb2 as pb
from quanyutong.registry.v1 import events_pb2, mandates_pb2
from tests.contract.heard import heard
from tests.contract.office import Office, in_days, on
from tests.harness import refused


def grid(unit: str, description: str = "第三社区第3网格", households: int = 120) -> pb.ResidentGroup:
    return pb.ResidentGroup(unit=unit, description=description, households=households)


async def listed(office: Office, **filters: Any) -> list[pb.Contact]:
    answer = await office.call("ListContacts", pb.ListContactsRequest(**filters))
    return list(answer.contacts)


async def names(office: Office, **filters: Any) -> list[str]:
    return [contact.name for contact in await listed(office, **filters)]


async def end(office: Office, name: str, days: int | None = None) -> pb.Contact:
    request = pb.EndContactRequest(name=name, end_date=None if days is None else on(in_days(days)))
    ended: pb.Contact = await office.call("EndContact", request)
    return ended


async def test_with_a_person_and_with_a_group(office: Office) -> None:
    unit, delegate, person = await office.unit(2), await office.delegate(), await office.person("李四")
    personal = await office.contact(delegate, person=person, start_date=on(in_days(-7)))
    of_grid = await office.contact(delegate, group=grid(unit))
    first, second = await listed(office)
    assert (first.name, first.mandate, first.person, first.start_date) == (personal, delegate, person, on(in_days(-7)))
    assert (second.name, second.group, second.start_date) == (of_grid, grid(unit), on(clock.today()))
    assert (first.WhichOneof("party"), second.WhichOneof("party")) == ("person", "group")


async def test_list_narrows_by_delegate_person_unit_and_day(office: Office) -> None:
    here, term = await office.unit(2), await office.term()
    one, other = await office.delegate(term), await office.delegate(term)
    resident, stranger = await office.person(residence=here), await office.person()
    of_grid = await office.contact(one, group=grid(here), start_date=on(in_days(-20)), end_date=on(in_days(-10)))
    of_resident = await office.contact(other, person=resident, start_date=on(in_days(-10)))
    of_stranger = await office.contact(one, person=stranger)
    assert await names(office) == [of_grid, of_resident, of_stranger]
    assert await names(office, mandate=one) == [of_grid, of_stranger]
    assert await names(office, person=resident) == [of_resident]
    assert await names(office, unit=here) == [of_grid, of_resident]
    assert await names(office, unit=f"units/{office.district}001") == []
    by_day = {days: await names(office, as_of=on(in_days(days))) for days in (-21, -11, -10, 0)}
    assert by_day == {-21: [], -11: [of_grid], -10: [of_resident], 0: [of_resident, of_stranger]}


async def test_the_same_contact_is_not_entered_twice_for_the_same_days(office: Office) -> None:
    unit, delegate, person = await office.unit(2), await office.delegate(), await office.person()
    personal = await office.contact(delegate, person=person, start_date=on(in_days(-10)))
    await office.contact(delegate, group=grid(unit))
    assert await refused(office.contact(delegate, person=person)) == "ERROR_REASON_DUTY_EXISTS"
    assert await refused(office.contact(delegate, group=grid(unit, households=7))) == "ERROR_REASON_DUTY_EXISTS"
    await office.contact(delegate, group=grid(unit, "第三社区第4网格"))
    await end(office, personal)
    await office.contact(delegate, person=person)


@pytest.mark.parametrize("group", [{}, {"description": ""}, {"households": -1}, {"description": "一\n二"}])
async def test_what_is_no_group(office: Office, group: dict[str, Any]) -> None:
    unit, delegate = await office.unit(2), await office.delegate()
    given = pb.ResidentGroup(**({"unit": unit, "description": "第3网格"} | group)) if group else pb.ResidentGroup()
    assert await refused(office.contact(delegate, group=given)) == "ERROR_REASON_FIELD_INVALID"


async def test_no_delegate_is_in_contact_with_nobody_or_with_the_same_person(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term)
    delegate = await office.active(term, person)
    assert await refused(office.contact(delegate)) == "ERROR_REASON_FIELD_INVALID"
    assert await refused(office.contact(delegate, person=person)) == "ERROR_REASON_FIELD_INVALID"
    colleague = await office.eligible(term, "同事")
    await office.active(term, colleague)
    await office.contact(delegate, person=colleague)


async def test_a_contact_lies_within_the_mandate_and_ends_once(office: Office) -> None:
    delegate, person = await office.delegate(), await office.person()
    for start in (-301, 700):
        early = office.contact(delegate, person=person, start_date=on(in_days(start)))
        assert await refused(early) == "ERROR_REASON_DUTY_DATE_REFUSED"
    name = await office.contact(delegate, person=person, start_date=on(in_days(-5)))
    assert await refused(end(office, name, -6)) == "ERROR_REASON_DUTY_DATE_REFUSED"
    assert (await end(office, name, -1)).end_date == on(in_days(-1))
    assert await refused(end(office, name, -1)) == "ERROR_REASON_DUTY_DATE_REFUSED"


async def test_contacts_end_with_the_mandate_and_events_tell_nothing_of_the_party(office: Office) -> None:
    delegate, person = await office.delegate(), await office.person()
    name = await office.contact(delegate, person=person)
    request = mandates_pb2.EndMandateRequest(name=delegate, reason=mandates_pb2.END_REASON_RESIGNATION)
    await office.call("EndMandate", request)
    (ended,) = await listed(office)
    assert ended.end_date == on(clock.today())
    shared: dict[str, Any] = {"contact": name, "mandate": delegate, "start_date": on(clock.today())}
    assert await heard(office, events_pb2.ContactChanged, 2) == [
        events_pb2.ContactChanged(end_date=on(day), **shared) for day in (in_days(700), clock.today())
    ]


async def test_contacts_end_with_the_term_though_nobody_enters_its_end(office: Office) -> None:
    assembly = await office.assembly()
    term = (await office.open_term(assembly, start=in_days(-700), end=in_days(5))).name
    delegate = await office.delegate(term)
    name = await office.contact(delegate, person=await office.person())
    by_day = {days: await names(office, as_of=on(in_days(days))) for days in (4, 5)}
    assert by_day == {4: [name], 5: []}


@pytest.mark.parametrize("role", ["administrator", "delegate", "viewer"])
async def test_contacts_are_for_clerk_and_examiner_alone(office: Office, role: str) -> None:
    call = office.call("ListContacts", pb.ListContactsRequest(), role)
    assert await refused(call) == "ERROR_REASON_ROLE_MISSING"
