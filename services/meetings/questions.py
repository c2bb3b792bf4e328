"""Questions and answers (询问与答复) in an inquiry: delegates ask, departments answer."""

from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import bindparam, insert, select, update

from chassis.database import Database, ReadTx, Row
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, etag, identifier, timestamp
from quanyutong.meetings.v1 import questions_pb2 as pb
from services.meetings import domain
from services.meetings.agenda import check_state, item_name, load_item, lock_item, lock_meeting
from services.meetings.attendance import load_attendee
from services.meetings.domain import Refused
from services.meetings.meetings import happened, meeting_name
from services.meetings.sitting import load_entry
from services.meetings.speakers import check_present
from services.meetings.tables import question, roll

Context = grpc.aio.ServicerContext[Any, Any]
# What was left open in the hall is answered in writing, after the meeting too.
ANSWERING = ("convened", "summary", "closed")
ASKED = select(question, roll.c.mandate, roll.c.display_name).join(roll, roll.c.id == question.c.attendee)
READ = Sql(ASKED.where(question.c.id == bindparam("key")))
ENTER = Sql(
    insert(question).returning(question.c.id),
    columns=("meeting", "item", "attendee", "asked_of", "content", "asked_at"),
)


class Questions:
    _database: Database

    async def AskQuestion(self, request: pb.AskQuestionRequest, _: Context) -> pb.Question:
        given = request.question
        async with self._database.write() as tx:
            item = await lock_item(tx, request.parent, "", ("convened",))
            domain.check_class(item.item_class, "inquiry")
            check_state(item, "open")
            moment = happened(request, "ask_time", item.opened_at)
            member = await load_attendee(tx, item.meeting, request.mandate)
            check_present(member, moment)
            values = {"asked_of": given.asked_of, "content": given.content, "asked_at": moment}
            row = await tx.one(ENTER, meeting=item.meeting, item=item.id, attendee=member.id, **values)
            return tx.reply(await _read(tx, row.id))

    async def AnswerQuestion(self, request: pb.AnswerQuestionRequest, _: Context) -> pb.Question:
        async with self._database.write() as tx:
            await lock_meeting(tx, meeting_name((await load_entry(tx, READ, request.name)).meeting), ANSWERING)
            row = await load_entry(tx, READ, request.name)
            check_etag(request.etag, row.revision)
            if row.answered_at:
                raise Refused("QUESTION_ANSWERED", question=request.name)
            moment = happened(request, "answer_time", row.asked_at)
            changes = {"answer": request.answer, "answered_by": request.answered_by, "answered_at": moment}
            statement = update(question).where(question.c.id == row.id)
            await tx.execute(statement.values(**changes, revision=row.revision + 1))
            return tx.reply(await _read(tx, row.id))

    async def ListQuestions(self, request: pb.ListQuestionsRequest, _: Context) -> pb.ListQuestionsResponse:
        async with self._database.read() as tx:
            item = await load_item(tx, request.parent)
            statement = ASKED.where(question.c.item == item.id)
            if request.unanswered:
                statement = statement.where(question.c.answered_at.is_(None))
            rows, token = await page(tx, request, statement, (question.c.id, identifier))
        return pb.ListQuestionsResponse(questions=map(_message, rows), next_page_token=token)


async def _read(tx: ReadTx, key: UUID) -> pb.Question:
    return _message(await tx.one(READ, key=key))


def _message(row: Row) -> pb.Question:
    return pb.Question(
        name=f"questions/{row.id}",
        agenda_item=item_name(row.item),
        mandate=f"mandates/{row.mandate}",
        display_name=row.display_name,
        asked_of=row.asked_of,
        content=row.content,
        answer=row.answer,
        answered_by=row.answered_by,
        ask_time=timestamp(row.asked_at),
        answer_time=timestamp(row.answered_at) if row.answered_at else None,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
