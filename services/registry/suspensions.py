"""Suspension of a mandate (暂停执行代表职务): the person keeps the seat and does not act in it."""

from typing import Any

import grpc
from sqlalchemy import insert

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import date_message, read_date
from quanyutong.registry.v1 import events_pb2, mandates_pb2
from quanyutong.registry.v1 import mandate_life_pb2 as pb
from services.registry import domain
from services.registry.assemblies import term_of
from services.registry.mandates import RESUME, load_for, message, save
from services.registry.recording import check_nothing_later
from services.registry.tables import suspension

Context = grpc.aio.ServicerContext[Any, Any]
SUSPEND = Sql(insert(suspension), columns=("mandate", "start_date", "reason"))


class Suspensions:
    _database: Database

    async def SuspendMandate(self, request: pb.SuspendMandateRequest, _: Context) -> mandates_pb2.Mandate:
        day = read_date(request, "suspended_from") or clock.today()
        async with self._database.write() as tx:
            row, state = await load_for(tx, "suspend", request)
            domain.check_mandate_date(day, row.state_since, clock.today())
            await check_nothing_later(tx, row.id, day)
            await tx.execute(SUSPEND, mandate=row.id, start_date=day, reason=request.reason)
            saved = await save(tx, row, state=state, state_since=day, remark=request.reason)
            publish_suspended(tx, saved)
            return tx.reply(message(saved))

    async def ReinstateMandate(self, request: pb.ReinstateMandateRequest, _: Context) -> mandates_pb2.Mandate:
        day = read_date(request, "reinstated_from") or clock.today()
        async with self._database.write() as tx:
            row, state = await load_for(tx, "reinstate", request)
            domain.check_mandate_date(day, row.state_since, clock.today())
            await tx.execute(RESUME, key=row.id, day=day)
            saved = await save(tx, row, state=state, state_since=day, remark=request.reason)
            reinstated = events_pb2.MandateReinstated(
                mandate=request.name,
                person=f"persons/{row.person}",
                term=term_of(row),
                reinstated_from=date_message(day),
                suspended_from=date_message(row.state_since),
            )
            tx.publish(reinstated, request.name)
            return tx.reply(message(saved))


def publish_suspended(tx: WriteTx, row: Row) -> None:
    suspended = events_pb2.MandateSuspended(
        mandate=f"mandates/{row.id}",
        person=f"persons/{row.person}",
        term=term_of(row),
        suspended_from=date_message(row.state_since),
    )
    tx.publish(suspended, suspended.mandate)
