"""Units (乡镇/街道): the towns, townships and subdistricts of a district."""

from typing import Any

import grpc
from asyncpg import UniqueViolationError
from sqlalchemy import and_, bindparam, insert, or_, select

from chassis import clock
from chassis.database import Database, ReadTx, Row
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import date_message, number, read_date, word
from quanyutong.registry.v1 import units_pb2 as pb
from services.registry import domain
from services.registry.tables import unit

Context = grpc.aio.ServicerContext[Any, Any]
BY_CODE = Sql(select(unit).where(unit.c.code == bindparam("code")))
ENTER = Sql(insert(unit).returning(unit), columns=("code", "display_name", "kind", "valid_from"))


class Units:
    _database: Database

    async def ListUnits(self, request: pb.ListUnitsRequest, _: Context) -> pb.ListUnitsResponse:
        day = read_date(request, "as_of") or clock.today()
        exists = and_(
            or_(unit.c.valid_from.is_(None), unit.c.valid_from <= day),
            or_(unit.c.valid_to.is_(None), unit.c.valid_to > day),
        )
        statement = select(unit).where(exists)
        if request.kind:
            statement = statement.where(unit.c.kind == word(pb.UnitKind, request.kind))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (unit.c.code, str))
        return pb.ListUnitsResponse(units=map(_message, rows), next_page_token=token)

    async def GetUnit(self, request: pb.GetUnitRequest, _: Context) -> pb.Unit:
        async with self._database.read() as tx:
            return _message(await load_unit(tx, request.name))

    async def CreateUnit(self, request: pb.CreateUnitRequest, _: Context) -> pb.Unit:
        given = request.unit
        code = given.name.removeprefix("units/")
        values = {
            "code": code,
            "display_name": given.display_name,
            "kind": word(pb.UnitKind, given.kind),
            "valid_from": read_date(given, "valid_from", "unit.valid_from"),
        }
        try:
            async with self._database.write() as tx:
                domain.check_unit_of_district(code, tx.district)
                return tx.reply(_message(await tx.one(ENTER, **values)))
        except UniqueViolationError:
            raise domain.Refused("UNIT_EXISTS", unit=code) from None


async def load_unit(tx: ReadTx, name: str) -> Row:
    """Raises Refused UNIT_NOT_FOUND."""
    code = name.removeprefix("units/")
    row = await tx.first(BY_CODE, code=code)
    if row is None:
        raise domain.Refused("UNIT_NOT_FOUND", unit=code)
    return row


def _message(row: Row) -> pb.Unit:
    return pb.Unit(
        name=f"units/{row.code}",
        display_name=row.display_name,
        kind=number(pb.UnitKind, row.kind),
        valid_from=date_message(row.valid_from),
        valid_to=date_message(row.valid_to),
        predecessor=row.predecessor or "",
    )
