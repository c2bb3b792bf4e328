"""What the registry records because another service told it."""

from chassis.database import WriteTx
from chassis.manifest import Event
from chassis.wire import identifier, read_date
from quanyutong.ballots.v1 import events_pb2 as ballots
from quanyutong.meetings.v1 import events_pb2
from services.registry.counting import Act
from services.registry.domain import Refused
from services.registry.recording import record_from_event


async def attended(tx: WriteTx, event: events_pb2.AttendanceRecorded, origin: Event) -> None:
    """All who came to a meeting took part in one activity, on the day on which it was convened.

    That somebody left again is not told, and changes nothing: who was there attended.
    """
    await _took_part(tx, "attendance", event, origin)


async def spoke(tx: WriteTx, event: events_pb2.SpeechGiven, origin: Event) -> None:
    """All who spoke at a meeting on a day took part in one activity: a delegate's speeches there count as one."""
    await _took_part(tx, "speech", event, origin)


async def _took_part(
    tx: WriteTx, kind: str, event: events_pb2.AttendanceRecorded | events_pb2.SpeechGiven, origin: Event
) -> None:
    """The roll is frozen when the meeting is convened; whose mandate is found to have ended by then is left out, and
    the audit has a note of it.
    """
    day = read_date(event, "day")
    if day is None:
        raise ValueError(f"{kind} without a day")
    act = Act(kind=kind, day=day, mandates=(identifier(event.mandate),), source=event.meeting)
    try:
        await record_from_event(tx, origin.type, act)
    except Refused as refused:
        if refused.reason != "MANDATE_NOT_IN_FORCE":
            raise
        tx.note(f"not counted while not in force: {kind} {day} {event.meeting}", event.mandate)


async def papers_taken(tx: WriteTx, event: ballots.PapersTaken, origin: Event) -> None:
    """All who had a paper of a poll, on the day on which it was opened. That is all that is ever known of a vote."""
    day = read_date(event, "day")
    if day is None:
        raise ValueError("papers without a day")
    mandates = tuple(identifier(holder.mandate) for holder in event.holders)
    await record_from_event(
        tx, origin.type, Act(kind="ballot_paper_taken", day=day, mandates=mandates, source=event.poll)
    )
