"""Bookings: a venue and each delegate are at one meeting at a time, unless a reason says why not.

The database itself refuses a second booking at the same time, by an exclusion
constraint. What is looked up before only serves to say which meeting is in the way.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from chassis import clock
from chassis.database import ReadTx, WriteTx
from chassis.sql import Sql
from services.meetings.domain import Refused
from services.meetings.roster import seats

# The meeting that is most in the way comes first, a venue before delegates.
IN_THE_WAY = Sql(
    text("""SELECT meeting, is_venue, count(*) AS subjects FROM booking
            WHERE subject = ANY (CAST(:subjects AS uuid[])) AND during && tstzrange(:start, :end)
            AND NOT doubled AND meeting <> :meeting
            GROUP BY meeting, is_venue ORDER BY is_venue DESC, subjects DESC, meeting LIMIT 1""")
)
# Only those who are booked elsewhere are marked, so that nobody else can be booked twice by this meeting.
BOOK = Sql(
    text("""INSERT INTO booking (meeting, subject, is_venue, during, doubled)
            SELECT :meeting, subject, subject IS NOT DISTINCT FROM CAST(:venue AS uuid), tstzrange(:start, :end),
                   EXISTS (SELECT FROM booking b WHERE b.subject = s.subject AND b.during && tstzrange(:start, :end)
                           AND NOT b.doubled AND b.meeting <> :meeting)
            FROM unnest(CAST(:subjects AS uuid[])) AS s (subject)
            ON CONFLICT (district, meeting, subject) DO NOTHING""")
)
RELEASE = Sql(text("DELETE FROM booking WHERE meeting = :meeting"))


async def book(
    tx: WriteTx, meeting: UUID, body: UUID, venue: UUID | None, start: datetime, end: datetime, overlap_reason: str
) -> None:
    """Books venue and delegates, those of the first day. Raises Refused VENUE_BOOKED, DELEGATES_BOOKED.

    Two meetings that book the same at the same moment: one of them fails with
    asyncpg.ExclusionViolationError.
    """
    people = [seat.person for seat in await seats(tx, body, start.astimezone(clock.SHANGHAI).date())]
    subjects = [*people, *([venue] if venue else [])]
    if not overlap_reason:
        await _check_free(tx, meeting, subjects, start, end)
    await tx.execute(BOOK, meeting=meeting, venue=venue, start=start, end=end, subjects=subjects)


async def release(tx: WriteTx, meeting: UUID) -> None:
    await tx.execute(RELEASE, meeting=meeting)


async def _check_free(tx: ReadTx, meeting: UUID, subjects: Sequence[UUID], start: datetime, end: datetime) -> None:
    row = await tx.first(IN_THE_WAY, subjects=subjects, start=start, end=end, meeting=meeting)
    if row is None:
        return
    if row.is_venue:
        raise Refused("VENUE_BOOKED", meeting=f"meetings/{row.meeting}")
    raise Refused("DELEGATES_BOOKED", count=row.subjects, meeting=f"meetings/{row.meeting}")
