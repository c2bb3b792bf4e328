"""Projects (民生实事项目): listed, changed while they are candidates, begun, accepted or carried over."""

from typing import Any

import grpc
from sqlalchemy import Select, delete, insert, select

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.masks import masked
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, identifier, name_in_update, number, read_date, word
from quanyutong.ballots.v1 import campaigns_pb2, events_pb2
from quanyutong.ballots.v1 import projects_pb2 as pb
from services.ballots import project_path as path
from services.ballots.campaign_path import check_campaign
from services.ballots.campaigns import SHARE, campaign_name, load_campaign
from services.ballots.impersonal import check_impersonal
from services.ballots.project_message import late, project_message, project_messages
from services.ballots.project_steps import load_for, load_project, project_name, take
from services.ballots.project_tables import project, project_undertaker
from services.ballots.suggestions import SCREENED

Context = grpc.aio.ServicerContext[Any, Any]
NAME_UNDERTAKER = Sql(insert(project_undertaker), columns=("project", "display_name", "lead"))


class Projects:
    _database: Database

    async def GetProject(self, request: pb.GetProjectRequest, _: Context) -> pb.Project:
        async with self._database.read() as tx:
            return await project_message(tx, await load_project(tx, request.name))

    async def ListProjects(self, request: pb.ListProjectsRequest, _: Context) -> pb.ListProjectsResponse:
        async with self._database.read() as tx:
            rows, token = await page(tx, request, asked(request), (project.c.id, identifier))
            return pb.ListProjectsResponse(projects=await project_messages(tx, rows), next_page_token=token)

    async def UpdateProject(self, request: pb.UpdateProjectRequest, _: Context) -> pb.Project:
        given = request.project
        changes = {field: getattr(given, field) for field in masked(request.update_mask, SCREENED)}
        check_impersonal(changes.get("content", ""))
        if "cost_fen" in changes:
            changes["budget_fen"] = given.cost_fen
        async with self._database.write() as tx:
            row = await _load_candidate(tx, name_in_update(given, "project"), given.etag)
            return tx.reply(await project_message(tx, await take(tx, row, "update", **changes)))

    async def WithdrawCandidate(self, request: pb.WithdrawCandidateRequest, _: Context) -> pb.Project:
        async with self._database.write() as tx:
            row = await _load_candidate(tx, request.name, request.etag)
            saved = await take(tx, row, "withdraw", note=request.reason, closing_note=request.reason)
            return tx.reply(await project_message(tx, saved))

    async def AssignUndertakers(self, request: pb.AssignUndertakersRequest, _: Context) -> pb.Project:
        path.check_undertakers([(each.display_name, each.lead) for each in request.undertakers])
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            names = "、".join(each.display_name for each in request.undertakers)
            saved = await take(tx, row, "assign", note=names)
            await tx.execute(delete(project_undertaker).where(project_undertaker.c.project == row.id))
            for each in request.undertakers:
                await tx.execute(NAME_UNDERTAKER, project=row.id, display_name=each.display_name, lead=each.lead)
            return tx.reply(await project_message(tx, saved))

    async def StartProject(self, request: pb.StartProjectRequest, _: Context) -> pb.Project:
        given = read_date(request, "due_date")
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            path.next_state("start", row.state)
            path.check_started(len((await project_message(tx, row)).undertakers))
            due = path.first_due_date(row.year, row.due_date, given)
            return tx.reply(await project_message(tx, await take(tx, row, "start", due_date=due)))

    async def AcceptProject(self, request: pb.AcceptProjectRequest, _: Context) -> pb.Project:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            path.next_state("accept", row.state)
            shown = await project_message(tx, row)
            undone = sum(not part.HasField("done_date") for part in (*shown.tasks, *shown.milestones))
            path.check_complete(row.percent, undone)
            saved = await take(tx, row, "accept", note=request.note, closing_note=request.note)
            tx.publish(_accepted(saved), request.name)
            return tx.reply(await project_message(tx, saved))

    async def CarryOverProject(self, request: pb.CarryOverProjectRequest, _: Context) -> pb.Project:
        due = read_date(request, "due_date")
        assert due is not None  # noqa: S101 - a field rule demands it
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            path.next_state("carry_over", row.state)
            path.check_carried(max(row.year, row.due_date.year), due)
            saved = await take(tx, row, "carry_over", note=request.reason, closing_note=request.reason, due_date=due)
            return tx.reply(await project_message(tx, saved))


def asked(request: pb.ListProjectsRequest | pb.ExportProjectsRequest) -> Select[Any]:
    """The projects that the filters leave."""
    statement = select(project)
    if request.campaign:
        statement = statement.where(project.c.campaign == identifier(request.campaign))
    if request.body:
        statement = statement.where(project.c.assembly == identifier(request.body))
    if request.unit:
        statement = statement.where(project.c.unit == request.unit.removeprefix("units/"))
    if request.level:
        statement = statement.where(project.c.level == word(campaigns_pb2.ProjectLevel, request.level))
    if request.year:
        statement = statement.where(project.c.year == request.year)
    if request.state:
        statement = statement.where(project.c.state == word(pb.ProjectState, request.state))
    if request.undertaker:
        named = project_undertaker.c.display_name == request.undertaker
        of = select(project_undertaker.c.project).where(project_undertaker.c.project == project.c.id, named)
        statement = statement.where(of.exists())
    return statement.where(late(clock.today())) if request.late else statement


async def _load_candidate(tx: WriteTx, name: str, seen: str) -> Row:
    """One whose campaign is still being screened; the campaign first, so that none changes while they are counted."""
    of = await load_campaign(tx, campaign_name((await load_project(tx, name)).campaign), SHARE)
    row = await load_project(tx, name, lock=True)
    check_etag(seen, row.revision)
    path.next_state("update", row.state)
    check_campaign(of.state, ("screening",))
    return row


def _accepted(row: Row) -> events_pb2.ProjectAccepted:
    return events_pb2.ProjectAccepted(
        project=project_name(row.id),
        **owner_of(row),
        budget_fen=row.budget_fen,
        spent_fen=row.spent_fen,
        satisfaction=number(pb.ProjectSatisfaction, row.evaluation_result),
    )


def owner_of(row: Row) -> dict[str, Any]:
    """Whose project it is, as events tell it."""
    return {
        "body": f"assemblies/{row.assembly}",
        "unit": f"units/{row.unit}" if row.unit else "",
        "level": number(campaigns_pb2.ProjectLevel, row.level),
        "year": row.year,
    }
