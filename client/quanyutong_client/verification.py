"""Checks a board from the file alone: no server, no clock, no trust in who published it.

What it cannot see, since nobody can from a file: whether each paper went to a delegate, and whether everybody was shown
the same file. So compare the root with others, and look for the own ballot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quanyutong_client import merkle
from quanyutong_client.ballot import Ballot, check_marks
from quanyutong_client.board import Board
from quanyutong_client.encoding import Malformed
from quanyutong_client.findings import Finding, Found
from quanyutong_client.receipt import Receipt
from quanyutong_client.tally import Result, tally
from quanyutong_client.terms import Terms


@dataclass(frozen=True, slots=True)
class Report:
    """`found` is empty if the board is as it should be. `result`: counted again, where every ballot can be read.
    `own`: the place of the receipt's ballot, from 1."""

    found: tuple[Found, ...]
    board: Board | None = None
    result: Result | None = None
    own: int | None = None
    own_marks: tuple[bytes, ...] = ()

    @property
    def is_sound(self) -> bool:
        return not self.found


def verify(text: bytes, receipt: Receipt | None = None) -> Report:
    """Everything that can be checked from the file, and whether the receipt's ballot is among them."""
    try:
        board = Board.parse(text)
    except Malformed as fault:
        return Report((Found(Finding.UNREADABLE, str(fault)),))
    ballots = [_decoded(board.terms, encoded) for encoded in board.ballots]
    result = _counted(board, ballots)
    found = [*_of_ballots(board.terms, ballots), *_of_board(board), *_of_numbers(board), *_of_tally(board, result)]
    if receipt is None:
        return Report(tuple(found), board, result)
    leaves = [merkle.leaf_hash(encoded) for encoded in board.ballots]
    own = leaves.index(receipt.leaf) + 1 if receipt.leaf in leaves else None
    found += _of_receipt(board.terms, receipt, own)
    read = ballots[own - 1] if own else None
    return Report(tuple(found), board, result, own, read.marks if isinstance(read, Ballot) else ())


def faults_of(terms: Terms, ballot: Ballot) -> Iterator[Finding]:
    """What is wrong with one ballot by itself: the box asks the same before it takes one."""
    if not ballot.is_of(terms):
        yield Finding.BALLOT_OF_OTHER_POLL
    if not ballot.paper.is_genuine(terms):
        yield Finding.PAPER_NOT_SIGNED
    if not ballot.is_signed():
        yield Finding.BALLOT_NOT_SIGNED


def _decoded(terms: Terms, encoded: bytes) -> Ballot | Malformed:
    try:
        ballot = Ballot.decode(encoded)
        check_marks(terms, ballot.marks)
    except Malformed as fault:
        return fault
    return ballot


def _of_ballots(terms: Terms, ballots: Sequence[Ballot | Malformed]) -> list[Found]:
    """The first ballot of each finding, and how many more there are."""
    first: dict[Finding, Found] = {}
    for place, finding, detail, key in _each_fault(terms, ballots):
        known = first.get(finding, Found(finding, detail, place, key, -1))
        first[finding] = Found(finding, known.detail, known.ballot, known.key, known.others + 1)
    return list(first.values())


def _each_fault(terms: Terms, ballots: Sequence[Ballot | Malformed]) -> Iterator[tuple[int, Finding, str, str]]:
    seen: set[bytes] = set()
    last = b""
    for place, ballot in enumerate(ballots, 1):
        if isinstance(ballot, Malformed):
            yield place, Finding.BALLOT_MALFORMED, str(ballot), ""
            continue
        key = ballot.paper.public_key
        for finding in faults_of(terms, ballot):
            yield place, finding, "", key.hex()
        if key in seen:
            yield place, Finding.KEY_TWICE, "", key.hex()
        elif key < last:
            yield place, Finding.OUT_OF_ORDER, "", key.hex()
        seen.add(key)
        last = max(last, key)


def _of_board(board: Board) -> Iterator[Found]:
    root = merkle.root([merkle.leaf_hash(encoded) for encoded in board.ballots])
    if root != board.root:
        yield Found(Finding.ROOT_DIFFERS, root.hex())
    if not board.is_signed():
        yield Found(Finding.ROOT_NOT_SIGNED)


def _of_numbers(board: Board) -> Iterator[Found]:
    electorate = board.terms.electorate
    if len(board.ballots) > board.papers:
        yield Found(Finding.MORE_BALLOTS_THAN_PAPERS, f"{len(board.ballots)} > {board.papers}")
    if board.papers > electorate:
        yield Found(Finding.MORE_PAPERS_THAN_ELECTORATE, f"{board.papers} > {electorate}")
    if board.present > electorate:
        yield Found(Finding.MORE_PRESENT_THAN_ELECTORATE, f"{board.present} > {electorate}")


def _counted(board: Board, ballots: Sequence[Ballot | Malformed]) -> Result | None:
    readable = [ballot.marks for ballot in ballots if isinstance(ballot, Ballot)]
    return tally(board.terms, board.present, board.papers, readable) if len(readable) == len(ballots) else None


def _of_tally(board: Board, result: Result | None) -> Iterator[Found]:
    """Where the published result differs first. With a ballot that cannot be read there is nothing to compare."""
    difference = _difference(board.tally, result.json(), "tally") if result else ""
    if difference:
        yield Found(Finding.TALLY_DIFFERS, difference)


def _difference(said: object, counted: object, place: str) -> str:
    if isinstance(said, dict) and isinstance(counted, dict) and said.keys() == counted.keys():
        return next(filter(None, (_difference(said[name], counted[name], f"{place}.{name}") for name in counted)), "")
    if isinstance(said, list) and isinstance(counted, list) and len(said) == len(counted):
        pairs = enumerate(zip(said, counted, strict=True))
        return next(filter(None, (_difference(one, other, f"{place}[{at}]") for at, (one, other) in pairs)), "")
    return "" if (type(said), said) == (type(counted), counted) else place


def _of_receipt(terms: Terms, receipt: Receipt, own: int | None) -> list[Found]:
    if not receipt.is_of(terms):
        return [Found(Finding.RECEIPT_OF_OTHER_POLL)]
    signed = [] if receipt.is_signed(terms) else [Found(Finding.RECEIPT_NOT_SIGNED)]
    return signed if own else [*signed, Found(Finding.RECEIPT_NOT_ON_BOARD)]
