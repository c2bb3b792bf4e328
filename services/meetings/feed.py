"""What a calendar shows: the meetings of a body, or those that a delegate attends."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text

from chassis.database import ReadTx, Row
from chassis.sql import Sql

BEFORE, AHEAD = timedelta(days=90), timedelta(days=400)
# What was withdrawn is told for so long that every program which showed it has read that it is off.
TOLD_OF = timedelta(days=90)
WINDOW = """
    SELECT m.*, v.display_name AS venue_name, v.address AS venue_address
    FROM meeting m LEFT JOIN venue v ON v.id = m.venue
    WHERE m.end_at > :from AND m.start_at < :to
    AND (m.phase NOT IN ('postponed', 'cancelled') OR m.changed_at > :told)
"""
OF_BODY = Sql(text(WINDOW + " AND :body IN (m.assembly, m.station) ORDER BY m.start_at, m.id"))
# A delegate attends what books the person, and the reception days of the rota, whenever that was changed. What was
# withdrawn books nobody; then it is asked who had a seat.
ATTENDED = """
    AND (EXISTS (SELECT FROM booking b WHERE b.meeting = m.id AND b.subject = :person)
        OR (m.phase IN ('postponed', 'cancelled') OR m.kind = 'reception_day') AND EXISTS (
            SELECT FROM mandate d, CAST(m.start_at AT TIME ZONE 'Asia/Shanghai' AS date) AS day
            WHERE d.person = :person AND d.active_from <= day AND (d.active_to IS NULL OR day < d.active_to)
            AND (d.assembly = m.assembly OR EXISTS (
                SELECT FROM rota_entry r WHERE r.mandate = d.id AND r.station = m.station
                AND r.start_date <= day AND day < r.end_date))))
    ORDER BY m.start_at, m.id
"""
OF_PERSON = Sql(text(WINDOW + ATTENDED))
NAME = Sql(
    text("""SELECT display_name FROM assembly WHERE id = :body
            UNION ALL SELECT display_name FROM station WHERE id = :body""")
)
OF_DELEGATE = "代表履职日历"


async def events(tx: ReadTx, calendar: Row, now: datetime) -> Sequence[Row]:
    """The meetings of the calendar, with their venues, from three months ago to thirteen months ahead."""
    window = {"from": now - BEFORE, "to": now + AHEAD, "told": now - TOLD_OF}
    if calendar.person:
        return await tx.all(OF_PERSON, person=calendar.person, **window)
    return await tx.all(OF_BODY, body=calendar.assembly or calendar.station, **window)


async def title(tx: ReadTx, calendar: Row) -> str:
    """What programs call it. A delegate's has no name in it: whoever finds the address learns nobody's."""
    if calendar.person:
        return OF_DELEGATE
    return str((await tx.one(NAME, body=calendar.assembly or calendar.station)).display_name)
