"""Venues (会场)."""

from collections.abc import Iterable
from typing import Any

import grpc
from asyncpg import UniqueViolationError
from sqlalchemy import bindparam, false, insert, select

from chassis.database import Database, ReadTx, Row
from chassis.masks import masked
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, etag, identifier, name_in_update, timestamp
from quanyutong.meetings.v1 import venues_pb2 as pb
from services.meetings.domain import Refused
from services.meetings.tables import venue

Context = grpc.aio.ServicerContext[Any, Any]
CHANGEABLE = ("display_name", "address", "capacity")
BY_ID = select(venue).where(venue.c.id == bindparam("key"))
READ, HOLD, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update(read=True)), Sql(BY_ID.with_for_update())
ENTER = Sql(insert(venue).returning(venue), columns=CHANGEABLE)


class Venues:
    _database: Database

    async def CreateVenue(self, request: pb.CreateVenueRequest, _: Context) -> pb.Venue:
        try:
            async with self._database.write() as tx:
                return tx.reply(_message(await tx.one(ENTER, **_columns(request.venue, CHANGEABLE))))
        except UniqueViolationError:
            raise Refused("VENUE_EXISTS", display_name=request.venue.display_name) from None

    async def GetVenue(self, request: pb.GetVenueRequest, _: Context) -> pb.Venue:
        async with self._database.read() as tx:
            return _message(await load_venue(tx, request.name))

    async def ListVenues(self, request: pb.ListVenuesRequest, _: Context) -> pb.ListVenuesResponse:
        statement = select(venue)
        if not request.show_closed:
            statement = statement.where(venue.c.closed == false())
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (venue.c.id, identifier))
        return pb.ListVenuesResponse(venues=map(_message, rows), next_page_token=token)

    async def UpdateVenue(self, request: pb.UpdateVenueRequest, _: Context) -> pb.Venue:
        given = request.venue
        changes = _columns(given, masked(request.update_mask, CHANGEABLE))
        try:
            async with self._database.write() as tx:
                row = await load_venue(tx, name_in_update(given, "venue"), LOCK)
                check_etag(given.etag, row.revision)
                return tx.reply(_message(await tx.change(venue, row, **changes)))
        except UniqueViolationError:
            raise Refused("VENUE_EXISTS", display_name=given.display_name) from None

    async def CloseVenue(self, request: pb.CloseVenueRequest, _: Context) -> pb.Venue:
        async with self._database.write() as tx:
            row = await load_venue(tx, request.name, LOCK)
            check_etag(request.etag, row.revision)
            check_open(row)
            return tx.reply(_message(await tx.change(venue, row, closed=True)))


async def load_venue(tx: ReadTx, name: str, how: Sql = READ) -> Row:
    """Raises Refused VENUE_NOT_FOUND."""
    row = await tx.first(how, key=identifier(name))
    if row is None:
        raise Refused("VENUE_NOT_FOUND", venue=name)
    return row


async def load_open_venue(tx: ReadTx, name: str) -> Row:
    """Nobody gives it up before the transaction ends. Raises Refused VENUE_NOT_FOUND, VENUE_CLOSED."""
    row = await load_venue(tx, name, HOLD)
    check_open(row)
    return row


def check_open(row: Row) -> None:
    if row.closed:
        raise Refused("VENUE_CLOSED", venue=venue_name(row.id))


def venue_name(key: object) -> str:
    return f"venues/{key}"


def _columns(given: pb.Venue, fields: Iterable[str]) -> dict[str, Any]:
    return {field: getattr(given, field) for field in fields}


def _message(row: Row) -> pb.Venue:
    return pb.Venue(
        name=venue_name(row.id),
        display_name=row.display_name,
        address=row.address,
        capacity=row.capacity,
        closed=row.closed,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
