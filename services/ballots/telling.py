"""What becomes of what was nominated, told at each step to the service whose people raised it.

Each opinion or proposal has an event of its own under its own name, so that its steps are heard in their order. One
that was merged hears of what it was merged into.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text

from chassis.database import ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import number
from quanyutong.ballots.v1 import errors_pb2, events_pb2, projects_pb2, suggestions_pb2
from services.ballots.domain import Refused
from services.ballots.project_tables import suggestion

NOMINATED_IN = Sql(
    text("""WITH RECURSIVE stood (id, source, origin) AS (
                SELECT id, source, origin FROM suggestion WHERE id = :key
                UNION SELECT s.id, s.source, s.origin FROM suggestion s JOIN stood ON s.merged_into = stood.id)
            SELECT origin FROM stood WHERE source = 'nominated' ORDER BY origin""")
)
OF_PROJECT = Sql(select(suggestion).where(suggestion.c.project == bindparam("project")))


async def tell_of_suggestion(tx: WriteTx, row: Row, changed: UUID | None = None, **more: Any) -> None:
    """`row` is what stands for the nominated now; `changed` the suggestion whose nominated are told, if another."""
    for name in await _nominated_in(tx, changed or row.id):
        event = events_pb2.NominationAdvanced(
            nominated=name,
            suggestion=suggestion_name(row.id),
            suggestion_state=number(suggestions_pb2.SuggestionState, row.state),
            reject_reason=row.reject_reason,
            **more,
        )
        tx.publish(event, name)


async def tell_of_project(tx: WriteTx, row: Row, name: str) -> None:
    for each in await tx.all(OF_PROJECT, project=row.id):
        state = number(projects_pb2.ProjectState, row.state)
        await tell_of_suggestion(tx, each, project=name, project_state=state, poll=row.poll)


def tell_of_refusal(tx: WriteTx, nominated: str, refused: Refused) -> None:
    refusal = number(errors_pb2.ErrorReason, refused.reason)
    tx.publish(events_pb2.NominationAdvanced(nominated=nominated, refusal=refusal), nominated)


async def _nominated_in(tx: ReadTx, key: UUID) -> list[str]:
    return [row.origin for row in await tx.all(NOMINATED_IN, key=key)]


def suggestion_name(key: object) -> str:
    return f"suggestions/{key}"
