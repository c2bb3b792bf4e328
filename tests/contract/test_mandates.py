"""Mandates (代表资格): recommended, vetted, confirmed or rejected, active, ended."""

from typing import Any

from chassis import clock
from quanyutong.registry.v1 import mandate_life_pb2 as life
from quanyutong.registry.v1 import mandates_pb2 as pb
from tests.contract.office import DEPUTY, RESIDENT, SIZE_MAX, Office, in_days, on
from tests.harness import refused

VERBS: dict[str, Any] = {
    "VetMandate": pb.VetMandateRequest(),
    "ConfirmMandate": pb.ConfirmMandateRequest(),
    "RejectMandate": pb.RejectMandateRequest(reason="材料不实"),
    "EndMandate": pb.EndMandateRequest(reason=pb.END_REASON_MOVED, remark="迁往外区"),
    "SuspendMandate": life.SuspendMandateRequest(reason="因刑事案件被羁押"),
    "ReinstateMandate": life.ReinstateMandateRequest(reason="案件撤销"),
}
# Where each verb leads from each state; what is not here is refused.
LEADS = {
    ("VetMandate", "RECOMMENDED"): "VETTED",
    ("RejectMandate", "RECOMMENDED"): "REJECTED",
    ("RejectMandate", "VETTED"): "REJECTED",
    ("ConfirmMandate", "VETTED"): "ACTIVE",
    ("EndMandate", "ACTIVE"): "ENDED",
    ("EndMandate", "SUSPENDED"): "ENDED",
    ("SuspendMandate", "ACTIVE"): "SUSPENDED",
    ("ReinstateMandate", "SUSPENDED"): "ACTIVE",
}
# How a mandate gets into each state.
PATHS = {
    "RECOMMENDED": (),
    "VETTED": ("VetMandate",),
    "ACTIVE": ("VetMandate", "ConfirmMandate"),
    "REJECTED": ("RejectMandate",),
    "SUSPENDED": ("VetMandate", "ConfirmMandate", "SuspendMandate"),
    "ENDED": ("VetMandate", "ConfirmMandate", "EndMandate"),
}


async def act(office: Office, verb: str, name: str, **fields: Any) -> pb.Mandate:
    request = type(VERBS[verb])(name=name, **fields)
    request.MergeFrom(VERBS[verb])
    saved: pb.Mandate = await office.call(verb, request)
    return saved


def state_of(mandate: pb.Mandate) -> str:
    return pb.MandateState.Name(mandate.state).removeprefix("MANDATE_STATE_")


async def test_each_verb_in_each_state(office: Office) -> None:
    term = await office.term()
    for state, path in PATHS.items():
        for verb in VERBS:
            name = await office.recommended(term)
            for step in path:
                await act(office, step, name)
            if leads_to := LEADS.get((verb, state)):
                assert state_of(await act(office, verb, name)) == leads_to
            else:
                assert await refused(act(office, verb, name)) == "ERROR_REASON_MANDATE_STATE_REFUSED"
                read = await office.call("GetMandate", pb.GetMandateRequest(name=name))
                assert state_of(read) == state


async def test_a_mandate_from_recommendation_to_end(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term)
    name = await office.recommended(term, person)
    first = await office.call("GetMandate", pb.GetMandateRequest(name=name))
    assert (first.person, first.term, first.capacity, first.recommender, first.etag) == (
        person,
        term,
        RESIDENT,
        "某社区居民委员会",
        '"1"',
    )
    await act(office, "VetMandate", name, etag='"1"')
    confirmed = await office.confirm(name, in_days(-10))
    assert (confirmed.active_from, confirmed.rule_version, confirmed.HasField("active_to")) == (
        on(in_days(-10)),
        "subdistrict_assembly.size_max@2015-01-01",
        False,
    )
    ended = await act(office, "EndMandate", name, active_to=on(in_days(-3)))
    assert (ended.active_to, ended.end_reason, ended.remark) == (on(in_days(-3)), pb.END_REASON_MOVED, "迁往外区")
    assert ended == await office.call("GetMandate", pb.GetMandateRequest(name=name))
    assert (ended.etag, ended.active_from) == ('"4"', on(in_days(-10)))


