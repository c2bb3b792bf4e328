"""What comes at the same moment is written together, and each gets its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from chassis import auth
from quanyutong.ballots.v1 import voting_pb2
from services.ballots.batching import Batches
from services.ballots.domain import Refused
from tests.ballots.polling import Polling, Vote
from tests.harness import refused

SEATS = 6


class Writer:
    """Writes one batch at a time, when it is let."""

    def __init__(self) -> None:
        self.written: list[list[int]] = []
        self.go = asyncio.Event()

    async def write(self, _: str, items: Sequence[int]) -> Sequence[int | Exception]:
        self.written.append(list(items))
        await self.go.wait()
        if 13 in items:
            raise RuntimeError("the database is away")
        return [Refused("BALLOT_REFUSED") if item < 0 else item * 2 for item in items]


async def test_who_comes_meanwhile_is_in_the_next_batch() -> None:
    writer = Writer()
    batches = Batches(writer.write)
    calls = [asyncio.ensure_future(batches.join("one", item)) for item in (1, 2, -3)]
    calls.append(asyncio.ensure_future(batches.join("another", 4)))
    await asyncio.sleep(0)
    writer.go.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, Exception)] == [2, 4, 8]
    assert isinstance(answers[2], Refused)
    assert sorted(writer.written) in ([[1], [2, -3], [4]], [[1, 2, -3], [4]])


async def test_a_batch_that_fails_does_not_stop_the_next() -> None:
    writer = Writer()
    writer.go.set()
    batches = Batches(writer.write)
    with pytest.raises(RuntimeError):
        await batches.join("one", 13)
    assert await batches.join("one", 5) == 10


async def test_a_call_that_was_given_up_stops_nobody() -> None:
    writer = Writer()
    batches = Batches(writer.write)
    given_up, waits = (asyncio.ensure_future(batches.join("one", item)) for item in (1, 2))
    await asyncio.sleep(0)
    given_up.cancel()
    writer.go.set()
    assert await waits == 4
    assert 1 in writer.written[0]


async def test_a_batch_is_nobodys_call() -> None:
    """The transaction of many must not carry the name of the one who came first."""

    async def who(_: str, items: Sequence[int]) -> Sequence[bool]:
        return [auth.caller.get(None) is None for _ in items]

    auth.caller.set(auth.bearer_of_address("500102"))
    assert await Batches(who).join("one", 1)


@pytest.mark.parametrize("polling", ["all-direct"], indirect=True)
async def test_everybody_at_once(polling: Polling) -> None:
    """In the same batches: those who may, one who took another paper before, and ballots that are none."""
    vote = await polling.opened(SEATS)
    first = await polling.voter(vote, 0)
    other = voting_pb2.TakePaperRequest(name=vote.poll, blinded_message=bytes(256))
    why, *_ = await asyncio.gather(
        refused(polling.as_person("TakePaper", other, vote.persons[0])),
        *(polling.voter(vote, place) for place in range(1, SEATS)),
    )
    assert why == "ERROR_REASON_PAPER_TAKEN"
    vote.voters = [first, *[await polling.voter(vote, place) for place in range(1, SEATS)]]
    await polling.do_poll("StartVoting", vote.poll)
    nothing = voting_pb2.CastBallotRequest(name=f"{vote.poll}/boxes/1", ballot=b"nothing")
    whys = await asyncio.gather(
        *(polling.cast(vote, voter, {"projects": ["p01"]}) for voter in vote.voters),
        *(refused(polling.as_person("CastBallot", nothing, "box", "ballot_box")) for _ in range(3)),
    )
    assert set(whys) == {None, "ERROR_REASON_BALLOT_REFUSED"}
    assert (await polling.turnout(vote.poll)).ballots == SEATS


@pytest.mark.parametrize("polling", ["all-direct"], indirect=True)
async def test_votes_that_start_and_end_together(polling: Polling) -> None:
    """None waits for another in a circle: the sweeping of one table holds no other."""
    first = await polling.opened(2)
    votes = [first]
    for _ in range(3):
        poll = await polling.draft(first.meeting)
        await polling.open(poll.name, present=2)
        votes.append(Vote(poll.name, first.meeting, first.mandates, first.persons))
    await asyncio.gather(*map(polling.papers, votes))
    await asyncio.gather(*(polling.do_poll("StartVoting", vote.poll) for vote in votes))
    for vote in votes:
        await asyncio.gather(*(polling.cast(vote, voter, {"projects": ["p02"]}) for voter in vote.voters))
    await asyncio.gather(*(polling.do_poll("Close", vote.poll) for vote in votes))
    assert [(await polling.turnout(vote.poll)).ballots for vote in votes] == [2] * 4
