"""How a proposal is loaded, and how it takes a step: it changes and its timeline says so, in one transaction."""

from typing import Any

from sqlalchemy import bindparam, insert, select

from chassis import actor
from chassis.database import ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import check_etag, identifier, number
from quanyutong.feedback.v1 import events_pb2, proposals_pb2
from services.feedback.domain import Refused
from services.feedback.proposal_path import next_state
from services.feedback.tables import proposal, proposal_step

BY_ID = select(proposal).where(proposal.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
ENTER = Sql(insert(proposal_step), columns=("proposal", "verb", "state", "subject", "note"))


async def load_proposal(tx: ReadTx, name: str, how: Sql = READ) -> Row:
    """Raises Refused PROPOSAL_NOT_FOUND."""
    row = await tx.first(how, key=identifier(name))
    if row is None:
        raise Refused("PROPOSAL_NOT_FOUND", proposal=name)
    return row


async def load_for(tx: WriteTx, request: Any, verb: str) -> Row:
    """One that the verb leads on from. Raises Refused PROPOSAL_STATE_REFUSED."""
    row = await load_proposal(tx, request.name, LOCK)
    check_etag(request.etag, row.revision)
    next_state(verb, row.state)
    return row


async def take(tx: WriteTx, row: Row, verb: str, note: str = "", **changes: Any) -> Row:
    """One step of a proposal that is locked."""
    state = next_state(verb, row.state)
    saved = await tx.change(proposal, row, state=state, **changes)
    await tell(tx, saved, verb, note)
    if saved.state != row.state:
        tx.publish(_progressed(saved), proposal_name(row.id))
    return saved


async def tell(tx: WriteTx, row: Row, verb: str, note: str = "") -> None:
    await tx.execute(ENTER, proposal=row.id, verb=verb, state=row.state, subject=actor.subject(), note=note)


def _progressed(row: Row) -> events_pb2.ProposalProgressed:
    state = number(proposals_pb2.ProposalState, row.state)
    return events_pb2.ProposalProgressed(proposal=proposal_name(row.id), state=state, key=bool(row.supervisor))


def proposal_name(key: object) -> str:
    return f"delegateProposals/{key}"
