"""The roster (名册): who may vote where, as the registry and the meetings service told it.

Copies, kept by their events alone. Each event says all that its copy needs, and is
applied so that it may come twice, late or before what it belongs to. What the
copies are for is the electorate of a poll: the roll of its meeting.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, select, text

from chassis.database import ReadTx, Row, WriteTx
from chassis.manifest import Event
from chassis.merges import merge
from chassis.sql import Sql
from chassis.wire import identifier, read_time, word
from quanyutong.meetings.v1 import events_pb2 as meetings
from quanyutong.meetings.v1 import meeting_pb2
from quanyutong.registry.v1 import assemblies_pb2
from quanyutong.registry.v1 import events_pb2 as registry
from services.ballots.domain import Refused
from services.ballots.tables import meeting, seat

ASSEMBLY = Sql(
    text("""INSERT INTO assembly (id, kind, unit, display_name) VALUES (:id, :kind, :unit, :display_name)
            ON CONFLICT (district, id) DO UPDATE SET (kind, unit, display_name) = (:kind, :unit, :display_name)""")
)
RENAME_ASSEMBLY = Sql(text("UPDATE assembly SET display_name = :display_name WHERE id = :id"))
MOVE_SEATS = Sql(text("UPDATE seat SET person = :kept WHERE person = :id"))
MOVE_ELECTORS = Sql(text("UPDATE elector SET person = :kept WHERE person = :id"))
# The phases in their order; those that a meeting can come back from stand together, and the last one told counts.
ORDER = "array_position(ARRAY['convened', 'summary', 'closed'], {})"
LATER = f"coalesce({ORDER.format(':phase')}, 0) >= coalesce({ORDER.format('meeting.phase')}, 0)"
PHASE = Sql(
    text(f"""INSERT INTO meeting (id, phase) VALUES (:id, :phase)
             ON CONFLICT (district, id) DO UPDATE SET phase = :phase WHERE {LATER}""")  # noqa: S608 - constants
)
BODY = Sql(text("UPDATE meeting SET (body, kind) = (:body, :kind) WHERE id = :id"))
CONVENED = Sql(
    text("""UPDATE meeting SET (convened_at, expected, present, needed, rule_version)
            = (:moment, :expected, :present, :needed, :rule_version) WHERE id = :id""")
)
SEATS = Sql(
    text("""INSERT INTO seat (meeting, mandate, person)
            SELECT :meeting, s.mandate, coalesce(m.kept, s.person)
            FROM unnest(:mandates, :persons) AS s (mandate, person) LEFT JOIN merged_person m ON m.id = s.person
            ON CONFLICT DO NOTHING""").bindparams(
        bindparam("mandates", type_=ARRAY(Uuid)), bindparam("persons", type_=ARRAY(Uuid))
    )
)
ATTENDED = Sql(
    text("""INSERT INTO seat (meeting, mandate, person, attended)
            SELECT :meeting, :mandate, coalesce((SELECT kept FROM merged_person m WHERE m.id = :person), :person), true
            ON CONFLICT (district, meeting, mandate) DO UPDATE SET attended = true""")
)
FIND_MEETING = Sql(select(meeting).where(meeting.c.id == bindparam("key")))
ROLL = Sql(select(seat).where(seat.c.meeting == bindparam("meeting")).order_by(seat.c.mandate))


async def load_meeting(tx: ReadTx, name: str) -> Row:
    """Raises Refused MEETING_NOT_FOUND."""
    row = await tx.first(FIND_MEETING, key=identifier(name))
    if row is None:
        raise Refused("MEETING_NOT_FOUND", meeting=name)
    return row


async def roll_of(tx: ReadTx, key: UUID) -> Sequence[Row]:
    """Everybody with a seat at a meeting that was convened: mandate, person, whether they attended."""
    return await tx.all(ROLL, meeting=key)


async def assembly_created(tx: WriteTx, event: registry.AssemblyCreated, _: Event) -> None:
    await tx.execute(
        ASSEMBLY,
        id=identifier(event.assembly),
        kind=word(assemblies_pb2.AssemblyKind, event.kind),
        unit=event.unit.removeprefix("units/") or None,
        display_name=event.display_name,
    )


async def assembly_renamed(tx: WriteTx, event: registry.AssemblyRenamed, _: Event) -> None:
    await tx.execute(RENAME_ASSEMBLY, id=identifier(event.assembly), display_name=event.display_name)


async def person_merged(tx: WriteTx, event: registry.PersonMerged, _: Event) -> None:
    await merge(tx, event, MOVE_SEATS, MOVE_ELECTORS)


async def meeting_scheduled(tx: WriteTx, event: meetings.MeetingScheduled, _: Event) -> None:
    await _told(tx, event, "preparation")


async def meeting_withdrawn(tx: WriteTx, event: meetings.MeetingWithdrawn, _: Event) -> None:
    await tx.execute(PHASE, id=identifier(event.meeting), phase=word(meeting_pb2.Phase, event.phase))


async def meeting_convened(tx: WriteTx, event: meetings.MeetingConvened, _: Event) -> None:
    await _told(tx, event, "convened")
    key = identifier(event.meeting)
    await tx.execute(
        CONVENED,
        id=key,
        moment=read_time(event, "convene_time"),
        expected=event.expected,
        present=event.present,
        needed=event.needed,
        rule_version=event.rule_version,
    )
    mandates = [identifier(each.mandate) for each in event.roll]
    await tx.execute(SEATS, meeting=key, mandates=mandates, persons=[identifier(each.person) for each in event.roll])


async def attendance_recorded(tx: WriteTx, event: meetings.AttendanceRecorded, _: Event) -> None:
    await tx.execute(
        ATTENDED,
        meeting=identifier(event.meeting),
        mandate=identifier(event.mandate),
        person=identifier(event.person),
    )


async def meeting_held(tx: WriteTx, event: meetings.MeetingHeld, _: Event) -> None:
    await _told(tx, event, "summary")


async def meeting_closed(tx: WriteTx, event: meetings.MeetingClosed, _: Event) -> None:
    await tx.execute(PHASE, id=identifier(event.meeting), phase="closed")


async def _told(tx: WriteTx, event: Any, phase: str) -> None:
    """What events say that describe a meeting: its phase, and whose meeting of which kind it is."""
    key = identifier(event.meeting)
    await tx.execute(PHASE, id=key, phase=phase)
    await tx.execute(BODY, id=key, body=event.body, kind=word(meeting_pb2.MeetingKind, event.kind))
