"""A secret vote from the draft to the board: through real servers, with the client that delegates use."""

from pathlib import Path

import httpx

from quanyutong_client import Receipt, verify
from tests.ballots.polling import Polling, grades, motion, outcomes, projects, scores
from tests.harness import run_command

CHOICES = [
    {"projects": ["p01", "p02"], "reports": {"r01": 90}, "offices": {"o01": "satisfied"}, "motions": {"m01": "for"}},
    {"projects": ["p01", "p03"], "reports": {"r01": 80}, "offices": {"o01": "satisfied"}, "motions": {"m01": "for"}},
    {"projects": ["p02"], "reports": {"r01": 85}, "motions": {"m01": "for"}},
    {"projects": ["p01", "p02", "p03"], "motions": {"m01": "against"}},
]


async def test_the_whole_vote(polling: Polling, tmp_path: Path) -> None:
    vote = await polling.opened(5, projects(), scores(), grades(), motion())
    await polling.papers(vote)
    turnout = await polling.turnout(vote.poll)
    assert (turnout.electorate, turnout.papers, turnout.ballots) == (5, 5, 0)
    await polling.do_poll("StartVoting", vote.poll)
    for voter, choice in zip(vote.voters, CHOICES, strict=False):
        await polling.cast(vote, voter, choice, spoil=True)
    turnout = await polling.turnout(vote.poll)
    assert (turnout.papers, turnout.ballots) == (5, 4)
    await polling.do_poll("Close", vote.poll)
    await polling.certified(vote.poll)
    announced = await polling.announce(vote.poll)
    assert (announced.electorate, announced.present, announced.papers, announced.ballots) == (5, 5, 5, 4)
    assert outcomes(announced) == {"p01": "adopted", "p02": "adopted", "p03": "not_adopted"}
    first = announced.questions[0]
    assert (first.received, first.valid, first.invalid, first.blank, first.places_left) == (4, 3, 1, 0, 0)
    assert announced.questions[1].options[0].average == "85/1"
    assert [dict(option.votes) for option in announced.questions[2].options] == [
        {"satisfied": 2, "basically_satisfied": 0, "dissatisfied": 0, "abstain": 2}
    ]
    assert [outcomes(announced, place) for place in (2, 3)] == [{"o01": "dissatisfied"}, {"m01": "passed"}]
    await check_board(polling, vote.poll, vote.voters[0].receipt, tmp_path)


async def check_board(polling: Polling, poll: str, receipt: Receipt | None, folder: Path) -> None:
    """Anybody finds the published board sound, and a delegate the own ballot on it."""
    board = await polling.board(poll)
    if polling.tenant.door == "gateway":
        assert await over_rest(polling, poll) == board
    assert receipt is not None
    report = verify(board, receipt)
    assert report.is_sound
    assert report.own is not None
    (folder / "board.json").write_bytes(board)
    output = await run_command(["ballots", "verify", str(folder / "board.json")], {})
    assert "PASS" in output


async def over_rest(polling: Polling, poll: str) -> bytes:
    """The board as a browser gets it."""
    headers = {"authorization": f"Bearer {polling.token('reader', 'viewer')}"}
    async with httpx.AsyncClient(base_url=polling.tenant.platform.gateway, trust_env=False) as client:
        answer = await client.get(f"/v1/{poll}/boxes/1/board", headers=headers)
    assert answer.headers["content-type"].startswith("application/json")
    return answer.content
