"""The board: the file in which everything about a poll is published, and from which alone anybody can check it.

It has no names, and nothing that is not needed to check it. The same poll gives the same bytes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quanyutong_client import merkle
from quanyutong_client.ballot import Ballot
from quanyutong_client.encoding import fields, number
from quanyutong_client.reading import Members, base64, from_base64
from quanyutong_client.tally import tally
from quanyutong_client.terms import Terms

FORMAT: Final = "quanyutong.board.v1"
ROOT: Final = "quanyutong.root.v1"


@dataclass(frozen=True, slots=True)
class Board:
    """As it was read: only its form has been checked. `ballots` are encoded; `tally` is what the publisher says."""

    terms: Terms
    present: int
    papers: int
    ballots: tuple[bytes, ...]
    root: bytes
    signature: bytes
    tally: Any

    def root_message(self) -> bytes:
        return root_message(self.terms, self.present, self.papers, len(self.ballots), self.root)

    def is_signed(self) -> bool:
        try:
            self.terms.board_public_key.verify(self.signature, self.root_message())
        except InvalidSignature:
            return False
        return True

    def text(self) -> bytes:
        """The file, ready to be published."""
        members = {
            "format": FORMAT,
            "terms": self.terms.json(),
            "present": self.present,
            "papers": self.papers,
            "ballots": [base64(ballot) for ballot in self.ballots],
            "root": self.root.hex(),
            "signature": base64(self.signature),
            "tally": self.tally,
        }
        return json.dumps(members, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def parse(cls, text: bytes) -> "Board":
        """Raises Malformed."""
        members = Members.of(text, "board")
        members.one_of("format", (FORMAT,))
        board = cls(
            Terms.read(members.members("terms")),
            members.whole_number("present"),
            members.whole_number("papers"),
            tuple(from_base64(value, f"ballot {place}") for place, value in enumerate(members.values("ballots"), 1)),
            members.digest("root"),
            members.raw("signature", 64),
            members.any("tally"),
        )
        members.done()
        return board


def root_message(terms: Terms, present: int, papers: int, ballots: int, root: bytes) -> bytes:
    """What the board's key signs when a poll is closed: the numbers, and the one hash that stands for every ballot."""
    counts = (number(present), number(papers), number(ballots))
    return fields(ROOT, terms.district, terms.poll, terms.digest, *counts, root)


def publish(terms: Terms, present: int, papers: int, ballots: Sequence[Ballot], key: Ed25519PrivateKey) -> Board:
    """The board of a closed poll. Its ballots have been checked when the box took them; they come in any order."""
    in_order = sorted(ballots, key=lambda ballot: ballot.paper.public_key)
    root = merkle.root([ballot.leaf() for ballot in in_order])
    return Board(
        terms=terms,
        present=present,
        papers=papers,
        ballots=tuple(ballot.encoded() for ballot in in_order),
        root=root,
        signature=key.sign(root_message(terms, present, papers, len(in_order), root)),
        tally=tally(terms, present, papers, [ballot.marks for ballot in in_order]).json(),
    )
