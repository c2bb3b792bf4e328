"""The roster (名册): who may meet, as the registry told it.

Copies of the registry's entries, kept by its events alone. Each event says all
that its copy needs, and is applied so that it may come twice, late or before
what it belongs to: a mandate may end here before it begins. What the copies are
for is `seats`, the people of a body on a day.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text

from chassis.database import ReadTx, Row, WriteTx
from chassis.manifest import Event
from chassis.merges import merge
from chassis.sql import Sql
from chassis.wire import identifier, read_date, word
from quanyutong.registry.v1 import assemblies_pb2, events_pb2, mandates_pb2, stations_pb2
from services.meetings.domain import Refused
from services.meetings.tables import assembly, station, term

# Where two events say the same of an entry, the one that was told later holds, in whatever order they come: the id of
# an event is a UUIDv7, so it says which that is.
ASSEMBLY = Sql(
    text("""INSERT INTO assembly AS a (id, kind, unit, display_name, told) VALUES (:id, :kind, :unit, :name, :event)
            ON CONFLICT (district, id) DO UPDATE
            SET (kind, unit, display_name, told) =
                (:kind, :unit, CASE WHEN a.told < :event THEN :name ELSE a.display_name END,
                 greatest(a.told, :event))""")
)
RENAME_ASSEMBLY = Sql(
    text("""INSERT INTO assembly AS a (id, kind, display_name, told) VALUES (:id, '', :name, :event)
            ON CONFLICT (district, id) DO UPDATE SET (display_name, told) = (:name, :event) WHERE a.told < :event""")
)
TERM = Sql(
    text("""INSERT INTO term (assembly, number, start_date, end_date) VALUES (:assembly, :number, :start, :end)
            ON CONFLICT (district, assembly, number) DO UPDATE SET (start_date, end_date) = (:start, :end)""")
)
CONFIRMED = Sql(
    text("""INSERT INTO mandate (id, person, assembly, term, capacity, active_from)
            VALUES (:id, coalesce((SELECT kept FROM merged_person m WHERE m.id = :person), :person), :assembly, :term,
                    :capacity, :day)
            ON CONFLICT (district, id) DO UPDATE SET (capacity, active_from) = (:capacity, :day)""")
)
ENDED = Sql(
    text("""INSERT INTO mandate (id, person, assembly, term, active_to)
            VALUES (:id, coalesce((SELECT kept FROM merged_person m WHERE m.id = :person), :person), :assembly, :term,
                    :day)
            ON CONFLICT (district, id) DO UPDATE SET active_to = :day""")
)
SUSPENDED = Sql(
    text("""INSERT INTO suspension AS s (mandate, start_date, told) VALUES (:mandate, :day, :event)
            ON CONFLICT (district, mandate, start_date) DO UPDATE
            SET (end_date, told) = (NULL, :event) WHERE s.told < :event""")
)
# Events of earlier releases do not say which suspension is over: it is the latest.
REINSTATED = Sql(
    text("""INSERT INTO suspension AS s (mandate, start_date, end_date, told)
            SELECT :mandate, since, :day, :event FROM (
                SELECT coalesce(CAST(:since AS date), max(start_date)) AS since FROM suspension
                WHERE mandate = :mandate AND start_date <= :day) AS suspended
            WHERE since IS NOT NULL
            ON CONFLICT (district, mandate, start_date) DO UPDATE
            SET (end_date, told) = (:day, :event) WHERE s.told < :event""")
)
MOVE_MANDATES = Sql(text("UPDATE mandate SET person = :kept WHERE person = :id"))
# The kept person may be booked by the same meeting, or by another at the same time: one booking is enough.
MOVE_BOOKINGS = Sql(
    text("""WITH moved AS (DELETE FROM booking WHERE subject = :id RETURNING meeting, is_venue, during, doubled)
            INSERT INTO booking (meeting, subject, is_venue, during, doubled)
            SELECT meeting, :kept, is_venue, during, doubled FROM moved ON CONFLICT DO NOTHING""")
)
MOVE_CALENDARS = Sql(text("UPDATE calendar SET person = :kept WHERE person = :id"))
MOVE_ROLL = Sql(text("UPDATE roll SET person = :kept, revision = revision + 1 WHERE person = :id"))
STATION = Sql(
    text("""INSERT INTO station AS s (id, kind, unit, start_date, display_name, told)
            VALUES (:id, :kind, :unit, :day, :name, :event)
            ON CONFLICT (district, id) DO UPDATE
            SET (kind, unit, start_date, display_name, told) =
                (:kind, :unit, :day, CASE WHEN s.told < :event THEN :name ELSE s.display_name END,
                 greatest(s.told, :event))""")
)
RENAME_STATION = Sql(
    text("""INSERT INTO station AS s (id, kind, unit, display_name, told) VALUES (:id, '', '', :name, :event)
            ON CONFLICT (district, id) DO UPDATE SET (display_name, told) = (:name, :event) WHERE s.told < :event""")
)
CLOSED = Sql(
    text("""INSERT INTO station (id, kind, unit, end_date) VALUES (:id, :kind, :unit, :day)
            ON CONFLICT (district, id) DO UPDATE SET end_date = :day""")
)
ROTA = Sql(
    text("""INSERT INTO rota_entry AS r (id, station, mandate, start_date, end_date, told)
            VALUES (:id, :station, :mandate, :start, :end, :event)
            ON CONFLICT (district, id) DO UPDATE SET (start_date, end_date, told) = (:start, :end, :event)
            WHERE r.told < :event""")
)
# Who acts in a mandate on a day: it is in force, its term is running, and it is not suspended.
SEATS = Sql(
    text("""SELECT DISTINCT ON (m.person) m.person, m.id AS mandate, m.capacity
            FROM mandate m LEFT JOIN term t ON t.assembly = m.assembly AND t.number = m.term
            WHERE m.active_from <= :day AND (m.active_to IS NULL OR :day < m.active_to)
            AND (t.end_date IS NULL OR :day < t.end_date)
            AND NOT EXISTS (SELECT FROM suspension s WHERE s.mandate = m.id AND s.start_date <= :day
                            AND (s.end_date IS NULL OR :day < s.end_date))
            AND (m.assembly = :body OR EXISTS (
                SELECT FROM rota_entry r WHERE r.station = :body AND r.mandate = m.id
                AND r.start_date <= :day AND :day < r.end_date))
            ORDER BY m.person, m.id""")
)
FIND_ASSEMBLY = Sql(select(assembly).where(assembly.c.id == bindparam("key")))
FIND_STATION = Sql(select(station).where(station.c.id == bindparam("key")))
TERM_OF = Sql(
    select(term.c.number).where(
        term.c.assembly == bindparam("assembly"),
        term.c.start_date <= bindparam("day"),
        bindparam("day") < term.c.end_date,
    )
)


@dataclass(frozen=True, slots=True)
class Body:
    """An assembly or a station. `unit` is the code of its unit, empty for a district congress."""

    name: str
    id: UUID
    kind: str
    unit: str
    display_name: str

    @property
    def is_assembly(self) -> bool:
        return self.name.startswith("assemblies/")


async def load_body(tx: ReadTx, name: str) -> Body:
    """Raises Refused BODY_NOT_FOUND."""
    sql = FIND_ASSEMBLY if name.startswith("assemblies/") else FIND_STATION
    row = await tx.first(sql, key=identifier(name))
    if row is None:
        raise Refused("BODY_NOT_FOUND", body=name)
    return Body(name, row.id, row.kind, row.unit or "", row.display_name)


async def term_on(tx: ReadTx, body: Body, day: date) -> int | None:
    """Number of the assembly's term on a day; None for a station. Raises Refused TERM_NOT_OPEN."""
    if not body.is_assembly:
        return None
    row = await tx.first(TERM_OF, assembly=body.id, day=day)
    if row is None:
        raise Refused("TERM_NOT_OPEN", body=body.name, day=day)
    return int(row.number)


