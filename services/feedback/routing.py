"""Routes (交办规则): which undertakers lead and help, by category and unit, as the district has set them."""

from typing import Any

import grpc
from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.dialects import postgresql

from chassis.database import Database, ReadTx, Row
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import identifier, number, timestamp, word
from quanyutong.feedback.v1 import handling_pb2 as pb
from quanyutong.feedback.v1 import opinions_pb2
from services.feedback import handling_path as path
from services.feedback.domain import Refused
from services.feedback.tables import route

Context = grpc.aio.ServicerContext[Any, Any]
ENTER = Sql(
    postgresql.insert(route).on_conflict_do_nothing().returning(route), columns=("category", "unit", "undertakers")
)
REMOVE = Sql(delete(route).where(route.c.id == bindparam("key")).returning(route))
# The unit's own route goes before the one that leads from everywhere.
LEADS = Sql(
    select(route)
    .where(route.c.category == bindparam("category"), or_(route.c.unit == bindparam("of"), route.c.unit == ""))
    .order_by(route.c.unit.desc())
    .limit(1)
)


class Routes:
    _database: Database

    async def CreateRoute(self, request: pb.CreateRouteRequest, _: Context) -> pb.Route:
        given, unit = request.route, request.route.unit.removeprefix("units/")
        path.check_undertakers([(each.display_name, each.lead) for each in given.undertakers])
        names = [each.display_name for each in sorted(given.undertakers, key=lambda each: not each.lead)]
        category = word(opinions_pb2.OpinionCategory, given.category)
        async with self._database.write() as tx:
            path.check_unit(unit, tx.district)
            row = await tx.first(ENTER, category=category, unit=unit, undertakers=names)
            if row is None:
                raise Refused("ROUTE_EXISTS", category=category.upper())
            return tx.reply(_message(row))

    async def ListRoutes(self, request: pb.ListRoutesRequest, _: Context) -> pb.ListRoutesResponse:
        statement = select(route)
        if request.category:
            statement = statement.where(route.c.category == word(opinions_pb2.OpinionCategory, request.category))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (route.c.id, identifier))
        return pb.ListRoutesResponse(routes=map(_message, rows), next_page_token=token)

    async def RemoveRoute(self, request: pb.RemoveRouteRequest, _: Context) -> pb.Route:
        async with self._database.write() as tx:
            row = await tx.first(REMOVE, key=identifier(request.name))
            if row is None:
                raise Refused("ROUTE_NOT_FOUND", route=request.name)
            return tx.reply(_message(row))


async def routed_to(tx: ReadTx, opinion: Row) -> list[tuple[str, bool]]:
    """Who undertakes an opinion by the routes, the one that leads first. Raises Refused ROUTE_MISSING."""
    row = await tx.first(LEADS, category=opinion.category, of=opinion.unit)
    if row is None:
        raise Refused("ROUTE_MISSING", category=opinion.category.upper())
    return [(name, place == 0) for place, name in enumerate(row.undertakers)]


def _message(row: Row) -> pb.Route:
    named = enumerate(row.undertakers)
    return pb.Route(
        name=f"routes/{row.id}",
        category=number(opinions_pb2.OpinionCategory, row.category),
        unit=f"units/{row.unit}" if row.unit else "",
        undertakers=[opinions_pb2.Undertaker(display_name=name, lead=place == 0) for place, name in named],
        create_time=timestamp(row.created_at),
    )
