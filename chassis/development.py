"""A signing key, a master key and tokens for development. Outside development there is none of them."""

import json
import os
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from chassis.auth import ROLES
from chassis.settings import Settings, SettingsInvalid

KEY_ID = "development"


def jwks(settings: Settings) -> str:
    """Where the key set is: the one of the settings, or in development the one of our own key.

    Raises SettingsInvalid outside development when the settings name none.
    """
    if settings.jwks:
        return settings.jwks
    if settings.environment != "development":
        raise SettingsInvalid("QYT_JWKS is needed outside development: the file or https URL of the signing keys")
    path = settings.state / "keys" / "jwks.json"
    if not path.exists():
        public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(_key(settings.state).public_key()))
        _write(path, json.dumps({"keys": [public | {"kid": KEY_ID, "use": "sig", "alg": "EdDSA"}]}).encode())
    return str(path)


def token(
    settings: Settings, subject: str, roles: list[str], district: str | None = None, lifetime: float = 3600
) -> str:
    """A development token: of a district, or municipal without one. `lifetime` is in seconds.

    Raises SettingsInvalid outside development, and for a role that does not exist.
    """
    if settings.environment != "development" or settings.jwks:
        raise SettingsInvalid(
            "development tokens exist only with QYT_ENVIRONMENT=development and without QYT_JWKS; "
            "get a token from the identity provider that QYT_JWKS belongs to"
        )
    if unknown := sorted(set(roles) - set(ROLES)):
        raise SettingsInvalid(f"unknown role {', '.join(unknown)}; the roles are {', '.join(sorted(ROLES))}")
    jwks(settings)
    now = int(time.time())
    claims = {"iss": settings.issuer, "aud": settings.audience, "sub": subject, "iat": now, "exp": now + lifetime}
    kind = {"district": district} if district else {"scope": "municipal"}
    return jwt.encode(
        claims | kind | {"roles": roles}, _key(settings.state), algorithm="EdDSA", headers={"kid": KEY_ID}
    )


def master_key(settings: Settings) -> bytes:
    """The master key of our own. Raises SettingsInvalid outside development."""
    if settings.environment != "development":
        raise SettingsInvalid("QYT_MASTER_KEYS is needed outside development: `openssl rand -base64 32` makes one")
    path = settings.state / "keys" / "master"
    if not path.exists():
        _write(path, os.urandom(32))
    return path.read_bytes()


def _key(state: Path) -> Ed25519PrivateKey:
    path = state / "keys" / "development.pem"
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        _write(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsInvalid(f"{path} holds another kind of key; remove it to have a new one made")
    return key


def _write(path: Path, content: bytes) -> None:
    """Writes for this user alone, whole or not at all; of two processes the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.touch(mode=0o600)
    scratch.write_bytes(content)
    try:
        os.link(scratch, path)
    except FileExistsError:
        pass  # another process made it first, which is as good
    finally:
        scratch.unlink()