async def seats(tx: ReadTx, body: UUID, day: date) -> list[Row]:
    """The delegates of an assembly, or those on a station's rota, on a day: person, mandate, capacity."""
    return list(await tx.all(SEATS, body=body, day=day))


async def assembly_created(tx: WriteTx, event: events_pb2.AssemblyCreated, origin: Event) -> None:
    await tx.execute(
        ASSEMBLY,
        id=identifier(event.assembly),
        kind=word(assemblies_pb2.AssemblyKind, event.kind),
        unit=event.unit.removeprefix("units/") or None,
        name=event.display_name,
        event=origin.id,
    )


async def assembly_renamed(tx: WriteTx, event: events_pb2.AssemblyRenamed, origin: Event) -> None:
    await tx.execute(RENAME_ASSEMBLY, id=identifier(event.assembly), name=event.display_name, event=origin.id)


async def term_opened(tx: WriteTx, event: events_pb2.TermOpened, _: Event) -> None:
    owner, count = _term(event.term)
    days = {"start": read_date(event, "start_date"), "end": read_date(event, "end_date")}
    await tx.execute(TERM, assembly=owner, number=count, **days)


async def mandate_confirmed(tx: WriteTx, event: events_pb2.MandateConfirmed, _: Event) -> None:
    capacity = word(mandates_pb2.Capacity, event.capacity)
    await tx.execute(CONFIRMED, **_mandate(event), capacity=capacity, day=read_date(event, "active_from"))


