"""A valid text comes back as it was given: to the byte, whatever its script."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quanyutong.registry.v1 import mandates_pb2, persons_pb2
from tests.badinput.conftest import Ground
from tests.badinput.strategies import NASTY, bounded

# What a name may be: anything but control characters, up to 60 of them.
names = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)


@bounded(60)
@given(name=names)
@example(name="e\u0301 é \u212b Å")
@example(name="\u200f\u202eمرحبا\u202c")
@example(name="👩‍👩‍👧‍👦" * 5)
@example(name="\ufffe\uffff\U0010ffff\u2028\u00ad")
@example(name="'; DROP TABLE person; --")
@example(name="𠮷野家㐂" * 10)
async def test_name_of_a_person(ground: Ground, name: str) -> None:
    entered = await ground.office.person(name)
    read = await ground.office.call("GetPerson", persons_pb2.GetPersonRequest(name=entered))
    assert read.display_name.encode() == name.encode()


@bounded(30)
@given(name=names)
@example(name="%")
@example(name="\\_%")
async def test_name_is_found_by_its_beginning(ground: Ground, name: str) -> None:
    entered = await ground.office.person(name)
    request = persons_pb2.ListPersonsRequest(display_name_prefix=name[: max(1, len(name) // 2)], page_size=500)
    while True:
        answer = await ground.office.call("ListPersons", request)
        if entered in {person.name for person in answer.persons}:
            return
        request.page_token = answer.next_page_token
        assert request.page_token, "not found by its beginning"


@pytest.mark.parametrize("text", NASTY, ids=ascii)
async def test_remark_is_kept_or_refused_for_what_it_holds(ground: Ground, text: str) -> None:
    """A remark may be empty, 300 characters long, and without control characters."""
    name = await ground.office.active(ground.names[2])
    request = mandates_pb2.EndMandateRequest(name=name, reason=mandates_pb2.END_REASON_MOVED, remark=text)
    valid = len(text) <= 300 and not any(unicodedata.category(character) == "Cc" for character in text)
    path = "/quanyutong.registry.v1.RegistryService/EndMandate"
    ended = await ground.call("direct", path, [request.SerializeToString()])
    assert ended.reason == ("" if valid else "FIELD_INVALID")
    if valid:
        assert mandates_pb2.Mandate.FromString(ended.answers[0]).remark.encode() == text.encode()
