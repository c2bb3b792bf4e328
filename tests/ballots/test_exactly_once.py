"""Every delegate votes at most once, and every ballot that got a receipt is on the board, whatever is repeated."""

import asyncio
from pathlib import Path

import pytest

from quanyutong.ballots.v1 import voting_pb2
from quanyutong_client import Board, Finding, Voter, verify
from quanyutong_client.encoding import read_json
from tests.ballots.polling import Polling, Vote
from tests.harness import refused

BOX = "box"


async def cast_bytes(polling: Polling, poll: str, ballot: bytes, subject: str = BOX, role: str = "ballot_box") -> bytes:
    request = voting_pb2.CastBallotRequest(name=f"{poll}/boxes/1", ballot=ballot)
    return bytes((await polling.as_person("CastBallot", request, subject, role)).signature)


async def why(polling: Polling, poll: str, ballot: bytes, **how: str) -> str:
    return (await refused(cast_bytes(polling, poll, ballot, **how))).removeprefix("ERROR_REASON_")


async def in_voting(polling: Polling, seats: int = 2) -> Vote:
    vote = await polling.opened(seats)
    await polling.papers(vote)
    await polling.do_poll("StartVoting", vote.poll)
    return vote


async def another(polling: Polling, vote: Vote) -> Vote:
    """Another poll of the same meeting."""
    poll = await polling.draft(vote.meeting)
    await polling.open(poll.name, present=len(vote.persons))
    made = Vote(poll.name, vote.meeting, vote.mandates, vote.persons)
    await polling.papers(made)
    await polling.do_poll("StartVoting", made.poll)
    return made


async def test_lost_answers(polling: Polling) -> None:
    """Everything is asked for again, also much later, and at once."""
    vote = await polling.opened(2)
    token = polling.token(vote.persons[0], "delegate")
    hall = polling.hall(vote.poll)
    voter = Voter(polling._folder / "own", await hall.terms(token))
    blinded = voter._derived.blinded(voter.terms).message
    answers = {*await asyncio.gather(*(hall.desk(token).take(blinded) for _ in range(5)))}
    await voter.take(hall.desk(token))
    await polling.do_poll("StartVoting", vote.poll)
    answers.add(await hall.desk(token).take(blinded))
    assert len(answers) == 1
    await polling.cast(vote, voter, {"projects": ["p01"]})
    assert voter.ballot is not None
    assert voter.receipt is not None
    encoded = voter.ballot.encoded()
    receipts = {*await asyncio.gather(*(cast_bytes(polling, vote.poll, encoded) for _ in range(5)))}
    await polling.do_poll("Close", vote.poll)
    receipts.add(await cast_bytes(polling, vote.poll, encoded))
    assert receipts == {voter.receipt.signature}
    assert (await polling.turnout(vote.poll)).ballots == 1


async def test_a_crash_between_any_two_steps(polling: Polling, tmp_path: Path) -> None:
    vote = await in_voting(polling)
    folder = polling._folder / vote.poll / "0"
    await polling.cast(vote, Voter.resume(folder), {"projects": ["p02"]})
    (folder / "receipt.json").unlink()
    again = Voter.resume(folder)
    await again.cast_again(polling.hall(vote.poll).box(again.terms, polling.token(BOX, "ballot_box")))
    await polling.do_poll("Close", vote.poll)
    await polling.certified(vote.poll)
    await polling.announce(vote.poll)
    report = again.verify(await polling.board(vote.poll))
    assert (report.is_sound, report.own) == (True, 1)


async def test_another_ballot_for_the_same_paper(polling: Polling, tmp_path: Path) -> None:
    """Two copies of a delegate's folder: one vote."""
    vote = await in_voting(polling)
    first = vote.voters[0]
    folder = polling._folder / vote.poll / "0"
    for name in ("secret.json", "paper.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    second = Voter.resume(tmp_path)
    await polling.cast(vote, first, {"projects": ["p01"]})
    assert await _differs(polling, vote, second) == "ERROR_REASON_BALLOT_DIFFERS"
    await polling.do_poll("Close", vote.poll)
    assert await _differs(polling, vote, second) == "ERROR_REASON_BALLOT_DIFFERS"
    assert await refused(polling.cast(vote, vote.voters[1], {})) == "ERROR_REASON_POLL_STATE_REFUSED"


async def _differs(polling: Polling, vote: Vote, voter: Voter) -> str:
    return await refused(polling.cast(vote, voter, {"projects": ["p02"]}))


async def test_ballots_that_are_none(polling: Polling) -> None:
    """Another poll's paper, changed bits, no ballot at all, and a box that is somebody."""
    vote = await in_voting(polling)
    other = await another(polling, vote)
    await polling.cast(vote, vote.voters[0], {"projects": ["p01"]})
    await polling.cast(other, other.voters[0], {"projects": ["p01"]})
    ballot = vote.voters[0].ballot
    assert ballot is not None
    encoded = ballot.encoded()
    assert await why(polling, other.poll, encoded) == "BALLOT_REFUSED"
    assert await why(polling, vote.poll, b"\0") == "BALLOT_REFUSED"
    for place in range(0, len(encoded), 37):
        changed = bytes([*encoded[:place], encoded[place] ^ 1, *encoded[place + 1 :]])
        assert await why(polling, vote.poll, changed) == "BALLOT_REFUSED"
    assert await why(polling, vote.poll, encoded, subject=vote.persons[0]) == "BOX_IS_A_PERSON"
    assert await why(polling, vote.poll, encoded, role="delegate") == "ROLE_MISSING"


@pytest.mark.parametrize("polling", ["all-direct"], indirect=True)
async def test_a_board_that_was_changed(polling: Polling) -> None:
    vote = await polling.opened(3)
    await polling.voted(vote, [{"projects": ["p01"]}, {"projects": ["p02"]}])
    await polling.certified(vote.poll)
    await polling.announce(vote.poll)
    board = await polling.board(vote.poll)
    assert verify(board, vote.voters[0].receipt).is_sound
    without = Board.parse(board)
    own = vote.voters[0].ballot
    assert own is not None
    kept = tuple(each for each in without.ballots if each != own.encoded())
    changed = Board(
        without.terms, without.present, without.papers, kept, without.root, without.signature, without.tally
    )
    found = {each.finding for each in verify(changed.text(), vote.voters[0].receipt).found}
    assert {Finding.ROOT_DIFFERS, Finding.TALLY_DIFFERS, Finding.RECEIPT_NOT_ON_BOARD} <= found
    assert read_json(board)["papers"] == 3


@pytest.mark.parametrize("polling", ["all-direct"], indirect=True)
async def test_nothing_is_lost_between_the_last_casts_and_the_close(polling: Polling) -> None:
    """Casts and the close at once: each cast has its receipt and is on the board, or is refused."""
    vote = await in_voting(polling, 12)
    casts = [polling.cast(vote, voter, {"projects": ["p01"]}) for voter in vote.voters]
    outcomes = await asyncio.gather(*casts, polling.do_poll("Close", vote.poll), return_exceptions=True)
    assert not isinstance(outcomes[-1], BaseException)
    await polling.certified(vote.poll)
    await polling.announce(vote.poll)
    board = await polling.board(vote.poll)
    acknowledged = [voter for voter in vote.voters if voter.receipt]
    assert all(verify(board, voter.receipt).own for voter in acknowledged)
    assert len(Board.parse(board).ballots) == len(acknowledged)
