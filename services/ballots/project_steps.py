"""How a project is loaded, and how it takes a step: it changes and its timeline says so, in one transaction."""

from typing import Any

from sqlalchemy import bindparam, insert, select

from chassis import actor
from chassis.database import ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import check_etag, identifier
from services.ballots.domain import Refused
from services.ballots.project_path import next_state
from services.ballots.project_tables import project, project_step
from services.ballots.telling import tell_of_project

BY_ID = select(project).where(project.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
ENTER = Sql(insert(project_step), columns=("project", "verb", "state", "subject", "resource", "note"))


async def load_project(tx: ReadTx, name: str, lock: bool = False) -> Row:
    """Raises Refused PROJECT_NOT_FOUND."""
    row = await tx.first(LOCK if lock else READ, key=identifier(name))
    if row is None:
        raise Refused("PROJECT_NOT_FOUND", project=name)
    return row


async def load_for(tx: WriteTx, request: Any) -> Row:
    row = await load_project(tx, request.name, lock=True)
    check_etag(request.etag, row.revision)
    return row


async def take(tx: WriteTx, row: Row, verb: str, resource: str = "", note: str = "", **changes: Any) -> Row:
    """One step of a project that is locked. Raises Refused PROJECT_STATE_REFUSED."""
    saved = await tx.change(project, row, state=next_state(verb, row.state), **changes)
    await tell(tx, saved, verb, resource, note)
    if saved.state != row.state:
        await tell_of_project(tx, saved, project_name(saved.id))
    return saved


async def tell(tx: WriteTx, row: Row, verb: str, resource: str = "", note: str = "") -> None:
    """Adds to the timeline what the project itself does not show."""
    step = {"verb": verb, "state": row.state, "resource": resource, "note": note}
    await tx.execute(ENTER, project=row.id, subject=actor.subject(), **step)


def project_name(key: object) -> str:
    return f"projects/{key}"
