"""Many delegates in one stream: all rows are entered, or none and every faulty one is named."""

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from quanyutong.registry.v1 import mandates_pb2 as pb
from quanyutong.registry.v1 import persons_pb2
from tests.contract.office import DEPUTY, NOBODY, RESIDENT, Office, Opening, Row, in_days, new_people, on
from tests.harness import reason, refused

OUT_OF_ORDER = "ERROR_REASON_STREAM_OUT_OF_ORDER"
Part = pb.RegisterMandatesRequest


def opening(term: str, **fields: Any) -> Part:
    return Part(opening=Opening(term=term, active_from=on(in_days(-1)), recommender="某社区居民委员会", **fields))


async def entered(office: Office) -> int:
    """How many entries the district has: persons and mandates."""
    persons = await office.call("ListPersons", persons_pb2.ListPersonsRequest(page_size=500))
    mandates = await office.call("ListMandates", pb.ListMandatesRequest(page_size=500))
    return len(persons.persons) + len(mandates.mandates)


async def faulty_rows(office: Office, term: str, rows: list[Row]) -> list[str]:
    """The fields at fault, in the order in which the refusal names them."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await office.register(term, rows)
    assert reason(refusal.value) == "ERROR_REASON_ROWS_REFUSED"
    return [violation.field for violation in bad_request(refusal.value).field_violations]


def bad_request(error: grpc.aio.AioRpcError) -> error_details_pb2.BadRequest:
    trailers = dict(error.trailing_metadata() or ())
    found = error_details_pb2.BadRequest()
    for detail in status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details:
        detail.Unpack(found)
    return found


async def test_rows_are_entered_in_their_order(office_everywhere: Office) -> None:
    office = office_everywhere
    term, known = await office.term(), await office.person("在册人员")
    rows = [*new_people(2, gender=persons_pb2.GENDER_FEMALE), Row(person=known, capacity=DEPUTY), *new_people(1)]
    answer = await office.register(term, rows, in_days(-30))
    assert (answer.registered, answer.rule_version) == (4, "subdistrict_assembly.size_max@2015-01-01")
    for row, name in zip(rows, answer.mandates, strict=True):
        mandate = await office.call("GetMandate", pb.GetMandateRequest(name=name))
        person = await office.call("GetPerson", persons_pb2.GetPersonRequest(name=mandate.person))
        assert (mandate.state, mandate.active_from, mandate.capacity) == (
            pb.MANDATE_STATE_ACTIVE,
            on(in_days(-30)),
            row.capacity,
        )
        assert mandate.term == term
        if row.person:
            assert person.name == known
        else:
            assert (person.display_name, person.gender) == (row.new_person.display_name, row.new_person.gender)


async def test_faulty_rows_are_named_and_none_is_entered(office_everywhere: Office) -> None:
    office = office_everywhere
    term, known, taken = await office.term(), await office.person(), await office.person()
    await office.recommended(term, taken)
    before = await entered(office)
    person = persons_pb2.Person(display_name="王小明")
    elsewhere = persons_pb2.Person(display_name="王小明", residence="units/500102001")
    undated = persons_pb2.Person(display_name="王小明")
    undated.birth_date.year = 2023
    rows = [
        Row(new_person=person, capacity=RESIDENT),
        Row(new_person=elsewhere, capacity=RESIDENT),
        Row(person=known, capacity=RESIDENT),
        Row(person=known, capacity=DEPUTY),
        Row(person=f"persons/{NOBODY}", capacity=RESIDENT),
        Row(person=taken, capacity=RESIDENT),
        *new_people(4),
        Row(new_person=undated, capacity=RESIDENT),
    ]
    assert await faulty_rows(office, term, rows) == [
        "rows[1].new_person.residence",
        "rows[3].person",
        "rows[4].person",
        "rows[5].person",
        "rows[10].new_person.birth_date",
    ]
    assert await entered(office) == before


async def test_more_faults_than_a_refusal_can_carry(office_everywhere: Office) -> None:
    """A client drops trailers that are too long, and the reason with them."""
    office = office_everywhere
    term = await office.term(await office.congress())
    rows = [Row(person=f"persons/{NOBODY}", capacity=RESIDENT)] * 3000
    named = await faulty_rows(office, term, rows)
    assert named == [f"rows[{number}].person" for number in range(len(named))]
    assert len(named) >= 30


async def test_wrong_order_of_parts(office_everywhere: Office) -> None:
    office = office_everywhere
    term = await office.term()
    row = Part(row=new_people(1)[0])
    for parts in ([], [opening(term)], [row], [row, opening(term)], [opening(term), opening(term), row]):
        assert await refused(office.stream(parts)) == OUT_OF_ORDER
    for parts in ([Part()], [opening(term), Part()], [opening(term), row, Part(row=Row())]):
        assert await refused(office.stream(parts)) == "ERROR_REASON_FIELD_INVALID"
    assert await entered(office) == 0


async def test_at_most_5000_rows(office: Office) -> None:
    term = await office.term(await office.congress())
    row = Part(row=Row(person=f"persons/{NOBODY}", capacity=RESIDENT))
    assert await refused(office.stream([opening(term), *[row] * 5000])) == "ERROR_REASON_ROWS_REFUSED"
    assert await refused(office.stream([opening(term), *[row] * 5001])) == OUT_OF_ORDER


async def test_a_stream_that_breaks_off_enters_nothing(office_everywhere: Office) -> None:
    """Wherever it breaks: what arrived by then is no registration."""
    office = office_everywhere
    term, (row,) = await office.term(), new_people(1)
    for rows in range(20):
        call = office.registry.RegisterMandates(metadata=office.tenant.metadata())
        await call.write(opening(term))
        for _ in range(rows):
            await call.write(Part(row=row))
        call.cancel()
    assert (await office.register(term, [row, row])).registered == 2
    assert await entered(office) == 4


async def test_day_of_the_rows_lies_in_the_term_and_not_in_the_future(office: Office) -> None:
    term = await office.term()
    for day in (in_days(-701), in_days(1)):
        assert await refused(office.register(term, new_people(1), day)) == "ERROR_REASON_MANDATE_DATE_REFUSED"


async def test_repeated_stream_has_the_effect_of_one(office: Office) -> None:
    term, request_id = await office.term(), "0b9f3c1e-5a55-4d0e-9a51-6f2d4b7f6a01"
    first = await office.register(term, new_people(3), request_id=request_id)
    assert await office.register(term, new_people(3), request_id=request_id) == first
    assert await refused(office.register(term, new_people(2), request_id=request_id)) == (
        "ERROR_REASON_REQUEST_ID_REUSED"
    )
    assert await entered(office) == 6
