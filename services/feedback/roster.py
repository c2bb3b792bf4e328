"""The roster (名册): which stations there are and who has a mandate, as the registry told it.

Copies, kept by their events alone, each applied so that it may come twice, late or before what it belongs to.
"""

from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, select, text

from chassis.database import ReadTx, Row, WriteTx
from chassis.manifest import Event
from chassis.merges import kept_person, merge
from chassis.sql import Sql
from chassis.wire import identifier
from quanyutong.registry.v1 import events_pb2 as registry
from services.feedback.domain import Refused
from services.feedback.tables import mandate, station

STATION = Sql(text("INSERT INTO station (id, unit) VALUES (:id, :unit) ON CONFLICT DO NOTHING"))
MANDATE = Sql(
    text("""INSERT INTO mandate (id, person)
            VALUES (:id, coalesce((SELECT kept FROM merged_person m WHERE m.id = :person), :person))
            ON CONFLICT DO NOTHING""")
)
MOVE_MANDATES = Sql(text("UPDATE mandate SET person = :kept WHERE person = :id"))
FIND_STATION = Sql(select(station).where(station.c.id == bindparam("key")))
FIND_MANDATES = Sql(
    text("SELECT id, person FROM mandate WHERE id = ANY (:keys)").bindparams(bindparam("keys", type_=ARRAY(Uuid)))
)
OF_PERSON = Sql(select(mandate.c.id).where(mandate.c.person == bindparam("person")))


async def load_station(tx: ReadTx, name: str) -> Row:
    """Raises Refused STATION_NOT_FOUND."""
    row = await tx.first(FIND_STATION, key=identifier(name))
    if row is None:
        raise Refused("STATION_NOT_FOUND", station=name)
    return row


async def check_mandates(tx: ReadTx, names: list[str]) -> list[UUID]:
    """Raises Refused MANDATE_NOT_FOUND."""
    keys = [identifier(name) for name in names]
    known = {row.id for row in await tx.all(FIND_MANDATES, keys=keys)}
    for name, key in zip(names, keys, strict=True):
        if key not in known:
            raise Refused("MANDATE_NOT_FOUND", mandate=name)
    return keys


async def mandates_of(tx: ReadTx, person: UUID) -> set[UUID]:
    """Every mandate that the person ever had, under whichever entry."""
    return {row.id for row in await tx.all(OF_PERSON, person=await kept_person(tx, person))}


async def station_opened(tx: WriteTx, event: registry.StationOpened, _: Event) -> None:
    await tx.execute(STATION, id=identifier(event.station), unit=event.unit.removeprefix("units/"))


async def mandate_confirmed(tx: WriteTx, event: registry.MandateConfirmed, _: Event) -> None:
    await tx.execute(MANDATE, id=identifier(event.mandate), person=identifier(event.person))


async def person_merged(tx: WriteTx, event: registry.PersonMerged, _: Event) -> None:
    await merge(tx, event, MOVE_MANDATES)
