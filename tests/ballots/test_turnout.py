"""How far a vote is: in steps for those who look on, whole after a cut, until it is over."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.embedded.ports import free_port
from quanyutong.ballots.v1 import polls_pb2 as polls
from quanyutong.ballots.v1 import voting_pb2 as pb
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceStub
from services.ballots.poll_path import in_steps
from services.ballots.turnout import HEARTBEAT
from tests.ballots.polling import Polling
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import NOBODY
from tests.harness import Process, reason

SEATS, STEP = 7, 5
CHOICE = {"projects": ["p01"]}


def watch(polling: Polling, poll: str, after: str = "", role: str = "viewer") -> Any:
    request = pb.WatchTurnoutRequest(name=poll, after=after)
    return polling.tenant.ballots.WatchTurnout(request, metadata=polling.tenant.metadata(role), timeout=120)


async def until(call: Any, state: int, ballots: int) -> list[pb.WatchTurnoutResponse]:
    """What comes, up to the first message that says so."""
    told: list[pb.WatchTurnoutResponse] = []
    while not told or (told[-1].turnout.state, told[-1].turnout.ballots) != (state, ballots):
        told.append(await call.read())
    return told


async def counted(polling: Polling, poll: str, *roles: str) -> tuple[int, int]:
    turnout = await polling.vote("GetTurnout", pb.GetTurnoutRequest(name=poll), *roles)
    return turnout.papers, turnout.ballots


async def test_who_looks_on_sees_no_single_paper_and_no_single_ballot(polling: Polling) -> None:
    """Whoever watches desk and box beside the counts learns no moment, but that five more came, or all have."""
    vote = await polling.opened(SEATS)
    seen, exact = [], []
    for place in range(SEATS):
        vote.voters.append(await polling.voter(vote, place))
        seen.append((await counted(polling, vote.poll, "viewer"))[0])
        exact.append((await counted(polling, vote.poll))[0])
    assert seen == [0, 0, 0, 0, STEP, STEP, SEATS]
    assert exact == [*range(1, SEATS + 1)]
    await polling.do_poll("StartVoting", vote.poll)
    seen, exact = [], []
    for voter in vote.voters:
        await polling.cast(vote, voter, CHOICE)
        papers, ballots = await counted(polling, vote.poll, "delegate", "scrutineer", "overseer")
        assert papers == SEATS
        seen.append(ballots)
        exact.append((await counted(polling, vote.poll))[1])
    assert seen == [0, 0, 0, 0, STEP, STEP, SEATS]
    assert exact == [*range(1, SEATS + 1)]


async def test_a_screen_sees_steps_and_the_end(polling: Polling) -> None:
    vote = await polling.opened(SEATS)
    # A clerk's screen hangs in the same hall as any other.
    call = watch(polling, vote.poll, role="clerk")
    first = (await call.read()).turnout
    assert (first.state, first.electorate, first.papers) == (polls.POLL_STATE_OPEN, SEATS, 0)
    await polling.papers(vote)
    await polling.do_poll("StartVoting", vote.poll)
    for voter in vote.voters[:-1]:
        await polling.cast(vote, voter, CHOICE)
    voting = await until(call, polls.POLL_STATE_VOTING, STEP)
    assert {each.turnout.ballots for each in voting} <= {0, STEP}
    assert voting[-1].turnout.papers == SEATS
    await polling.do_poll("Close", vote.poll)
    last = (await until(call, polls.POLL_STATE_CLOSED, SEATS - 1))[-1].turnout
    assert last == await polling.turnout(vote.poll)
    assert await call.read() is grpc.aio.EOF
    assert len({each.revision for each in voting}) == len(voting)


async def test_late_papers_are_shown_in_steps_too(polling: Polling) -> None:
    vote = await polling.opened(SEATS, late_papers=True)
    await polling.papers(vote, SEATS - 1)
    await polling.do_poll("StartVoting", vote.poll)
    for voter in vote.voters:
        await polling.cast(vote, voter, CHOICE)
    assert await counted(polling, vote.poll, "viewer") == (STEP, STEP)
    assert await counted(polling, vote.poll) == (SEATS - 1, SEATS - 1)


async def test_after_a_cut_what_was_missed_comes_at_once(polling: Polling) -> None:
    vote = await polling.opened(2)
    call = watch(polling, vote.poll)
    seen = (await call.read()).revision
    call.cancel()
    await polling.papers(vote)
    again = watch(polling, vote.poll, seen)
    missed = await again.read()
    assert missed.turnout.papers == 2
    again.cancel()
    # Nothing was missed this time: the first that comes is the next change.
    began = time.monotonic()
    third = watch(polling, vote.poll, missed.revision)
    await polling.do_poll("Void", vote.poll, reason="设备故障")
    assert (await third.read()).turnout.state == polls.POLL_STATE_VOID
    assert time.monotonic() - began < HEARTBEAT
    assert await third.read() is grpc.aio.EOF


async def test_a_poll_that_is_not_there(polling: Polling) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await watch(polling, f"polls/{NOBODY}").read()
    assert reason(refusal.value) == "ERROR_REASON_POLL_NOT_FOUND"


async def test_a_watch_ends_with_its_token(polling: Polling) -> None:
    vote = await polling.opened(1)
    token = polling.tenant.platform.token(["viewer"], polling.district, lifetime=3)
    call = polling.tenant.ballots.WatchTurnout(
        pb.WatchTurnoutRequest(name=vote.poll), metadata=[("authorization", f"Bearer {token}")]
    )
    await call.read()
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await call.read()
    assert reason(ended.value) == "ERROR_REASON_TOKEN_EXPIRED"


@pytest.fixture
async def alone(platforms: Platforms) -> AsyncIterator[Process]:
    """One more process of the ballots service."""
    split = await platforms.get("split")
    place = {"QYT_BALLOTS_LISTEN": f"127.0.0.1:{free_port()}"}
    process = await Process.start(
        "alone", ["services", "serve", "--target=ballots"], split.environment | place, split.settings.state.parent
    )
    yield process
    await process.leashed.stop()


async def test_when_the_process_ends_its_screens_are_told_at_once(
    platforms: Platforms, alone: Process, tmp_path: Path
) -> None:
    async with fresh_tenant(platforms, "split-direct") as tenant:
        polling = Polling(tenant, tmp_path)
        vote = await polling.opened(1)
        async with grpc.aio.insecure_channel(alone.said["services"][0]) as channel:
            stub: Any = BallotsServiceStub(channel)
            call = stub.WatchTurnout(pb.WatchTurnoutRequest(name=vote.poll), metadata=tenant.metadata(), timeout=60)
            seen = (await call.read()).revision
            told = time.monotonic()
            os.kill(alone.leashed.pid, signal.SIGTERM)
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await call.read()
        assert reason(ended.value) == "ERROR_REASON_SERVICE_UNAVAILABLE"
        assert await alone.leashed.wait() == 0
        # Calls in flight may have twenty seconds; a watch takes none of them.
        assert time.monotonic() - told < 10
        elsewhere = watch(polling, vote.poll, seen)
        await asyncio.gather(polling.papers(vote))
        assert (await elsewhere.read()).turnout.papers == 1
        elsewhere.cancel()


@pytest.mark.parametrize("whole", [1, 4, 5, 7, 30, 862])
@pytest.mark.parametrize("step", [2, 5, 100])
def test_each_change_that_is_shown_is_of_a_step_or_the_last(whole: int, step: int) -> None:
    shown = [in_steps(come, whole, step) for come in range(whole + 1)]
    changes = [after - before for before, after in pairwise(shown) if after != before]
    assert all(change == step for change in changes[:-1])
    assert shown[-1] == whole
    assert all(one <= come for come, one in enumerate(shown))
