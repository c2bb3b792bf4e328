"""A vote during which service, database and bus are killed: nobody votes twice, and no receipt is broken."""

import random
from functools import partial
from pathlib import Path

from quanyutong_client import Board, Voter, verify
from tests.ballots.polling import Polling, Vote
from tests.conftest import tenant_of
from tests.contract.acts import PAPER as PAPER_TAKEN
from tests.contract.acts import kinds, performance
from tests.harness import during, insist, platform, until

SEATS = 12


async def test_killed_while_papers_are_taken_and_ballots_cast(tmp_path: Path) -> None:
    async with platform("split", tmp_path / "site", durable=True) as site, tenant_of(site, "gateway") as tenant:
        polling = Polling(tenant, tmp_path)
        vote = await polling.opened(SEATS)

        async def service_dies() -> None:
            await site.kill_and_start("ballots")

        async def database_dies() -> None:
            site.postgres.kill()
            await site.postgres.start()

        async def bus_dies() -> None:
            site.nats.kill()

        takes = [insist(partial(polling.voter, vote, place)) for place in range(SEATS)]
        await during(takes[: SEATS // 2], service_dies)
        await during(takes[SEATS // 2 :], database_dies)
        await insist(lambda: polling.turnout(vote.poll))
        assert (await polling.turnout(vote.poll)).papers == SEATS
        await polling.do_poll("StartVoting", vote.poll)
        voters = [Voter.resume(polling.folder_of(vote, place)) for place in range(SEATS)]
        for harm in (service_dies, database_dies, bus_dies):
            part = [voters.pop(random.randrange(len(voters))) for _ in range(SEATS // 3)]
            vote.voters += part
            casts = [insist(partial(polling.cast, vote, voter, {"projects": ["p01"]})) for voter in part]
            await during(casts, harm)
        # Nobody hears of it until the bus is back; the vote needs it not.
        await check_all_counted(polling, vote)
        await site.nats.start()
        await check_heard(polling, vote)


async def check_heard(polling: Polling, vote: Vote) -> None:
    """Everything that was to be told is told, and each paper stands in the performance record once."""

    async def heard() -> bool:
        waiting = "SELECT count(*) FROM ballots.outbox WHERE district = $1"
        if await polling.count(waiting, polling.district):
            return False
        told = [kinds(await performance(polling, mandate)).get(PAPER_TAKEN) for mandate in vote.mandates]
        assert {*told} <= {None, 1}
        return None not in told

    await until(heard)


async def check_all_counted(polling: Polling, vote: Vote) -> None:
    await insist(lambda: polling.do_poll("Close", vote.poll))
    await polling.certified(vote.poll)
    await polling.announce(vote.poll)
    board = await polling.board(vote.poll)
    assert len(Board.parse(board).ballots) == SEATS
    for voter in vote.voters:
        report = verify(board, voter.receipt)
        assert report.is_sound
        assert report.own is not None
