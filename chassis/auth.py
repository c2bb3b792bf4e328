"""Who is calling: verifies tokens against the key set, and remembers those verified until they expire."""

import asyncio
import contextlib
import json
import math
import time
import urllib.request
from collections import OrderedDict
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from chassis.errors import Refusal
from quanyutong.options.v1 import options_pb2

ALGORITHMS = ["EdDSA", "ES256", "RS256"]
REMEMBERED = 20_000
# A key set is read again after this time, and for an unknown key at most this often (seconds).
REFRESH = 300.0
REFRESH_UNKNOWN = 5.0
ROLES = {
    name.removeprefix("ROLE_").lower(): number
    for name, number in options_pb2.Role.items()
    if number != options_pb2.ROLE_UNSPECIFIED
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified token. `district` is None exactly when the caller is municipal."""

    subject: str
    district: str | None
    roles: frozenset[int]
    expires: float

    @property
    def municipal(self) -> bool:
        return self.district is None


def bearer_of_address(district: str) -> Caller:
    """Whoever has a secret address: nobody in particular, who may do nothing else."""
    return Caller("", district, frozenset(), math.inf)


# Who makes the call that this task serves.
caller: ContextVar[Caller] = ContextVar("caller")


class Keys:
    """The public keys that sign tokens: a JWKS (RFC 7517) in a file or behind an https URL."""

    def __init__(self, location: str) -> None:
        self._location = location
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def find(self, key_id: str | None) -> jwt.PyJWK:
        """The key of this id. Raises Refusal TOKEN_INVALID when it is unknown, SERVICE_UNAVAILABLE when all are."""
        age = time.monotonic() - self._read_at
        if age > REFRESH or (key_id not in self._keys and age > REFRESH_UNKNOWN):
            await self._refresh()
        try:
            return self._keys[key_id]
        except KeyError:
            # Without any key, it is not the token that is at fault.
            raise Refusal("TOKEN_INVALID" if self._keys else "SERVICE_UNAVAILABLE") from None

    async def text(self) -> str:
        """The key set as it is published."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> str:
        if self._location.startswith("https://"):
            with urllib.request.urlopen(self._location, timeout=5) as answer:  # noqa: S310 - https only
                return str(answer.read().decode())
        return Path(self._location).read_text()

    async def _refresh(self) -> None:
        async with self._reading:
            if time.monotonic() - self._read_at < REFRESH_UNKNOWN:
                return
            try:
                keys = _usable(json.loads(await self.text())["keys"])
            except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
                if not self._keys:
                    raise Refusal("SERVICE_UNAVAILABLE") from error
                return
            finally:
                self._read_at = time.monotonic()
            self._keys = keys


def _usable(published: list[dict[str, Any]]) -> dict[str | None, jwt.PyJWK]:
    """The keys by their ids, without those to encrypt and those of a kind that is not known here (RFC 7517, 5)."""
    keys = {}
    for key in published:
        with contextlib.suppress(jwt.PyJWTError):
            if key.get("use", "sig") == "sig":
                keys[key.get("kid")] = jwt.PyJWK(key)
    return keys


class Verifier:
    """Turns a bearer token into a Caller, at 80 us the first time and 1 us after."""

    def __init__(self, keys: Keys, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._callers: OrderedDict[str, Caller] = OrderedDict()

    async def verify(self, authorization: str | None) -> Caller:
        """Raises Refusal TOKEN_MISSING, TOKEN_EXPIRED or TOKEN_INVALID."""
        if not authorization:
            raise Refusal("TOKEN_MISSING")
        verified = self._callers.get(authorization)
        if verified is None:
            verified = _caller(await self._claims(authorization))
            self._callers[authorization] = verified
            if len(self._callers) > REMEMBERED:
                self._callers.popitem(last=False)
        if verified.expires <= time.time():
            self._callers.pop(authorization, None)
            raise Refusal("TOKEN_EXPIRED")
        return verified

    async def _claims(self, authorization: str) -> dict[str, Any]:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Refusal("TOKEN_MISSING")
        try:
            key = await self._keys.find(jwt.get_unverified_header(token).get("kid"))
            return jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            raise Refusal("TOKEN_EXPIRED") from None
        except jwt.PyJWTError:
            raise Refusal("TOKEN_INVALID") from None


def _caller(claims: dict[str, Any]) -> Caller:
    """Raises Refusal TOKEN_INVALID when the claims do not say exactly one kind of caller."""
    district, scope, roles = claims.get("district"), claims.get("scope"), claims.get("roles", [])
    of_district = isinstance(district, str) and len(district) == 6 and district.isascii() and district.isdigit()
    municipal = scope == "municipal" and district is None
    if not (municipal or (of_district and scope is None)) or not isinstance(roles, list):
        raise Refusal("TOKEN_INVALID")
    subject = claims["sub"]
    if not isinstance(subject, str) or "\0" in subject or subject.encode(errors="replace").decode() != subject:
        raise Refusal("TOKEN_INVALID")  # no text that the audit could hold
    known = frozenset(ROLES[role] for role in roles if isinstance(role, str) and role in ROLES)
    return Caller(subject, district, known, float(claims["exp"]))
