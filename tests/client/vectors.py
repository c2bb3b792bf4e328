"""The vectors of docs/voting-protocol.md, computed from the inputs that stand there."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quanyutong_client import Board, Terms
from quanyutong_client.ballot import Ballot, fill_in, paper_message
from quanyutong_client.board import publish
from quanyutong_client.derivation import derive
from quanyutong_client.marking import marks_of
from quanyutong_client.reading import base64
from quanyutong_client.receipt import receipt_message
from services.ballots.blind_signing import EXPONENT, SigningKey

DOCUMENT = Path(__file__).parents[2] / "docs" / "voting-protocol.md"
BLOCK = re.compile(r"<!-- vectors: (\w+) -->\n```json\n(.*?)\n```", re.DOTALL)


def stated() -> dict[str, Any]:
    """The blocks of the document by name."""
    return {name: json.loads(block) for name, block in BLOCK.findall(DOCUMENT.read_text())}


@dataclass(frozen=True)
class Vectors:
    """A poll with two ballots, made from fixed secrets."""

    signer: SigningKey
    board_key: Ed25519PrivateKey
    terms: Terms
    secrets: list[bytes]
    choices: list[Any]

    @classmethod
    def of(cls, inputs: Mapping[str, Any]) -> "Vectors":
        signer = SigningKey.of(_rsa_key(int(inputs["p"], 16), int(inputs["q"], 16)))
        board_key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(inputs["board_seed"]))
        keys = {
            "paper_key": base64(signer.public),
            "board_key": base64(board_key.public_key().public_bytes_raw()),
        }
        return cls(
            signer=signer,
            board_key=board_key,
            terms=Terms.of(inputs["terms"] | keys),
            secrets=[bytes.fromhex(secret) for secret in inputs["secrets"]],
            choices=inputs["choices"],
        )

    def outputs(self) -> dict[str, Any]:
        return {
            "terms": {"paper_key": base64(self.terms.paper_key), "digest": self.terms.digest.hex()},
            "first": self._steps(0),
            "second": {"leaf": self.ballot(1).leaf().hex()},
            "board": self._of_board(self.board()),
        }

    def ballot(self, number: int) -> Ballot:
        derived = derive(self.secrets[number], self.terms)
        paper = derived.paper(self.terms, self.signer.sign(derived.blinded(self.terms).message))
        return fill_in(self.terms, paper, marks_of(self.terms, self.choices[number]), derived.key)

    def board(self) -> Board:
        ballots = [self.ballot(number) for number in range(len(self.secrets))]
        return publish(self.terms, len(ballots), len(ballots), ballots, self.board_key)

    def _steps(self, number: int) -> dict[str, str]:
        derived, ballot = derive(self.secrets[number], self.terms), self.ballot(number)
        blinded = derived.blinded(self.terms).message
        steps = {
            "key_seed": derived.key.private_bytes_raw(),
            "public_key": derived.public_key,
            "prefix": derived.prefix,
            "salt": derived.salt,
            "factor": derived.factor.to_bytes(len(blinded)),
            "paper_message": paper_message(self.terms, derived.public_key),
            "blinded": blinded,
            "blind_signature": self.signer.sign(blinded),
            "paper_signature": ballot.paper.signature,
            "ballot": ballot.encoded(),
            "leaf": ballot.leaf(),
            "receipt_signature": self.board_key.sign(receipt_message(self.terms, ballot.leaf())),
        }
        return {name: value.hex() for name, value in steps.items()}

    def _of_board(self, board: Board) -> dict[str, Any]:
        return {
            "root": board.root.hex(),
            "signature": board.signature.hex(),
            "tally": board.tally,
            "sha256_of_file": sha256(board.text()).hexdigest(),
        }


def _rsa_key(p: int, q: int) -> rsa.RSAPrivateKey:
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), public).private_key()
