"""A delegate's vote is cut anywhere and gone on with: one paper, one ballot, no vote lost."""

import asyncio
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from quanyutong_client import Malformed, Voter
from quanyutong_client.blindrsa import BlindSignatureRefused
from quanyutong_client.marking import ChoiceRefused
from quanyutong_client.voter import AlreadyVoted, NoPaperYet, OtherTerms, ReceiptRefused
from tests.client.hall import Hall, Twice, terms_of

CHOICE = {"projects": ["p01", "p03"], "motions": {"m01": "for"}}
OTHER = {"projects": ["p02"]}
# What writes to the disk, one step each.
STEPS = ("open", "fsync", "link", "unlink", "mkdir")
FILES = ["ballot.bin", "paper.json", "receipt.json", "secret.json"]
UNLIMITED = -1


class Cut(BaseException):
    """The power is gone: nothing runs after it."""


@dataclass
class Power:
    """Lasts for a number of steps."""

    left: int

    def step(self) -> None:
        if self.left == 0:
            raise Cut
        self.left -= 1


@contextmanager
def _power(power: Power) -> Iterator[None]:
    """Every write, and every call, needs power before it and after it."""

    def powered(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            power.step()
            result = function(*given, **named)
            power.step()
            return result

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, powered(getattr(os, name)))
        yield


async def _vote(hall: Hall, folder: Path, power: Power) -> None:
    hall.before = hall.after = power.step
    with _power(power):
        voter = Voter(folder, hall.terms)
        await voter.take(hall.desk("a"))
        await voter.cast(hall, CHOICE)


async def _is_cut(hall: Hall, folder: Path, steps: int) -> bool:
    """Whether so many steps are too few for the vote."""
    try:
        await _vote(hall, folder, Power(steps))
    except Cut:
        return True
    return False


async def test_a_vote_that_is_cut_at_any_step_goes_on(tmp_path: Path) -> None:
    for steps in itertools.count():
        hall, folder = Hall(terms_of(electorate=5)), tmp_path / str(steps)
        cut = await _is_cut(hall, folder, steps)
        await _vote(hall, folder, Power(UNLIMITED))
        _check_one_vote(hall, folder)
        if not cut:
            break
    # Each file is opened, synced, linked and unlinked, and its folder synced, with a cut before and after each.
    assert steps > 2 * 5 * len(FILES)


def _check_one_vote(hall: Hall, folder: Path) -> None:
    assert len(hall.papers) == len(hall.ballots) == 1
    report = Voter.resume(folder).verify(hall.board().text())
    assert report.is_sound
    assert report.own == 1
    assert sorted(path.name for path in folder.iterdir()) == FILES


async def test_a_vote_that_is_cut_again_and_again(hall: Hall, tmp_path: Path) -> None:
    """A little further each time, in one folder."""
    steps = 0
    while await _is_cut(hall, tmp_path / "vote", steps):
        steps += 1
    _check_one_vote(hall, tmp_path / "vote")


async def test_half_a_file_is_no_file(hall: Hall, tmp_path: Path) -> None:
    """What a crash leaves of a draft is never read, and does not stay."""
    folder = tmp_path / "vote"
    folder.mkdir()
    (folder / ".secret.json.0.draft").write_bytes(b'{"secret":"')
    voter = Voter(folder, hall.terms)
    await voter.take(hall.desk("a"))
    assert sorted(path.name for path in folder.iterdir()) == ["paper.json", "secret.json"]


def test_files_of_others_stay(hall: Hall, tmp_path: Path) -> None:
    """Somebody takes the home folder for the vote's."""
    (tmp_path / ".profile").write_text("mine")
    Voter(tmp_path, hall.terms)
    assert (tmp_path / ".profile").read_text() == "mine"


# --- what stays, and who can read it


async def test_files_are_the_owners_alone(hall: Hall, voters: list[Voter], tmp_path: Path) -> None:
    folder = tmp_path / "delegate-0"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 4


async def test_repeating_everything_changes_nothing(hall: Hall, tmp_path: Path) -> None:
    receipts = set()
    for _ in range(3):
        voter = Voter(tmp_path / "vote", hall.terms)
        await voter.take(hall.desk("a"))
        receipts.add(await voter.cast(hall, CHOICE))
        receipts.add(await voter.cast_again(hall))
    assert len(receipts) == len(hall.papers) == len(hall.ballots) == 1


async def test_a_ballot_is_made_once(hall: Hall, tmp_path: Path) -> None:
    voter = Voter(tmp_path / "vote", hall.terms)
    await voter.take(hall.desk("a"))
    hall.before = _fail
    with pytest.raises(ConnectionError):
        await voter.cast(hall, CHOICE)
    hall.before = lambda: None
    again = Voter.resume(tmp_path / "vote")
    with pytest.raises(AlreadyVoted):
        await again.cast(hall, OTHER)
    assert (await again.cast_again(hall)).leaf == (again.ballot and again.ballot.leaf())
    assert len(hall.ballots) == 1


