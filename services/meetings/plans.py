"""The annual plan (年度会议计划): a time is proposed for each meeting that is owed and not planned yet."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.rulebooks import rulebook
from chassis.sql import Sql
from chassis.wire import number, timestamp
from chassis.working_days import is_provisional, working_days_of
from quanyutong.meetings.v1 import plan_pb2 as pb
from services.meetings import proposing
from services.meetings.domain import Refused
from services.meetings.figures import Figures, figures_of
from services.meetings.obligations import Obligation
from services.meetings.planning import Plan, plan
from services.meetings.tables import plan as annual_plan
from services.meetings.tables import proposal
from services.meetings.wishing import engagements, receptions, wishes
from services.meetings.year import Year, load_year

Context = grpc.aio.ServicerContext[Any, Any]
READ = Sql(select(annual_plan).where(annual_plan.c.year == bindparam("of")))
GIVEN = insert(annual_plan)
# Plannings of one year follow each other: the second waits for the first one here.
BEGIN = Sql(
    GIVEN.on_conflict_do_update(
        index_elements=("district", "year"),
        set_={
            "provisional": GIVEN.excluded.provisional,
            "rule_versions": GIVEN.excluded.rule_versions,
            "planned_at": func.now(),
            "revision": annual_plan.c.revision + 1,
        },
    ).returning(annual_plan),
    columns=("year", "provisional", "rule_versions"),
)
COUNT = Sql(
    select(proposal.c.state, proposal.c.kind, proposal.c.unplaced_reason, func.count().label("proposals"))
    .where(proposal.c.year == bindparam("of"))
    .group_by(proposal.c.state, proposal.c.kind, proposal.c.unplaced_reason)
    .order_by(proposal.c.kind, proposal.c.unplaced_reason)
)
UNDECIDED = and_(proposal.c.state != "accepted", proposal.c.state != "rejected")
OPEN = Sql(select(proposal).where(proposal.c.year == bindparam("of"), UNDECIDED).with_for_update())
REJECTED = Sql(
    select(proposal.c.obligation, proposal.c.day).where(
        proposal.c.year == bindparam("of"), proposal.c.state == "rejected"
    )
)
# What a planning gives to a proposal, new or not.
TIMES = ("state", "start_at", "end_at", "day", "notice_date", "venue", "unplaced_reason")
ADD = Sql(insert(proposal), columns=("year", "obligation", "body", "kind", *TIMES))
CHANGE = Sql(
    update(proposal).where(proposal.c.id == bindparam("key")).values(revision=proposal.c.revision + 1),
    columns=TIMES,
)
DROP = Sql(delete(proposal).where(proposal.c.id == bindparam("key")))


class Plans:
    _database: Database

    async def PlanYear(self, request: pb.PlanYearRequest, _: Context) -> pb.Plan:
        today = clock.today()
        proposing.check_year(request.year, today.year)
        async with self._database.write() as tx:
            figures = figures_of(await rulebook(tx, max(today, date(request.year, 1, 1))))
            row = await tx.one(
                BEGIN,
                year=request.year,
                provisional=is_provisional(request.year),
                rule_versions=list(figures.versions),
            )
            await _propose(tx, request.year, figures, today)
            return tx.reply(_message(row, await tx.all(COUNT, of=request.year)))

    async def GetPlan(self, request: pb.GetPlanRequest, _: Context) -> pb.Plan:
        async with self._database.read() as tx:
            row = await load_plan(tx, request.name)
            return _message(row, await tx.all(COUNT, of=row.year))


async def load_plan(tx: ReadTx, name: str) -> Row:
    """Raises Refused PLAN_NOT_FOUND."""
    row = await tx.first(READ, of=int(name.removeprefix("plans/")))
    if row is None:
        raise Refused("PLAN_NOT_FOUND", plan=name)
    return row


async def _propose(tx: WriteTx, of: int, figures: Figures, today: date) -> None:
    """Leaves one undecided proposal for each meeting that is owed and not planned."""
    rejected: dict[str, frozenset[date]] = {}
    for row in await tx.all(REJECTED, of=of):
        rejected[row.obligation] = rejected.get(row.obligation, frozenset()) | {row.day}
    year = await load_year(tx, of, today, rejected)
    open_ = [standing.obligation for standing in year.standings if standing.state == "due"]
    # Beside the event loop: a large district takes a second or so.
    made = await asyncio.to_thread(_plan, year, open_, figures, today)
    await _save(tx, of, {each.key: _values(each, made, year, figures) for each in open_}, open_)


def _plan(year: Year, open_: Sequence[Obligation], figures: Figures, today: date) -> Plan:
    settled = [*engagements(year.settled, year.known), *receptions(open_, year.known)]
    return plan(wishes(open_, year.known, today), settled, _working_days(open_), figures.limits)


def _working_days(open_: Iterable[Obligation]) -> list[date]:
    years = {each.due.first.year for each in open_} | {each.due.last.year for each in open_}
    return [day for year in sorted(years) for day in working_days_of(year)]


def _values(owed: Obligation, made: Plan, year: Year, figures: Figures) -> dict[str, Any]:
    span = made.places.get(owed.key)
    if span is None:
        return dict.fromkeys(TIMES) | {"state": "unplaced", "unplaced_reason": made.unplaced[owed.key]}
    venue = year.known.venues.get(owed.body.id)
    start, end = figures.times(span)
    return {
        "state": "proposed",
        "start_at": start,
        "end_at": end,
        "day": span.first[0],
        "notice_date": span.first[0] - timedelta(days=owed.due.notice),
        "venue": UUID(venue) if venue else None,
        "unplaced_reason": "",
    }


async def _save(tx: WriteTx, of: int, wanted: Mapping[str, Mapping[str, Any]], open_: Iterable[Obligation]) -> None:
    """What is proposed as it was stays untouched, so that its etag still holds."""
    there = {row.obligation: row for row in await tx.all(OPEN, of=of)}
    await tx.each(DROP, [{"key": row.id} for key, row in there.items() if key not in wanted])
    changed = [
        {"key": there[key].id, **values}
        for key, values in wanted.items()
        if key in there and any(there[key][column] != value for column, value in values.items())
    ]
    await tx.each(CHANGE, changed)
    added = [
        {"year": of, "obligation": each.key, "body": UUID(each.body.id), "kind": each.due.kind, **wanted[each.key]}
        for each in open_
        if each.key not in there
    ]
    await tx.each(ADD, added)


def _message(row: Row, counts: Sequence[Row]) -> pb.Plan:
    found = dict.fromkeys(("proposed", "accepted", "rejected", "unplaced"), 0)
    for count in counts:
        found["unplaced" if count.state == "overtaken" else count.state] += count.proposals
    return pb.Plan(
        name=f"plans/{row.year}",
        year=row.year,
        provisional=row.provisional,
        revision=row.revision,
        plan_time=timestamp(row.planned_at),
        **found,
        unplaced_counts=[
            pb.UnplacedCount(
                kind=number(pb.ObligationKind, count.kind),
                reason=number(pb.UnplacedReason, count.unplaced_reason),
                meetings=count.proposals,
            )
            for count in counts
            if count.unplaced_reason
        ],
        rule_versions=row.rule_versions,
    )
