"""Persons after a succession: under two identity keys each number is still one person's."""

import grpc
import pytest

from quanyutong.registry.v1 import persons_pb2
from tests.contract import merged as made
from tests.contract.identities import identity_number
from tests.contract.merged import BORN, PHONES, Merged, two
from tests.contract.office import DEPUTY, Office, Row, on
from tests.contract.test_importing import counts, everything, importing, row
from tests.contract.test_registration import bad_request
from tests.contract.test_rotating import rotate
from tests.contract.test_secrets import find, reveal, update
from tests.contract.test_succession import mandates
from tests.harness import refused

TAKEN, DIFFER = "ERROR_REASON_IDENTITY_TAKEN", "ERROR_REASON_PERSONS_DIFFER"


@pytest.fixture
async def merged(office: Office) -> Merged:
    """Done: the holder of each of `numbers` is in the successor."""
    merged = await made.settled(office)
    await merged.stop()
    await merged.succeed()
    return merged


async def test_a_list_knows_who_came_from_the_other_district(merged: Merged) -> None:
    seats, office = await mandates(merged.new), merged.new
    resident = seats[merged.heir("resident_mandate")]
    entry = row(1, "代表resident", recommender=resident.recommender, active_from=resident.active_from)
    entry.person.identity_number = merged.numbers["resident"]
    entry.person.birth_date.CopyFrom(on(BORN))
    before = await everything(office)
    assert counts(await importing(office, resident.term, [entry])) == (0, 0, 1, 0)
    assert await everything(office) == before
    entry.person.schooling = persons_pb2.SCHOOLING_BACHELOR
    assert counts(await importing(office, resident.term, [entry])) == (0, 1, 0, 0)
    assert (await find(office, merged.numbers["resident"])).schooling == persons_pb2.SCHOOLING_BACHELOR


async def test_a_registration_names_who_has_the_number(merged: Merged) -> None:
    office, term = merged.new, merged.names["new_term"]
    people = [
        persons_pb2.Person(display_name="重复者", identity_number=merged.numbers[who]) for who in ("resident", "both")
    ]
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await office.register(term, [Row(new_person=each, capacity=DEPUTY) for each in people])
    faults = bad_request(refusal.value).field_violations
    assert [fault.field for fault in faults] == [f"rows[{n}].new_person.identity_number" for n in (0, 1)]


async def test_a_number_is_nobody_elses_under_either_key(merged: Merged) -> None:
    office = merged.new
    for who in ("resident", "deputy", "both", "joined"):
        assert await refused(office.person(identity_number=merged.numbers[who])) == TAKEN
    other = await office.person("另一人")
    given = {"identity_number": merged.numbers["resident"]}
    assert await refused(update(office, other, "identity_number", **given)) == TAKEN


async def test_ones_own_number_may_be_given_again(merged: Merged) -> None:
    office, number = merged.new, merged.numbers["resident"]
    holder = await find(office, number)
    saved = await update(office, holder.name, "identity_number", identity_number=number)
    assert saved.identity_last_four == number[-4:]
    assert (await find(office, number)).name == holder.name
    assert await refused(office.person(identity_number=number)) == TAKEN


async def test_rotating_wraps_every_key(merged: Merged) -> None:
    await rotate(merged.new)
    resident = await find(merged.new, merged.numbers["resident"])
    assert (await reveal(merged.new, resident.name)).phone == PHONES[0]
    assert await find(merged.new, merged.numbers["both"])


async def test_who_was_spelt_otherwise_is_two_until_merged(office: Office) -> None:
    """Nobody can tell by the hashes; whoever has the number can."""
    merged, number = await two(office), identity_number(BORN)
    facts = {"residence": merged.code(1), "residence_since": on("2001-01-01")}
    person = await merged.old.person("欧阳晓明", identity_number=number, **facts)
    seat = await merged.old.active(await merged.old.term(await merged.old.assembly(merged.code(1))), person)
    there = await office.person("欧阳小明", identity_number=number, phone=PHONES[0])
    stranger = await office.person("欧阳晓明", identity_number=identity_number(BORN))
    await merged.stop()
    outcome = await merged.succeed()
    assert (outcome.carried_over.persons, outcome.carried_over.persons_joined) == (1, 0)
    heir = (await mandates(office))[f"districts/{merged.old.district}/{seat}"].person
    assert (await find(office, number)).name == there
    assert await refused(office.merge(there, stranger)) == DIFFER
    kept = await office.merge(there, heir)
    assert kept.identity_last_four == number[-4:]
    assert (await find(office, number)).name == there
    assert (await mandates(office))[f"districts/{merged.old.district}/{seat}"].person == there
