"""What changes because a day passes: a warning before the last day, the standing committee after it, and the end of an
answer that nobody judged.
"""

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, date, datetime
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import ARRAY, Select, Table, Text, any_, bindparam, select

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.manifest import Round
from chassis.rulebooks import rulebook
from chassis.rules import Rulebook
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import date_message
from quanyutong.feedback.v1 import events_pb2
from services.feedback import handling_path, handling_steps, proposal_path, proposal_steps
from services.feedback.deadlines import counted
from services.feedback.tables import opinion, proposal

# Seconds between two looks.
EVERY = 300.0
MOST_AT_ONCE = 200


def _waiting(table: Table) -> Select[Any]:
    """In any of the states; the ones that have waited longest first."""
    in_states = table.c.state == any_(bindparam("states", type_=ARRAY(Text)))
    found = select(table).where(table.c.due_date.is_not(None), in_states)
    return found.order_by(table.c.due_date, table.c.id).limit(MOST_AT_ONCE).with_for_update(skip_locked=True)


class Watch:
    """Looks after what somebody has to do by a day: opinions, or proposals."""

    def __init__(
        self,
        table: Table,
        awaited: Collection[str],
        take: Callable[..., Awaitable[Row]],
        due_soon: Callable[[Row], Message],
        escalated: Callable[[Row], Message],
    ) -> None:
        self._kind, self._awaited, self._take = table.name, awaited, take
        self._due_soon, self._escalated = due_soon, escalated
        waiting = _waiting(table)
        self._nearly = Sql(waiting.where(table.c.warned_at.is_(None), table.c.due_date <= bindparam("soon")))
        self._over = Sql(waiting.where(table.c.escalated_at.is_(None), table.c.due_date < bindparam("today")))

    async def warn(self, tx: WriteTx, book: Rulebook, today: date) -> None:
        soon = counted(book, f"{self._kind}_warning", today).day
        for row in await tx.all(self._nearly, states=self._awaited, soon=soon):
            await self._take(tx, row, "warn", warned_at=datetime.now(UTC))
            self._publish(tx, self._due_soon(row))

    async def escalate(self, tx: WriteTx, book: Rulebook, today: date) -> None:
        """What is overdue for longer than the rule allows goes to the standing committee (提请督办), once."""
        for row in await tx.all(self._over, states=self._awaited, today=today):
            if counted(book, f"{self._kind}_escalated", row.due_date).day < today:
                await self._take(tx, row, "escalate", escalated_at=datetime.now(UTC))
                self._publish(tx, self._escalated(row))

    def _publish(self, tx: WriteTx, told: Message) -> None:
        tx.publish(told, getattr(told, self._kind))


def _of_opinion(row: Row) -> dict[str, Any]:
    return {"opinion": handling_steps.opinion_name(row.id), "due_date": date_message(row.due_date)}


def _of_proposal(row: Row) -> dict[str, Any]:
    name = proposal_steps.proposal_name(row.id)
    return {"proposal": name, "due_date": date_message(row.due_date), "key": bool(row.supervisor)}


WATCHES = (
    Watch(
        opinion,
        handling_path.AWAITED,
        handling_steps.take,
        lambda row: events_pb2.OpinionDueSoon(**_of_opinion(row)),
        lambda row: events_pb2.OpinionEscalated(**_of_opinion(row)),
    ),
    Watch(
        proposal,
        proposal_path.AWAITED,
        proposal_steps.take,
        lambda row: events_pb2.ProposalDueSoon(**_of_proposal(row)),
        lambda row: events_pb2.ProposalEscalated(**_of_proposal(row)),
    ),
)
UNJUDGED = Sql(_waiting(opinion).where(opinion.c.due_date < bindparam("today")))


async def look(database: Database, today: date) -> None:
    """Once, for the district of the task."""
    async with database.write() as tx:
        book = await rulebook(tx, today)
        for watch in WATCHES:
            await watch.warn(tx, book, today)
            await watch.escalate(tx, book, today)
        for row in await tx.all(UNJUDGED, states=["answered"], today=today):
            await handling_steps.take(tx, row, "close", due_date=None, warned_at=None)


async def _visit(database: Database, _: Vault) -> None:
    await look(database, clock.today())


ROUND = Round("opinions and proposals due", EVERY, _visit)
