"""What a project is broken into: tasks (任务分解), milestones (节点), and what is added to its budget."""

from typing import Any

import grpc
from sqlalchemy import Table, bindparam, insert, select, update

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import identifier, read_date
from quanyutong.ballots.v1 import projects_pb2 as pb
from services.ballots import project_path as path
from services.ballots.domain import Refused
from services.ballots.project_message import project_message
from services.ballots.project_steps import load_for, load_project, project_name, take
from services.ballots.project_tables import budget_addition, milestone, task

Context = grpc.aio.ServicerContext[Any, Any]
ADD_BUDGET = Sql(insert(budget_addition), columns=("project", "amount_fen", "funds", "reason", "day"))
ADD_TASK = Sql(insert(task).returning(task), columns=("project", "title", "undertaker", "due_date"))
ADD_MILESTONE = Sql(insert(milestone).returning(milestone), columns=("project", "title", "due_date"))
FIND_TASK = Sql(select(task).where(task.c.id == bindparam("key")))
FIND_MILESTONE = Sql(select(milestone).where(milestone.c.id == bindparam("key")))


class ProjectParts:
    _database: Database

    async def AddBudget(self, request: pb.AddBudgetRequest, _: Context) -> pb.Project:
        given = request.addition
        day = read_date(given, "day", "addition.day") or clock.today()
        path.check_day(day, clock.today())
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            saved = await take(tx, row, "add_budget", note=given.reason, budget_fen=row.budget_fen + given.amount_fen)
            values = {"amount_fen": given.amount_fen, "funds": given.funds, "reason": given.reason, "day": day}
            await tx.execute(ADD_BUDGET, project=row.id, **values)
            return tx.reply(await project_message(tx, saved))

    async def AddTask(self, request: pb.AddTaskRequest, _: Context) -> pb.Project:
        given = request.task
        due = read_date(given, "due_date", "task.due_date")
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            undertakers = [each.display_name for each in (await project_message(tx, row)).undertakers]
            undertaker = path.doer(given.undertaker, undertakers)
            added = await tx.one(ADD_TASK, project=row.id, title=given.title, undertaker=undertaker, due_date=due)
            saved = await take(tx, row, "add_task", f"tasks/{added.id}", given.title)
            return tx.reply(await project_message(tx, saved))

    async def CompleteTask(self, request: pb.CompleteTaskRequest, _: Context) -> pb.Project:
        day = _day(request)
        async with self._database.write() as tx:
            part, row = await _load_part(tx, request.name, FIND_TASK, "TASK_NOT_FOUND")
            path.check_undone(part.done_date, "TASK_DONE")
            return tx.reply(await _done(tx, row, "complete_task", task, request.name, day))

    async def AddMilestone(self, request: pb.AddMilestoneRequest, _: Context) -> pb.Project:
        given = request.milestone
        due = read_date(given, "due_date", "milestone.due_date")
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            added = await tx.one(ADD_MILESTONE, project=row.id, title=given.title, due_date=due)
            saved = await take(tx, row, "add_milestone", f"milestones/{added.id}", given.title)
            return tx.reply(await project_message(tx, saved))

    async def ReachMilestone(self, request: pb.ReachMilestoneRequest, _: Context) -> pb.Project:
        day = _day(request)
        async with self._database.write() as tx:
            part, row = await _load_part(tx, request.name, FIND_MILESTONE, "MILESTONE_NOT_FOUND")
            path.check_undone(part.done_date, "MILESTONE_REACHED")
            return tx.reply(await _done(tx, row, "reach_milestone", milestone, request.name, day))


def _day(request: pb.CompleteTaskRequest | pb.ReachMilestoneRequest) -> Any:
    day = read_date(request, "day") or clock.today()
    path.check_day(day, clock.today())
    return day


async def _load_part(tx: WriteTx, name: str, find: Sql, reason: str) -> tuple[Row, Row]:
    """A task or a milestone as it is once its project is locked, and the project."""
    found = await tx.first(find, key=identifier(name))
    if found is None:
        raise Refused(reason, part=name)
    row = await load_project(tx, project_name(found.project), lock=True)
    return await tx.one(find, key=found.id), row


async def _done(tx: WriteTx, row: Row, verb: str, table: Table, name: str, day: Any) -> pb.Project:
    saved = await take(tx, row, verb, name)
    await tx.execute(update(table).where(table.c.id == identifier(name)).values(done_date=day))
    return await project_message(tx, saved)
