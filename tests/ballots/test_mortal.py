"""Clients are killed at every step of a vote, and go on from what their folder has: each delegate votes once."""

import asyncio
import json
import os
import signal
import sys
from typing import Any

import pytest

from quanyutong_client import Board, Voter, verify
from tests.ballots.mortal import MOMENTS
from tests.ballots.polling import Polling, Vote
from tests.harness import ROOT

CHOICES = {"projects": ["p01"]}


async def die(given: dict[str, Any]) -> None:
    path = f"{ROOT}:{ROOT / 'protos' / 'gen'}:{ROOT / 'client'}"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.ballots.mortal",
        stdin=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
    )
    await process.communicate(json.dumps(given).encode())
    assert process.returncode == -signal.SIGKILL


async def die_everywhere(polling: Polling, vote: Vote, choices: Any, *tokens: str) -> None:
    """The delegate at each place of the roll dies at the moment of this number."""
    address = polling.tenant.platform.address(polling.tenant.door, "ballots")
    for moment in range(MOMENTS):
        folder = f"{polling.folder_of(vote, moment)}"
        given = {"address": address, "poll": vote.poll, "folder": folder, "choices": choices, "moments": moment}
        await die({**given, "token": tokens[moment % len(tokens)]})


@pytest.mark.parametrize("polling", ["all-direct"], indirect=True)
async def test_clients_killed_at_every_step(polling: Polling) -> None:
    vote = await polling.opened(MOMENTS)
    delegates = [polling.token(person, "delegate") for person in vote.persons]
    await die_everywhere(polling, vote, None, *delegates)
    await polling.papers(vote)
    assert (await polling.turnout(vote.poll)).papers == MOMENTS
    await polling.do_poll("StartVoting", vote.poll)
    await die_everywhere(polling, vote, CHOICES, polling.token("box", "ballot_box"))
    for place in range(MOMENTS):
        voter = vote.voters[place] = Voter.resume(polling.folder_of(vote, place))
        await polling.cast(vote, voter, CHOICES)
    await polling.do_poll("Close", vote.poll)
    await polling.certified(vote.poll)
    await polling.announce(vote.poll)
    board = await polling.board(vote.poll)
    assert len(Board.parse(board).ballots) == MOMENTS
    reports = [verify(board, voter.receipt) for voter in vote.voters]
    assert all(report.is_sound for report in reports)
    assert sorted(report.own or 0 for report in reports) == list(range(1, MOMENTS + 1))
