"""What an announced poll makes of projects: it follows by itself, in the transaction of the announcement.

A candidate stands in a poll as the option whose id is its own. Options that are no projects' are left alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select, text

from chassis.database import ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import identifier
from quanyutong.ballots.v1 import events_pb2
from services.ballots import project_path as path
from services.ballots.campaign_path import check_campaign, next_campaign_state
from services.ballots.campaigns import LOCK as LOCK_CAMPAIGN
from services.ballots.campaigns import campaign_name, count, load_campaign, save
from services.ballots.domain import Refused
from services.ballots.drafting import selectable
from services.ballots.project_steps import project_name, take
from services.ballots.project_tables import project
from services.ballots.projects import owner_of

# Projects of another assembly are not up for its vote, whatever an option is called.
OF_THESE = (
    select(project)
    .where(project.c.id == any_(bindparam("keys", type_=ARRAY(Uuid))), project.c.assembly == bindparam("assembly"))
    .order_by(project.c.id)
)
FIND, LOCK = Sql(OF_THESE), Sql(OF_THESE.with_for_update())
# Polls of a body that have begun and are not announced.
UP = Sql(
    text(
        """SELECT id, questions FROM poll
           WHERE body = :body AND state IN ('open', 'voting', 'closed', 'certified')"""
    )
)
# What was merged into a suggestion moved it too.
MOVERS = Sql(
    text("""WITH RECURSIVE moved (id, origin) AS (
                SELECT id, origin FROM suggestion WHERE project = ANY (:keys)
                UNION SELECT s.id, s.origin FROM suggestion s JOIN moved ON s.merged_into = moved.id)
            SELECT DISTINCT e.person FROM moved
            JOIN elector e ON e.poll = :poll AND moved.origin = 'mandates/' || e.mandate""").bindparams(
        bindparam("keys", type_=ARRAY(Uuid))
    )
)
VOTED = ("adopt", "turn_down", "tie")


async def adopt(tx: WriteTx, poll: str, body: str, outcomes: Mapping[str, str]) -> None:
    """`poll` is `polls/<uuid>`, held by `body`; `outcomes` says of each option, by its id, what it ended in.

    Raises Refused PROJECT_STATE_REFUSED, CAMPAIGN_STATE_REFUSED where a project was not up for this vote, which
    `check_options` has made sure of.
    """
    by_key = {key: outcome for option, outcome in outcomes.items() if (key := _key(option))}
    these = {"keys": [*by_key], "assembly": identifier(body)}
    # Campaigns before their projects, and each in one order, as everywhere.
    found = _campaigns(await tx.all(FIND, **these))
    campaigns = {key: await load_campaign(tx, campaign_name(key), LOCK_CAMPAIGN) for key in found}
    decided = set[UUID]()
    for row in await tx.all(LOCK, **these):
        if (verb := path.OUTCOMES.get(by_key[row.id])) in VOTED:
            check_campaign(campaigns[row.campaign].state, ("listed",))
            await _vote(tx, row, str(verb), poll)
            decided.add(row.campaign)
        elif verb and row.state in path.PATH["measure"][0]:
            await _measure(tx, row, poll, by_key[row.id])
    for key in sorted(decided):
        await _close_vote(tx, campaigns[key])


async def check_options(tx: WriteTx, body: str, options: Iterable[str]) -> None:
    """Whether a selection may be opened: those of its options that are projects are candidates that are fixed.

    Each is up in one poll at a time, or the second to be announced could adopt what the first has turned down.
    Raises Refused OPTION_NOT_CANDIDATE, OPTION_IN_ANOTHER_POLL.
    """
    keys = [key for option in options if (key := _key(option))]
    rows = await tx.all(FIND, keys=keys, assembly=identifier(body))
    # Held until the poll is open, so that of two that are opened at once one sees the other.
    campaigns = {key: await load_campaign(tx, campaign_name(key), LOCK_CAMPAIGN) for key in _campaigns(rows)}
    elsewhere = {option: each.id for each in await tx.all(UP, body=body) for option in selectable(each.questions)}
    for row in await tx.all(FIND, keys=keys, assembly=identifier(body)):
        if (row.state, campaigns[row.campaign].state) != ("candidate", "listed"):
            raise Refused("OPTION_NOT_CANDIDATE", option=project_name(row.id))
        if other := elsewhere.get(str(row.id)):
            raise Refused("OPTION_IN_ANOTHER_POLL", option=project_name(row.id), poll=f"polls/{other}")


async def movers_of(tx: ReadTx, poll: UUID, options: Iterable[str]) -> set[UUID]:
    """The electors who suggested what is voted on: they moved it, whatever the draft of the poll says."""
    keys = [key for option in options if (key := _key(option))]
    return {row.person for row in await tx.all(MOVERS, poll=poll, keys=keys)}


def _campaigns(rows: Iterable[Row]) -> Sequence[UUID]:
    return sorted({row.campaign for row in rows})


def _key(option: str) -> UUID | None:
    """None for an option that is no project's."""
    try:
        return UUID(option)
    except ValueError:
        return None


async def _vote(tx: WriteTx, row: Row, verb: str, poll: str) -> None:
    if verb == "tie":  # settled by a run-off or the presidium
        await take(tx, row, verb, poll)
        return
    saved = await take(tx, row, verb, poll, poll=poll)
    if verb == "adopt":
        tx.publish(_adopted(saved), project_name(row.id))


async def _measure(tx: WriteTx, row: Row, poll: str, result: str) -> None:
    """Satisfaction can be measured at any time; after an inspection it is the evaluation."""
    verb = "evaluate" if row.state in path.PATH["evaluate"][0] else "measure"
    judged: dict[str, Any] = {"evaluation_poll": poll, "evaluation_result": result, "evaluation_rules": []}
    judged |= dict.fromkeys(("members", "satisfied", "basically_satisfied", "dissatisfied"), 0)
    await take(tx, row, verb, poll, **judged)


async def _close_vote(tx: WriteTx, row: Row) -> None:
    """The campaign was voted on once no candidate waits any more."""
    if not await count(tx, row, {"candidate"}):
        await save(tx, row, state=next_campaign_state("vote", row.state))


def _adopted(row: Row) -> events_pb2.ProjectAdopted:
    return events_pb2.ProjectAdopted(
        project=project_name(row.id),
        **owner_of(row),
        campaign=campaign_name(row.campaign),
        poll=row.poll,
        cost_fen=row.cost_fen,
    )
