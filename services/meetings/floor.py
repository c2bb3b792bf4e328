"""Who has the floor: the items that are being dealt with, who speaks to them, and who is next."""

from uuid import UUID

from sqlalchemy import text

from chassis.database import ReadTx, Row
from chassis.sql import Sql
from chassis.wire import timestamp
from quanyutong.meetings.v1 import watch_pb2 as pb
from services.meetings.agenda import item_name
from services.meetings.speakers import speaker_name
from services.meetings.speaking import minutes_limit

# As many as a screen has room for.
NEXT = 5
OPEN = Sql(
    text("SELECT id, title, position FROM agenda_item WHERE meeting = :meeting AND state = 'open' ORDER BY position")
)
# Who speaks comes first.
TURNS = Sql(
    text("""SELECT s.id, s.state, s.began_at, s.minutes_allowed, i.minutes_allowed AS minutes_of_item, r.display_name
            FROM speaker s JOIN agenda_item i ON i.id = s.item JOIN roll r ON r.id = s.attendee
            WHERE s.meeting = :meeting AND i.state = 'open' AND s.state IN ('speaking', 'waiting')
            ORDER BY s.state = 'waiting', i.position, s.position""")
)


async def floor(tx: ReadTx, meeting: UUID, named: bool) -> pb.MeetingState:
    """That part of a meeting's state, with the names of those who speak or without them."""
    turns = await tx.all(TURNS, meeting=meeting)
    now = [turn for turn in turns if turn.state == "speaking"]
    waiting = turns[len(now) :]
    return pb.MeetingState(
        items=[
            pb.CurrentItem(name=item_name(row.id), title=row.title, position=row.position)
            for row in await tx.all(OPEN, meeting=meeting)
        ],
        speaker=_turn(now[0], named) if now else None,
        next_speakers=[_turn(turn, named) for turn in waiting[:NEXT]],
        speakers_waiting=len(waiting),
    )


def _turn(row: Row, named: bool) -> pb.CurrentSpeaker:
    return pb.CurrentSpeaker(
        name=speaker_name(row.id),
        display_name=row.display_name if named else "",
        begin_time=timestamp(row.began_at) if row.began_at else None,
        minutes_limit=minutes_limit(row.minutes_allowed, row.minutes_of_item),
    )
