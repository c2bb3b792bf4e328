"""Tokens of every kind that must not open a door, made with the platform's own development key where that helps."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chassis.development import KEY_ID
from chassis.settings import Settings

Claims = dict[str, Any]


class Tokens:
    """What an identity provider could issue, and what an attacker could."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        keys = settings.state / "keys"
        self._key = load_pem_private_key((keys / "development.pem").read_bytes(), password=None)
        self._published = _public_bytes(keys / "jwks.json")

    def claims(self, roles: list[str], district: str | None, changed: Claims | None = None) -> Claims:
        """Those of a good token, with some changed; None leaves one out."""
        kind = {"district": district} if district else {"scope": "municipal"}
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": "tester",
            "exp": int(time.time()) + 600,
            "roles": roles,
        }
        return {name: value for name, value in (claims | kind | (changed or {})).items() if value is not None}

    def signed(self, claims: Claims) -> str:
        return self._encoded(claims, self._key, "EdDSA")

    def wrong(self, claims: Claims) -> dict[str, str]:
        """Tokens with good claims and no good signature."""
        good = self.signed(claims)
        head, body, signature = good.split(".")
        return {
            "of another key": self._encoded(claims, Ed25519PrivateKey.generate(), "EdDSA"),
            "unsigned": self._encoded(claims, None, "none"),
            # The published key taken for a shared secret.
            "signed with the public key": self._encoded(claims, self._published, "HS256"),
            "without its signature": f"{head}.{body}.",
            "with another's signature": f"{self.signed(claims | {'sub': 'another'}).rpartition('.')[0]}.{signature}",
            "garbage": "garbage",
            "garbage in three parts": "a.b.c",
        }

    @staticmethod
    def _encoded(claims: Claims, key: Any, algorithm: str) -> str:
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": KEY_ID})


def _public_bytes(file: Path) -> bytes:
    (key,) = json.loads(file.read_text())["keys"]
    return jwt.utils.base64url_decode(key["x"])


def bearer(token: str, **more: str) -> tuple[tuple[str, str], ...]:
    extra = ((name.replace("_", "-"), value) for name, value in more.items())
    return (("authorization", f"Bearer {token}"), *extra)
