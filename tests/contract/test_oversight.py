"""Oversight groups (监督小组) of a subdistrict assembly."""

import asyncio
from datetime import date

from chassis import clock
from quanyutong.registry.v1 import events_pb2, mandates_pb2
from quanyutong.registry.v1 import oversight_pb2 as pb
from tests.contract.heard import heard
from tests.contract.office import INDUSTRY, Office, in_days, on
from tests.harness import refused

TOPICS = pb.OversightTopic.values()[1:]
GROUPS = "rules/subdistrict_assembly.oversight_groups"
Members = dict[str, bool]


async def read(office: Office, group: str, day: date | None = None) -> pb.OversightGroup:
    request = pb.GetOversightGroupRequest(name=group, as_of=on(day) if day else None)
    found: pb.OversightGroup = await office.call("GetOversightGroup", request)
    return found


async def members(office: Office, group: str, days: int = 0) -> Members:
    """Who is in it on a day, and whether they lead it."""
    found = await read(office, group, in_days(days))
    return {member.mandate: member.leader for member in found.members}


async def delegates(office: Office, term: str, count: int) -> list[str]:
    return [await office.delegate(term) for _ in range(count)]


async def test_each_term_forms_each_of_the_four_once(office: Office) -> None:
    assembly = await office.assembly()
    term = await office.term(assembly)
    groups = [await office.oversight_group(term, topic) for topic in TOPICS]
    assert len(groups) == 4
    for topic in TOPICS:
        assert await refused(office.oversight_group(term, topic)) == "ERROR_REASON_DUTY_EXISTS"
    found = await read(office, groups[0])
    assert (found.term, found.topic, found.start_date, list(found.members), found.rule_version) == (
        term,
        INDUSTRY,
        on(in_days(-200)),
        [],
        "subdistrict_assembly.oversight_groups@2015-01-01",
    )
    following = await office.open_term(assembly, 2, in_days(700), in_days(1400))
    await office.oversight_group(following.name, INDUSTRY, in_days(700))


async def test_of_two_at_the_same_moment_one_is_formed(office: Office) -> None:
    term = await office.term()
    attempts = [office.oversight_group(term) for _ in range(4)]
    formed = [each for each in await asyncio.gather(*attempts, return_exceptions=True) if isinstance(each, str)]
    answer = await office.call("ListOversightGroups", pb.ListOversightGroupsRequest(term=term))
    assert [group.name for group in answer.oversight_groups] == formed
    assert len(formed) == 1


async def test_a_district_with_fewer_groups(office: Office) -> None:
    await office.override("1", rule=GROUPS)
    term = await office.term()
    group = await office.oversight_group(term, TOPICS[0], clock.today())
    assert (await read(office, group)).rule_version == "subdistrict_assembly.oversight_groups@2015-01-01+r1"
    second = office.oversight_group(term, TOPICS[1], clock.today())
    assert await refused(second) == "ERROR_REASON_OVERSIGHT_GROUPS_COMPLETE"


async def test_a_group_is_formed_within_its_term(office: Office) -> None:
    term = await office.term()
    for days in (-701, 700):
        early = office.oversight_group(term, day=in_days(days))
        assert await refused(early) == "ERROR_REASON_DUTY_DATE_REFUSED"
    await office.oversight_group(term, day=in_days(-700))


async def test_members_of_a_day(office: Office) -> None:
    term = await office.term()
    group, (one, other) = await office.oversight_group(term), await delegates(office, term, 2)
    await office.join(group, one, in_days(-100))
    await office.join(group, other, in_days(-50))
    left = await office.leave(group, one, in_days(-20))
    assert [member.mandate for member in left.members] == [other]
    by_day = {days: list(await members(office, group, days)) for days in (-101, -100, -50, -21, -20)}
    assert by_day == {-101: [], -100: [one], -50: [one, other], -21: [one, other], -20: [other]}
    await office.join(group, one, in_days(-10))
    assert await refused(office.join(group, one)) == "ERROR_REASON_DUTY_EXISTS"
    (first, again) = (await read(office, group)).members
    assert (first.mandate, again.mandate, again.start_date) == (other, one, on(in_days(-10)))


async def test_one_leader_at_a_time(office: Office) -> None:
    term = await office.term()
    group, (one, other) = await office.oversight_group(term), await delegates(office, term, 2)
    for name in (one, other):
        await office.join(group, name, in_days(-100))
    await office.lead(group, one, in_days(-60))
    led = await office.lead(group, other, in_days(-30))
    assert [member.mandate for member in led.members if member.leader] == [other]
    by_day = {days: await members(office, group, days) for days in (-61, -60, -31, -30)}
    assert by_day == {
        -61: {one: False, other: False},
        -60: {one: True, other: False},
        -31: {one: True, other: False},
        -30: {one: False, other: True},
    }
    assert await refused(office.lead(group, other)) == "ERROR_REASON_DUTY_EXISTS"
    assert await refused(office.lead(group, one, in_days(-31))) == "ERROR_REASON_DUTY_DATE_REFUSED"
    await office.lead(group, one)
    assert await members(office, group) == {one: True, other: False}


