"""What the tables tell of a vote, and what the log of the database tells beyond them (docs/threat-model.md).

Papers are taken in one order, by lot, and ballots cast in the same one: the tables have it not, the log has both.
"""

import random
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr

from chassis import tenancy
from chassis.database import Database
from chassis.migrations import runtime_url
from chassis.vault import Vault
from quanyutong_client import Voter
from services.ballots.sweeping import Sweeping
from tests.ballots import attacker
from tests.ballots.loot import LISTENING, Thief, superuser
from tests.ballots.polling import Polling, Vote

SEATS = 24
# By chance one is found; of eight pairs of orders eleven or more in any, once in five million runs (see `linking`).
CHANCE = 11
TRACELESS = ("TakePaper", "CastBallot")


async def taken(polling: Polling) -> Vote:
    """A vote in which everybody has a paper, in an order that nobody has said."""
    vote = await polling.opened(SEATS)
    order = random.sample(range(SEATS), SEATS)
    vote.mandates = [vote.mandates[place] for place in order]
    vote.persons = [vote.persons[place] for place in order]
    for place in range(SEATS):
        vote.voters.append(await polling.voter(vote, place))
    return vote


def truth_of(vote: Vote) -> dict[UUID, bytes]:
    """The ballot's key of each mandate."""
    pairs = zip(vote.mandates, vote.voters, strict=True)
    return {UUID(mandate.partition("/")[2]): key_of(voter) for mandate, voter in pairs}


def key_of(voter: Voter) -> bytes:
    assert voter.ballot is not None
    return voter.ballot.paper.public_key


@pytest.mark.parametrize("polling", ["split-gateway"], indirect=True)
async def test_tables_in_voting_and_after_the_close(polling: Polling) -> None:
    vote = await taken(polling)
    poll = vote.poll.partition("/")[2]
    async with superuser(polling.tenant.platform) as connection:
        await polling.do_poll("StartVoting", vote.poll)
        for voter in vote.voters:
            await polling.cast(vote, voter, {"projects": ["p01"]})
        await check_orders(connection, vote, poll)
        assert await attacker.sharing(connection, poll) == {"ballots.ballot"}
        for table in ("paper", "box_key"):
            assert await attacker.dead_rows(connection, f"ballots.{table}") == 0
        await polling.do_poll("Close", vote.poll)
        await check_closed(connection, vote, poll)


async def check_orders(connection: asyncpg.Connection, vote: Vote, poll: str) -> None:
    truth = truth_of(vote)
    ballots = await attacker.orders(connection, "ballots.ballot", "public_key", poll)
    for order in await attacker.orders(connection, "ballots.paper", "mandate", poll):
        assert len(order) == SEATS
        assert all(attacker.matches(order, each, truth) < CHANCE for each in ballots)


async def check_closed(connection: asyncpg.Connection, vote: Vote, poll: str) -> None:
    """By key alone, and nothing is left where ballots and papers were: not even as dead bytes."""
    for table in ("ballot", "paper", "box_key"):
        assert await connection.fetchval(f"SELECT count(*) FROM ballots.{table} WHERE poll = $1", poll) == 0
        assert await attacker.dead_rows(connection, f"ballots.{table}") == 0
    left = await attacker.file_of(connection, "ballots.ballot") + await attacker.file_of(connection, "ballots.paper")
    assert not [voter for voter in vote.voters if key_of(voter) in left]
    by_place, _ = await attacker.orders(connection, "ballots.closed_ballot", "public_key", poll)
    assert by_place == sorted(by_place)
    assert len(by_place) == SEATS
    transactions = "SELECT count(DISTINCT xmin::text) FROM ballots.closed_ballot WHERE poll = $1"
    assert await connection.fetchval(transactions, poll) == 1


@pytest.mark.parametrize("polling", ["split-gateway"], indirect=True)
async def test_log_links_those_who_vote_in_the_order_of_their_papers(polling: Polling, tmp_path: Path) -> None:
    """What is not protected: the log has when each paper was taken and each ballot cast, to the microsecond."""
    async with superuser(polling.tenant.platform) as connection:
        for statement in LISTENING[1:]:
            await connection.execute(statement)
        thief = await Thief.enter(polling.tenant.platform, connection, tmp_path)
        vote = await taken(polling)
        papers = await thief.in_log_order("ballots.paper")
        await polling.do_poll("StartVoting", vote.poll)
        for voter in vote.voters:
            await polling.cast(vote, voter, {"projects": ["p01"]})
        ballots = await thief.in_log_order("ballots.ballot")
    mandates = [mandate.partition("/")[2] for mandate in vote.mandates]
    keys = [key_of(voter).hex() for voter in vote.voters]
    assert [mandate in row for mandate, (_, row) in zip(mandates, papers, strict=True)] == [True] * SEATS
    assert [key in row for key, (_, row) in zip(keys, ballots, strict=True)] == [True] * SEATS
    times = [time for time, _ in (*papers, *ballots)]
    assert times == sorted(times)
    assert len(set(times)) == len(times)


