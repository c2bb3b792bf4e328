"""Oversight groups, and who attends by right."""

from quanyutong.registry.v1 import attendance_pb2, oversight_pb2
from tests.contract.office import INDUSTRY, NOBODY, Office, in_days, on
from tests.contract.refusals import refused_with


@refused_with("DUTY_NOT_FOUND")
async def oversight_group_that_is_not_there(office: Office) -> None:
    request = oversight_pb2.GetOversightGroupRequest(name=f"oversightGroups/{NOBODY}")
    await office.call("GetOversightGroup", request)


@refused_with("DUTY_NOT_FOUND")
async def leader_who_is_no_member(office: Office) -> None:
    term = await office.term()
    await office.lead(await office.oversight_group(term), await office.delegate(term))


@refused_with("DUTY_NOT_FOUND")
async def leaving_without_having_joined(office: Office) -> None:
    term = await office.term()
    await office.leave(await office.oversight_group(term), await office.delegate(term))


@refused_with("DUTY_EXISTS")
async def oversight_group_twice(office: Office) -> None:
    term = await office.term()
    await office.oversight_group(term)
    await office.oversight_group(term)


@refused_with("TERM_NOT_FOUND")
async def oversight_group_of_no_term(office: Office) -> None:
    await office.oversight_group(f"assemblies/{NOBODY}/terms/1")


@refused_with("SUBDISTRICT_ASSEMBLY_NEEDED")
async def oversight_group_of_a_congress(office: Office) -> None:
    await office.oversight_group(await office.term(await office.congress()))


@refused_with("SUBDISTRICT_ASSEMBLY_NEEDED")
async def attendees_of_a_congress(office: Office) -> None:
    await office.call("ListAttendees", attendance_pb2.ListAttendeesRequest(parent=await office.congress()))


@refused_with("ASSEMBLY_NOT_FOUND")
async def attendees_of_no_assembly(office: Office) -> None:
    await office.call("ListAttendees", attendance_pb2.ListAttendeesRequest(parent=f"assemblies/{NOBODY}"))


@refused_with("RULE_NOT_FOUND")
async def attendees_before_the_rules(office: Office) -> None:
    request = attendance_pb2.ListAttendeesRequest(parent=await office.assembly(), as_of=on("2014-12-31"))
    await office.call("ListAttendees", request)


@refused_with("OVERSIGHT_GROUPS_COMPLETE")
async def more_groups_than_the_district_has(office: Office) -> None:
    await office.override("0", rule="rules/subdistrict_assembly.oversight_groups")
    await office.oversight_group(await office.term(), INDUSTRY, in_days(0))
