"""What the registry records because another service told it."""

from chassis.database import WriteTx
from chassis.manifest import Event
from chassis.wire import identifier, read_date
from quanyutong.meetings.v1 import events_pb2
from services.registry.counting import Act
from services.registry.recording import record_from_event


async def attended(tx: WriteTx, event: events_pb2.AttendanceRecorded, origin: Event) -> None:
    """All who came to a meeting took part in one activity, on the day on which it was convened."""
    await _took_part(tx, "attendance", event, origin)


async def spoke(tx: WriteTx, event: events_pb2.SpeechGiven, origin: Event) -> None:
    """All who spoke at a meeting on a day took part in one activity: a delegate's speeches there count as one."""
    await _took_part(tx, "speech", event, origin)


async def _took_part(
    tx: WriteTx, kind: str, event: events_pb2.AttendanceRecorded | events_pb2.SpeechGiven, origin: Event
) -> None:
    day = read_date(event, "day")
    if day is None:
        raise ValueError(f"{kind} without a day")
    act = Act(kind=kind, day=day, mandates=(identifier(event.mandate),), source=event.meeting)
    await record_from_event(tx, origin.type, act)
