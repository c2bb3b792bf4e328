"""What the registry records because another service told it."""

from dataclasses import replace

from chassis.database import WriteTx
from chassis.manifest import Event
from chassis.wire import identifier, read_date
from quanyutong.ballots.v1 import events_pb2 as ballots
from quanyutong.feedback.v1 import events_pb2 as feedback
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
    await _in_force(tx, act, origin)


async def _in_force(tx: WriteTx, act: Act, origin: Event) -> None:
    """An act of one delegate; whose mandate was not in force has a note in the audit and no activity."""
    try:
        await record_from_event(tx, origin.type, act)
    except Refused as refused:
        if refused.reason != "MANDATE_NOT_IN_FORCE":
            raise
        tx.note(f"not counted while not in force: {act.kind} {act.day} {act.source}", f"mandates/{act.mandates[0]}")


async def opinion_raised(tx: WriteTx, event: feedback.OpinionReceived, origin: Event) -> None:
    """A delegate who raised an opinion did so on the day on which it was said."""
    day = read_date(event, "day")
    if day is None:
        raise ValueError("an opinion without a day")
    if event.mandate:
        act = Act(kind="opinion_raised", day=day, mandates=(identifier(event.mandate),), source=event.opinion)
        await _in_force(tx, act, origin)


async def proposal_raised(tx: WriteTx, event: feedback.ProposalSubmitted, origin: Event) -> None:
    """All who signed a proposal took part in one activity, on the day on which it was handed in."""
    day = read_date(event, "day")
    if day is None:
        raise ValueError("a proposal without a day")
    for mandate in event.mandates:
        act = Act(kind="proposal_raised", day=day, mandates=(identifier(mandate),), source=event.proposal)
        await _in_force(tx, act, origin)


async def residents_received(tx: WriteTx, event: feedback.ResidentsReceived, origin: Event) -> None:
    """All who received took part in one reception, with as many people as came to all of them."""
    day = read_date(event, "day")
    if day is None:
        raise ValueError("a reception without a day")
    for mandate in event.mandates:
        act = Act(kind="reception", day=day, mandates=(identifier(mandate),), source=event.reception)
        await _in_force(tx, replace(act, people_received=event.people_received), origin)


async def papers_taken(tx: WriteTx, event: ballots.PapersTaken, origin: Event) -> None:
    """All who had a paper of a poll, on the day on which it was opened. That is all that is ever known of a vote."""
    day = read_date(event, "day")
    if day is None:
        raise ValueError("papers without a day")
    mandates = tuple(identifier(holder.mandate) for holder in event.holders)
    await record_from_event(
        tx, origin.type, Act(kind="ballot_paper_taken", day=day, mandates=mandates, source=event.poll)
    )
