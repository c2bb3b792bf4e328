"""How far a project is: what undertakers report, what inspections find, and how satisfied one is with it."""

from datetime import date
from typing import Any

import grpc
from sqlalchemy import insert

from chassis import clock
from chassis.database import Database, ReadTx, Row
from chassis.rulebooks import rulebook
from chassis.rules import Rulebook, ShareRule
from chassis.sql import Sql
from chassis.wire import date_message, read_date, timestamp
from quanyutong.ballots.v1 import events_pb2
from quanyutong.ballots.v1 import projects_pb2 as pb
from services.ballots import project_path as path
from services.ballots.project_message import project_message
from services.ballots.project_steps import load_for, load_project, project_name, take
from services.ballots.project_tables import inspection, progress_report
from services.ballots.timeline import page_of_project

Context = grpc.aio.ServicerContext[Any, Any]
REPORT = Sql(
    insert(progress_report).returning(progress_report),
    columns=("project", "percent", "spent_fen", "content", "correction_reason", "day"),
)
INSPECT = Sql(insert(inspection).returning(inspection), columns=("project", "inspectors", "findings", "passed", "day"))


class Progress:
    _database: Database

    async def ReportProgress(self, request: pb.ReportProgressRequest, _: Context) -> pb.ProgressReport:
        given = request.progress_report
        day = _day(given, "progress_report.day")
        async with self._database.write() as tx:
            row = await load_project(tx, given.project, lock=True)
            path.next_state("report", row.state)
            before = row.percent, row.spent_fen
            path.check_progress(given.percent, given.spent_fen, before, row.budget_fen, given.correction_reason)
            told = {"percent": given.percent, "spent_fen": given.spent_fen}
            texts = {"content": given.content, "correction_reason": given.correction_reason}
            report = await tx.one(REPORT, project=row.id, day=day, **told, **texts)
            note = given.correction_reason or given.content
            saved = await take(tx, row, "report", f"progressReports/{report.id}", note, **told)
            tx.publish(_progressed(saved, (await project_message(tx, saved)).late), given.project)
            return tx.reply(_report(report))

    async def ListProgressReports(
        self, request: pb.ListProgressReportsRequest, _: Context
    ) -> pb.ListProgressReportsResponse:
        async with self._database.read() as tx:
            rows, token = await page_of_project(tx, request, progress_report)
        return pb.ListProgressReportsResponse(progress_reports=map(_report, rows), next_page_token=token)

    async def InspectProject(self, request: pb.InspectProjectRequest, _: Context) -> pb.Inspection:
        given = request.inspection
        day = _day(given, "inspection.day")
        async with self._database.write() as tx:
            row = await load_project(tx, given.project, lock=True)
            verb = "pass_inspection" if given.passed else "fail_inspection"
            path.next_state(verb, row.state)
            values = {"inspectors": given.inspectors, "findings": given.findings, "passed": given.passed}
            made = await tx.one(INSPECT, project=row.id, day=day, **values)
            await take(tx, row, verb, f"inspections/{made.id}", given.findings)
            return tx.reply(_inspection(made))

    async def ListInspections(self, request: pb.ListInspectionsRequest, _: Context) -> pb.ListInspectionsResponse:
        async with self._database.read() as tx:
            rows, token = await page_of_project(tx, request, inspection)
        return pb.ListInspectionsResponse(inspections=map(_inspection, rows), next_page_token=token)

    async def EvaluateProject(self, request: pb.EvaluateProjectRequest, _: Context) -> pb.Project:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            path.next_state("evaluate", row.state)
            judged = await _judged(tx, request.evaluation)
            return tx.reply(await project_message(tx, await take(tx, row, "evaluate", evaluation_poll="", **judged)))


async def _judged(tx: ReadTx, given: pb.ProjectEvaluation) -> dict[str, Any]:
    """The columns of an evaluation that was counted on paper, by the rules of today."""
    counts = (given.members, given.satisfied, given.basically_satisfied, given.dissatisfied)
    path.check_counts(*counts)
    book: Rulebook = await rulebook(tx, clock.today())
    enough = book.rule("votes.satisfied", ShareRule)
    basically = book.rule("votes.basically_satisfied", ShareRule)
    result = path.graded(*counts[:3], enough.value.met, basically.value.met)
    names = ("members", "satisfied", "basically_satisfied", "dissatisfied")
    versions = [enough.version, basically.version]
    return {**dict(zip(names, counts, strict=True)), "evaluation_result": result, "evaluation_rules": versions}


def _day(given: pb.ProgressReport | pb.Inspection, place: str) -> date:
    day = read_date(given, "day", place) or clock.today()
    path.check_day(day, clock.today())
    return day


def _progressed(row: Row, late: bool) -> events_pb2.ProjectProgressed:
    return events_pb2.ProjectProgressed(
        project=project_name(row.id),
        percent=row.percent,
        spent_fen=row.spent_fen,
        budget_fen=row.budget_fen,
        late=late,
    )


def _report(row: Row) -> pb.ProgressReport:
    return pb.ProgressReport(
        name=f"progressReports/{row.id}",
        project=project_name(row.project),
        percent=row.percent,
        spent_fen=row.spent_fen,
        content=row.content,
        correction_reason=row.correction_reason,
        day=date_message(row.day),
        create_time=timestamp(row.created_at),
    )


def _inspection(row: Row) -> pb.Inspection:
    return pb.Inspection(
        name=f"inspections/{row.id}",
        project=project_name(row.project),
        inspectors=row.inspectors,
        findings=row.findings,
        passed=row.passed,
        day=date_message(row.day),
        create_time=timestamp(row.created_at),
    )
