"""Shares that a district enforces, judged on what an import leads to."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import grpc
import pytest

from quanyutong.registry.v1 import composition_pb2, persons_pb2, rules_pb2
from quanyutong.registry.v1 import imports_pb2 as pb
from tests.contract.office import Office, in_days, on
from tests.contract.test_importing import counts, found, importing, row
from tests.contract.test_registration import bad_request
from tests.harness import reason

FEMALE, MALE = persons_pb2.GENDER_FEMALE, persons_pb2.GENDER_MALE
ENFORCE = rules_pb2.ENFORCEMENT_ENFORCE
WOMEN = "rules/subdistrict_assembly.women_share"
REFUSED = "COMPOSITION_REFUSED"
TODAY = in_days(0)


def somebody(number: int, gender: Any, day: date = TODAY, name: str = "") -> pb.ImportRow:
    made = row(number, name, active_from=on(day))
    made.person.gender = gender
    return made


async def half_women(office: Office, seats: str = "4") -> str:
    """A term of so many seats, half of them for women from today on."""
    term = await office.term()
    await office.override(seats)
    await office.override(">=1/2", rule=WOMEN, enforcement=ENFORCE)
    return term


async def seats_of(office: Office, term: str) -> int:
    request = composition_pb2.GetCompositionRequest(parent=term)
    return int((await office.call("GetComposition", request)).seats)


def a_list(*genders: Any) -> Sequence[pb.ImportRow]:
    return [somebody(number, gender) for number, gender in enumerate(genders, start=1)]


async def test_a_list_that_meets_the_share_in_any_order(office: Office) -> None:
    term = await half_women(office)
    answer = await importing(office, term, a_list(MALE, MALE, FEMALE, FEMALE))
    assert counts(answer) == (4, 0, 0, 0)
    assert f"{WOMEN.removeprefix('rules/')}@2015-01-01+r1" in answer.judged_by


async def test_a_list_that_breaks_the_share_is_refused_as_a_whole(office: Office) -> None:
    term, rows = await half_women(office), a_list(MALE, MALE, MALE, FEMALE)
    dry = await importing(office, term, rows, validate_only=True)
    assert found(dry) == [(3, "term", REFUSED)]
    assert all(fact in dry.faults[0].text_zh for fact in ("women_share@2015-01-01+r1", ">=1/2", "4"))
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await importing(office, term, rows)
    assert reason(refusal.value) == "ERROR_REASON_IMPORT_REFUSED"
    assert [(each.field, each.reason) for each in bad_request(refusal.value).field_violations] == [
        ("rows[3].term", REFUSED)
    ]
    assert await seats_of(office, term) == 0


async def test_in_part_as_many_as_leave_the_share_within_reach(office: Office) -> None:
    """What would be imported is judged: a faulty row takes no seat from anybody."""
    term, rows = await half_women(office), [*a_list(MALE, MALE, MALE, MALE, FEMALE)]
    rows[0].ClearField("capacity")
    answer = await importing(office, term, rows, partial=True)
    assert found(answer) == [(1, "capacity", "FIELD_MISSING"), (4, "term", REFUSED)]
    assert (counts(answer), await seats_of(office, term)) == ((3, 0, 0, 2), 3)
    again = await importing(office, term, rows, partial=True)
    assert counts(again) == (0, 0, 3, 2)


async def test_corrections_of_the_same_list_count(office: Office) -> None:
    """Two sit of whom nothing is said; the list says that they are women, and brings two men."""
    term = await half_women(office)
    unsaid = persons_pb2.GENDER_UNSPECIFIED
    await importing(office, term, [somebody(1, unsaid, name="甲"), somebody(2, unsaid, name="乙")])
    men = [somebody(3, MALE), somebody(4, MALE)]
    assert found(await importing(office, term, men, validate_only=True)) == [(3, "term", REFUSED), (4, "term", REFUSED)]
    women = [somebody(1, FEMALE, name="甲"), somebody(2, FEMALE, name="乙")]
    assert counts(await importing(office, term, [*men, *women])) == (2, 2, 0, 0)


async def test_days_before_the_share_was_enforced(office: Office) -> None:
    """Who sits from an earlier day is not held to it, and is there when the later ones are judged."""
    term = await half_women(office)
    earlier = [somebody(number, MALE, in_days(-5)) for number in (2, 3, 4)]
    answer = await importing(office, term, [somebody(1, MALE), *earlier], partial=True)
    assert found(answer) == [(1, "term", REFUSED)]
    assert counts(await importing(office, term, [somebody(5, FEMALE)])) == (1, 0, 0, 0)


async def test_a_share_that_only_warns_refuses_no_row(office: Office) -> None:
    term = await office.term()
    await office.override("2")
    await office.override(">=1/2", rule=WOMEN)
    answer = await importing(office, term, a_list(MALE, MALE))
    assert counts(answer) == (2, 0, 0, 0)
    assert not [version for version in answer.judged_by if "women" in version]


async def test_each_assembly_of_a_list_by_itself(office: Office) -> None:
    await office.override("2")
    await office.override(">=1/2", rule=WOMEN, enforcement=ENFORCE)
    first, second = [await office.term(await office.assembly(await office.unit(number))) for number in (1, 2)]
    rows = [somebody(number, MALE) for number in (1, 2, 3)]
    for one, term in zip(rows, (first, first, second), strict=True):
        one.term = term
    assert found(await importing(office, "", rows, validate_only=True)) == [(2, "term", REFUSED)]
