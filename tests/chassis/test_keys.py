"""The keys that sign tokens: rotation, keys that are unknown, and how long a verified token is remembered."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis import auth
from chassis.auth import REFRESH, REFRESH_UNKNOWN, REMEMBERED, Keys, Verifier
from chassis.errors import Refusal

ALGORITHMS = jwt.algorithms.get_default_algorithms()


class Clock:
    """Time as the module under test sees it."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.passed

    def time(self) -> float:
        return time.time() + self.passed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(auth, "time", SimpleNamespace(monotonic=clock.monotonic, time=clock.time))
    return clock


class Signer:
    """A key, what is published of it, and tokens."""

    def __init__(self, kid: str | None, key: Any = None, algorithm: str = "EdDSA") -> None:
        self._key = key or Ed25519PrivateKey.generate()
        self._headers = {"kid": kid} if kid else {}
        self._algorithm = algorithm
        public = ALGORITHMS[algorithm].to_jwk(self._key.public_key(), as_dict=True)
        self.public = public | self._headers | {"alg": algorithm}

    def bearer(self, lifetime: float = 3600, **claims: Any) -> str:
        said = {"iss": "us", "aud": "here", "sub": "tester", "district": "500101", "exp": time.time() + lifetime}
        return "Bearer " + jwt.encode(said | claims, self._key, algorithm=self._algorithm, headers=self._headers)


def publish(file: Path, *keys: Any) -> Verifier:
    file.write_text(json.dumps({"keys": list(keys)}))
    return Verifier(Keys(str(file)), "us", "here")


def overwrite(file: Path, text: str) -> None:
    file.write_text(text)


async def refused(verifier: Verifier, authorization: str) -> str:
    with pytest.raises(Refusal) as refusal:
        await verifier.verify(authorization)
    return refusal.value.reason


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "jwks.json"


async def test_key_is_replaced_while_running(file: Path, clock: Clock) -> None:
    old, new = Signer("old"), Signer("new")
    verifier = publish(file, old.public)
    remembered = old.bearer()
    assert (await verifier.verify(remembered)).district == "500101"
    publish(file, new.public)
    # An unknown key is looked for at most every few seconds, whoever sends how many tokens with it.
    assert await refused(verifier, new.bearer()) == "TOKEN_INVALID"
    clock.passed += REFRESH_UNKNOWN + 1
    assert (await verifier.verify(new.bearer())).subject == "tester"
    assert await refused(verifier, old.bearer()) == "TOKEN_INVALID"
    # What was verified holds until it expires: withdrawing a key is no way to withdraw a token at once.
    assert (await verifier.verify(remembered)).subject == "tester"


async def test_withdrawn_key_is_forgotten_though_nobody_sends_an_unknown_one(file: Path, clock: Clock) -> None:
    signer = Signer("1")
    verifier = publish(file, signer.public)
    await verifier.verify(signer.bearer())
    publish(file, Signer("2").public)
    await verifier.verify(signer.bearer(jti="another"))
    clock.passed += REFRESH + 1
    assert await refused(verifier, signer.bearer(jti="a third")) == "TOKEN_INVALID"


async def test_remembered_token_expires(file: Path, clock: Clock) -> None:
    signer = Signer("1")
    verifier = publish(file, signer.public)
    token = signer.bearer(lifetime=60)
    await verifier.verify(token)
    clock.passed += 61
    assert await refused(verifier, token) == "TOKEN_EXPIRED"


async def test_memory_of_tokens_is_bounded(file: Path) -> None:
    signer = Signer("1")
    verifier = publish(file, signer.public)
    first = signer.bearer()
    caller = await verifier.verify(first)
    verifier._callers |= {str(number): caller for number in range(REMEMBERED)}
    await verifier.verify(signer.bearer(jti="one more"))
    assert len(verifier._callers) <= REMEMBERED + 1
    assert first not in verifier._callers


async def test_keys_that_cannot_be_read(file: Path, clock: Clock) -> None:
    """Before there are any, it is not the token's fault; afterwards the known ones stay."""
    signer = Signer("1")
    verifier = Verifier(Keys(str(file)), "us", "here")
    for _ in range(2):
        assert await refused(verifier, signer.bearer()) == "SERVICE_UNAVAILABLE"
    publish(file, signer.public)
    clock.passed += REFRESH_UNKNOWN + 1
    await verifier.verify(signer.bearer())
    for broken in ("", "[]", "{}", '{"keys": 1}', '{"keys": ["x"]}', "\0"):
        overwrite(file, broken)
        clock.passed += REFRESH + 1
        assert (await verifier.verify(signer.bearer(lifetime=clock.passed + 60, jti=broken))).subject == "tester"


async def test_keys_for_other_uses_are_passed_over(file: Path) -> None:
    signer = Signer("1")
    encrypts = Signer("2", rsa.generate_private_key(65537, 2048), "RS256").public
    others = [encrypts | {"alg": "RSA-OAEP"}, encrypts | {"use": "enc"}, {"kty": "unheard of"}, {}]
    verifier = publish(file, *others, signer.public)
    assert (await verifier.verify(signer.bearer())).subject == "tester"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(ec.generate_private_key(ec.SECP256R1()), "ES256"), (rsa.generate_private_key(65537, 2048), "RS256")],
    ids=["ES256", "RS256"],
)
async def test_other_kinds_of_key(file: Path, key: Any, algorithm: str) -> None:
    signer = Signer(None, key, algorithm)
    assert (await publish(file, signer.public).verify(signer.bearer())).subject == "tester"
