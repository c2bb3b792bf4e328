"""Decisions (决定): an adopted project is adjusted, postponed or ended by a recorded one alone, and never silently.

Its undertaker reports the need, the standing committee or the congress of the township decides, notice is given, and
the next session hears of it.
"""

from datetime import date
from typing import Any

import grpc
from sqlalchemy import and_, bindparam, insert, or_, select

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.pagination import page
from chassis.rulebooks import rulebook
from chassis.rules import ChoiceRule, FlagRule, Rulebook
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, identifier, number, read_date, timestamp, word
from quanyutong.ballots.v1 import events_pb2
from quanyutong.ballots.v1 import projects_pb2 as pb
from services.ballots import project_path as path
from services.ballots.domain import Refused
from services.ballots.project_message import project_message
from services.ballots.project_steps import load_project, project_name, take, tell
from services.ballots.project_tables import decision
from services.ballots.projects import owner_of

Context = grpc.aio.ServicerContext[Any, Any]
LOCK = Sql(select(decision).where(decision.c.id == bindparam("key")).with_for_update())
WORDS = ("reporter", "reason", "content", "project_title", "project_content")
ENTER = Sql(
    insert(decision).returning(decision),
    columns=(
        *("project", "kind", "decider", "decide_date", "due_date", "notice_needed", "report_needed", "rule_versions"),
        *WORDS,
    ),
)
OWED = or_(
    and_(decision.c.notice_needed, decision.c.notice_date.is_(None)),
    and_(decision.c.report_needed, decision.c.reported_to == ""),
)
RULE = "livelihood_projects.adjustment_{}".format


class Decisions:
    _database: Database

    async def DecideProject(self, request: pb.DecideProjectRequest, _: Context) -> pb.Decision:
        given = request.decision
        kind, today = word(pb.DecisionKind, given.kind), clock.today()
        day = read_date(given, "decide_date", "decision.decide_date") or today
        due = read_date(given, "due_date", "decision.due_date")
        path.check_day(day, today)
        async with self._database.write() as tx:
            row = await load_project(tx, given.project, lock=True)
            path.next_state(kind, row.state)
            path.check_new_due_date(kind, row.due_date, due, day)
            judged = await _judged(tx, row, given)
            values = {"kind": kind, "decide_date": day, "due_date": due, **judged}
            made = await tx.one(ENTER, project=row.id, **values, **{field: getattr(given, field) for field in WORDS})
            saved = await take(tx, row, kind, decision_name(made.id), given.reason, **_changes(row, made))
            tx.publish(_decided(saved, made), given.project)
            return tx.reply(_message(made))

    async def GiveDecisionNotice(self, request: pb.GiveDecisionNoticeRequest, _: Context) -> pb.Decision:
        day = read_date(request, "day") or clock.today()
        path.check_day(day, clock.today())
        async with self._database.write() as tx:
            row = await _load_for(tx, request)
            path.check_undone(row.notice_date, "DECISION_NOTICED")
            return tx.reply(_message(await _follow(tx, row, "give_notice", notice_date=day)))

    async def ReportDecision(self, request: pb.ReportDecisionRequest, _: Context) -> pb.Decision:
        async with self._database.write() as tx:
            row = await _load_for(tx, request)
            if row.reported_to:
                raise Refused("DECISION_REPORTED", meeting=row.reported_to)
            return tx.reply(_message(await _follow(tx, row, "report_decision", reported_to=request.meeting)))

    async def ListDecisions(self, request: pb.ListDecisionsRequest, _: Context) -> pb.ListDecisionsResponse:
        statement = select(decision)
        if request.project:
            statement = statement.where(decision.c.project == identifier(request.project))
        if request.kind:
            statement = statement.where(decision.c.kind == word(pb.DecisionKind, request.kind))
        if request.owed:
            statement = statement.where(OWED)
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (decision.c.id, identifier))
        return pb.ListDecisionsResponse(decisions=map(_message, rows), next_page_token=token)


async def _judged(tx: ReadTx, row: Row, given: pb.Decision) -> dict[str, Any]:
    """Who may report and decide, and what is owed after it, by the rules of today."""
    book: Rulebook = await rulebook(tx, clock.today())
    reported_by = book.rule(RULE("reported_by"), ChoiceRule)
    decided_by = book.rule(RULE("decided_by"), ChoiceRule)
    undertakers = [each.display_name for each in (await project_message(tx, row)).undertakers]
    path.check_reporter(given.reporter, undertakers, reported_by.version)
    decider = word(pb.Decider, given.decider)
    path.check_decider(decider, row.level, decided_by.value, decided_by.version)
    flags = [book.rule(RULE(name), FlagRule) for name in ("reason_recorded", "noticed", "reported_to_next_session")]
    return {
        "decider": decider,
        "notice_needed": flags[1].value,
        "report_needed": flags[2].value,
        "rule_versions": [rule.version for rule in (reported_by, decided_by, *flags)],
    }


def _changes(row: Row, made: Row) -> dict[str, Any]:
    """What the decision makes of the project."""
    if made.kind == "end":
        return {"closing_note": made.reason}
    return {
        "due_date": made.due_date or row.due_date,
        "title": made.project_title or row.title,
        "content": made.project_content or row.content,
    }


async def _load_for(tx: WriteTx, request: pb.GiveDecisionNoticeRequest | pb.ReportDecisionRequest) -> Row:
    row = await tx.first(LOCK, key=identifier(request.name))
    if row is None:
        raise Refused("DECISION_NOT_FOUND", decision=request.name)
    check_etag(request.etag, row.revision)
    return row


async def _follow(tx: WriteTx, row: Row, verb: str, **changes: date | str) -> Row:
    """What follows a decision is a step of its project."""
    await tell(tx, await load_project(tx, project_name(row.project)), verb, decision_name(row.id))
    return await tx.change(decision, row, **changes)


def decision_name(key: object) -> str:
    return f"decisions/{key}"


def _decided(row: Row, made: Row) -> events_pb2.ProjectDecided:
    return events_pb2.ProjectDecided(
        project=project_name(row.id),
        **owner_of(row),
        decision=decision_name(made.id),
        kind=number(pb.DecisionKind, made.kind),
        decide_date=date_message(made.decide_date),
        due_date=date_message(row.due_date),
    )


def _message(row: Row) -> pb.Decision:
    return pb.Decision(
        name=decision_name(row.id),
        project=project_name(row.project),
        kind=number(pb.DecisionKind, row.kind),
        decider=number(pb.Decider, row.decider),
        **{field: getattr(row, field) for field in WORDS},
        decide_date=date_message(row.decide_date),
        due_date=date_message(row.due_date),
        notice_date=date_message(row.notice_date),
        reported_to=row.reported_to,
        notice_owed=row.notice_needed and row.notice_date is None,
        report_owed=row.report_needed and not row.reported_to,
        rule_versions=row.rule_versions,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
