"""What the registry records because another service told it."""

from chassis.database import WriteTx
from chassis.manifest import Event
from chassis.wire import identifier, read_date
from quanyutong.ballots.v1 import events_pb2 as ballots
from quanyutong.meetings.v1 import events_pb2
from services.registry.counting import Act
from services.registry.recording import record_from_event


async def attended(tx: WriteTx, event: events_pb2.AttendanceRecorded, origin: Event) -> None:
    """All who came to a meeting took part in one activity, on the day on which it was convened."""
    day = read_date(event, "day")
    if day is None:
        raise ValueError("an attendance without a day")
    act = Act(kind="attendance", day=day, mandates=(identifier(event.mandate),), source=event.meeting)
    await record_from_event(tx, origin.type, act)


async def papers_taken(tx: WriteTx, event: ballots.PapersTaken, origin: Event) -> None:
    """All who had a paper of a poll, on the day on which it was opened. That is all that is ever known of a vote."""
    day = read_date(event, "day")
    if day is None:
        raise ValueError("papers without a day")
    mandates = tuple(identifier(holder.mandate) for holder in event.holders)
    await record_from_event(
        tx, origin.type, Act(kind="ballot_paper_taken", day=day, mandates=mandates, source=event.poll)
    )
