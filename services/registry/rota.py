"""The rota (轮值): which delegates are at a station, from when to when."""

from typing import Any

import grpc
from sqlalchemy import bindparam, select

from chassis import clock
from chassis.database import Database, Row
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import date_message, identifier, read_date, timestamp
from quanyutong.registry.v1 import stations_pb2 as pb
from services.registry import domain, duties, posts
from services.registry.stations import load_open_station, station_name
from services.registry.tables import rota_entry

Context = grpc.aio.ServicerContext[Any, Any]
LOCK = Sql(select(rota_entry).where(rota_entry.c.id == bindparam("key")).with_for_update())


class Rota:
    _database: Database

    async def AssignDelegate(self, request: pb.AssignDelegateRequest, _: Context) -> pb.RotaEntry:
        start, end = read_date(request, "start_date") or clock.today(), read_date(request, "end_date")
        async with self._database.write() as tx:
            station = await load_open_station(tx, request.station)
            delegate = await duties.load_delegate(tx, request.mandate)
            posts.check_period(start, end, max(station.start_date, delegate.active_from), delegate.term_end)
            row = await duties.begin(tx, rota_entry, delegate, start, end, station=station.id)
            return tx.reply(_message(row))

    async def ReleaseDelegate(self, request: pb.ReleaseDelegateRequest, _: Context) -> pb.RotaEntry:
        day = read_date(request, "end_date") or clock.today()
        async with self._database.write() as tx:
            row = await tx.first(LOCK, key=identifier(request.name))
            if row is None:
                raise domain.Refused("DUTY_NOT_FOUND", duty=request.name)
            posts.check_end(day, row.start_date, row.end_date)
            (ended,) = await duties.end(tx, rota_entry, rota_entry.c.id == row.id, day)
            return tx.reply(_message(ended))

    async def ListRotaEntries(self, request: pb.ListRotaEntriesRequest, _: Context) -> pb.ListRotaEntriesResponse:
        statement = select(rota_entry)
        if request.station:
            statement = statement.where(rota_entry.c.station == identifier(request.station))
        if request.mandate:
            statement = statement.where(rota_entry.c.mandate == identifier(request.mandate))
        if day := read_date(request, "as_of"):
            statement = statement.where(duties.holds_on(rota_entry, day))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (rota_entry.c.id, identifier))
        return pb.ListRotaEntriesResponse(rota_entries=map(_message, rows), next_page_token=token)


def _message(row: Row) -> pb.RotaEntry:
    return pb.RotaEntry(
        name=f"rotaEntries/{row.id}",
        station=station_name(row.station),
        mandate=f"mandates/{row.mandate}",
        start_date=date_message(row.start_date),
        end_date=date_message(row.end_date),
        create_time=timestamp(row.created_at),
    )
