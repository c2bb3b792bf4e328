"""The performance record as a file that office programs open."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
from google.api import httpbody_pb2

from chassis import sheets
from chassis.database import Database, Row
from quanyutong.registry.v1 import performance_pb2 as pb
from services.registry.assemblies import load_term
from services.registry.performance import ordered, wanted_by
from services.registry.totals import KINDS

Context = grpc.aio.ServicerContext[Any, Any]
TITLES = {
    "attendance": "出席会议",
    "speech": "会议发言",
    "inspection": "视察调研",
    "law_enforcement_check": "执法检查",
    "reception": "接待群众",
    "policy_outreach": "政策宣传",
    "training": "培训",
    "opinion_raised": "提出意见",
    "proposal_raised": "提出建议",
    "ballot_paper_taken": "领取选票",
}
TOPICS = {
    "industry_and_rural_revival": "产业发展和乡村振兴",
    "finance_and_state_assets": "财政和国有资产",
    "construction_and_environment": "城乡建设和生态环境",
    "social_governance": "社会治理",
}
# By what is added up -> the columns that say what a line is of, each with its title. The last one tells apart those
# that have the same name.
SUBJECTS = {
    "delegate": {"display_name": "代表", "assembly": "会议主体", "number": "届次", "mandate": "编号"},
    "term": {"assembly": "会议主体", "number": "届次", "term": "编号"},
    "oversight_group": {"topic": "监督小组", "assembly": "会议主体", "number": "届次", "oversight_group": "编号"},
    "year": {"period": "年份"},
    "month": {"period": "月份"},
}
COUNTS = {"activities": "履职活动（次）", "person_times": "履职人次", "people_received": "接待群众（人）"}


class Export:
    _database: Database

    async def ExportPerformance(
        self, request: pb.ExportPerformanceRequest, context: Context
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        statement, rank, key = ordered(request)
        async with self._database.read() as tx:
            if request.term:
                await load_term(tx, request.term)  # a file of nobody would look like a term in which nothing was done
            rows = await tx.all(statement.order_by(rank, key))
        sheet = sheets.CSV if request.format == pb.SHEET_FORMAT_CSV else sheets.XLSX
        await context.send_initial_metadata(sheet.response("performance"))
        async for part in sheet.parts(_table(wanted_by(request).grouping, rows), "履职档案"):
            yield part


def _table(grouping: str, rows: Sequence[Row]) -> sheets.Table:
    """The titles and the lines."""
    subjects = SUBJECTS[grouping]
    titles = [*subjects.values(), *COUNTS.values(), *(TITLES[kind] for kind in KINDS)]
    return [titles, *(_line(row, list(subjects)) for row in rows)]


def _line(row: Row, subjects: Sequence[str]) -> Sequence[str | int]:
    shown = {**row, "number": row.term.rpartition("/")[2], "topic": TOPICS.get(row.topic, "")}
    return [shown[name] for name in (*subjects, *COUNTS, *KINDS)]
