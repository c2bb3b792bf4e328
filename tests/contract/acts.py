"""What the tests on acts of duty share: how one is recorded, and how it is read back."""

from datetime import date
from typing import Any

from quanyutong.registry.v1 import activities_pb2 as pb
from quanyutong.registry.v1 import performance_pb2
from tests.contract.office import Office, in_days, on

ATTENDANCE, SPEECH = pb.ACTIVITY_KIND_ATTENDANCE, pb.ACTIVITY_KIND_SPEECH
INSPECTION, CHECK = pb.ACTIVITY_KIND_INSPECTION, pb.ACTIVITY_KIND_LAW_ENFORCEMENT_CHECK
RECEPTION, OUTREACH = pb.ACTIVITY_KIND_RECEPTION, pb.ACTIVITY_KIND_POLICY_OUTREACH
PAPER = pb.ACTIVITY_KIND_BALLOT_PAPER_TAKEN
MEETING = "meetings/01970000-0000-7000-8000-000000000001"


async def delegates(office: Office, count: int = 1, term: str | None = None) -> list[str]:
    """Mandates in force for a year."""
    term = await office.term() if term is None else term
    names = [await office.vetted(term) for _ in range(count)]
    for name in names:
        await office.confirm(name, in_days(-365))
    return names


def entry(*mandates: str, kind: Any = INSPECTION, day: date | None = None, **fields: Any) -> pb.Activity:
    return pb.Activity(kind=kind, day=on(day or in_days(-1)), mandates=mandates, **fields)


async def record(office: Office, *mandates: str, **fields: Any) -> pb.Activity:
    recorded: pb.Activity = await office.call(
        "RecordActivity", pb.RecordActivityRequest(activity=entry(*mandates, **fields))
    )
    return recorded


async def record_all(office: Office, *entries: pb.Activity) -> pb.RecordActivitiesResponse:
    recorded: pb.RecordActivitiesResponse = await office.call(
        "RecordActivities", pb.RecordActivitiesRequest(activities=entries)
    )
    return recorded


async def withdraw(office: Office, name: str) -> pb.Activity:
    withdrawn: pb.Activity = await office.call(
        "WithdrawActivity", pb.WithdrawActivityRequest(name=name, reason="登记有误")
    )
    return withdrawn


async def read(office: Office, name: str) -> pb.Activity:
    found: pb.Activity = await office.call("GetActivity", pb.GetActivityRequest(name=name))
    return found


async def listed(office: Office, **filters: Any) -> list[str]:
    answer = await office.call("ListActivities", pb.ListActivitiesRequest(**filters))
    return [activity.name for activity in answer.activities]


async def performance(office: Office, mandate: str, **period: Any) -> performance_pb2.Performance:
    request = performance_pb2.GetPerformanceRequest(name=mandate, **period)
    found: performance_pb2.Performance = await office.call("GetPerformance", request)
    return found


async def totals(office: Office, **wanted: Any) -> list[performance_pb2.Performance]:
    answer = await office.call("ListPerformance", performance_pb2.ListPerformanceRequest(**wanted))
    return list(answer.performances)


def kinds(found: performance_pb2.Performance) -> dict[Any, int]:
    return {total.kind: total.person_times for total in found.kinds}
