"""Who attends a subdistrict assembly: its representatives, and those who attend by right (固定出席).

Deputies of every level who live or work in the subdistrict always do; delegates
to party congresses and members of the CPPCC where the district's rule says so.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import grpc
from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from chassis import clock
from chassis.database import Database, ReadTx, Row
from chassis.pagination import page
from chassis.rulebooks import rulebook
from chassis.rules import FlagRule
from chassis.wire import identifier, number, read_date, word
from quanyutong.registry.v1 import attendance_pb2 as pb
from quanyutong.registry.v1 import mandates_pb2
from services.registry import posts
from services.registry.assemblies import load_assembly
from services.registry.rules import rule_of
from services.registry.seats import held_on, suspended_on
from services.registry.tables import mandate, person
from services.registry.vetting import BY_RIGHT

Context = grpc.aio.ServicerContext[Any, Any]
Versions = Mapping[str, str]


class Attendance:
    _database: Database

    async def ListAttendees(self, request: pb.ListAttendeesRequest, _: Context) -> pb.ListAttendeesResponse:
        day = read_date(request, "as_of") or clock.today()
        async with self._database.read() as tx:
            body = await load_assembly(tx, request.parent)
            posts.check_subdistrict_assembly(request.parent, body.kind)
            versions = await _rights(tx, day)
            statement = _attending(body, day, versions)
            if request.capacities:
                wanted = [word(mandates_pb2.Capacity, capacity) for capacity in request.capacities]
                statement = statement.having(func.bool_or(mandate.c.capacity.in_(wanted)))
            if request.by_right:
                statement = statement.having(func.bool_or(mandate.c.assembly != body.id))
            rows, token = await page(tx, request, statement, (mandate.c.person, identifier))
        attendees = [_message(row, versions) for row in rows]
        return pb.ListAttendeesResponse(attendees=attendees, next_page_token=token)


async def _rights(tx: ReadTx, day: date) -> Versions:
    """The capacities that give a seat by right on a day, each with the version of its rule."""
    book = await rulebook(tx, day)
    rules = {capacity: rule_of(book, key, FlagRule) for capacity, key in BY_RIGHT.items()}
    return {capacity: rule.version for capacity, rule in rules.items() if rule.value}


def lives_or_works(unit: str) -> ColumnElement[bool]:
    return or_(person.c.residence == unit, person.c.workplace == unit)


def _attending(body: Row, day: date, versions: Versions) -> Select[Any]:
    """One row a person, with all the mandates on which the person attends; those of the assembly itself first."""
    own = mandate.c.assembly == body.id
    right = and_(mandate.c.capacity.in_(versions), lives_or_works(body.unit))
    holds = and_(held_on(day), not_(suspended_on(day)))
    grounds = (mandate.c.id, mandate.c.capacity, ~own, mandate.c.rule_version)
    first_own = (own.desc(), mandate.c.id)
    return (
        select(
            mandate.c.person,
            *(func.array_agg(aggregate_order_by(each, *first_own)) for each in grounds),
        )
        .join(person, person.c.id == mandate.c.person)
        .where(holds, or_(own, right))
        .group_by(mandate.c.person)
    )


def _message(row: Row, versions: Versions) -> pb.Attendee:
    who, *grounds = row.values()
    return pb.Attendee(
        person=f"persons/{who}",
        grounds=[
            pb.AttendanceGround(
                mandate=f"mandates/{key}",
                capacity=number(mandates_pb2.Capacity, capacity),
                by_right=by_right,
                rule_version=versions[capacity] if by_right else judged_by,
            )
            for key, capacity, by_right, judged_by in zip(*grounds, strict=True)
        ],
    )
