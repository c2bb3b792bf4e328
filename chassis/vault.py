"""The master keys: what keeps secrets in the database secret from who has only the database.

A master key encrypts nothing but other keys, and gives subkeys, one for each
purpose and district. It never leaves this module, and is never stored where its
secrets are.
"""

import base64
import binascii
import os
from collections.abc import Sequence
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chassis import development
from chassis.faults import OperatorFault
from chassis.settings import Settings, SettingsInvalid

KEY_BYTES = 32
ID_DIGITS = 8
NONCE_BYTES = 12


class MasterKeyMissing(OperatorFault):
    """Something is kept under a master key that is not among QYT_MASTER_KEYS."""


class Vault:
    """The master keys, the newest first: that one is used for what is new, each of them for what it was used for."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {key_id(key): key for key in keys}
        self.current = next(iter(self._keys))

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The keys of the settings; in development without any, one of our own in the state folder.

        Raises SettingsInvalid when there is none, or one is not the base64 of 32 bytes.
        """
        if settings.master_keys is None:
            return cls([development.master_key(settings)])
        return cls([_decoded(text.strip()) for text in settings.master_keys.get_secret_value().split(",")])

    def derive(self, purpose: str, district: str, key: str | None = None) -> bytes:
        """A subkey of 32 bytes (HKDF, RFC 5869), of the current master key or the one of this id.

        Raises MasterKeyMissing.
        """
        expand = HKDF(SHA256(), KEY_BYTES, salt=None, info=f"quanyutong {purpose} {district}".encode())
        return expand.derive(self._key(key or self.current))

    def derive_all(self, purpose: str, district: str = "city") -> list[bytes]:
        """The subkeys for a purpose, of each master key, the newest first; the city-wide ones, or a district's."""
        return [self.derive(purpose, district, key) for key in self._keys]

    def wrapped_by_current(self, wrapped: bytes) -> bool:
        """Whether the current master key wrapped it, and no one that was replaced."""
        return wrapped[:ID_DIGITS] == self.current.encode()

    def wrap(self, purpose: str, district: str, secret: bytes) -> bytes:
        """A key, encrypted (AES-256-GCM): the master key's id, nonce, ciphertext."""
        nonce = os.urandom(NONCE_BYTES)
        under = AESGCM(self.derive(purpose, district))
        return self.current.encode() + nonce + under.encrypt(nonce, secret, None)

    def unwrap(self, purpose: str, district: str, wrapped: bytes) -> bytes:
        """Raises MasterKeyMissing; ValueError when it is not what `wrap` gave for this purpose and district."""
        key, nonce, sealed = wrapped[:ID_DIGITS], wrapped[ID_DIGITS:][:NONCE_BYTES], wrapped[ID_DIGITS + NONCE_BYTES :]
        try:
            return AESGCM(self.derive(purpose, district, key.decode())).decrypt(nonce, sealed, None)
        except InvalidTag:
            raise ValueError("a wrapped key was changed, or is another district's") from None

    def _key(self, key: str) -> bytes:
        try:
            return self._keys[key]
        except KeyError:
            raise MasterKeyMissing(
                f"the master key {key} is missing: add it to QYT_MASTER_KEYS, behind the current one"
            ) from None


def key_id(key: bytes) -> str:
    """Names a master key without telling anything of it."""
    return sha256(b"quanyutong master key" + key).hexdigest()[:ID_DIGITS]


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsInvalid(
            "QYT_MASTER_KEYS: each key is the base64 of 32 random bytes, for example of `openssl rand -base64 32`"
        )
    return key
