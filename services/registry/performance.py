"""The performance record (履职档案): what delegates did, added up when it is asked for."""

from typing import Any

import grpc
from sqlalchemy import ColumnElement, Select, literal_column, select

from chassis.database import Database, Row
from chassis.pagination import page, whole_number
from chassis.wire import identifier, number, read_date, word
from quanyutong.registry.v1 import activities_pb2, oversight_pb2
from quanyutong.registry.v1 import performance_pb2 as pb
from services.registry import counting
from services.registry.domain import Refused
from services.registry.totals import KINDS, Wanted, totals

Context = grpc.aio.ServicerContext[Any, Any]
Request = pb.GetPerformanceRequest | pb.ListPerformanceRequest | pb.ExportPerformanceRequest


class PerformanceRecord:
    _database: Database

    async def GetPerformance(self, request: pb.GetPerformanceRequest, _: Context) -> pb.Performance:
        statement = select(totals(Wanted(mandate=identifier(request.name), **period_of(request))))
        async with self._database.read() as tx:
            row = await tx.first(statement)
        if row is None:
            raise Refused("MANDATE_NOT_FOUND", mandate=request.name)
        return _message(row)

    async def ListPerformance(self, request: pb.ListPerformanceRequest, _: Context) -> pb.ListPerformanceResponse:
        statement, rank, key = ordered(request)
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (rank, whole_number), (key, str))
        return pb.ListPerformanceResponse(performances=map(_message, rows), next_page_token=token)


def ordered(
    request: pb.ListPerformanceRequest | pb.ExportPerformanceRequest,
) -> tuple[Select[Any], ColumnElement[int], ColumnElement[str]]:
    """The totals that are asked for, and the two columns that they come in the order of."""
    found = totals(wanted_by(request))
    ranked = word(pb.PerformanceOrder, request.order)
    rank = -found.c[ranked] if ranked else literal_column("0")
    rows = select(found, rank.label("rank")).subquery("ranked")
    return select(rows), rows.c.rank, rows.c.key


def wanted_by(request: pb.ListPerformanceRequest | pb.ExportPerformanceRequest) -> Wanted:
    owner, _, count = request.term.partition("/terms/")
    return Wanted(
        grouping=word(pb.Grouping, request.grouping) or "delegate",
        term=(identifier(owner), int(count)) if request.term else None,
        **period_of(request),
    )


def period_of(request: Request) -> dict[str, Any]:
    start, end = read_date(request, "start_date"), read_date(request, "end_date")
    counting.check_period(start, end)
    return {"start": start, "end": end}


def _message(row: Row) -> pb.Performance:
    return pb.Performance(
        mandate=row.mandate,
        term=row.term,
        period=row.period,
        oversight_group=row.oversight_group,
        topic=number(oversight_pb2.OversightTopic, row.topic),
        display_name=row.display_name,
        activities=row.activities,
        person_times=row.person_times,
        people_received=row.people_received,
        kinds=[
            pb.KindTotal(kind=number(activities_pb2.ActivityKind, kind), person_times=row[kind])
            for kind in KINDS
            if row[kind]
        ],
    )
