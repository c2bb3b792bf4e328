"""Results (表决结果) and boards: what came of a poll, to those who may see it."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
from google.api import httpbody_pb2
from sqlalchemy import bindparam, select

from chassis import auth, downloads
from chassis.database import Database, ReadTx, Row
from chassis.sql import Sql
from chassis.wire import number, timestamp
from quanyutong.ballots.v1 import polls_pb2
from quanyutong.ballots.v1 import results_pb2 as pb
from services.ballots import poll_path
from services.ballots.boxes import load_box, number_in
from services.ballots.domain import Refused
from services.ballots.drafting import question_message
from services.ballots.policy import sees_result
from services.ballots.polls import load_poll, poll_name
from services.ballots.tables import tie_decision

Context = grpc.aio.ServicerContext[Any, Any]
DECISIONS = Sql(select(tie_decision).where(tie_decision.c.poll == bindparam("poll")))
Json = Mapping[str, Any]


class Results:
    _database: Database

    async def GetResult(self, request: pb.GetResultRequest, _: Context) -> pb.PollResult:
        async with self._database.read() as tx:
            row = await load_poll(tx, request.name)
            check_visible(row)
            return await result_message(tx, row)

    async def GetBoard(self, request: pb.GetBoardRequest, context: Context) -> AsyncIterator[httpbody_pb2.HttpBody]:
        async with self._database.read() as tx:
            row = await load_poll(tx, request.name)
            poll_path.check_method(row.method, "electronic")
            where = await load_box(tx, row.id, number_in(request.name), board=True)
            check_visible(row)
        await context.send_initial_metadata(downloads.named("board.json"))
        for part in downloads.parts(where.board.encode(), "application/json; charset=utf-8"):
            yield part


def check_visible(row: Row) -> None:
    """Raises Refused RESULT_NOT_PUBLIC; of a paper poll also while it is counted."""
    if not row.result or not sees_result(auth.caller.get(), row.state):
        raise Refused("RESULT_NOT_PUBLIC")


async def result_message(tx: ReadTx, row: Row, *, movers: bool = True) -> pb.PollResult:
    result = json.loads(row.result)
    turnout = result["turnout"]
    decided = {each.question: each for each in await tx.all(DECISIONS, poll=row.id)}
    kept = zip(json.loads(row.questions), result["questions"], strict=True)
    return pb.PollResult(
        name=poll_name(row.id),
        state=number(polls_pb2.PollState, row.state),
        electorate=turnout["electorate"],
        present=turnout["present"],
        papers=turnout["papers"],
        ballots=turnout["ballots"],
        void=turnout["void"],
        questions=[_question(asked, judged, decided.get(judged["id"]), movers) for asked, judged in kept],
    )


def _question(asked: Any, judged: Json, decision: Row | None, movers: bool) -> pb.QuestionResult:
    titles = {option["id"]: option["title"] for option in asked["question"]["options"]}
    adopted = set(decision.options) if decision else set()
    return pb.QuestionResult(
        question=question_message(asked, movers=movers),
        received=judged["received"],
        valid=judged["valid"],
        invalid=judged["invalid"],
        blank=judged["blank"],
        options=[_option(each, titles[each["id"]], decision, adopted) for each in judged["options"]],
        places_left=judged.get("places_left", 0) - len(adopted),
        tie_decision=_decision(decision) if decision else None,
    )


def _option(judged: Json, title: str, decision: Row | None, adopted: set[str]) -> pb.OptionResult:
    outcome = judged.get("outcome")
    if outcome == "tied" and decision:
        outcome = "adopted" if judged["id"] in adopted else "not_adopted"
    return pb.OptionResult(
        id=judged["id"],
        title=title,
        votes=judged["votes"],
        outcome=number(pb.Outcome, outcome),
        average=judged.get("average", ""),
    )


def _decision(row: Row) -> pb.TieDecision:
    return pb.TieDecision(options=row.options, decision=row.decision, create_time=timestamp(row.created_at))
