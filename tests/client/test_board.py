"""The board: sound as published, and every way to cheat with it is found and named."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanyutong_client import Board, Finding, Report, Voter, merkle, verify
from quanyutong_client.ballot import Ballot, fill_in
from quanyutong_client.board import publish
from quanyutong_client.derivation import derive
from quanyutong_client.findings import Found
from quanyutong_client.receipt import Receipt, receipt_message
from tests.client.hall import BOARD_KEY, Hall, paper_key, terms_of


def _names(report: Report) -> list[str]:
    return [found.finding.name for found in report.found]


def _only(report: Report) -> Found:
    (found,) = report.found
    return found


def test_a_sound_board(hall: Hall, voters: list[Voter]) -> None:
    report = verify(hall.board().text())
    assert report.is_sound
    assert report.result
    projects = report.result.questions[0]
    assert (projects.count.received, projects.count.invalid, projects.count.blank) == (4, 1, 1)
    assert [option.votes["chosen"] for option in projects.options] == [2, 1, 0]


def test_the_same_poll_gives_the_same_bytes(hall: Hall, voters: list[Voter]) -> None:
    text = hall.board().text()
    hall.ballots = dict(reversed(hall.ballots.items()))
    assert hall.board().text() == text
    assert Board.parse(text).text() == text


def test_a_vote_in_which_nobody_voted() -> None:
    assert verify(Hall(terms_of()).board(present=0).text()).is_sound


async def test_every_delegate_finds_the_own_ballot(hall: Hall, voters: list[Voter]) -> None:
    text = hall.board().text()
    reports = [voter.verify(text) for voter in voters]
    assert all(report.is_sound for report in reports)
    assert sorted(report.own or 0 for report in reports) == [1, 2, 3, 4]
    assert [report.own_marks for report in reports] == [voter.ballot and voter.ballot.marks for voter in voters]


def test_a_ballot_that_was_left_out_is_missed_and_proven(hall: Hall, voters: list[Voter]) -> None:
    lost = voters[2].ballot
    assert lost
    del hall.ballots[lost.paper.public_key]
    text = hall.board().text()
    assert verify(text).is_sound
    assert _names(voters[2].verify(text)) == ["RECEIPT_NOT_ON_BOARD"]
    assert voters[1].verify(text).is_sound


def test_receipts_that_prove_nothing(hall: Hall, voters: list[Voter]) -> None:
    text, receipt = hall.board().text(), voters[0].receipt
    assert receipt
    forged = replace(receipt, leaf=bytes(32))
    assert _names(verify(text, forged)) == ["RECEIPT_NOT_SIGNED", "RECEIPT_NOT_ON_BOARD"]
    other = replace(receipt, poll="other")
    assert _names(verify(text, other)) == ["RECEIPT_OF_OTHER_POLL"]
    assert Receipt.parse(json.dumps(receipt.json()).encode()) == receipt


# --- cheating


def _published(board: Board, ballots: list[bytes]) -> Board:
    """A publisher who signs anything."""
    root = merkle.root([merkle.leaf_hash(ballot) for ballot in ballots])
    changed = replace(board, ballots=tuple(ballots), root=root)
    return replace(changed, signature=BOARD_KEY.sign(changed.root_message()))


def _ballot(board: Board, place: int) -> Ballot:
    return Ballot.decode(board.ballots[place - 1])


def test_a_changed_vote(hall: Hall, voters: list[Voter]) -> None:
    board = hall.board()
    changed = replace(_ballot(board, 2), marks=(b"\0\0\1", *_ballot(board, 2).marks[1:]))
    report = verify(_published(board, [board.ballots[0], changed.encoded(), *board.ballots[2:]]).text())
    assert _names(report) == ["BALLOT_NOT_SIGNED", "TALLY_DIFFERS"]
    assert (report.found[0].ballot, report.found[0].key) == (2, changed.paper.public_key.hex())


def test_ballots_without_a_paper(hall: Hall, voters: list[Voter]) -> None:
    """Somebody stuffs the box with keys that nobody signed."""
    board = hall.board()
    forged = []
    for number in range(3):
        derived = derive(bytes([number]) * 32, board.terms)
        paper = replace(_ballot(board, 1).paper, public_key=derived.public_key, prefix=derived.prefix)
        forged.append(fill_in(board.terms, paper, _ballot(board, 1).marks, derived.key))
    ballots = [Ballot.decode(ballot) for ballot in board.ballots] + forged
    report = verify(publish(board.terms, 5, 5, ballots, BOARD_KEY).text())
    assert _names(report) == ["PAPER_NOT_SIGNED", "MORE_BALLOTS_THAN_PAPERS"]
    places = sorted(ballot.paper.public_key for ballot in ballots)
    assert report.found[0].ballot == min(places.index(ballot.paper.public_key) for ballot in forged) + 1
    assert report.found[0].others == 2
    assert report.result
    assert report.result.turnout.is_void


def test_two_ballots_of_one_paper(hall: Hall, voters: list[Voter]) -> None:
    """A delegate who signs two, with a box that takes both."""
    board = hall.board()
    key, own = voters[0]._derived.key, voters[0].ballot
    assert own
    second = fill_in(board.terms, own.paper, (b"\0\0\0", *own.marks[1:]), key)
    ballots = [*(Ballot.decode(ballot) for ballot in board.ballots), second]
    report = verify(publish(board.terms, 5, 5, ballots, BOARD_KEY).text())
    assert _names(report) == ["KEY_TWICE"]
    assert _only(report).key == own.paper.public_key.hex()


def test_another_order(hall: Hall, voters: list[Voter]) -> None:
    board = hall.board()
    first, second, *rest = board.ballots
    found = _only(verify(_published(board, [second, first, *rest]).text()))
    assert (found.finding, found.ballot) == (Finding.OUT_OF_ORDER, 2)


def test_a_ballot_of_another_poll(hall: Hall, voters: list[Voter]) -> None:
    board = hall.board()
    other = replace(_ballot(board, 1), poll="other").encoded()
    report = verify(_published(board, [other, *board.ballots[1:]]).text())
    assert _names(report) == ["BALLOT_OF_OTHER_POLL", "BALLOT_NOT_SIGNED"]
    assert report.found[0].ballot == 1


@pytest.mark.parametrize("broken", [b"", b"nonsense"])
def test_a_ballot_that_cannot_be_read(hall: Hall, voters: list[Voter], broken: bytes) -> None:
    board = hall.board()
    report = verify(_published(board, [*board.ballots[:2], broken, *board.ballots[3:]]).text())
    assert _names(report) == ["BALLOT_MALFORMED"]
    assert _only(report).ballot == 3
    assert report.result is None


def test_marks_that_no_question_has(hall: Hall, voters: list[Voter]) -> None:
    board = hall.board()
    odd = replace(_ballot(board, 1), marks=(b"\7\0\0", *_ballot(board, 1).marks[1:]))
    assert _names(verify(_published(board, [odd.encoded(), *board.ballots[1:]]).text())) == ["BALLOT_MALFORMED"]


CHANGES: list[tuple[Callable[[Board], Board], list[str]]] = [
    (lambda board: replace(board, root=bytes(32)), ["ROOT_DIFFERS", "ROOT_NOT_SIGNED"]),
    (lambda board: replace(board, signature=bytes(64)), ["ROOT_NOT_SIGNED"]),
    (lambda board: replace(board, papers=board.papers + 1), ["ROOT_NOT_SIGNED", "TALLY_DIFFERS"]),
    (lambda board: replace(board, present=board.present - 1), ["ROOT_NOT_SIGNED", "TALLY_DIFFERS"]),
    (lambda board: replace(board, ballots=board.ballots[1:]), ["ROOT_DIFFERS", "ROOT_NOT_SIGNED", "TALLY_DIFFERS"]),
    (
        lambda board: replace(board, papers=6),
        ["ROOT_NOT_SIGNED", "MORE_PAPERS_THAN_ELECTORATE", "TALLY_DIFFERS"],
    ),
    (
        lambda board: replace(board, present=6),
        ["ROOT_NOT_SIGNED", "MORE_PRESENT_THAN_ELECTORATE", "TALLY_DIFFERS"],
    ),
]


@pytest.mark.parametrize(("change", "names"), CHANGES)
def test_changes_that_are_not_signed(
    hall: Hall, voters: list[Voter], change: Callable[[Board], Board], names: list[str]
) -> None:
    assert _names(verify(change(hall.board()).text())) == names


def test_another_result(hall: Hall, voters: list[Voter]) -> None:
    said = json.loads(hall.board().text())
    said["tally"]["questions"][0]["options"][1]["votes"]["chosen"] += 1
    found = _only(verify(json.dumps(said).encode()))
    assert found.finding is Finding.TALLY_DIFFERS
    assert found.detail == "tally.questions[0].options[1].votes.chosen"


def test_another_key_for_one_delegate(hall: Hall, voters: list[Voter]) -> None:
    """A platform that gives somebody a key of his own to recognise the ballot by: it is in nobody else's poll."""
    marked = terms_of(electorate=5, key=paper_key(1))
    derived = derive(bytes(32), marked)
    paper = derived.paper(marked, paper_key(1).sign(derived.blinded(marked).message))
    marks = _ballot(hall.board(), 1).marks
    ballots = [*(Ballot.decode(ballot) for ballot in hall.ballots.values()), fill_in(marked, paper, marks, derived.key)]
    report = verify(publish(hall.terms, 5, 5, ballots, BOARD_KEY).text())
    assert _names(report) == ["BALLOT_OF_OTHER_POLL", "PAPER_NOT_SIGNED"]


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"format":"quanyutong.board.v2"}'])
def test_what_is_no_board(text: bytes) -> None:
    found = _only(verify(text))
    assert found.finding is Finding.UNREADABLE
    assert found.detail in found.zh
    assert found.detail in found.en