@pytest.mark.parametrize("polling", ["split-gateway"], indirect=True)
async def test_records_and_logs_of_the_platform(polling: Polling) -> None:
    vote = await taken(polling)
    await polling.do_poll("StartVoting", vote.poll)
    for voter in vote.voters:
        await polling.cast(vote, voter, {"projects": ["p01"]})
    async with superuser(polling.tenant.platform) as connection:
        await check_records(connection, polling.district)
    await polling.do_poll("Close", vote.poll)
    said = attacker.logs(polling.tenant.platform)
    assert "StartVoting" in said
    assert not [rpc for rpc in TRACELESS if rpc in said]
    assert not [person for person in vote.persons if person.partition("/")[2] in said]


async def check_records(connection: asyncpg.Connection, district: str) -> None:
    """No answer is stored, no record of the audit and no event tells of a single paper or ballot."""
    subjects = "SELECT subject FROM ballots.idempotency WHERE district = $1"
    assert not [row for row in await connection.fetch(subjects, district) if row[0] != "tester"]
    audited = "SELECT DISTINCT resource, rpc FROM ballots.audit WHERE district = $1"
    records = await connection.fetch(audited, district)
    assert records
    assert not [row for row in records if row["resource"] in ("paper", "ballot", "closed_ballot")]
    assert not [row for row in records if any(rpc in row["rpc"] for rpc in TRACELESS)]


@pytest.mark.parametrize("polling", ["all-direct"], indirect=True)
async def test_late_papers_are_in_order_until_the_close(polling: Polling) -> None:
    """What late papers cost: the one that came in voting is known by its transaction, until the poll is closed."""
    vote = await polling.opened(3, late_papers=True)
    await polling.papers(vote, 2)
    await polling.do_poll("StartVoting", vote.poll)
    late = await polling.voter(vote, 2)
    await polling.cast(vote, late, {"projects": ["p01"]})
    poll = vote.poll.partition("/")[2]
    async with superuser(polling.tenant.platform) as connection:
        newest = await connection.fetchval(
            "SELECT mandate FROM ballots.paper WHERE poll = $1 ORDER BY xmin::text::bigint DESC LIMIT 1", poll
        )
        assert f"mandates/{newest}" == vote.mandates[2]
        await polling.do_poll("Close", vote.poll)
        assert await connection.fetchval("SELECT count(*) FROM ballots.paper WHERE poll = $1", poll) == 0


@pytest.mark.parametrize("polling", ["all-direct"], indirect=True)
async def test_what_an_open_transaction_keeps_is_swept_by_two_rounds(polling: Polling) -> None:
    """It may be another district's: a deleted row that somebody can still see is in the rewritten table, too."""
    vote = await polling.opened(1)
    await polling.papers(vote)
    await polling.do_poll("StartVoting", vote.poll)
    await polling.cast(vote, vote.voters[0], {"projects": ["p01"]})
    city, poll, sweeping = polling.tenant.platform, UUID(vote.poll.partition("/")[2]), Sweeping()
    settings = city.settings.model_copy(update={"database_url": SecretStr(city.postgres.url)})
    database = Database(runtime_url(settings, "ballots"), "ballots", 1, 30)
    async with superuser(city) as connection, AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        async with superuser(city) as reader, reader.transaction(isolation="repeatable_read"):
            await reader.fetchval("SELECT count(*) FROM ballots.campaign")
            await polling.do_poll("Close", vote.poll)
            assert key_of(vote.voters[0]) in await attacker.file_of(connection, "ballots.ballot")
        for done in (False, True):
            with tenancy.acting_for(polling.district):
                await sweeping.visit(database, Vault([bytes(32)]))
            assert key_of(vote.voters[0]) not in await attacker.file_of(connection, "ballots.ballot")
            assert await connection.fetchval("SELECT swept FROM ballots.poll WHERE id = $1", poll) is done
