"""What the city looks into: overdue obligations, late projects, undertakers, and every figure by itself."""

from datetime import date
from typing import Any

import grpc
from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select

from chassis.database import Database, ReadTx, Row
from chassis.pagination import page
from chassis.wire import date_message, number, read_date, word
from quanyutong.ballots.v1.campaigns_pb2 import ProjectLevel
from quanyutong.common.v1.figures_pb2 import Figure, FigureKind
from quanyutong.meetings.v1.plan_pb2 import ObligationKind
from quanyutong.municipal.v1 import lists_pb2 as pb
from services.municipal.domain import Refused, first_of, following
from services.municipal.sums import as_of, check_district, month_of
from services.municipal.tables import cell

Context = grpc.aio.ServicerContext[Any, Any]
KEY = ((cell.c.district, str), (cell.c.month, date.fromisoformat), (cell.c.kind, str), (cell.c.unit, str))
FACET = (cell.c.facet, str)
PARTS = (
    *("assigned", "due", "on_time", "judged", "satisfied", "answered", "class_a", "dissatisfied"),
    "dissatisfied_again",
)


class Lists:
    _database: Database

    async def ListOverdueObligations(
        self, request: pb.ListOverdueObligationsRequest, _: Context
    ) -> pb.ListOverdueObligationsResponse:
        kind = word(ObligationKind, request.kind).upper()
        wanted = cell.c.facet == f"{kind}/MISSED" if kind else cell.c.facet.endswith("/MISSED", autoescape=True)
        async with self._database.read_city() as tx:
            statement = await _of(tx, "OBLIGATIONS", request)
            rows, token = await page(tx, request, statement.where(wanted), *KEY, FACET)
            return pb.ListOverdueObligationsResponse(
                overdue_obligations=[
                    pb.OverdueObligations(
                        kind=number(ObligationKind, row.facet.partition("/")[0]),
                        month=date_message(row.month),
                        obligations=row.value,
                        **_place(row),
                    )
                    for row in rows
                ],
                next_page_token=token,
                as_of=await as_of(tx),
            )

    async def ListLateProjects(self, request: pb.ListLateProjectsRequest, _: Context) -> pb.ListLateProjectsResponse:
        async with self._database.read_city() as tx:
            statement = await _of(tx, "PROJECTS_LATE", request)
            if request.level:
                statement = statement.where(cell.c.facet == word(ProjectLevel, request.level).upper())
            rows, token = await page(tx, request, statement, *KEY, FACET)
            return pb.ListLateProjectsResponse(
                late_projects=[
                    pb.LateProjects(
                        year=row.month.year, level=number(ProjectLevel, row.facet), projects=row.value, **_place(row)
                    )
                    for row in rows
                ],
                next_page_token=token,
                as_of=await as_of(tx),
            )

    async def ListUndertakers(self, request: pb.ListUndertakersRequest, _: Context) -> pb.ListUndertakersResponse:
        async with self._database.read_city() as tx:
            figures = (await figures_of(tx, request)).where(cell.c.kind == "UNDERTAKER").subquery("figures")
            part, name = func.split_part(figures.c.facet, "/", 1), _behind_the_slash(figures.c.facet)
            sums = [func.sum(case((part == each.upper(), figures.c.value), else_=0)).label(each) for each in PARTS]
            grouped = select(figures.c.district, name.label("name"), *sums).group_by(figures.c.district, name)
            found = grouped.subquery("undertakers")
            rows, token = await page(tx, request, select(found), (found.c.district, str), (found.c.name, str))
            return pb.ListUndertakersResponse(
                undertakers=[
                    pb.Undertaker(
                        district=f"districts/{row.district}",
                        display_name=row.name,
                        **{each: int(row[each]) for each in PARTS},
                    )
                    for row in rows
                ],
                next_page_token=token,
                as_of=await as_of(tx),
            )

    async def ListFigures(self, request: pb.ListFiguresRequest, _: Context) -> pb.ListFiguresResponse:
        async with self._database.read_city() as tx:
            statement = await figures_of(tx, request)
            if request.kind:
                statement = statement.where(cell.c.kind == kind_of(request.kind))
            if request.facet:
                inside = cell.c.facet.startswith(f"{request.facet}/", autoescape=True)
                statement = statement.where(or_(cell.c.facet == request.facet, inside))
            rows, token = await page(tx, request, statement, *KEY, FACET)
            return pb.ListFiguresResponse(
                figures=[
                    pb.DistrictFigure(
                        district=f"districts/{row.district}", month=date_message(row.month), figure=figure_message(row)
                    )
                    for row in rows
                ],
                next_page_token=token,
                as_of=await as_of(tx),
            )


async def figures_of(tx: ReadTx, request: Any) -> Select[Any]:
    """The figures of a request's district and months. Raises Refused DISTRICT_NOT_FOUND, PERIOD_REFUSED."""
    first, last = read_date(request, "from_month"), read_date(request, "to_month")
    if first and last and first_of(last) < first_of(first):
        raise Refused("PERIOD_REFUSED", most="999")
    statement = select(cell)
    if chosen := await check_district(tx, request.district, await month_of(tx, last)):
        statement = statement.where(cell.c.district.in_(chosen))
    if first:
        statement = statement.where(cell.c.month >= first_of(first))
    return statement.where(cell.c.month < following(first_of(last))) if last else statement


def kind_of(kind: "FigureKind.ValueType") -> str:
    return word(FigureKind, kind).upper()


def figure_message(row: Row) -> Figure:
    return Figure(
        kind=FigureKind.Value(f"FIGURE_KIND_{row.kind}"),
        unit=f"units/{row.unit}" if row.unit else "",
        facet=row.facet,
        value=row.value,
        few=row.few,
    )


async def _of(tx: ReadTx, kind: str, request: Any) -> Select[Any]:
    """The figures of one kind, of a request's district and year."""
    statement = select(cell).where(cell.c.kind == kind)
    if chosen := await check_district(tx, request.district, await month_of(tx, None)):
        statement = statement.where(cell.c.district.in_(chosen))
    if request.year:
        begin, end = date(request.year, 1, 1), date(request.year + 1, 1, 1)
        statement = statement.where(cell.c.month >= begin, cell.c.month < end)
    return statement


def _place(row: Row) -> dict[str, str]:
    return {"district": f"districts/{row.district}", "unit": f"units/{row.unit}" if row.unit else ""}


def _behind_the_slash(facet: ColumnElement[str]) -> ColumnElement[str]:
    """An undertaker's name may have a slash of its own."""
    return func.substr(facet, func.strpos(facet, literal("/")) + 1).collate("C")
