"""The timeline of a project: every step, with who and when. What follows a project are pages of its own."""

from collections.abc import Sequence
from typing import Any

import grpc
from sqlalchemy import Table, select

from chassis.database import Database, ReadTx, Row
from chassis.pagination import page
from chassis.wire import identifier, number, timestamp
from quanyutong.ballots.v1 import projects_pb2 as pb
from services.ballots.project_steps import load_project
from services.ballots.project_tables import project_step

Context = grpc.aio.ServicerContext[Any, Any]


class Timeline:
    _database: Database

    async def ListTimeline(self, request: pb.ListTimelineRequest, _: Context) -> pb.ListTimelineResponse:
        async with self._database.read() as tx:
            rows, token = await page_of_project(tx, request, project_step)
        return pb.ListTimelineResponse(steps=map(_message, rows), next_page_token=token)


async def page_of_project(tx: ReadTx, request: Any, table: Table) -> tuple[Sequence[Row], str]:
    """A page of what one project has, in the order in which it was entered. Raises Refused PROJECT_NOT_FOUND."""
    row = await load_project(tx, request.parent)
    statement = select(table).where(table.c.project == row.id)
    return await page(tx, request, statement, (table.c.id, identifier))


def _message(row: Row) -> pb.ProjectStep:
    return pb.ProjectStep(
        verb=row.verb,
        state=number(pb.ProjectState, row.state),
        subject=row.subject,
        resource=row.resource,
        note=row.note,
        time=timestamp(row.at),
    )
