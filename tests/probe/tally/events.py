"""What the tally hears, and what it makes of it."""

from collections.abc import Mapping

from google.protobuf.message import Message
from sqlalchemy import text

from chassis.database import WriteTx
from chassis.manifest import Event, EventHandler
from quanyutong.registry.v1 import events_pb2

LATEST_TERM = text(
    """INSERT INTO latest_term (assembly, number) VALUES (:assembly, :number)
       ON CONFLICT (district, assembly) DO UPDATE SET number = excluded.number
       WHERE latest_term.number = excluded.number - 1
       RETURNING number"""
)
SEATED = text("INSERT INTO sitting (mandate) VALUES (:mandate) ON CONFLICT DO NOTHING")
UNSEATED = text("DELETE FROM sitting WHERE mandate = :mandate RETURNING mandate")
OBSTACLE = text("SELECT 1 FROM obstacle WHERE unit = :unit")


class Obstructed(Exception):
    """The event cannot be applied for as long as the obstacle is there."""


async def count_assembly(tx: WriteTx, event: events_pb2.AssemblyCreated, _: Event) -> None:
    await _count(tx, "assemblies")
    if await tx.first(OBSTACLE, unit=event.unit):
        raise Obstructed


async def count_term(tx: WriteTx, event: events_pb2.TermOpened, _: Event) -> None:
    """The terms of an assembly are numbered without a gap: any other number came too early or too late."""
    assembly, number = event.term.split("/terms/")
    follows = await tx.first(LATEST_TERM, assembly=assembly, number=int(number))
    await _count(tx, "terms")
    if follows is None:
        await _count(tx, "disordered")


async def count_confirmed(tx: WriteTx, event: events_pb2.MandateConfirmed, _: Event) -> None:
    await tx.execute(SEATED, mandate=event.mandate)
    await _count(tx, "confirmed")


async def count_ended(tx: WriteTx, event: events_pb2.MandateEnded, _: Event) -> None:
    was_seated = await tx.first(UNSEATED, mandate=event.mandate)
    await _count(tx, "ended")
    if was_seated is None:
        await _count(tx, "disordered")


async def _count(tx: WriteTx, column: str) -> None:
    statement = (
        f"INSERT INTO tally ({column}) VALUES (1) ON CONFLICT (district) DO UPDATE SET {column} = tally.{column} + 1"
    )
    await tx.execute(text(statement))


CONSUMES: Mapping[type[Message], EventHandler] = {
    events_pb2.AssemblyCreated: count_assembly,
    events_pb2.TermOpened: count_term,
    events_pb2.MandateConfirmed: count_confirmed,
    events_pb2.MandateEnded: count_ended,
}
