"""Blind RSA signatures, the client's half (RFC 9474).

The signer signs a message that it cannot see: the client multiplies it by a random factor, and divides the factor out
of the signature. What comes out is an ordinary RSA-PSS signature that the signer has never seen.

Votes use RSABSSA-SHA384-PSS-Randomized. The other variants of the RFC are here so that all of its test vectors
check this code.
"""

from dataclasses import dataclass
from hashlib import sha384
from math import gcd
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from quanyutong_client.encoding import Malformed

HASH_BYTES: Final = 48
PREFIX_BYTES: Final = 32
EXPONENT: Final = 65537
SMALLEST_KEY, LARGEST_KEY = 2048, 4096


class BlindSignatureRefused(ValueError):
    """The signer's answer does not become a signature of the message."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of RSABSSA (RFC 9474, section 5): the length of its salt, and whether messages get a random prefix."""

    name: str
    salt_bytes: int
    randomized: bool


PSS_RANDOMIZED: Final = Variant("RSABSSA-SHA384-PSS-Randomized", HASH_BYTES, True)
PSSZERO_RANDOMIZED: Final = Variant("RSABSSA-SHA384-PSSZERO-Randomized", 0, True)
PSS_DETERMINISTIC: Final = Variant("RSABSSA-SHA384-PSS-Deterministic", HASH_BYTES, False)
PSSZERO_DETERMINISTIC: Final = Variant("RSABSSA-SHA384-PSSZERO-Deterministic", 0, False)
VARIANTS: Final = (PSS_RANDOMIZED, PSSZERO_RANDOMIZED, PSS_DETERMINISTIC, PSSZERO_DETERMINISTIC)


@dataclass(frozen=True, slots=True)
class Blinded:
    """What goes to the signer, and what undoes the blinding afterwards. The latter is secret."""

    message: bytes
    inverse: int


def read_key(spki: bytes) -> RSAPublicKey:
    """The signer's public key from its SubjectPublicKeyInfo in DER. Raises Malformed."""
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise Malformed("no public key") from fault
    if not isinstance(key, RSAPublicKey) or key.public_numbers().e != EXPONENT:
        raise Malformed("no RSA key with the exponent 65537")
    if not SMALLEST_KEY <= key.key_size <= LARGEST_KEY or key.key_size % 8:
        raise Malformed(f"a key of {key.key_size} bits")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise Malformed("a public key that is not in its shortest form")
    return key


def signature_bytes(key: RSAPublicKey) -> int:
    """The length of the modulus, of every blinded message and of every signature, in bytes."""
    return (key.key_size + 7) // 8


def prepare(message: bytes, prefix: bytes, variant: Variant = PSS_RANDOMIZED) -> bytes:
    """RFC 9474, section 4.1. The prefix is random, so that even a malicious key cannot make the message guessable."""
    if len(prefix) != (PREFIX_BYTES if variant.randomized else 0):
        raise ValueError("a prefix of the wrong length")
    return prefix + message


def blind(key: RSAPublicKey, prepared: bytes, salt: bytes, factor: int, variant: Variant = PSS_RANDOMIZED) -> Blinded:
    """RFC 9474, section 4.2. `factor`: uniformly random from 1 to n - 1, secret, and never used for another message."""
    if len(salt) != variant.salt_bytes:
        raise ValueError("a salt of the wrong length")
    n, e = key.public_numbers().n, key.public_numbers().e
    encoded = int.from_bytes(encode_pss(prepared, salt, n.bit_length() - 1))
    # Either would mean that a factor of n was found by chance.
    if gcd(encoded, n) != 1 or not 1 <= factor < n or gcd(factor, n) != 1:
        raise ValueError("a message or a factor that cannot be blinded with this key")
    blinded = encoded * pow(factor, e, n) % n
    return Blinded(blinded.to_bytes(signature_bytes(key)), pow(factor, -1, n))


def finalize(
    key: RSAPublicKey, prepared: bytes, blind_signature: bytes, inverse: int, variant: Variant = PSS_RANDOMIZED
) -> bytes:
    """RFC 9474, section 4.4. The signature of the prepared message. Raises BlindSignatureRefused."""
    if len(blind_signature) != signature_bytes(key):
        raise BlindSignatureRefused("a blind signature of the wrong length")
    unblinded = int.from_bytes(blind_signature) * inverse % key.public_numbers().n
    signature = unblinded.to_bytes(signature_bytes(key))
    if not verifies(key, prepared, signature, variant):
        raise BlindSignatureRefused("the signer did not sign this message with this key")
    return signature


def verifies(key: RSAPublicKey, prepared: bytes, signature: bytes, variant: Variant = PSS_RANDOMIZED) -> bool:
    """RSASSA-PSS-VERIFY (RFC 8017, section 8.1.2) with SHA-384, MGF1 of it, and the variant's salt."""
    try:
        key.verify(signature, prepared, PSS(MGF1(SHA384()), variant.salt_bytes), SHA384())
    except InvalidSignature:
        return False
    return True


def encode_pss(message: bytes, salt: bytes, bits: int) -> bytes:
    """EMSA-PSS-ENCODE (RFC 8017, section 9.1.1). Libraries draw the salt themselves; a retry needs the same one."""
    length = (bits + 7) // 8
    digest = sha384(bytes(8) + sha384(message).digest() + salt).digest()
    block = bytes(length - len(salt) - HASH_BYTES - 2) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(block, _mask(digest, len(block)), strict=True))
    masked[0] &= 0xFF >> (8 * length - bits)
    return bytes(masked) + digest + b"\xbc"


def _mask(seed: bytes, length: int) -> bytes:
    """MGF1 (RFC 8017, appendix B.2.1)."""
    rounds = -(-length // HASH_BYTES)
    return b"".join(sha384(seed + counter.to_bytes(4)).digest() for counter in range(rounds))[:length]
