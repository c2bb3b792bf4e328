"""A ballot, byte by byte: what a delegate signs, what the box takes, and what stands on the board.

A ballot has no time, no person and no number. All ballots of a poll have the same length, whatever they say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from quanyutong_client import blindrsa, merkle
from quanyutong_client.encoding import Malformed, fields, split
from quanyutong_client.terms import KEY_BYTES, Terms

BALLOT, PAPER = "quanyutong.ballot.v1", "quanyutong.paper.v1"
SIGNATURE_BYTES: Final = 64


def paper_message(terms: Terms, public_key: bytes) -> bytes:
    """What the poll's RSA key signs blindly: that this ephemeral key has one vote in this poll."""
    return fields(PAPER, terms.digest, public_key)


@dataclass(frozen=True, slots=True)
class Paper:
    """The right to vote once: an ephemeral key, and the poll's signature of it under a random prefix."""

    public_key: bytes
    prefix: bytes
    signature: bytes

    def is_genuine(self, terms: Terms) -> bool:
        prepared = blindrsa.prepare(paper_message(terms, self.public_key), self.prefix)
        return blindrsa.verifies(terms.paper_public_key, prepared, self.signature)


@dataclass(frozen=True, slots=True)
class Ballot:
    """A paper with marks, one byte for each option of each question, signed by the paper's key."""

    district: str
    poll: str
    terms_digest: bytes
    paper: Paper
    marks: tuple[bytes, ...]
    signature: bytes = b""

    def content(self) -> bytes:
        """What the paper's key signs."""
        paper = self.paper
        return fields(
            BALLOT,
            self.district,
            self.poll,
            self.terms_digest,
            paper.public_key,
            paper.prefix,
            paper.signature,
            fields(*self.marks),
        )

    def encoded(self) -> bytes:
        return self.content() + fields(self.signature)

    def leaf(self) -> bytes:
        """The ballot's hash in the tree, and what a receipt names."""
        return merkle.leaf_hash(self.encoded())

    def is_of(self, terms: Terms) -> bool:
        return (self.district, self.poll, self.terms_digest) == (terms.district, terms.poll, terms.digest)

    def is_signed(self) -> bool:
        """Whether the paper's key signed the content (Ed25519, RFC 8032)."""
        try:
            Ed25519PublicKey.from_public_bytes(self.paper.public_key).verify(self.signature, self.content())
        except InvalidSignature:
            return False
        return True

    @classmethod
    def decode(cls, encoded: bytes) -> "Ballot":
        """Raises Malformed. What comes back has exactly these bytes; whose ballot it is has not been asked."""
        parts = split(encoded)
        if len(parts) != 9 or parts[0] != BALLOT.encode():
            raise Malformed("not the nine fields of a ballot")
        _, district, poll, digest, public_key, prefix, paper_signature, marks, signature = parts
        lengths = (len(digest), len(public_key), len(prefix), len(signature))
        if lengths != (merkle.HASH_BYTES, KEY_BYTES, blindrsa.PREFIX_BYTES, SIGNATURE_BYTES):
            raise Malformed("a field of the wrong length")
        paper = Paper(public_key, prefix, paper_signature)
        return cls(_text(district), _text(poll), digest, paper, tuple(split(marks)), signature)


def fill_in(terms: Terms, paper: Paper, marks: Sequence[bytes], key: Ed25519PrivateKey) -> Ballot:
    """The signed ballot. Ed25519 is deterministic (RFC 8032): the same paper and marks give the same bytes."""
    check_marks(terms, marks)
    unsigned = Ballot(terms.district, terms.poll, terms.digest, paper, tuple(marks))
    return Ballot(terms.district, terms.poll, terms.digest, paper, tuple(marks), key.sign(unsigned.content()))


def check_marks(terms: Terms, marks: Sequence[bytes]) -> None:
    """Raises Malformed unless every option of every question has one mark that its kind knows."""
    if len(marks) != len(terms.questions):
        raise Malformed("marks for more or fewer questions than there are")
    for question, given in zip(terms.questions, marks, strict=True):
        if len(given) != len(question.options) or max(given) > question.rule.highest_mark:
            raise Malformed(f"marks that question {question.id} does not have")


def _text(part: bytes) -> str:
    """Only what can be a district or a poll is let through; whether it is the right one is asked later."""
    if len(part) > 64 or not part.isascii():
        raise Malformed("a name that is none")
    return part.decode()
