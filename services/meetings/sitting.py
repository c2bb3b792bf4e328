"""What a sitting waits for before it goes on: a speech to end, an answer, the outcome of an item, a measure.

A meeting is adjourned while nobody speaks. An item may stay open then: what it came to is often counted after the
hall is empty, and entered while the meeting is summed up. It is closed once each item that was opened has an outcome;
what was never opened stays planned, so the record shows that it was not reached. A meeting that is postponed or
cancelled has nothing open, since items are opened only once it is convened; its agenda stays as it was.
"""

from uuid import UUID

from sqlalchemy import bindparam, func, select

from chassis.database import ReadTx, Row
from chassis.sql import Sql
from chassis.wire import identifier
from services.meetings.domain import Refused
from services.meetings.tables import agenda_item, measure, question, speaker

SPEAKING = Sql(select(speaker).where(speaker.c.meeting == bindparam("meeting"), speaker.c.state == "speaking"))
UNANSWERED = Sql(
    select(func.count().label("count")).where(question.c.item == bindparam("item"), question.c.answered_at.is_(None))
)
OPEN_ITEMS = Sql(
    select(func.count().label("count"))
    .select_from(agenda_item)
    .where(agenda_item.c.meeting == bindparam("meeting"), agenda_item.c.state == "open")
)
MEASURE = Sql(select(measure).where(measure.c.meeting == bindparam("meeting")))


async def load_entry(tx: ReadTx, how: Sql, name: str) -> Row:
    """A speaker, question, attachment, preparation or measure. Raises Refused ENTRY_NOT_FOUND."""
    row = await tx.first(how, key=identifier(name))
    if row is None:
        raise Refused("ENTRY_NOT_FOUND", entry=name)
    return row


async def check_silent(tx: ReadTx, meeting: UUID, item: UUID | None = None) -> None:
    """Whether nobody speaks, to the item where one is given. Raises Refused SPEECH_RUNNING."""
    row = await tx.first(SPEAKING, meeting=meeting)
    if row is not None and item in (None, row.item):
        raise Refused("SPEECH_RUNNING", speaker=f"speakers/{row.id}")


async def left_open(tx: ReadTx, item: UUID, reason: str) -> str:
    """Why questions stay open; empty when none does, whatever was said. Raises Refused QUESTIONS_UNANSWERED."""
    count = (await tx.one(UNANSWERED, item=item)).count
    if count and not reason:
        raise Refused("QUESTIONS_UNANSWERED", count=count)
    return reason if count else ""


async def check_settled(tx: ReadTx, meeting: Row) -> None:
    """Whether the meeting can be closed. Raises Refused ITEMS_OPEN, MEASURE_MISSING."""
    count = (await tx.one(OPEN_ITEMS, meeting=meeting.id)).count
    if count:
        raise Refused("ITEMS_OPEN", count=count)
    if meeting.kind == "consultation" and await tx.first(MEASURE, meeting=meeting.id) is None:
        raise Refused("MEASURE_MISSING")