async def test_of_two_leaders_at_the_same_moment_one_leads(office: Office) -> None:
    term = await office.term()
    group, names = await office.oversight_group(term), await delegates(office, term, 3)
    for name in names:
        await office.join(group, name, in_days(-100))
    await asyncio.gather(*(office.lead(group, name) for name in names), return_exceptions=True)
    assert sum((await members(office, group)).values()) == 1


async def test_a_leader_is_a_member_and_leaves_as_one(office: Office) -> None:
    term = await office.term()
    group, (one, other) = await office.oversight_group(term), await delegates(office, term, 2)
    assert await refused(office.lead(group, one)) == "ERROR_REASON_DUTY_NOT_FOUND"
    await office.join(group, one, in_days(-10))
    assert await refused(office.lead(group, one, in_days(-11))) == "ERROR_REASON_DUTY_DATE_REFUSED"
    await office.lead(group, one, in_days(-10))
    await office.leave(group, one, in_days(-5))
    assert await refused(office.leave(group, one)) == "ERROR_REASON_DUTY_NOT_FOUND"
    await office.join(group, other, in_days(-5))
    await office.lead(group, other, in_days(-5))
    assert await members(office, group, -6) == {one: True}
    assert await members(office, group) == {other: True}


async def test_members_are_delegates_of_the_same_term(office: Office) -> None:
    first = await office.term(await office.assembly(await office.unit(1)))
    second = await office.term(await office.assembly(await office.unit(2)))
    group = await office.oversight_group(first)
    elsewhere = await office.delegate(second)
    assert await refused(office.join(group, elsewhere)) == "ERROR_REASON_MANDATE_NOT_ACTIVE"
    assert await refused(office.join(group, await office.vetted(first))) == "ERROR_REASON_MANDATE_NOT_ACTIVE"
    late = await office.delegate(first)
    for days in (-201, 700):
        assert await refused(office.join(group, late, in_days(days))) == "ERROR_REASON_DUTY_DATE_REFUSED"
    await office.join(group, late, in_days(-200))


async def test_seat_and_lead_end_with_the_mandate(office: Office) -> None:
    term = await office.term()
    group, (one, other) = await office.oversight_group(term), await delegates(office, term, 2)
    for name in (one, other):
        await office.join(group, name, in_days(-100))
    await office.lead(group, one, in_days(-50))
    day = on(in_days(-5))
    request = mandates_pb2.EndMandateRequest(name=one, reason=mandates_pb2.END_REASON_DEATH, active_to=day)
    await office.call("EndMandate", request)
    assert await members(office, group, -6) == {one: True, other: False}
    assert await members(office, group) == {other: False}
    await office.lead(group, other)
    (formed,) = await heard(office, events_pb2.OversightGroupFormed, 1)
    assert (formed.group, formed.term, formed.topic) == (group, term, INDUSTRY)
    told = await heard(office, events_pb2.OversightMemberChanged, 3)
    assert [(each.mandate, each.end_date) for each in told if each.mandate == one][1:] == [(one, day)]
    leaders = await heard(office, events_pb2.OversightLeaderChanged, 3)
    assert [(each.group, each.mandate, each.end_date) for each in leaders] == [
        (group, one, on(in_days(700))),
        (group, one, day),
        (group, other, on(in_days(700))),
    ]


async def test_groups_of_a_term_with_the_members_of_a_day(office: Office) -> None:
    first = await office.term(await office.assembly(await office.unit(1)))
    second = await office.term(await office.assembly(await office.unit(2)))
    groups = [await office.oversight_group(first, topic) for topic in TOPICS[:2]]
    other = await office.oversight_group(second)
    member = await office.delegate(first)
    await office.join(groups[1], member, in_days(-10))

    async def listed(days: int = 0, term: str = "") -> dict[str, list[str]]:
        request = pb.ListOversightGroupsRequest(term=term, as_of=on(in_days(days)))
        answer = await office.call("ListOversightGroups", request)
        return {group.name: [each.mandate for each in group.members] for group in answer.oversight_groups}

    assert await listed() == {groups[0]: [], groups[1]: [member], other: []}
    assert await listed(term=first) == {groups[0]: [], groups[1]: [member]}
    assert await listed(-11, first) == {groups[0]: [], groups[1]: []}
