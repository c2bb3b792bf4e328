"""Everything random about a vote, derived from one secret that is stored before anything is sent.

So a step that is repeated after a crash sends the same bytes again: one delegate never has two papers, nor two ballots.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quanyutong_client import blindrsa
from quanyutong_client.ballot import Paper, paper_message
from quanyutong_client.encoding import fields
from quanyutong_client.terms import Terms

LABEL: Final = "quanyutong.derive.v1"
SECRET_BYTES, SEED_BYTES = 32, 32
# With 128 bits more than the modulus, the remainder is uniform but for 2^-128.
EXTRA_BYTES: Final = 16


@dataclass(frozen=True, slots=True, repr=False)
class Derived:
    """`key` signs the ballot; `prefix`, `salt` and `factor` make and blind the message of the paper. All but the prefix
    stay secret."""

    key: Ed25519PrivateKey
    prefix: bytes
    salt: bytes
    factor: int

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def blinded(self, terms: Terms) -> blindrsa.Blinded:
        """What is sent to take a paper."""
        return blindrsa.blind(terms.paper_public_key, self._prepared(terms), self.salt, self.factor)

    def paper(self, terms: Terms, blind_signature: bytes) -> Paper:
        """The paper, from the answer. Raises BlindSignatureRefused."""
        inverse = self.blinded(terms).inverse
        signature = blindrsa.finalize(terms.paper_public_key, self._prepared(terms), blind_signature, inverse)
        return Paper(self.public_key, self.prefix, signature)

    def _prepared(self, terms: Terms) -> bytes:
        return blindrsa.prepare(paper_message(terms, self.public_key), self.prefix)


def derive(secret: bytes, terms: Terms) -> Derived:
    """One secret gives other values for other terms, so for each poll and each of its keys."""
    if len(secret) != SECRET_BYTES:
        raise ValueError("a secret of the wrong length")
    expand = partial(_expand, secret, terms)
    return Derived(
        key=Ed25519PrivateKey.from_private_bytes(expand("key", SEED_BYTES)),
        prefix=expand("prefix", blindrsa.PREFIX_BYTES),
        salt=expand("salt", blindrsa.PSS_RANDOMIZED.salt_bytes),
        factor=_factor(expand, terms),
    )


def _expand(secret: bytes, terms: Terms, purpose: str, length: int) -> bytes:
    """HKDF-SHA256 (RFC 5869) without a salt."""
    info = fields(LABEL, purpose, terms.district, terms.poll, terms.digest)
    return HKDF(SHA256(), length, None, info).derive(secret)


def _factor(expand: Callable[[str, int], bytes], terms: Terms) -> int:
    """From 1 to n - 1, as RFC 9474, section 4.2 draws it."""
    key = terms.paper_public_key
    wide = int.from_bytes(expand("factor", blindrsa.signature_bytes(key) + EXTRA_BYTES))
    return wide % (key.public_numbers().n - 1) + 1
