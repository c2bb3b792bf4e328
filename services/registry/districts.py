"""The city's directory of districts: who exists, who is suspended, which limits.

An entry is written by acting for its district, which only the municipal RPCs
here do; the processes of the platform hear of it by the event DistrictChanged.
The directory is in the pool. A silo holds a copy of its own districts' entries,
from when they came there, which nothing but references reads.
"""

from datetime import date
from typing import Any

import grpc
from asyncpg import UniqueViolationError
from sqlalchemy import and_, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql

from chassis import auth, clock, tenancy
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.masks import masked
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, read_date
from quanyutong.common.v1 import events_pb2
from quanyutong.registry.v1 import districts_pb2 as pb
from services.registry import domain, policy
from services.registry.tables import district

Context = grpc.aio.ServicerContext[Any, Any]
BY_CODE = select(district).where(district.c.code == bindparam("code"))
READ, LOCK = Sql(BY_CODE), Sql(BY_CODE.with_for_update())
CHANGEABLE = ("display_name", "calls_per_second", "calls_in_flight")
ENTERED = ("code", "valid_from", *CHANGEABLE)
ENTER = Sql(insert(district).returning(district), columns=ENTERED)
COPY = Sql(postgresql.insert(district).on_conflict_do_nothing().returning(district.c.code), columns=ENTERED)
NOT_YET = "随归档导入，核对后恢复。 Imported with an archive; to be resumed when checked."


class Districts:
    _database: Database

    async def ListDistricts(self, request: pb.ListDistrictsRequest, _: Context) -> pb.ListDistrictsResponse:
        day = read_date(request, "as_of") or clock.today()
        exists = and_(
            or_(district.c.valid_from.is_(None), district.c.valid_from <= day),
            or_(district.c.valid_to.is_(None), district.c.valid_to > day),
        )
        async with self._database.read_city() as tx:
            rows, token = await page(tx, request, select(district).where(exists), (district.c.code, str))
        return pb.ListDistrictsResponse(districts=map(message, rows), next_page_token=token)

    async def GetDistrict(self, request: pb.GetDistrictRequest, _: Context) -> pb.District:
        async with self._database.read_city() as tx:
            return message(await load_district(tx, _code(request.name)))

    async def CreateDistrict(self, request: pb.CreateDistrictRequest, _: Context) -> pb.District:
        given = request.district
        code = _code(given.name)
        values = {name: getattr(given, name) for name in CHANGEABLE}
        values |= {"code": code, "valid_from": read_date(given, "valid_from", "district.valid_from")}
        with tenancy.acting_for(code):
            if code in self._database.apart:
                async with self._database.write_apart() as silo:
                    await silo.first(COPY, **values)
            try:
                async with self._database.write_city() as tx:
                    row = await tx.one(ENTER, **values)
                    return tx.reply(_changed(tx, row))
            except UniqueViolationError:
                raise domain.Refused("DISTRICT_EXISTS", district=code) from None

    async def UpdateDistrict(self, request: pb.UpdateDistrictRequest, _: Context) -> pb.District:
        given = request.district
        code = _code(given.name)
        changes = {field: getattr(given, field) for field in masked(request.update_mask, CHANGEABLE)}
        with tenancy.acting_for(code):
            async with self._database.write_city() as tx:
                row = await load_district(tx, code, lock=True)
                check_etag(given.etag, row.revision)
                return tx.reply(_changed(tx, await _save(tx, row, changes)))

    async def SuspendDistrict(self, request: pb.SuspendDistrictRequest, _: Context) -> pb.District:
        return await self._suspend(request, True, request.reason)

    async def ResumeDistrict(self, request: pb.ResumeDistrictRequest, _: Context) -> pb.District:
        return await self._suspend(request, False, "")

    async def _suspend(
        self, request: pb.SuspendDistrictRequest | pb.ResumeDistrictRequest, suspend: bool, reason: str
    ) -> pb.District:
        code = _code(request.name)
        with tenancy.acting_for(code):
            async with self._database.write_city() as tx:
                row = await load_district(tx, code, lock=True)
                check_etag(request.etag, row.revision)
                domain.check_suspension(code, row.suspended, suspend)
                changes = {"suspended": suspend, "suspension_reason": reason}
                return tx.reply(_changed(tx, await _save(tx, row, changes)))


async def enter_imported(database: Database) -> None:
    """Enters a district that was imported in the city's directory, where it may be already, and tells every process.

    It is suspended, so that nobody calls it before the operators have looked at it.
    """
    code = tenancy.district()
    async with database.read() as own:
        copy = await load_district(own, code)
    async with database.write_city() as tx:
        row = await tx.first(LOCK, code=code)
        row = row or await tx.one(insert(district).values(dict(copy)).returning(district))
        changes = {} if row.suspended else {"suspended": True, "suspension_reason": NOT_YET}
        publish_entry(tx, await _save(tx, row, changes) if changes else row)


async def load_district(tx: ReadTx, code: str, lock: bool = False) -> Row:
    """Raises Refused DISTRICT_NOT_FOUND."""
    row = await tx.first(LOCK if lock else READ, code=code)
    if row is None:
        raise domain.Refused("DISTRICT_NOT_FOUND", district=code)
    return row


async def end(tx: WriteTx, row: Row, day: date, successor: str) -> Row:
    """From the day on it is no more, nor are its calls; it is not suspended, so that what it left can be read."""
    changes = {"valid_to": day, "successor": successor, "suspended": False, "suspension_reason": ""}
    saved = await _save(tx, row, changes)
    publish_entry(tx, saved)
    return saved


async def _save(tx: WriteTx, row: Row, changes: dict[str, Any]) -> Row:
    statement = update(district).where(district.c.code == row.code)
    return await tx.one(statement.values(**changes, revision=row.revision + 1).returning(district))


def _changed(tx: WriteTx, row: Row) -> pb.District:
    """Tells every process, and returns the entry as the caller sees it."""
    publish_entry(tx, row)
    return message(row)


def publish_entry(tx: WriteTx, row: Row) -> None:
    """The entry as every process keeps it."""
    tx.publish(
        events_pb2.DistrictChanged(
            code=row.code,
            display_name=row.display_name,
            suspended=row.suspended,
            calls_per_second=row.calls_per_second,
            calls_in_flight=row.calls_in_flight,
            valid_from=date_message(row.valid_from),
            valid_to=date_message(row.valid_to),
        ),
        aggregate=f"districts/{row.code}",
    )


def _code(name: str) -> str:
    return name.removeprefix("districts/")


def message(row: Row) -> pb.District:
    """The entry as its reader may see it."""
    entry = pb.District(
        name=f"districts/{row.code}",
        display_name=row.display_name,
        valid_from=date_message(row.valid_from),
        valid_to=date_message(row.valid_to),
        etag=etag(row.revision),
        successor=f"districts/{row.successor}" if row.successor else "",
    )
    if policy.sees_operations(auth.caller.get(), row.code):
        entry.suspended = row.suspended
        entry.suspension_reason = row.suspension_reason
        entry.calls_per_second = row.calls_per_second
        entry.calls_in_flight = row.calls_in_flight
    return entry
