"""Blind RSA signatures, the signer's half (RFC 9474, section 4.3): a poll's key signs papers that it cannot see.

The private operation uses the Chinese remainder theorem, four times as fast and with two known dangers. A caller who
measures time could learn the primes from inputs of his choosing: so the input is multiplied by a random factor first,
which makes what is computed independent of it, and the exponentiations are GMP's constant-time ones. A fault in one
half would give the primes away with the wrong signature: so every signature is checked before it leaves.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final, Self

import gmpy2
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

EXPONENT: Final = 65537
KEY_BITS: Final = 2048


class BlindedMessageRefused(ValueError):
    """No message blinded for this key: too long, too short, or not below the modulus."""


class SigningFailed(Exception):
    """The computation went wrong. Nothing of it may be told to anybody."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A poll's key. Its numbers are secret and stand in no text of it; `public` is its SubjectPublicKeyInfo in DER."""

    public: bytes
    n: int = field(repr=False)
    e: int = field(repr=False)
    p: int = field(repr=False)
    q: int = field(repr=False)
    d_p: int = field(repr=False)
    d_q: int = field(repr=False)
    q_inverse: int = field(repr=False)

    @classmethod
    def of(cls, key: RSAPrivateKey) -> Self:
        secret = key.private_numbers()
        return cls(
            public=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            n=secret.public_numbers.n,
            e=secret.public_numbers.e,
            p=secret.p,
            q=secret.q,
            d_p=secret.dmp1,
            d_q=secret.dmq1,
            q_inverse=secret.iqmp,
        )

    @classmethod
    def load(cls, stored: bytes) -> Self:
        """From what `generate` gave to be stored."""
        # The vault has sealed what is stored, and every signature is checked: testing the primes would add nothing.
        key = load_der_private_key(stored, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("no RSA key")
        return cls.of(key)

    @property
    def signature_bytes(self) -> int:
        return (self.n.bit_length() + 7) // 8

    def sign(self, blinded: bytes) -> bytes:
        """BlindSign: the blind signature of a blinded message. The same message gets the same signature.

        It takes some milliseconds and lets other threads run meanwhile, so ask for it in one. Raises
        BlindedMessageRefused.
        """
        message = int.from_bytes(blinded)
        if len(blinded) != self.signature_bytes or message >= self.n:
            raise BlindedMessageRefused("not a message blinded for this key")
        with gmpy2.context(gmpy2.get_context(), allow_release_gil=True):
            signature = self._unmasked(message)
            if gmpy2.powmod(signature, self.e, self.n) != message:
                raise SigningFailed("a signature that does not fit its message")
        return signature.to_bytes(self.signature_bytes)

    def _unmasked(self, message: int) -> int:
        """The signature, computed from a random multiple of the message."""
        factor = self._factor()
        masked = message * int(gmpy2.powmod(factor, self.e, self.n)) % self.n
        return self._power(masked) * int(gmpy2.invert(factor, self.n)) % self.n

    def _power(self, message: int) -> int:
        """RSASP1 (RFC 8017, section 5.2.1): two halves, put together by Garner's formula."""
        of_p = int(gmpy2.powmod_sec(message % self.p, self.d_p, self.p))
        of_q = int(gmpy2.powmod_sec(message % self.q, self.d_q, self.q))
        return of_q + self.q * ((of_p - of_q) * self.q_inverse % self.p)

    def _factor(self) -> int:
        """Another for each signature. One that shares a prime with n would be found once in 2^1000 calls."""
        while gmpy2.gcd(factor := secrets.randbelow(self.n), self.n) != 1:
            continue
        return factor


def generate(bits: int = KEY_BITS) -> tuple[SigningKey, bytes]:
    """A fresh key, and it as PKCS #8 in DER, unencrypted: to be wrapped by the vault before it is stored anywhere."""
    key = generate_private_key(EXPONENT, bits)
    return SigningKey.of(key), key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
