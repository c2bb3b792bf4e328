"""The roll of a meeting: taken from the roster until the meeting is convened, frozen from then on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, insert, or_, select, text

from chassis.database import ReadTx, Row, WriteTx
from chassis.rules import ShareRule
from chassis.sql import Sql
from services.meetings import quorum as judged
from services.meetings.quorum import Quorum
from services.meetings.roster import seats
from services.meetings.rules import rule_on
from services.meetings.tables import quorum, roll

OF_MEETING = select(roll).where(roll.c.meeting == bindparam("meeting"), ~roll.c.observer)
MEMBERS = Sql(OF_MEETING)
# Whoever was in the hall when the meeting was convened, or came back since.
ATTENDING = Sql(
    OF_MEETING.where(
        roll.c.checked_in_at.is_not(None),
        or_(roll.c.left_at.is_(None), roll.c.left_at > bindparam("moment")),
    ).order_by(roll.c.id)
)
TAKE = Sql(
    text("""INSERT INTO roll (meeting, mandate, person, capacity, display_name)
            SELECT :meeting, mandate, person, capacity, display_name
            FROM unnest(:mandates, :persons, :capacities, :names) AS s (mandate, person, capacity, display_name)
            ORDER BY mandate ON CONFLICT (district, meeting, mandate) DO NOTHING RETURNING id""").bindparams(
        bindparam("mandates", type_=ARRAY(Uuid)),
        bindparam("persons", type_=ARRAY(Uuid)),
        bindparam("capacities", type_=ARRAY(Text)),
        bindparam("names", type_=ARRAY(Text)),
    )
)
NAME = Sql(
    text("""UPDATE roll SET display_name = s.display_name, revision = revision + 1
            FROM unnest(:persons, :names) AS s (person, display_name)
            WHERE roll.meeting = :meeting AND roll.person = s.person AND roll.display_name = ''""").bindparams(
        bindparam("persons", type_=ARRAY(Uuid)), bindparam("names", type_=ARRAY(Text))
    )
)
GONE = roll.c.id == any_(bindparam("keys", type_=ARRAY(Uuid)))
FORGET = Sql(text("DELETE FROM movement WHERE attendee = ANY (:keys)").bindparams(bindparam("keys", type_=ARRAY(Uuid))))
UNLIST = Sql(text("DELETE FROM speaker WHERE attendee = ANY (:keys)").bindparams(bindparam("keys", type_=ARRAY(Uuid))))
TAKE_OFF = Sql(roll.delete().where(GONE))
HOME = Sql(text("DELETE FROM movement WHERE meeting = :meeting"))
ANEW = Sql(
    text("""UPDATE roll SET state = 'invited', leave_reason = '', checked_in_at = NULL, method = '', left_at = NULL,
                            revision = revision + 1
            WHERE meeting = :meeting AND (state <> 'invited' OR checked_in_at IS NOT NULL)""")
)
MOVEMENTS = Sql(
    text("""SELECT m.at, m.came FROM movement m JOIN roll r ON r.id = m.attendee
            WHERE m.meeting = :meeting AND NOT r.observer ORDER BY m.at, m.id""")
)
FROZEN = Sql(select(quorum).where(quorum.c.meeting == bindparam("meeting")))
FREEZE = Sql(insert(quorum), columns=("meeting", "expected", "present", "needed", "rule_version"))
COUNTS = Sql(
    text("""SELECT count(*) FILTER (WHERE NOT observer) AS expected,
                   count(*) FILTER (WHERE NOT observer AND checked_in_at IS NOT NULL AND left_at IS NULL) AS present,
                   count(*) FILTER (WHERE observer AND checked_in_at IS NOT NULL AND left_at IS NULL) AS observers,
                   count(*) FILTER (WHERE state = 'on_leave') AS on_leave,
                   coalesce(sum(revision), 0)::bigint AS revisions
            FROM roll WHERE meeting = :meeting""")
)


@dataclass(frozen=True, slots=True)
class Taken:
    """How the roll changed."""

    added: int
    removed: int


async def without_names(tx: ReadTx, meeting: UUID, body: UUID, day: date) -> set[UUID]:
    """The persons who are, or will be, on the roll and whose name is not known."""
    named = {row.person for row in await tx.all(MEMBERS, meeting=meeting) if row.display_name}
    return {seat.person for seat in await seats(tx, body, day)} - named


async def take(tx: WriteTx, meeting: UUID, body: UUID, day: date, names: Mapping[UUID, str]) -> Taken:
    """Who has a seat on the day is on the roll, and nobody else. Ask under the meeting's lock, before it is convened.

    What somebody answered, and when somebody came, stays.
    """
    sitting = await seats(tx, body, day)
    held = {seat.mandate for seat in sitting}
    gone = [row.id for row in await tx.all(MEMBERS, meeting=meeting) if row.mandate not in held]
    for statement in (FORGET, UNLIST, TAKE_OFF):
        await tx.execute(statement, keys=gone)
    added = await tx.all(
        TAKE,
        meeting=meeting,
        mandates=[seat.mandate for seat in sitting],
        persons=[seat.person for seat in sitting],
        capacities=[seat.capacity for seat in sitting],
        names=[names.get(seat.person, "") for seat in sitting],
    )
    known = sorted(names)
    await tx.execute(NAME, meeting=meeting, persons=known, names=[names[person] for person in known])
    return Taken(len(added), len(gone))


async def begin_anew(tx: WriteTx, meeting: UUID) -> None:
    """For a meeting that finds another day: nobody is in its hall, and nobody has answered for that day."""
    for statement in (HOME, ANEW):
        await tx.execute(statement, meeting=meeting)


async def freeze(tx: WriteTx, meeting: Row, day: date, moment: datetime) -> Quorum:
    """Keeps who was expected, present and needed at the moment of convening. Raises Refused QUORUM_MISSING."""
    moves = await movements(tx, meeting.id)
    expected = len(await tx.all(MEMBERS, meeting=meeting.id))
    found = await _judged(tx, meeting.kind, day, expected, judged.present_at(moves, moment))
    judged.check_met(found)
    await tx.execute(
        FREEZE,
        meeting=meeting.id,
        expected=found.expected,
        present=found.present,
        needed=found.needed,
        rule_version=found.version,
    )
    return found


async def quorum_of(tx: ReadTx, meeting: Row, day: date, counts: Row) -> tuple[Quorum, bool, datetime | None]:
    """As it is now, by the day where it is not frozen yet; whether it is frozen; and since when it is lost."""
    frozen = await tx.first(FROZEN, meeting=meeting.id)
    if frozen is None:
        return await _judged(tx, meeting.kind, day, counts.expected, counts.present), False, None
    found = Quorum(frozen.expected, counts.present, frozen.needed, frozen.rule_version)
    if found.met:
        return found, True, None
    return found, True, judged.lost_since(await movements(tx, meeting.id), meeting.convened_at, found.needed)


async def movements(tx: ReadTx, meeting: UUID) -> list[judged.Movement]:
    return [(row.at, 1 if row.came else -1) for row in await tx.all(MOVEMENTS, meeting=meeting)]


async def _judged(tx: ReadTx, kind: str, day: date, expected: int, present: int) -> Quorum:
    key = judged.RULES.get(kind)
    if key is None:
        return Quorum(expected, present)
    rule = await rule_on(tx, day, key, ShareRule)
    return Quorum(expected, present, rule.value.needed(expected), rule.version)
