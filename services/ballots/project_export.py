"""Projects as a file that office programs open."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any

import grpc
from google.api import httpbody_pb2
from google.type.date_pb2 import Date

from chassis import sheets
from chassis.database import Database
from chassis.wire import word
from quanyutong.ballots.v1 import campaigns_pb2
from quanyutong.ballots.v1 import projects_pb2 as pb
from services.ballots.campaigns import load_campaign
from services.ballots.project_message import project_messages
from services.ballots.project_tables import project
from services.ballots.projects import asked

Context = grpc.aio.ServicerContext[Any, Any]
TITLES = (
    *("年度", "级别", "乡镇街道", "项目名称", "建设内容", "状态", "牵头单位", "配合单位", "受益人数"),
    *("预算（分）", "已支出（分）", "进度（%）", "完成期限", "是否逾期", "满意度", "编号"),
)
LEVELS = {"district": "区县", "town": "镇", "township": "乡", "subdistrict": "街道"}
STATES = {
    "candidate": "候选",
    "withdrawn": "撤回",
    "adopted": "票决通过",
    "not_adopted": "未通过",
    "implementing": "实施中",
    "inspected": "已视察",
    "evaluated": "已测评",
    "accepted": "已验收",
    "carried_over": "结转",
    "postponed": "暂缓",
    "ended": "终止",
}
GRADES = {"": "", "satisfied": "满意", "basically_satisfied": "基本满意", "dissatisfied": "不满意"}


class ProjectExport:
    _database: Database

    async def ExportProjects(
        self, request: pb.ExportProjectsRequest, context: Context
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        async with self._database.read() as tx:
            if request.campaign:
                await load_campaign(tx, request.campaign)  # a file of none would look like an empty one
            found = await project_messages(tx, await tx.all(asked(request).order_by(project.c.id)))
        sheet = sheets.CSV if request.format == pb.SHEET_FORMAT_CSV else sheets.XLSX
        await context.send_initial_metadata(sheet.response("projects"))
        async for part in sheet.parts([TITLES, *map(_line, found)], "民生实事项目"):
            yield part


def _line(given: pb.Project) -> Sequence[str | int]:
    leading = [each.display_name for each in given.undertakers if each.lead]
    others = [each.display_name for each in given.undertakers if not each.lead]
    return [
        given.year,
        LEVELS[word(campaigns_pb2.ProjectLevel, given.level)],
        given.unit.removeprefix("units/"),
        given.title,
        given.content,
        STATES[word(pb.ProjectState, given.state)],
        "".join(leading),
        "、".join(others),
        given.beneficiaries,
        given.budget_fen,
        given.spent_fen,
        given.percent,
        _day(given.due_date) if given.HasField("due_date") else "",
        "是" if given.late else "否",
        GRADES[word(pb.ProjectSatisfaction, given.evaluation.result)],
        given.name,
    ]


def _day(given: Date) -> str:
    return date(given.year, given.month, given.day).isoformat()
