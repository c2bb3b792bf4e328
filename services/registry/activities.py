"""Activities (履职活动): recorded, corrected, withdrawn with a reason; never deleted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import grpc
from asyncpg import UniqueViolationError
from sqlalchemy import bindparam, func, select, update

from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.errors import Refusal
from chassis.masks import masked
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, identifier, name_in_update, number, read_date, timestamp, word
from quanyutong.registry.v1 import activities_pb2 as pb
from services.registry import counting
from services.registry.domain import Refused
from services.registry.recording import check, enter, known_of, publish_changes, replace_mandates
from services.registry.tables import activity, participation

Context = grpc.aio.ServicerContext[Any, Any]
BY_ID = select(activity).where(activity.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
TAKING_PART = Sql(
    select(participation.c.mandate)
    .where(participation.c.activity == bindparam("key"))
    .order_by(participation.c.mandate)
)
DELEGATES = select(func.count()).where(participation.c.activity == activity.c.id).scalar_subquery()
CHANGEABLE = ("kind", "day", "mandates", "people_received", "subject", "unit")


class Activities:
    _database: Database

    async def RecordActivity(self, request: pb.RecordActivityRequest, _: Context) -> pb.Activity:
        act = act_of(request.activity, "activity")
        with one_at_a_time():
            async with self._database.write() as tx:
                check(act, await known_of(tx, [act]))
                (row,) = await enter(tx, [act])
                publish_changes(tx, after=[act])
                return tx.reply(_message(row, act.mandates))

    async def CorrectActivity(self, request: pb.CorrectActivityRequest, _: Context) -> pb.Activity:
        given = act_of(request.activity, "activity")
        changes = {field: getattr(given, field) for field in masked(request.update_mask, CHANGEABLE)}
        with one_at_a_time():
            async with self._database.write() as tx:
                row, act = await _load_for(tx, name_in_update(request.activity, "activity"), request.activity.etag)
                counting.check_correctable(act.kind)
                corrected = replace(act, **changes)
                check(corrected, await known_of(tx, [corrected], besides=row.id))
                await replace_mandates(tx, row.id, corrected.mandates)
                values = {field: getattr(corrected, field) for field in CHANGEABLE if field != "mandates"}
                saved = await _save(tx, row, **values)
                publish_changes(tx, before=[act], after=[corrected])
                return tx.reply(_message(saved, corrected.mandates))

    async def WithdrawActivity(self, request: pb.WithdrawActivityRequest, _: Context) -> pb.Activity:
        async with self._database.write() as tx:
            row, act = await _load_for(tx, request.name, request.etag)
            saved = await _save(tx, row, withdrawal_reason=request.reason)
            publish_changes(tx, before=[act])
            return tx.reply(_message(saved, act.mandates))

    async def GetActivity(self, request: pb.GetActivityRequest, _: Context) -> pb.Activity:
        async with self._database.read() as tx:
            row, act = await _load(tx, request.name)
            return _message(row, act.mandates)

    async def ListActivities(self, request: pb.ListActivitiesRequest, _: Context) -> pb.ListActivitiesResponse:
        start, end = read_date(request, "start_date"), read_date(request, "end_date")
        counting.check_period(start, end)
        statement = select(activity, DELEGATES.label("delegates")).where(*days(start, end))
        if request.mandate:
            took_part = select(participation.c.activity).where(participation.c.mandate == identifier(request.mandate))
            statement = statement.where(activity.c.id.in_(took_part))
        if request.kinds:
            statement = statement.where(activity.c.kind.in_(word(pb.ActivityKind, kind) for kind in request.kinds))
        if request.unit:
            statement = statement.where(activity.c.unit == request.unit.removeprefix("units/"))
        if not request.show_withdrawn:
            statement = statement.where(activity.c.withdrawal_reason == "")
        async with self._database.read() as tx:
            rows, token = await page(
                tx, request, statement, (activity.c.day, date.fromisoformat), (activity.c.id, UUID)
            )
        return pb.ListActivitiesResponse(activities=map(_listed, rows), next_page_token=token)


def act_of(given: pb.Activity, path: str) -> counting.Act:
    """The act that an entry tells of. Raises FieldsInvalid for a day that is not in the calendar."""
    day = read_date(given, "day", f"{path}.day")
    assert day is not None  # noqa: S101 - a field rule demands it
    return counting.Act(
        kind=word(pb.ActivityKind, given.kind),
        day=day,
        mandates=tuple(map(identifier, given.mandates)),
        people_received=given.people_received,
        subject=given.subject,
        unit=given.unit.removeprefix("units/") or None,
        source=given.source,
    )


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Another call entered the same act in this very moment: repeated, this one finds it."""
    try:
        yield
    except UniqueViolationError:
        raise Refusal("CONCURRENT_CHANGE") from None


def days(start: date | None, end: date | None) -> Iterator[Any]:
    """The conditions on an activity of the period."""
    if start:
        yield activity.c.day >= start
    if end:
        yield activity.c.day < end


async def _load(tx: ReadTx, name: str, lock: bool = False) -> tuple[Row, counting.Act]:
    row = await tx.first(LOCK if lock else READ, key=identifier(name))
    if row is None:
        raise Refused("ACTIVITY_NOT_FOUND", activity=name)
    mandates = tuple(each.mandate for each in await tx.all(TAKING_PART, key=row.id))
    return row, counting.Act(row.kind, row.day, mandates, row.people_received, row.subject, row.unit, row.source)


async def _load_for(tx: WriteTx, name: str, etag: str) -> tuple[Row, counting.Act]:
    """An activity that counts, locked."""
    row, act = await _load(tx, name, lock=True)
    check_etag(etag, row.revision)
    counting.check_counted(name, row.withdrawal_reason)
    return row, act


async def _save(tx: WriteTx, row: Row, **changes: Any) -> Row:
    statement = update(activity).where(activity.c.id == row.id)
    return await tx.one(statement.values(**changes, revision=row.revision + 1).returning(activity))


def _message(row: Row, mandates: Sequence[UUID]) -> pb.Activity:
    entry = _entry(row, len(mandates))
    entry.mandates.extend(f"mandates/{mandate}" for mandate in mandates)
    return entry


def _listed(row: Row) -> pb.Activity:
    """Without the mandates: at a page of plenary meetings there are too many for one answer."""
    return _entry(row, row.delegates)


def _entry(row: Row, delegates: int) -> pb.Activity:
    return pb.Activity(
        name=f"activities/{row.id}",
        kind=number(pb.ActivityKind, row.kind),
        day=date_message(row.day),
        people_received=row.people_received,
        subject=row.subject,
        unit=f"units/{row.unit}" if row.unit else "",
        source=row.source,
        delegates=delegates,
        confirmed=row.confirmed,
        withdrawal_reason=row.withdrawal_reason,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
