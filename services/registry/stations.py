"""Stations (代表家站点): houses, stations and liaison points where residents meet their delegates."""

from collections.abc import Iterable
from typing import Any

import grpc
from sqlalchemy import bindparam, func, insert, select

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.masks import masked
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import (
    check_etag,
    date_message,
    etag,
    identifier,
    name_in_update,
    number,
    read_date,
    timestamp,
    word,
)
from quanyutong.registry.v1 import events_pb2
from quanyutong.registry.v1 import stations_pb2 as pb
from services.registry import domain, duties, posts
from services.registry.tables import rota_entry, station
from services.registry.units import load_unit

Context = grpc.aio.ServicerContext[Any, Any]
CHANGEABLE = ("display_name", "address", "position", "belongs_to")
BY_ID = select(station).where(station.c.id == bindparam("key"))
# HOLD is shared by those who rely on the station's being open; whoever closes it waits for them.
READ, HOLD, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update(read=True)), Sql(BY_ID.with_for_update())
BELOW = select(func.count().label("stations")).where(station.c.belongs_to == bindparam("above"))


class Stations:
    _database: Database

    async def CreateStation(self, request: pb.CreateStationRequest, _: Context) -> pb.Station:
        given = request.station
        kind, values = word(pb.StationKind, given.kind), _columns(given, CHANGEABLE)
        start = read_date(given, "start_date", "station.start_date") or clock.today()
        async with self._database.write() as tx:
            unit = await load_unit(tx, given.unit)
            await _check_above(tx, kind, given.belongs_to)
            entry = insert(station).values(kind=kind, unit=unit.code, start_date=start, **values)
            row = await tx.one(entry.returning(station))
            publish_opened(tx, row)
            return tx.reply(_message(row))

    async def GetStation(self, request: pb.GetStationRequest, _: Context) -> pb.Station:
        async with self._database.read() as tx:
            return _message(await load_station(tx, request.name))

    async def ListStations(self, request: pb.ListStationsRequest, _: Context) -> pb.ListStationsResponse:
        statement = select(station)
        if request.kind:
            statement = statement.where(station.c.kind == word(pb.StationKind, request.kind))
        if request.unit:
            statement = statement.where(station.c.unit == request.unit.removeprefix("units/"))
        if request.belongs_to:
            statement = statement.where(station.c.belongs_to == identifier(request.belongs_to))
        if day := read_date(request, "open_on"):
            statement = statement.where(duties.holds_on(station, day))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (station.c.id, identifier))
        return pb.ListStationsResponse(stations=map(_message, rows), next_page_token=token)

    async def UpdateStation(self, request: pb.UpdateStationRequest, _: Context) -> pb.Station:
        given = request.station
        changes = _columns(given, masked(request.update_mask, CHANGEABLE))
        async with self._database.write() as tx:
            row = await load_station(tx, name_in_update(given, "station"), LOCK)
            check_etag(given.etag, row.revision)
            posts.check_open(given.name, row.end_date)
            if "belongs_to" in changes:
                await _check_above(tx, row.kind, given.belongs_to)
            saved = await tx.change(station, row, **changes)
            if saved.display_name != row.display_name:
                renamed = events_pb2.StationRenamed(station=given.name, display_name=saved.display_name)
                tx.publish(renamed, given.name)
            return tx.reply(_message(saved))

    async def CloseStation(self, request: pb.CloseStationRequest, _: Context) -> pb.Station:
        day = read_date(request, "end_date") or clock.today()
        async with self._database.write() as tx:
            row = await load_station(tx, request.name, LOCK)
            check_etag(request.etag, row.revision)
            posts.check_open(request.name, row.end_date)
            posts.check_end(day, row.start_date, None)
            below = await tx.one(BELOW.where(duties.lasts_beyond(station, day)), above=row.id)
            posts.check_unused(request.name, below.stations)
            saved = await tx.change(station, row, end_date=day, close_reason=request.reason)
            publish_closed(tx, saved)
            await duties.end(tx, rota_entry, rota_entry.c.station == row.id, day)
            return tx.reply(_message(saved))


async def load_station(tx: ReadTx, name: str, how: Sql = READ) -> Row:
    """Raises Refused STATION_NOT_FOUND."""
    row = await tx.first(how, key=identifier(name))
    if row is None:
        raise domain.Refused("STATION_NOT_FOUND", station=name)
    return row


async def load_open_station(tx: ReadTx, name: str) -> Row:
    """Nobody closes it before the transaction ends. Raises Refused STATION_NOT_FOUND, STATION_CLOSED."""
    row = await load_station(tx, name, HOLD)
    posts.check_open(name, row.end_date)
    return row


async def _check_above(tx: ReadTx, kind: str, above: str) -> None:
    """What the station is to belong to, if anything, is of the right kind and open."""
    if above:
        posts.check_above(kind, (await load_open_station(tx, above)).kind)


def _columns(given: pb.Station, fields: Iterable[str]) -> dict[str, Any]:
    """What these fields, of those that can be changed, put into the columns."""
    placed = given.HasField("position")
    of_field: dict[str, dict[str, Any]] = {
        "display_name": {"display_name": given.display_name},
        "address": {"address": given.address},
        "position": {
            "latitude": given.position.latitude if placed else None,
            "longitude": given.position.longitude if placed else None,
        },
        "belongs_to": {"belongs_to": identifier(given.belongs_to) if given.belongs_to else None},
    }
    return {column: value for field in fields for column, value in of_field[field].items()}


def station_name(key: object) -> str:
    return f"stations/{key}"


def publish_opened(tx: WriteTx, row: Row) -> None:
    opened = events_pb2.StationOpened(
        station=station_name(row.id),
        kind=number(pb.StationKind, row.kind),
        unit=f"units/{row.unit}",
        start_date=date_message(row.start_date),
        display_name=row.display_name,
    )
    tx.publish(opened, opened.station)


def publish_closed(tx: WriteTx, row: Row) -> None:
    closed = events_pb2.StationClosed(
        station=station_name(row.id),
        kind=number(pb.StationKind, row.kind),
        unit=f"units/{row.unit}",
        end_date=date_message(row.end_date),
    )
    tx.publish(closed, closed.station)


def _position(row: Row) -> pb.Position | None:
    if row.latitude is None:
        return None
    return pb.Position(datum=pb.DATUM_WGS84, latitude=row.latitude, longitude=row.longitude)


def _message(row: Row) -> pb.Station:
    return pb.Station(
        name=station_name(row.id),
        kind=number(pb.StationKind, row.kind),
        display_name=row.display_name,
        unit=f"units/{row.unit}",
        address=row.address,
        position=_position(row),
        belongs_to=station_name(row.belongs_to) if row.belongs_to else "",
        start_date=date_message(row.start_date),
        end_date=date_message(row.end_date),
        close_reason=row.close_reason,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
        predecessor=row.predecessor or "",
    )