def _fail() -> None:
    raise ConnectionError


async def test_two_at_the_same_moment_are_one(hall: Hall, tmp_path: Path) -> None:
    first, second = (Voter(tmp_path / "vote", hall.terms) for _ in range(2))
    await asyncio.gather(first.take(hall.desk("a")), second.take(hall.desk("a")))
    done = await asyncio.gather(first.cast(hall, CHOICE), second.cast(hall, OTHER), return_exceptions=True)
    assert [type(each) for each in done].count(AlreadyVoted) == 1
    assert len(hall.papers) == len(hall.ballots) == 1


async def test_a_lost_folder_is_a_lost_paper(hall: Hall, tmp_path: Path) -> None:
    await Voter(tmp_path / "vote", hall.terms).take(hall.desk("a"))
    with pytest.raises(Twice):
        await Voter(tmp_path / "elsewhere", hall.terms).take(hall.desk("a"))


# --- what is refused


async def test_no_ballot_without_a_paper(hall: Hall, tmp_path: Path) -> None:
    voter = Voter(tmp_path / "vote", hall.terms)
    assert not voter.has_paper
    for casting in (voter.cast(hall, CHOICE), voter.cast_again(hall)):
        with pytest.raises(NoPaperYet):
            await casting
    assert voter.ballot is None
    assert voter.receipt is None


async def test_terms_that_changed(hall: Hall, tmp_path: Path) -> None:
    await Voter(tmp_path / "vote", hall.terms).take(hall.desk("a"))
    with pytest.raises(OtherTerms):
        Voter(tmp_path / "vote", terms_of(electorate=6))


async def test_a_paper_that_is_none(hall: Hall, tmp_path: Path) -> None:
    """A desk that signs something else gives no paper, and the true one still can."""
    voter = Voter(tmp_path / "vote", hall.terms)
    with pytest.raises(BlindSignatureRefused):
        await voter.take(FalseDesk(hall))
    assert not voter.has_paper
    await voter.take(hall.desk("a"))
    assert voter.has_paper


@dataclass
class FalseDesk:
    hall: Hall

    async def take(self, blinded: bytes) -> bytes:
        return self.hall.key.sign(bytes(1) + blinded[:-1])


class FalseBox:
    async def cast(self, ballot: bytes) -> bytes:
        return bytes(64)


async def test_a_receipt_that_is_none(hall: Hall, tmp_path: Path) -> None:
    voter = Voter(tmp_path / "vote", hall.terms)
    await voter.take(hall.desk("a"))
    with pytest.raises(ReceiptRefused):
        await voter.cast(FalseBox(), CHOICE)
    assert voter.receipt is None
    assert await voter.cast_again(hall) == voter.receipt


async def test_too_many_marks_only_on_purpose(hall: Hall, tmp_path: Path) -> None:
    voter = Voter(tmp_path / "vote", hall.terms)
    await voter.take(hall.desk("a"))
    with pytest.raises(ChoiceRefused):
        await voter.cast(hall, {"projects": ["p01", "p02", "p03"]})
    assert voter.ballot is None
    await voter.cast(hall, {"projects": ["p01", "p02", "p03"]}, spoil=True)
    assert hall.board().tally["questions"][0]["invalid"] == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [("secret.json", b"{}"), ("paper.json", b'{"signature":"AAAA"}'), ("ballot.bin", b""), ("receipt.json", b"")],
)
async def test_a_damaged_file_is_said_to_be_one(hall: Hall, tmp_path: Path, name: str, content: bytes) -> None:
    voter = Voter(tmp_path / "vote", hall.terms)
    await voter.take(hall.desk("a"))
    (tmp_path / "vote" / name).unlink(missing_ok=True)
    (tmp_path / "vote" / name).write_bytes(content)
    with pytest.raises((Malformed, AlreadyVoted)):
        await Voter(tmp_path / "vote", hall.terms).cast(hall, CHOICE)
    assert hall.ballots == {}


async def test_nothing_that_is_sent_to_cast_was_seen_at_the_desk(hall: Hall, tmp_path: Path) -> None:
    """What the platform has of a paper and of a ballot has no part of eight bytes in common but what all share."""
    voter = Voter(tmp_path / "vote", hall.terms)
    await voter.take(hall.desk("a"))
    await voter.cast(hall, CHOICE)
    (blinded,), (ballot,) = hall.papers.values(), hall.ballots.values()
    seen = {given[at : at + 8] for given in (blinded, hall.key.sign(blinded)) for at in range(len(given) - 7)}
    assert not seen & {ballot[at : at + 8] for at in range(len(ballot) - 7)}


def test_no_vote_to_resume(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Voter.resume(tmp_path / "nothing")
