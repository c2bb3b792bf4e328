"""A polling hall without a server: the platform's own signer, and a desk and a box that keep the rules of a vote."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quanyutong_client import Board, Terms, Voter
from quanyutong_client.ballot import Ballot
from quanyutong_client.board import publish
from quanyutong_client.marking import Choices
from quanyutong_client.reading import base64
from quanyutong_client.receipt import receipt_message
from quanyutong_client.verification import faults_of
from services.ballots.blind_signing import SigningKey, generate

HALF = {"fraction": "1/2", "counts": "at_least"}
MORE_THAN_HALF = {"fraction": "1/2", "counts": "more_than"}
MARKS = {"over_full_ballot": "invalid", "short_ballot": "valid", "blank_ballot": "abstention"}
POLL = "0199d2a0-5a3c-7000-8000-000000000001"
BOARD_KEY = Ed25519PrivateKey.generate()


class Twice(Exception):
    """Another paper for the same delegate, or another ballot for the same paper."""


@cache
def paper_key(number: int = 0) -> SigningKey:
    """Making a key takes long; tests share these."""
    return generate()[0]


def select(options: int = 3, places: int = 2, **rule: Any) -> dict[str, Any]:
    given = {"places": places, "majority_base": "none", "majority": MORE_THAN_HALF, "tie_at_last_place": "include_all"}
    return _question("projects", "民生实事项目", "select", options, given | MARKS | rule)


def scores(options: int = 2, **rule: Any) -> dict[str, Any]:
    given = {"score_lowest": 0, "score_highest": 100, "score_average": "mean", "scores_trimmed": 0}
    return _question("reports", "满意度测评", "scores", options, given | {"blank_ballot": "abstention"} | rule)


def grades(options: int = 2, **rule: Any) -> dict[str, Any]:
    given = {"grade_base": "all_members", "satisfied": HALF, "basically_satisfied": HALF, "blank_ballot": "abstention"}
    return _question("offices", "工作评议", "grades", options, given | rule)


def motion(options: int = 1, **rule: Any) -> dict[str, Any]:
    given = {"majority_base": "all_members", "majority": MORE_THAN_HALF, "blank_ballot": "abstention"}
    return _question("motions", "议案", "motion", options, given | rule)


def _question(name: str, title: str, kind: str, options: int, rule: dict[str, Any]) -> dict[str, Any]:
    items = [{"id": f"{name[0]}{number:02}", "title": f"{title}{number}"} for number in range(1, options + 1)]
    versions = [f"votes.{kind}@2005-01-01"]
    return {"id": name, "title": title, "kind": kind, "options": items, "rule": rule, "rule_versions": versions}


def terms_of(*questions: dict[str, Any], electorate: int = 40, key: SigningKey | None = None, **more: Any) -> Terms:
    given = {
        "district": "500108",
        "poll": POLL,
        "title": "民生实事项目票决",
        "electorate": electorate,
        "paper_key": base64((key or paper_key()).public),
        "board_key": base64(BOARD_KEY.public_key().public_bytes_raw()),
        "questions": list(questions) or [select(), scores(), grades(), motion()],
    }
    return Terms.of(given | more)


@dataclass
class Hall:
    """`before` and `after` are called around every answer: a test cuts there."""

    terms: Terms
    key: SigningKey = field(default_factory=paper_key)
    papers: dict[str, bytes] = field(default_factory=dict)
    ballots: dict[bytes, bytes] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    def desk(self, delegate: str) -> "DeskOf":
        return DeskOf(self, delegate)

    async def cast(self, ballot: bytes) -> bytes:
        self.before()
        read = Ballot.decode(ballot)
        assert list(faults_of(self.terms, read)) == []
        if self.ballots.setdefault(read.paper.public_key, ballot) != ballot:
            raise Twice
        self.after()
        return BOARD_KEY.sign(receipt_message(self.terms, read.leaf()))

    def board(self, present: int | None = None) -> Board:
        issued = len(self.papers)
        ballots = [Ballot.decode(ballot) for ballot in self.ballots.values()]
        return publish(self.terms, issued if present is None else present, issued, ballots, BOARD_KEY)


@dataclass
class DeskOf:
    hall: Hall
    delegate: str

    async def take(self, blinded: bytes) -> bytes:
        self.hall.before()
        if self.hall.papers.setdefault(self.delegate, blinded) != blinded:
            raise Twice
        answer = self.hall.key.sign(blinded)
        self.hall.after()
        return answer


async def voted(hall: Hall, folder: Path, choices: Sequence[Choices]) -> list[Voter]:
    """One delegate for each of the choices."""
    voters = []
    for number, choice in enumerate(choices):
        voter = Voter(folder / f"delegate-{number}", hall.terms)
        await voter.take(hall.desk(f"delegate-{number}"))
        await voter.cast(hall, choice, spoil=True)
        voters.append(voter)
    return voters
