"""An assembly never has more delegates than its rule allows: at the edge, at the same moment, and by date."""

import asyncio

from quanyutong.registry.v1 import mandates_pb2 as pb
from tests.contract.office import Office, in_days, new_people
from tests.harness import refused

FULL = "ERROR_REASON_ASSEMBLY_FULL"


async def active(office: Office, term: str) -> int:
    request = pb.ListMandatesRequest(assembly=term.partition("/terms/")[0], states=[pb.MANDATE_STATE_ACTIVE])
    return len((await office.call("ListMandates", request)).mandates)


async def test_the_last_seat_is_taken_and_no_more(office: Office) -> None:
    term = await office.term()
    version = (await office.override("2")).version
    await office.active(term)
    late = await office.vetted(term)
    assert (await office.confirm(await office.vetted(term))).rule_version == version
    assert await refused(office.confirm(late)) == FULL
    assert await refused(office.register(term, new_people(1))) == FULL
    taken = (await office.call("ListMandates", pb.ListMandatesRequest())).mandates[0].name
    await office.call("EndMandate", pb.EndMandateRequest(name=taken, reason=pb.END_REASON_MOVED))
    await office.confirm(late)
    assert await active(office, term) == 2


async def test_a_registration_fits_as_a_whole_or_not_at_all(office: Office) -> None:
    term = await office.term()
    await office.override("3")
    await office.active(term)
    assert await refused(office.register(term, new_people(3))) == FULL
    assert await active(office, term) == 1
    assert (await office.register(term, new_people(2))).registered == 2


async def test_two_confirmations_for_the_last_seat(office: Office) -> None:
    term = await office.term()
    await office.override("2")
    await office.active(term)
    candidates = [await office.vetted(term) for _ in range(4)]
    outcomes = await asyncio.gather(*(office.confirm(name) for name in candidates), return_exceptions=True)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(refusals) == 3
    for refusal in refusals:
        assert await refused(_raise(refusal)) == FULL
    assert await active(office, term) == 2


async def test_a_confirmation_and_a_registration_for_the_last_seats(office: Office) -> None:
    term = await office.term()
    await office.override("2")
    name = await office.vetted(term)
    outcomes = await asyncio.gather(office.confirm(name), office.register(term, new_people(2)), return_exceptions=True)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(refusals) == 1
    assert await refused(_raise(refusals[0])) == FULL
    assert await active(office, term) in (1, 2)


async def test_each_confirmation_is_judged_by_the_rule_of_its_day(office: Office) -> None:
    term = await office.term()
    before = (await office.confirm(await office.vetted(term), in_days(-1))).rule_version
    changed = await office.override("1")
    assert changed.version == f"{before}+r1"
    assert await refused(office.confirm(await office.vetted(term))) == FULL
    yesterday = await office.register(term, new_people(1), in_days(-1))
    assert yesterday.rule_version == before
    await office.override("3")
    assert (await office.confirm(await office.vetted(term))).rule_version == f"{before}+r2"


async def test_an_override_of_tomorrow_does_not_hold_today(office: Office) -> None:
    term = await office.term()
    await office.override("1", in_days(1))
    for _ in range(2):
        await office.active(term)
    assert await active(office, term) == 2


async def _raise(refusal: BaseException) -> None:
    raise refusal
