"""What the box gives for a ballot: the ballot's hash, signed. With it a delegate finds the own ballot on the board,
and can show to anybody that the box took it, should the board not have it."""

from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature

from quanyutong_client.encoding import fields
from quanyutong_client.reading import Members, base64
from quanyutong_client.terms import DISTRICT, IDENTIFIER, Terms, matching

FORMAT: Final = "quanyutong.receipt.v1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """`leaf`: the ballot's hash in the tree. `signature`: of `receipt_message`, by the board's key."""

    district: str
    poll: str
    terms_digest: bytes
    leaf: bytes
    signature: bytes

    def is_of(self, terms: Terms) -> bool:
        return (self.district, self.poll, self.terms_digest) == (terms.district, terms.poll, terms.digest)

    def is_signed(self, terms: Terms) -> bool:
        try:
            terms.board_public_key.verify(self.signature, receipt_message(terms, self.leaf))
        except InvalidSignature:
            return False
        return True

    def json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "district": self.district,
            "poll": self.poll,
            "terms": self.terms_digest.hex(),
            "leaf": self.leaf.hex(),
            "signature": base64(self.signature),
        }

    @classmethod
    def of(cls, terms: Terms, leaf: bytes, signature: bytes) -> "Receipt":
        return cls(terms.district, terms.poll, terms.digest, leaf, signature)

    @classmethod
    def parse(cls, text: bytes) -> "Receipt":
        """Raises Malformed."""
        members = Members.of(text, "receipt")
        members.one_of("format", (FORMAT,))
        receipt = cls(
            matching(members, "district", DISTRICT),
            matching(members, "poll", IDENTIFIER),
            members.digest("terms"),
            members.digest("leaf"),
            members.raw("signature", 64),
        )
        members.done()
        return receipt


def receipt_message(terms: Terms, leaf: bytes) -> bytes:
    """What the board's key signs for a ballot that the box has taken."""
    return fields(FORMAT, terms.district, terms.poll, terms.digest, leaf)