async def mandate_ended(tx: WriteTx, event: events_pb2.MandateEnded, _: Event) -> None:
    await tx.execute(ENDED, **_mandate(event), day=read_date(event, "active_to"))


async def mandate_suspended(tx: WriteTx, event: events_pb2.MandateSuspended, origin: Event) -> None:
    day = read_date(event, "suspended_from")
    await tx.execute(SUSPENDED, mandate=identifier(event.mandate), day=day, event=origin.id)


async def mandate_reinstated(tx: WriteTx, event: events_pb2.MandateReinstated, origin: Event) -> None:
    days = {"since": read_date(event, "suspended_from"), "day": read_date(event, "reinstated_from")}
    await tx.execute(REINSTATED, mandate=identifier(event.mandate), **days, event=origin.id)


async def person_merged(tx: WriteTx, event: events_pb2.PersonMerged, _: Event) -> None:
    await merge(tx, event, MOVE_MANDATES, MOVE_BOOKINGS, MOVE_CALENDARS, MOVE_ROLL)


async def station_opened(tx: WriteTx, event: events_pb2.StationOpened, origin: Event) -> None:
    await tx.execute(
        STATION,
        id=identifier(event.station),
        kind=word(stations_pb2.StationKind, event.kind),
        unit=event.unit.removeprefix("units/"),
        day=read_date(event, "start_date"),
        name=event.display_name,
        event=origin.id,
    )


async def station_renamed(tx: WriteTx, event: events_pb2.StationRenamed, origin: Event) -> None:
    await tx.execute(RENAME_STATION, id=identifier(event.station), name=event.display_name, event=origin.id)


async def station_closed(tx: WriteTx, event: events_pb2.StationClosed, _: Event) -> None:
    await tx.execute(
        CLOSED,
        id=identifier(event.station),
        kind=word(stations_pb2.StationKind, event.kind),
        unit=event.unit.removeprefix("units/"),
        day=read_date(event, "end_date"),
    )


async def rota_changed(tx: WriteTx, event: events_pb2.RotaChanged, origin: Event) -> None:
    await tx.execute(
        ROTA,
        id=identifier(event.rota_entry),
        station=identifier(event.station),
        mandate=identifier(event.mandate),
        start=read_date(event, "start_date"),
        end=read_date(event, "end_date"),
        event=origin.id,
    )


def _term(name: str) -> tuple[UUID, int]:
    owner, _, count = name.partition("/terms/")
    return identifier(owner), int(count)


def _mandate(event: events_pb2.MandateConfirmed | events_pb2.MandateEnded) -> dict[str, Any]:
    owner, count = _term(event.term)
    return {
        "id": identifier(event.mandate),
        "person": identifier(event.person),
        "assembly": owner,
        "term": count,
    }
