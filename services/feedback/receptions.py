"""Receptions (接待): who received, how many people came, and which opinions were taken."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, insert, literal, select

from chassis import clock
from chassis.database import Database, ReadTx, Row
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import date_message, identifier, read_date, timestamp
from quanyutong.feedback.v1 import events_pb2
from quanyutong.feedback.v1 import intakes_pb2 as pb
from services.feedback import handling_path as path
from services.feedback.domain import Refused
from services.feedback.periods import within
from services.feedback.persons import check_among
from services.feedback.roster import check_mandates, load_station
from services.feedback.tables import opinion, reception

Context = grpc.aio.ServicerContext[Any, Any]
FIND = Sql(select(reception).where(reception.c.id == bindparam("key")))
ENTER = Sql(
    insert(reception).returning(reception),
    columns=("station", "unit", "day", "mandates", "people_received", "note"),
)
COUNT = Sql(
    select(opinion.c.reception, func.count().label("opinions"))
    .where(opinion.c.reception == any_(bindparam("keys", type_=ARRAY(Uuid))))
    .group_by(opinion.c.reception)
)


class Receptions:
    _database: Database

    async def CreateReception(self, request: pb.CreateReceptionRequest, _: Context) -> pb.Reception:
        given = request.reception
        day = read_date(given, "day", "reception.day") or clock.today()
        path.check_day(day, clock.today())
        async with self._database.write() as tx:
            place = await load_station(tx, given.station)
            mandates = await check_mandates(tx, list(given.mandates))
            await check_among(tx, mandates)
            facts = {"people_received": given.people_received, "note": given.note, "day": day}
            row = await tx.one(ENTER, station=place.id, unit=place.unit, mandates=mandates, **facts)
            tx.publish(_received(row), f"receptions/{row.id}")
            return tx.reply(_message(row, 0))

    async def GetReception(self, request: pb.GetReceptionRequest, _: Context) -> pb.Reception:
        async with self._database.read() as tx:
            row = await load_reception(tx, request.name)
            return (await _messages(tx, [row]))[0]

    async def ListReceptions(self, request: pb.ListReceptionsRequest, _: Context) -> pb.ListReceptionsResponse:
        statement = select(reception).where(*within(request, reception.c.day))
        if request.unit:
            statement = statement.where(reception.c.unit == request.unit.removeprefix("units/"))
        if request.station:
            statement = statement.where(reception.c.station == identifier(request.station))
        if request.mandate:
            statement = statement.where(literal(identifier(request.mandate)) == any_(reception.c.mandates))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (reception.c.id, identifier))
            return pb.ListReceptionsResponse(receptions=await _messages(tx, rows), next_page_token=token)


async def load_reception(tx: ReadTx, name: str) -> Row:
    """Raises Refused RECEPTION_NOT_FOUND."""
    row = await tx.first(FIND, key=identifier(name))
    if row is None:
        raise Refused("RECEPTION_NOT_FOUND", reception=name)
    return row


async def _messages(tx: ReadTx, rows: Sequence[Row]) -> list[pb.Reception]:
    found = await tx.all(COUNT, keys=[row.id for row in rows]) if rows else ()
    counts: Mapping[UUID, int] = {each.reception: each.opinions for each in found}
    return [_message(row, counts.get(row.id, 0)) for row in rows]


def _message(row: Row, opinions: int) -> pb.Reception:
    return pb.Reception(
        name=f"receptions/{row.id}",
        station=f"stations/{row.station}",
        day=date_message(row.day),
        mandates=[f"mandates/{key}" for key in row.mandates],
        people_received=row.people_received,
        note=row.note,
        opinions=opinions,
        create_time=timestamp(row.created_at),
    )


def _received(row: Row) -> events_pb2.ResidentsReceived:
    return events_pb2.ResidentsReceived(
        reception=f"receptions/{row.id}",
        unit=f"units/{row.unit}",
        day=date_message(row.day),
        mandates=[f"mandates/{key}" for key in row.mandates],
        people_received=row.people_received,
    )
