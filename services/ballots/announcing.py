"""Announcing (宣布结果), and what a tie at the last place leads to: the presidium's decision, or a run-off."""

import json
from datetime import UTC, datetime
from typing import Any

import grpc
from sqlalchemy import bindparam, insert, select

from chassis.database import Database, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import number, word
from quanyutong.ballots.v1 import events_pb2, polls_pb2, questions_pb2
from quanyutong.ballots.v1 import results_pb2 as pb
from services.ballots import poll_path, scrutiny
from services.ballots.adoption import adopt
from services.ballots.domain import Refused
from services.ballots.drafting import question_message
from services.ballots.polls import (
    DELEGATIONS,
    draft,
    load_for,
    load_poll,
    meeting_name,
    poll_message,
    poll_name,
    save_poll,
)
from services.ballots.results import DECISIONS, result_message
from services.ballots.tables import poll, tie_decision

Context = grpc.aio.ServicerContext[Any, Any]
DECIDE = Sql(insert(tie_decision), columns=("poll", "question", "options", "decision"))
RUN_OFF = Sql(select(poll.c.id).where(poll.c.run_off_of == bindparam("key")))


class Announcing:
    _database: Database

    async def AnnouncePoll(self, request: pb.AnnouncePollRequest, _: Context) -> pb.PollResult:
        async with self._database.write() as tx:
            row = await load_for(tx, request)
            state = poll_path.next_state("announce", row.state)
            await _check_decided(tx, row)
            saved = await save_poll(tx, row, state=state, announced_at=datetime.now(UTC))
            result = await result_message(tx, saved)
            await adopt(tx, request.name, saved.body, _outcomes(result))
            tx.publish(await _announced(tx, saved), request.name)
            return tx.reply(result)

    async def ResolveTie(self, request: pb.ResolveTieRequest, _: Context) -> pb.PollResult:
        async with self._database.write() as tx:
            row = await load_poll(tx, request.name, lock=True)
            poll_path.check_state(row.state, ("certified",))
            asked, judged = _pair(row, request.question)
            tied = scrutiny.check_tie(judged, "presidium", _tie_rule(asked))
            scrutiny.check_decided(judged, tied, request.options)
            if request.question in {each.question for each in await tx.all(DECISIONS, poll=row.id)}:
                raise Refused("TIE_REFUSED", question=request.question)
            facts = {"options": list(request.options), "decision": request.decision}
            await tx.execute(DECIDE, poll=row.id, question=request.question, **facts)
            return tx.reply(await result_message(tx, row))

    async def CreateRunOff(self, request: pb.CreateRunOffRequest, _: Context) -> polls_pb2.Poll:
        async with self._database.write() as tx:
            row = await load_poll(tx, request.parent, lock=True)
            poll_path.check_state(row.state, ("announced",))
            if existing := await tx.first(RUN_OFF, key=row.id):
                raise Refused("RUN_OFF_EXISTS", poll=poll_name(existing.id))
            questions = [question for each in _pairs(row) if (question := _among_tied(*each))]
            if not questions:
                raise Refused("TIE_REFUSED", question=json.loads(row.questions)[0]["question"]["id"])
            given = polls_pb2.Poll(
                title=request.title,
                meeting=meeting_name(row),
                questions=questions,
                delegations=[
                    polls_pb2.Delegation(
                        display_name=each.display_name, mandates=[f"mandates/{m}" for m in each.mandates]
                    )
                    for each in await tx.all(DELEGATIONS, poll=row.id)
                ],
                method=number(polls_pb2.PollMethod, row.method),
                late_papers=row.late_papers,
            )
            return tx.reply(await poll_message(tx, await draft(tx, given, row.id)))


async def _check_decided(tx: WriteTx, row: Row) -> None:
    """What the presidium decides is decided before it is announced. Raises Refused TIE_OPEN."""
    decided = {each.question for each in await tx.all(DECISIONS, poll=row.id)}
    for asked, judged in _pairs(row):
        tied = any(option.get("outcome") == "tied" for option in judged["options"])
        if tied and _tie_rule(asked) == "presidium" and judged["id"] not in decided:
            raise Refused("TIE_OPEN", question=judged["id"])


def _outcomes(result: pb.PollResult) -> dict[str, str]:
    """Of each option, by its id, what it ended in."""
    options = (option for question in result.questions for option in question.options)
    return {option.id: word(pb.Outcome, option.outcome) for option in options}


def _pairs(row: Row) -> list[tuple[Any, Any]]:
    return list(zip(json.loads(row.questions), json.loads(row.result)["questions"], strict=True))


def _pair(row: Row, question: str) -> tuple[Any, Any]:
    for asked, judged in _pairs(row):
        if judged["id"] == question:
            return asked, judged
    raise Refused("TIE_REFUSED", question=question)


def _tie_rule(asked: Any) -> str:
    return str(asked["question"]["rule"].get("tie_at_last_place", ""))


def _among_tied(asked: Any, judged: Any) -> questions_pb2.Question | None:
    """The question once more, among those that tie for the places that are left; None where a run-off decides none."""
    try:
        tied = scrutiny.check_tie(judged, "run_off", _tie_rule(asked))
    except Refused:
        return None
    again = question_message(asked)
    kept = [option for option in again.options if option.id in tied]
    del again.options[:]
    again.options.extend(kept)
    again.select.places = judged["places_left"]
    # However many more candidates the first vote had to have: those that tie are all there are.
    again.select.surplus_min = len(kept) - again.select.places
    return again


async def _announced(tx: WriteTx, row: Row) -> events_pb2.PollAnnounced:
    return events_pb2.PollAnnounced(
        poll=poll_name(row.id),
        meeting=meeting_name(row),
        body=row.body,
        result=await result_message(tx, row, movers=False),
        run_off_of=poll_name(row.run_off_of) if row.run_off_of else "",
    )