async def test_any_changed_byte_is_noticed(hall: Hall, voters: list[Voter]) -> None:
    """Anything but white space: a board has no byte that does not matter."""
    text = hall.board().text()
    meant = json.loads(text)

    @settings(max_examples=300)
    @given(at=st.integers(0, len(text) - 1), to=st.integers(32, 126))
    def changed(at: int, to: int) -> None:
        other = text[:at] + bytes([to]) + text[at + 1 :]
        try:
            same = json.loads(other) == meant
        except ValueError:
            same = False
        assert verify(other).is_sound == same

    changed()


def test_every_finding_speaks_both_languages() -> None:
    for finding in Finding:
        found = Found(finding, "DETAIL", 3, "ab" * 32, 2)
        for text in (found.zh, found.en):
            assert "3" in text
            assert "2" in text
            assert "{" not in text
            assert ("DETAIL" in text) == ("{detail}" in finding.value.zh)
        assert json.loads(json.dumps(found.json()))["finding"] == finding.name


def test_a_receipt_is_for_one_purpose(hall: Hall, voters: list[Voter]) -> None:
    """The board's key signs receipts and roots: neither can pass for the other."""
    board = hall.board()
    assert receipt_message(hall.terms, board.root) != board.root_message()
    receipt = Receipt.of(hall.terms, board.root, board.signature)
    assert not receipt.is_signed(hall.terms)
