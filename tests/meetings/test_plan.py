"""What is owed and the annual plan, from the rules to the meetings that they become."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from chassis import clock, tenancy
from chassis.bus import Bus
from chassis.database import Database
from chassis.manifest import subject_of
from chassis.migrations import runtime_url
from chassis.vault import Vault
from chassis.working_days import is_provisional, is_working_day
from quanyutong.meetings.v1 import events_pb2
from quanyutong.meetings.v1 import meeting_pb2 as meetings
from quanyutong.meetings.v1 import plan_pb2 as pb
from services.meetings.telling import tell_counts
from tests.contract.heard import WITHIN
from tests.contract.office import HOUSE, STATION
from tests.harness import refused, until
from tests.meetings.annual import (
    PLAN,
    YEAR,
    accept,
    assembly_for_years,
    congress_for_years,
    day,
    known,
    local,
    owed,
    planned,
    proposals,
)
from tests.meetings.secretariat import Secretariat

PREFIX = "ERROR_REASON_"
VAULT = Vault([bytes(32)])


# --- what is owed


async def test_a_station_and_an_assembly_owe_what_the_rules_say(secretariat: Secretariat) -> None:
    assembly = await assembly_for_years(secretariat)
    station = await secretariat.station(await secretariat.unit(2), STATION)
    found = await known(secretariat, 12)
    assert Counter((each.body, each.kind) for each in found) == {
        (assembly, pb.OBLIGATION_KIND_ASSEMBLY_MEETING): 2,
        (station, pb.OBLIGATION_KIND_RECEPTION_DAY): 6,
        (station, pb.OBLIGATION_KIND_SYMPOSIUM): 4,
    }
    assert [day(each.due_date) for each in found] == sorted(day(each.due_date) for each in found)
    assert {each.state for each in found} == {pb.OBLIGATION_STATE_DUE}
    assert {each.provisional for each in found} == {is_provisional(YEAR)}
    reception = next(each for each in found if each.kind == pb.OBLIGATION_KIND_RECEPTION_DAY)
    assert day(reception.due_date) - day(reception.notice_date) == timedelta(days=3)
    assert reception.rule_versions[0] == "stations_and_voice.reception_months@2015-01-01"
    one = await secretariat.meet("GetObligation", pb.GetObligationRequest(name=reception.name))
    assert one == reception


async def test_obligations_are_filtered_and_come_in_pages(secretariat: Secretariat) -> None:
    house, station = [
        await secretariat.station(await secretariat.unit(n), kind) for n, kind in ((1, HOUSE), (2, STATION))
    ]
    everything = await known(secretariat, 18)
    assert {each.body for each in await owed(secretariat, body=house)} == {house}
    assert len(await owed(secretariat, body=station, kind=pb.OBLIGATION_KIND_SYMPOSIUM)) == 4
    assert await owed(secretariat, body=station.replace("stations", "assemblies")) == []
    assert await owed(secretariat, state=pb.OBLIGATION_STATE_PLANNED) == []
    paged: list[pb.Obligation] = []
    request = pb.ListObligationsRequest(year=YEAR, page_size=5)
    while not paged or request.page_token:
        page = await secretariat.meet("ListObligations", request)
        paged += page.obligations
        request.page_token = page.next_page_token
    assert paged == everything


async def test_the_districts_own_rules_count_from_their_day(secretariat: Secretariat) -> None:
    await secretariat.station(await secretariat.unit(), STATION)
    await known(secretariat, 10)
    await secretariat.override("1 months", rule="rules/stations_and_voice.station_symposium_every")
    found = await known(secretariat, 18)
    version = "stations_and_voice.station_symposium_every@2015-01-01+r1"
    assert sum(version in each.rule_versions for each in found) == 12


async def test_a_meeting_that_is_held_fulfils_what_is_owed(secretariat: Secretariat) -> None:
    """Of this year, since no meeting is held before its day."""
    station = await secretariat.station(await secretariat.unit(), STATION)
    kind = meetings.MEETING_KIND_SYMPOSIUM
    made = await secretariat.meeting(station, datetime.now(clock.SHANGHAI), kind=kind)

    async def standing() -> pb.Obligation:
        request = pb.ListObligationsRequest(body=station, kind=pb.OBLIGATION_KIND_SYMPOSIUM, page_size=500)
        found = (await secretariat.meet("ListObligations", request)).obligations
        current: pb.Obligation = next(
            each for each in found if day(each.window_start) <= clock.today() <= day(each.due_date)
        )
        return current

    assert ((await standing()).state, (await standing()).meeting) == (pb.OBLIGATION_STATE_PLANNED, made.name)
    await secretariat.do("Convene", made.name)
    assert (await standing()).state == pb.OBLIGATION_STATE_PLANNED
    await secretariat.do("Adjourn", made.name)
    assert (await standing()).state == pb.OBLIGATION_STATE_FULFILLED


# --- the plan


async def test_a_plan_keeps_windows_and_working_days_and_the_same_plan_stays(secretariat: Secretariat) -> None:
    await assembly_for_years(secretariat)
    await secretariat.station(await secretariat.unit(2), STATION)
    windows = {each.name: (day(each.window_start), day(each.due_date)) for each in await known(secretariat, 12)}
    plan = await planned(secretariat)
    assert (plan.name, plan.proposed, plan.accepted, plan.unplaced, plan.revision) == (PLAN, 12, 0, 0, 1)
    assert plan.provisional == is_provisional(YEAR)
    assert plan.rule_versions[0] == "planning.assembly_meetings_a_day_max@2015-01-01"
    found = await proposals(secretariat)
    assert {each.obligation for each in found} == windows.keys()
    for each in found:
        first, last = windows[each.obligation]
        assert first <= day(each.day) <= last
        assert is_working_day(day(each.day))
        assert local(each.start_time).date() == day(each.day)
        assert local(each.start_time).strftime("%H:%M") in ("09:00", "14:30")
    again = await planned(secretariat)
    assert (again.proposed, again.revision) == (12, 2)
    assert await proposals(secretariat) == found
    assert await secretariat.meet("GetPlan", pb.GetPlanRequest(name=PLAN)) == again


async def test_accepting_makes_the_meeting_and_planning_leaves_it(secretariat: Secretariat) -> None:
    assembly = await assembly_for_years(secretariat)
    await known(secretariat, 2)
    await planned(secretariat)
    first, second = await proposals(secretariat)
    accepted = await accept(secretariat, first, etag=first.etag)
    assert accepted.state == pb.PROPOSAL_STATE_ACCEPTED
    made = await secretariat.meet("GetMeeting", meetings.GetMeetingRequest(name=accepted.meeting))
    assert (made.body, made.kind) == (assembly, meetings.MEETING_KIND_ASSEMBLY)
    assert (made.start_time, made.end_time) == (first.start_time, first.end_time)
    (obligation,) = await owed(secretariat, state=pb.OBLIGATION_STATE_PLANNED)
    assert (obligation.name, obligation.meeting) == (first.obligation, made.name)
    again = await planned(secretariat)
    assert (again.proposed, again.accepted) == (1, 1)
    assert await proposals(secretariat) == [accepted, second]
    assert await refused(accept(secretariat, accepted)) == f"{PREFIX}PROPOSAL_STATE_REFUSED"
    stale = accept(secretariat, second, etag='"99"')
    assert await refused(stale) == f"{PREFIX}ETAG_MISMATCH"


async def test_what_is_cancelled_is_due_again_and_planned_anew(secretariat: Secretariat) -> None:
    await assembly_for_years(secretariat)
    await known(secretariat, 2)
    await planned(secretariat)
    accepted = await accept(secretariat, (await proposals(secretariat))[0])
    await secretariat.do("Cancel", accepted.meeting, reason="防汛")
    assert len(await owed(secretariat, state=pb.OBLIGATION_STATE_DUE)) == 2
    assert (await planned(secretariat)).proposed == 2


async def test_many_are_accepted_some_at_a_time(secretariat: Secretariat) -> None:
    for number in (1, 2):
        await secretariat.station(await secretariat.unit(number), STATION)
    await known(secretariat, 20)
    await planned(secretariat)
    receptions = pb.OBLIGATION_KIND_RECEPTION_DAY
    request = pb.AcceptProposalsRequest(parent=PLAN, kind=receptions, limit=5)
    first = await secretariat.meet("AcceptProposals", request)
    assert (first.accepted, first.remaining, list(first.overtaken)) == (5, 7, [])
    request.limit = 0
    rest = await secretariat.meet("AcceptProposals", request)
    assert (rest.accepted, rest.remaining) == (7, 0)
    found = await proposals(secretariat, state=pb.PROPOSAL_STATE_ACCEPTED)
    assert Counter(each.kind for each in found) == {receptions: 12}
    assert (await secretariat.meet("AcceptProposals", pb.AcceptProposalsRequest(parent=PLAN))).accepted == 8
    assert await owed(secretariat, state=pb.OBLIGATION_STATE_DUE) == []


async def test_receptions_of_a_delegate_of_two_stations_run_side_by_side(secretariat: Secretariat) -> None:
    mandate = await secretariat.delegate()
    for number in (51, 52):
        await secretariat.assigned(await secretariat.station(await secretariat.unit(number), STATION), mandate)

    async def heard_of_both() -> bool:
        found = await owed(secretariat, kind=pb.OBLIGATION_KIND_RECEPTION_DAY)
        return len(found) == 12

    await until(heard_of_both)
    plan = await planned(secretariat)
    assert plan.unplaced == 0
    answer = await secretariat.meet(
        "AcceptProposals", pb.AcceptProposalsRequest(parent=PLAN, kind=pb.OBLIGATION_KIND_RECEPTION_DAY)
    )
    assert (answer.accepted, list(answer.overtaken)) == (12, [])


async def test_a_rejected_day_is_not_proposed_again(secretariat: Secretariat) -> None:
    await assembly_for_years(secretariat)
    await known(secretariat, 2)
    await planned(secretariat)
    first, _ = await proposals(secretariat)
    request = pb.RejectProposalRequest(name=first.name, reason="主要领导外出", etag=first.etag)
    rejected = await secretariat.meet("RejectProposal", request)
    assert (rejected.state, rejected.reject_reason) == (pb.PROPOSAL_STATE_REJECTED, "主要领导外出")
    again = await planned(secretariat)
    assert (again.proposed, again.rejected) == (2, 1)
    (other,) = [
        each
        for each in await proposals(secretariat, state=pb.PROPOSAL_STATE_PROPOSED)
        if each.obligation == first.obligation
    ]
    assert other.day != first.day


async def test_a_body_meets_where_it_met_last(secretariat: Secretariat) -> None:
    assembly, venue = await assembly_for_years(secretariat), await secretariat.venue()
    await known(secretariat, 2)
    await secretariat.meeting(assembly, datetime.now(clock.SHANGHAI) + timedelta(days=2), venue=venue)
    await planned(secretariat)
    assert {each.venue for each in await proposals(secretariat)} == {venue}


async def test_a_proposal_whose_meeting_was_entered_by_hand_is_overtaken(secretariat: Secretariat) -> None:
    assembly = await assembly_for_years(secretariat)
    await known(secretariat, 2)
    await planned(secretariat)
    first, second = await proposals(secretariat)
    by_hand = local(first.start_time) + timedelta(days=1)
    await secretariat.meeting(assembly, by_hand)
    assert await refused(accept(secretariat, first)) == f"{PREFIX}PROPOSAL_OVERTAKEN"
    answer = await secretariat.meet("AcceptProposals", pb.AcceptProposalsRequest(parent=PLAN))
    assert (answer.accepted, answer.remaining, list(answer.overtaken)) == (1, 0, [first.name])
    assert (await proposals(secretariat, state=pb.PROPOSAL_STATE_OVERTAKEN))[0].name == first.name
    again = await planned(secretariat)
    assert (again.proposed, again.accepted, again.unplaced) == (0, 1, 0)
    assert [each.obligation for each in await proposals(secretariat)] == [second.obligation]


async def test_one_whose_venue_is_taken_since_is_overtaken_and_the_rest_is_accepted(secretariat: Secretariat) -> None:
    first, other, venue = [
        await assembly_for_years(secretariat, 1),
        await assembly_for_years(secretariat, 2),
        await secretariat.venue(),
    ]
    await known(secretariat, 4)
    soon = datetime.now(clock.SHANGHAI) + timedelta(days=2)
    await secretariat.meeting(first, soon, venue=venue)
    await planned(secretariat)
    mine = await proposals(secretariat, body=first)
    assert {each.venue for each in mine} == {venue}
    taken = meetings.MEETING_KIND_CONSULTATION
    await secretariat.meeting(other, local(mine[0].start_time), venue=venue, kind=taken)
    answer = await secretariat.meet("AcceptProposals", pb.AcceptProposalsRequest(parent=PLAN))
    assert (answer.accepted, list(answer.overtaken)) == (3, [mine[0].name])
    again = await planned(secretariat)
    assert (again.proposed, again.accepted) == (1, 3)
    moved = (await proposals(secretariat, state=pb.PROPOSAL_STATE_PROPOSED))[0]
    assert (moved.name, moved.day == mine[0].day) == (mine[0].name, False)


async def test_a_mid_year_meeting_needs_its_form(secretariat: Secretariat) -> None:
    await congress_for_years(secretariat)
    await known(secretariat, 2)
    await planned(secretariat)
    (midyear,) = await proposals(secretariat, kind=pb.OBLIGATION_KIND_MIDYEAR_MEETING)
    assert await refused(accept(secretariat, midyear)) == f"{PREFIX}FORM_REFUSED"
    everything = pb.AcceptProposalsRequest(parent=PLAN)
    assert await refused(secretariat.meet("AcceptProposals", everything)) == f"{PREFIX}FORM_REFUSED"
    accepted = await accept(secretariat, midyear, form=meetings.MEETING_FORM_SPECIAL_REPORT)
    made = await secretariat.meet("GetMeeting", meetings.GetMeetingRequest(name=accepted.meeting))
    assert (made.kind, made.form) == (meetings.MEETING_KIND_MID_YEAR, meetings.MEETING_FORM_SPECIAL_REPORT)
    session = await secretariat.meet("AcceptProposals", everything)
    assert session.accepted == 1


async def test_where_no_time_is_left_the_plan_says_why(secretariat: Secretariat) -> None:
    await assembly_for_years(secretariat)
    await secretariat.override("30 days", rule="rules/subdistrict_assembly.meeting_length_min")
    await known(secretariat, 2)

    async def heard_of_the_rule() -> bool:
        return all(any(version.endswith("+r1") for version in each.rule_versions) for each in await owed(secretariat))

    await until(heard_of_the_rule)
    plan = await planned(secretariat)
    (count,) = plan.unplaced_counts
    assert (plan.proposed, plan.unplaced, count.meetings) == (0, 2, 2)
    assert count.reason == pb.UNPLACED_REASON_NO_WORKING_DAYS
    found = await proposals(secretariat, state=pb.PROPOSAL_STATE_UNPLACED)
    assert all(not each.HasField("start_time") and not each.HasField("day") for each in found)
    assert await refused(accept(secretariat, found[0])) == f"{PREFIX}PROPOSAL_STATE_REFUSED"


async def test_each_mutation_is_answered_again_with_the_first_answer(secretariat: Secretariat) -> None:
    for number in (1, 2):
        await assembly_for_years(secretariat, number)
    await known(secretariat, 4)
    await planned(secretariat)
    first, second, *_ = await proposals(secretariat)
    requests: dict[str, Any] = {
        "AcceptProposal": pb.AcceptProposalRequest(name=first.name),
        "RejectProposal": pb.RejectProposalRequest(name=second.name, reason="改期"),
        "PlanYear": pb.PlanYearRequest(year=YEAR),
        "AcceptProposals": pb.AcceptProposalsRequest(parent=PLAN),
    }
    answers = {}
    for rpc, request in requests.items():
        request.request_id = str(uuid4())
        answers[rpc] = await secretariat.meet(rpc, request)
    assert {rpc: await secretariat.meet(rpc, request) for rpc, request in requests.items()} == answers
    assert (await secretariat.meet("GetPlan", pb.GetPlanRequest(name=PLAN))).revision == 2


# --- what the city hears


@pytest.fixture
async def database(secretariat: Secretariat) -> AsyncIterator[Database]:
    platform = secretariat.tenant.platform
    settings = platform.settings.model_copy(update={"database_url": SecretStr(platform.postgres.url)})
    made = Database(runtime_url(settings, "meetings"), "meetings", 2, 30)
    yield made
    await made.close()


Counts = Counter[tuple[int, int]]


async def told_until(secretariat: Secretariat, key: tuple[int, int]) -> list[Counts]:
    """What was told of the present year, up to the first time that there is something of this kind and state."""
    bus = await Bus.connect(secretariat.tenant.platform.nats.url, "test")
    told: list[Counts] = []
    try:
        subject = subject_of(events_pb2.ObligationsCounted.DESCRIPTOR.full_name, secretariat.district)
        subscription = await bus.js.subscribe(subject, ordered_consumer=True)
        while not told or not told[-1][key]:
            event = events_pb2.ObligationsCounted.FromString((await subscription.next_msg(WITHIN)).data)
            if event.year == clock.today().year:
                told.append(Counter({(each.kind, each.state): each.obligations for each in event.counts}))
    finally:
        await bus.close()
    return told


async def test_counts_are_told_once_for_each_change(secretariat: Secretariat, database: Database) -> None:
    station = await secretariat.station(await secretariat.unit(), STATION)
    await known(secretariat, 10)
    with tenancy.acting_for(secretariat.district):
        await tell_counts(database, VAULT)
        await tell_counts(database, VAULT)
        await secretariat.meeting(station, datetime.now(clock.SHANGHAI), kind=meetings.MEETING_KIND_SYMPOSIUM)
        await tell_counts(database, VAULT)
    told = await told_until(secretariat, (pb.OBLIGATION_KIND_SYMPOSIUM, pb.OBLIGATION_STATE_PLANNED))
    assert [sum(counts.values()) for counts in told] == [10] * len(told)
    assert all(before != after for before, after in pairwise(told))
    assert len(told) >= 2  # the platform's own round may have come in between
