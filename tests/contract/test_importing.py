"""Lists of a district, row by row: every fault told, all or nothing, and the same list twice changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import uuid4

import grpc
import pytest

from quanyutong.registry.v1 import imports_pb2 as pb
from quanyutong.registry.v1 import mandates_pb2, persons_pb2
from services.registry.row_faults import reason_of
from tests.contract.office import DEPUTY, NOBODY, RESIDENT, TOWN, TOWNSHIP_CONGRESS, Office, in_days, mask, on
from tests.contract.test_registration import bad_request
from tests.harness import reason, refused

Part = pb.ImportMandatesRequest
BORN = "1980-02-29"


def row(number: int = 0, name: str = "", **fields: Any) -> pb.ImportRow:
    person = persons_pb2.Person(display_name=name or f"代表{number}", birth_date=on(BORN))
    return pb.ImportRow(number=number, person=person, **{"capacity": RESIDENT} | fields)


async def importing(
    office: Office, term: str, rows: Sequence[pb.ImportRow], **opening: Any
) -> pb.ImportMandatesResponse:
    shared = {"active_from": on(in_days(-30)), "recommender": "某社区居民委员会"} | opening
    parts = [Part(opening=Part.Opening(term=term, **shared))]
    parts += [Part(batch=Part.Batch(rows=rows[start : start + 500])) for start in range(0, len(rows), 500)]
    return await streaming(office, parts)


async def streaming(office: Office, parts: Sequence[Part]) -> pb.ImportMandatesResponse:
    async def each() -> AsyncIterator[Part]:
        for part in parts:
            yield part

    answer: pb.ImportMandatesResponse = await office.call("ImportMandates", each())
    return answer


def counts(answer: pb.ImportMandatesResponse) -> tuple[int, int, int, int]:
    return answer.added, answer.changed, answer.unchanged, answer.refused


def found(answer: pb.ImportMandatesResponse) -> list[tuple[int, str, str]]:
    return [(fault.row, fault.field, reason_of(fault)) for fault in answer.faults]


async def everything(office: Office) -> bytes:
    """All that the district has of persons and mandates, etags and all."""
    persons = await office.call("ListPersons", persons_pb2.ListPersonsRequest(page_size=500))
    mandates = await office.call("ListMandates", mandates_pb2.ListMandatesRequest(page_size=500))
    return bytes(persons.SerializeToString() + mandates.SerializeToString())


async def test_the_same_list_twice_changes_nothing(office: Office) -> None:
    term = await office.term()
    rows = [row(number) for number in range(1, 21)]
    first = await importing(office, term, rows)
    assert counts(first) == (20, 0, 0, 0)
    assert first.entered
    assert "subdistrict_assembly.size_max@2015-01-01" in first.judged_by
    before = await everything(office)
    assert counts(await importing(office, term, rows)) == (0, 0, 20, 0)
    assert await everything(office) == before


async def test_a_row_corrects_what_it_states_and_nothing_else(office: Office) -> None:
    term = await office.term()
    one = row(1, "王小明")
    one.person.gender = persons_pb2.GENDER_FEMALE
    await importing(office, term, [one])
    again = row(1, "王小明")
    again.person.schooling = persons_pb2.SCHOOLING_COLLEGE
    assert counts(await importing(office, term, [again])) == (0, 1, 0, 0)
    assert counts(await importing(office, term, [again])) == (0, 0, 1, 0)
    (person,) = (await office.call("ListPersons", persons_pb2.ListPersonsRequest())).persons
    assert (person.gender, person.schooling, person.etag) == (
        persons_pb2.GENDER_FEMALE,
        persons_pb2.SCHOOLING_COLLEGE,
        '"2"',
    )


async def test_whoever_left_since_is_not_brought_back(office: Office) -> None:
    term = await office.term()
    await importing(office, term, [row(1)])
    (mandate,) = (await office.call("ListMandates", mandates_pb2.ListMandatesRequest())).mandates
    ended = mandates_pb2.EndMandateRequest(name=mandate.name, reason=mandates_pb2.END_REASON_RESIGNATION)
    await office.call("EndMandate", ended)
    before = await everything(office)
    assert counts(await importing(office, term, [row(1)])) == (0, 0, 1, 0)
    assert await everything(office) == before


async def test_one_list_for_many_assemblies(office: Office) -> None:
    subdistrict, town = await office.unit(1), await office.unit(2, TOWN)
    first = await office.term(await office.assembly(subdistrict))
    second = await office.term(await office.assembly(town, TOWNSHIP_CONGRESS))
    rows = [row(1, unit=subdistrict), row(2, unit=town, capacity=DEPUTY), row(3, term=second, capacity=DEPUTY)]
    assert counts(await importing(office, "", rows)) == (3, 0, 0, 0)
    for term, seated in ((first, 1), (second, 2)):
        request = mandates_pb2.ListMandatesRequest(term=term)
        assert len((await office.call("ListMandates", request)).mandates) == seated


def elsewhere(given: pb.ImportRow) -> None:
    given.person.residence = "units/500102001"


def undated(given: pb.ImportRow) -> None:
    given.person.residence_since.year = 2023


def foreign(given: pb.ImportRow) -> None:
    given.person.nationality = "US"


FAULTS: dict[str, tuple[Callable[[pb.ImportRow], object], str]] = {
    "FIELD_MISSING": (lambda given: given.person.ClearField("birth_date"), "person.birth_date"),
    "FIELD_INVALID": (lambda given: setattr(given.person, "display_name", "长" * 61), "person.display_name"),
    "DATE_INVALID": (undated, "person.residence_since"),
    "UNIT_UNKNOWN": (elsewhere, "person.residence"),
    "TERM_UNKNOWN": (lambda given: setattr(given, "term", f"assemblies/{NOBODY}/terms/1"), "term"),
    "DAY_OUTSIDE_TERM": (lambda given: given.active_from.CopyFrom(on(in_days(1))), "active_from"),
    "NOT_ELIGIBLE": (foreign, "person.nationality"),
}


@pytest.mark.parametrize("expected", FAULTS)
async def test_fault(office: Office, expected: str) -> None:
    term, faulty = await office.term(), row(7)
    spoil, place = FAULTS[expected]
    spoil(faulty)
    before = await everything(office)
    rows = [row(6), faulty, row(8)]
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await importing(office, term, rows)
    assert reason(refusal.value) == "ERROR_REASON_IMPORT_REFUSED"
    told = [(each.field, each.reason) for each in bad_request(refusal.value).field_violations]
    assert (f"rows[7].{place}", expected) in told
    assert await everything(office) == before
    judged = await importing(office, term, rows, validate_only=True)
    assert (7, place, expected) in found(judged)
    assert (counts(judged), judged.entered) == ((2, 0, 0, 1), False)
    assert await everything(office) == before
    assert counts(await importing(office, term, rows, partial=True)) == (2, 0, 0, 1)
    assert counts(await importing(office, term, rows, partial=True)) == (0, 0, 2, 1)


async def test_no_fault_hides_another(office: Office) -> None:
    term, worst = await office.term(), row(3)
    for spoil in (elsewhere, undated, foreign):
        spoil(worst)
    worst.ClearField("capacity")
    worst.faults.append(pb.RowFault(field="person.gender", reason=pb.ROW_FAULT_REASON_WORD_UNKNOWN))
    late = row(9, active_from=on(in_days(-701)))
    answer = await importing(office, term, [worst, row(4), late], validate_only=True)
    assert {each[1:] for each in found(answer) if each[0] == 3} == {
        ("person.gender", "WORD_UNKNOWN"),
        ("person.residence_since", "DATE_INVALID"),
        ("capacity", "FIELD_MISSING"),
        ("person.residence", "UNIT_UNKNOWN"),
    }
    assert (9, "active_from", "DAY_OUTSIDE_TERM") in found(answer)
    assert all(fault.text_zh and fault.text_en for fault in answer.faults)


async def test_what_the_sender_found_is_never_entered(office: Office) -> None:
    term, withheld = await office.term(), row(1)
    withheld.faults.append(pb.RowFault(field="person.gender", reason=pb.ROW_FAULT_REASON_WORD_UNKNOWN))
    assert counts(await importing(office, term, [withheld], partial=True)) == (0, 0, 0, 1)


async def test_the_same_person_twice_in_a_list(office: Office) -> None:
    answer = await importing(office, await office.term(), [row(5, "王小明"), row(9, "王小明")], validate_only=True)
    assert found(answer) == [(9, "person.display_name", "ROW_REPEATED")]
    assert "5" in answer.faults[0].text_zh


async def test_two_of_the_same_name_and_birth_date(office: Office) -> None:
    term = await office.term()
    for _ in range(2):
        settled = {"residence": f"units/{office.district}001", "residence_since": on("2000-01-01")}
        await office.active(term, await office.person("王小明", birth_date=on(BORN), **settled))
    answer = await importing(office, term, [row(1, "王小明")], validate_only=True)
    assert found(answer) == [(1, "person.display_name", "PERSON_AMBIGUOUS")]


async def test_who_is_recommended_goes_that_way(office: Office) -> None:
    term = await office.term()
    await office.recommended(term, await office.person("王小明", birth_date=on(BORN)))
    answer = await importing(office, term, [row(1, "王小明")], validate_only=True)
    assert found(answer) == [(1, "person.display_name", "MANDATE_AWAITED")]


async def test_a_mandate_is_not_changed_by_a_list(office: Office) -> None:
    term = await office.term()
    await importing(office, term, [row(1)])
    for other in (row(1, capacity=DEPUTY), row(1, recommender="本人"), row(1, active_from=on(in_days(-20)))):
        answer = await importing(office, term, [other], validate_only=True)
        assert found(answer) == [(1, "capacity", "MANDATE_DIFFERS")]


async def test_seats_go_to_the_first_rows(office: Office) -> None:
    term = await office.term()
    await office.override("3")
    rows = [row(number, active_from=on(in_days(0))) for number in range(1, 6)]
    answer = await importing(office, term, rows, partial=True)
    assert found(answer) == [(4, "term", "ASSEMBLY_FULL"), (5, "term", "ASSEMBLY_FULL")]
    assert counts(answer) == (3, 0, 0, 2)


async def test_a_term_that_is_over(office: Office) -> None:
    assembly = await office.assembly(await office.unit(1))
    old = await office.open_term(assembly, 1, "2015-01-01", in_days(-800))
    answer = await importing(office, old.name, [row(1, active_from=on("2015-01-01"))])
    assert counts(answer) == (1, 0, 0, 0)
    (mandate,) = (await office.call("ListMandates", mandates_pb2.ListMandatesRequest())).mandates
    assert mandate.state == mandates_pb2.MANDATE_STATE_ENDED
    assert counts(await importing(office, old.name, [row(1, active_from=on("2015-01-01"))])) == (0, 0, 1, 0)


async def test_two_of_the_same_import_at_the_same_moment(office: Office) -> None:
    term, rows = await office.term(), [row(number) for number in range(1, 41)]
    answers = await asyncio.gather(*(importing(office, term, rows) for _ in range(3)))
    assert sorted(map(counts, answers)) == [(0, 0, 40, 0), (0, 0, 40, 0), (40, 0, 0, 0)]
    listed = await office.call("ListPersons", persons_pb2.ListPersonsRequest(page_size=500))
    assert len(listed.persons) == 40


async def test_repeated_import_is_answered_again(office: Office) -> None:
    term, request_id = await office.term(), str(uuid4())
    first = await importing(office, term, [row(1)], request_id=request_id)
    assert await importing(office, term, [row(1)], request_id=request_id) == first
    assert await refused(importing(office, term, [row(2)], request_id=request_id)) == "ERROR_REASON_REQUEST_ID_REUSED"


async def test_order_of_parts_and_number_of_rows(office: Office) -> None:
    term = await office.term()
    opening, batch = Part(opening=Part.Opening(term=term)), Part(batch=Part.Batch(rows=[row(1)]))
    full = Part(batch=Part.Batch(rows=[row(1)] * 2001))
    for parts in ([], [batch], [opening, opening], [opening, *[full] * 10]):
        assert await refused(streaming(office, parts)) == "ERROR_REASON_IMPORT_OUT_OF_ORDER"
    assert counts(await streaming(office, [opening])) == (0, 0, 0, 0)


async def test_who_was_renamed_meanwhile_is_somebody_else(office: Office) -> None:
    """Found by name and birth date: after a correction of the name the old list would enter a second person."""
    term = await office.term()
    await importing(office, term, [row(1, "王小明")])
    (person,) = (await office.call("ListPersons", persons_pb2.ListPersonsRequest())).persons
    renamed = persons_pb2.Person(name=person.name, display_name="王晓明")
    request = persons_pb2.UpdatePersonRequest(person=renamed, update_mask=mask("display_name"))
    await office.call("UpdatePerson", request)
    assert counts(await importing(office, term, [row(1, "王小明")], validate_only=True)) == (1, 0, 0, 0)
