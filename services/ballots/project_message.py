"""A project as it is shown, with undertakers, tasks, milestones and additions: four queries, however many projects."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Table, Uuid, and_, any_, bindparam, or_, select

from chassis import clock
from chassis.database import ReadTx, Row
from chassis.sql import Sql
from chassis.wire import date_message, etag, number, timestamp
from quanyutong.ballots.v1 import campaigns_pb2
from quanyutong.ballots.v1 import projects_pb2 as pb
from services.ballots.project_path import OPEN, is_late
from services.ballots.project_steps import project_name
from services.ballots.project_tables import budget_addition, milestone, project, project_undertaker, task

Parts = Mapping[UUID, Sequence[Row]]


def _of(table: Table, *order: ColumnElement[Any]) -> Sql:
    projects = bindparam("projects", type_=ARRAY(Uuid))
    return Sql(select(table).where(table.c.project == any_(projects)).order_by(*order))


UNDERTAKERS = _of(project_undertaker, project_undertaker.c.lead.desc(), project_undertaker.c.display_name)
TASKS = _of(task, task.c.due_date, task.c.id)
MILESTONES = _of(milestone, milestone.c.due_date, milestone.c.id)
ADDITIONS = _of(budget_addition, budget_addition.c.id)


def late(today: date) -> ColumnElement[bool]:
    """Those whose message says that they are late."""
    overdue = [
        select(part.c.id).where(part.c.project == project.c.id, part.c.done_date.is_(None), part.c.due_date < today)
        for part in (task, milestone)
    ]
    return and_(
        project.c.state.in_(sorted(OPEN)), or_(project.c.due_date < today, *(part.exists() for part in overdue))
    )


async def project_message(tx: ReadTx, row: Row) -> pb.Project:
    (message,) = await project_messages(tx, [row])
    return message


async def project_messages(tx: ReadTx, rows: Sequence[Row]) -> list[pb.Project]:
    keys = [row.id for row in rows]
    parts = [await tx.grouped(sql, "project", projects=keys) for sql in (UNDERTAKERS, TASKS, MILESTONES, ADDITIONS)]
    return [_message(row, *parts) for row in rows]


def _message(row: Row, undertakers: Parts, tasks: Parts, milestones: Parts, additions: Parts) -> pb.Project:
    message = pb.Project(
        name=project_name(row.id),
        title=row.title,
        content=row.content,
        cost_fen=row.cost_fen,
        feasibility=row.feasibility,
        department=row.department,
        beneficiaries=row.beneficiaries,
        unit=f"units/{row.unit}" if row.unit else "",
        campaign=f"campaigns/{row.campaign}",
        body=f"assemblies/{row.assembly}",
        level=number(campaigns_pb2.ProjectLevel, row.level),
        year=row.year,
        state=number(pb.ProjectState, row.state),
        poll=row.poll,
        due_date=date_message(row.due_date),
        budget_fen=row.budget_fen,
        spent_fen=row.spent_fen,
        percent=row.percent,
        late=_is_late(row, [*tasks.get(row.id, ()), *milestones.get(row.id, ())]),
        evaluation=_evaluation(row),
        closing_note=row.closing_note,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
    for each in undertakers.get(row.id, ()):
        message.undertakers.add(display_name=each.display_name, lead=each.lead)
    for each in tasks.get(row.id, ()):
        message.tasks.add(name=f"tasks/{each.id}", undertaker=each.undertaker, **_part(each))
    for each in milestones.get(row.id, ()):
        message.milestones.add(name=f"milestones/{each.id}", **_part(each))
    message.budget_additions.extend(map(_addition, additions.get(row.id, ())))
    return message


def _is_late(row: Row, parts: Sequence[Row]) -> bool:
    today = clock.today()
    overdue = any(part.done_date is None and part.due_date < today for part in parts)
    return row.state in OPEN and (is_late(row.due_date, None, today) or overdue)


def _part(row: Row) -> dict[str, Any]:
    return {
        "title": row.title,
        "due_date": date_message(row.due_date),
        "done_date": date_message(row.done_date),
        "late": is_late(row.due_date, row.done_date, clock.today()),
    }


def _addition(row: Row) -> pb.BudgetAddition:
    return pb.BudgetAddition(
        amount_fen=row.amount_fen,
        funds=row.funds,
        reason=row.reason,
        day=date_message(row.day),
        create_time=timestamp(row.created_at),
    )


def _evaluation(row: Row) -> pb.ProjectEvaluation | None:
    if not row.evaluation_result:
        return None
    return pb.ProjectEvaluation(
        poll=row.evaluation_poll,
        members=row.members,
        satisfied=row.satisfied,
        basically_satisfied=row.basically_satisfied,
        dissatisfied=row.dissatisfied,
        result=number(pb.ProjectSatisfaction, row.evaluation_result),
        rule_versions=row.evaluation_rules,
    )