async def test_confirmation_and_end_are_of_today_unless_told(office: Office) -> None:
    name = await office.vetted(await office.term())
    assert (await office.confirm(name)).active_from == on(clock.today())
    assert (await act(office, "EndMandate", name)).active_to == on(clock.today())


async def test_dates_lie_in_the_term_and_not_in_the_future(office: Office) -> None:
    assembly = await office.assembly()
    term = (await office.open_term(assembly, start=in_days(-50), end=in_days(50))).name
    name = await office.vetted(term)
    for day in (in_days(-51), in_days(1)):
        assert await refused(office.confirm(name, day)) == "ERROR_REASON_MANDATE_DATE_REFUSED"
    await office.confirm(name, in_days(-50))
    for day in (in_days(-51), in_days(1)):
        assert await refused(act(office, "EndMandate", name, active_to=on(day))) == "ERROR_REASON_MANDATE_DATE_REFUSED"
    await act(office, "EndMandate", name, active_to=on(in_days(-50)))


async def test_rejection_keeps_its_reason(office: Office) -> None:
    name = await office.recommended(await office.term())
    assert (await act(office, "RejectMandate", name)).remark == "材料不实"


async def test_verb_on_what_another_has_changed_since(office: Office) -> None:
    name = await office.vetted(await office.term())
    for verb in ("ConfirmMandate", "RejectMandate"):
        assert await refused(act(office, verb, name, etag='"1"')) == "ERROR_REASON_ETAG_MISMATCH"
    assert state_of(await act(office, "ConfirmMandate", name, etag='"2"')) == "ACTIVE"
    assert await refused(act(office, "EndMandate", name, etag='"2"')) == "ERROR_REASON_ETAG_MISMATCH"


async def test_a_person_sits_in_several_assemblies_but_once_in_a_term(office: Office) -> None:
    of_subdistrict, of_congress = await office.term(), await office.term(await office.congress())
    person = await office.eligible(of_subdistrict)
    seats = [await office.active(of_subdistrict, person), await office.recommended(of_congress, person, DEPUTY)]
    assert await refused(office.recommended(of_subdistrict, person, DEPUTY)) == "ERROR_REASON_MANDATE_EXISTS"
    answer = await office.call("ListMandates", pb.ListMandatesRequest(person=person))
    assert [mandate.name for mandate in answer.mandates] == seats


async def test_who_was_rejected_or_has_left_may_be_recommended_again(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term)
    await act(office, "RejectMandate", await office.recommended(term, person))
    await act(office, "EndMandate", await office.active(term, person))
    await office.active(term, person)


async def test_list_narrows_by_assembly_person_state_and_capacity(office: Office) -> None:
    term, congress = await office.term(), await office.term(await office.congress())
    person = await office.eligible(term)
    vetted, active = await office.vetted(term), await office.active(term, person)
    deputy = await office.recommended(congress, person, DEPUTY)
    assembly = term.partition("/terms/")[0]

    async def names(**filters: Any) -> list[str]:
        answer = await office.call("ListMandates", pb.ListMandatesRequest(**filters))
        return [mandate.name for mandate in answer.mandates]

    assert await names() == [vetted, active, deputy]
    assert await names(assembly=assembly) == [vetted, active]
    assert await names(term=term) == [vetted, active]
    assert await names(term=f"{assembly}/terms/9") == []
    assert await names(person=person) == [active, deputy]
    assert await names(states=[pb.MANDATE_STATE_ACTIVE, pb.MANDATE_STATE_RECOMMENDED]) == [active, deputy]
    assert await names(capacities=[DEPUTY]) == [deputy]
    assert await names(assembly=assembly, capacities=[DEPUTY]) == []


async def test_seats_of_a_congress_have_no_limit_here(office: Office) -> None:
    await office.override("1", rule=SIZE_MAX)
    term = await office.term(await office.congress())
    for _ in range(2):
        assert (await office.confirm(await office.vetted(term))).rule_version == ""
