"""Blind signatures: the test vectors of RFC 9474, and that nothing else than what was signed verifies."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from quanyutong_client import blindrsa
from quanyutong_client.blindrsa import VARIANTS, BlindSignatureRefused, Variant
from quanyutong_client.encoding import Malformed
from services.ballots.blind_signing import BlindedMessageRefused, SigningFailed, SigningKey, generate
from tests.client.hall import paper_key

# RFC 9474, appendix A: https://www.rfc-editor.org/rfc/rfc9474.html#appendix-A
VECTORS = json.loads((Path(__file__).parent / "rfc9474-vectors.json").read_text())
KEY = paper_key()
PUBLIC = blindrsa.read_key(KEY.public)
SALTS = {variant.name: bytes(range(variant.salt_bytes)) for variant in VARIANTS}
FACTORS = st.integers(2, KEY.n - 1)


def _number(text: str) -> int:
    return int(text, 16)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _vector_key(vector: dict[str, Any]) -> rsa.RSAPrivateKey:
    p, q, d, e = (_number(vector[name]) for name in ("p", "q", "d", "e"))
    public = rsa.RSAPublicNumbers(e, _number(vector["n"]))
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), public).private_key()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vectors_of_the_rfc(vector: dict[str, Any]) -> None:
    variant = next(variant for variant in VARIANTS if variant.name == vector["name"])
    private = _vector_key(vector)
    key, inverse = private.public_key(), _number(vector["inv"])
    n = key.public_numbers().n
    assert (variant.salt_bytes, variant.randomized) == (_number(vector["sLen"]), bool(_number(vector["is_randomized"])))

    prepared = blindrsa.prepare(_bytes(vector["msg"]), _bytes(vector["msg_prefix"]), variant)
    assert prepared == _bytes(vector["input_msg"])
    if "encoded_msg" in vector:
        encoded = blindrsa.encode_pss(prepared, _bytes(vector["salt"]), n.bit_length() - 1)
        assert encoded == _bytes(vector["encoded_msg"])
    blinded = blindrsa.blind(key, prepared, _bytes(vector["salt"]), pow(inverse, -1, n), variant)
    assert (blinded.message, blinded.inverse) == (_bytes(vector["blinded_msg"]), inverse)
    signed = SigningKey.of(private).sign(blinded.message)
    assert signed == _bytes(vector["blind_sig"])
    signature = blindrsa.finalize(key, prepared, signed, blinded.inverse, variant)
    assert signature == _bytes(vector["sig"])


def test_every_variant_has_its_vector() -> None:
    assert {vector["name"] for vector in VECTORS} == {variant.name for variant in VARIANTS}


def _signed(message: bytes, factor: int, variant: Variant = blindrsa.PSS_RANDOMIZED) -> tuple[bytes, bytes]:
    """A message as it was prepared, and its signature."""
    prefix = bytes(range(32)) if variant.randomized else b""
    prepared = blindrsa.prepare(message, prefix, variant)
    blinded = blindrsa.blind(PUBLIC, prepared, SALTS[variant.name], factor, variant)
    return prepared, blindrsa.finalize(PUBLIC, prepared, KEY.sign(blinded.message), blinded.inverse, variant)


@given(message=st.binary(max_size=500), factor=FACTORS, variant=st.sampled_from(VARIANTS))
def test_any_message_is_signed(message: bytes, factor: int, variant: Variant) -> None:
    prepared, signature = _signed(message, factor, variant)
    assert blindrsa.verifies(PUBLIC, prepared, signature, variant)
    others = [other for other in VARIANTS if other.salt_bytes != variant.salt_bytes]
    assert not any(blindrsa.verifies(PUBLIC, prepared, signature, other) for other in others)


@given(message=st.binary(max_size=50), factors=st.lists(FACTORS, min_size=2, max_size=2, unique=True))
def test_the_signature_shows_nothing_of_the_blinding(message: bytes, factors: list[int]) -> None:
    """What the signer saw differs, what it gave differs, and what comes out is the same."""
    salt = SALTS[blindrsa.PSS_RANDOMIZED.name]
    sent = {blindrsa.blind(PUBLIC, bytes(32) + message, salt, factor).message for factor in factors}
    assert len(sent) == 2
    assert len({_signed(message, factor)[1] for factor in factors}) == 1


SIGNED = _signed(b"one delegate, one vote", 12345)


@given(at=st.integers(0, 8 * len(SIGNED[0]) - 1))
def test_a_flipped_bit_of_the_message_is_noticed(at: int) -> None:
    assert not blindrsa.verifies(PUBLIC, _flipped(SIGNED[0], at), SIGNED[1])


@given(at=st.integers(0, 8 * len(SIGNED[1]) - 1))
def test_a_flipped_bit_of_the_signature_is_noticed(at: int) -> None:
    assert not blindrsa.verifies(PUBLIC, SIGNED[0], _flipped(SIGNED[1], at))


@given(at=st.integers(0, 8 * KEY.signature_bytes - 1))
def test_a_flipped_bit_of_the_answer_is_refused(at: int) -> None:
    blinded = blindrsa.blind(PUBLIC, SIGNED[0], SALTS[blindrsa.PSS_RANDOMIZED.name], 12345)
    answer = KEY.sign(blinded.message)
    with pytest.raises(BlindSignatureRefused):
        blindrsa.finalize(PUBLIC, SIGNED[0], _flipped(answer, at), blinded.inverse)


def _flipped(value: bytes, at: int) -> bytes:
    changed = bytearray(value)
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


@pytest.mark.parametrize("signature", [b"", SIGNED[1][:-1], b"\0" + SIGNED[1]])
def test_an_answer_of_another_length_is_refused(signature: bytes) -> None:
    assert not blindrsa.verifies(PUBLIC, SIGNED[0], signature)
    with pytest.raises(BlindSignatureRefused):
        blindrsa.finalize(PUBLIC, SIGNED[0], signature, 1)


@pytest.mark.parametrize("blinded", [b"", bytes(255), bytes(257), KEY.n.to_bytes(256), b"\xff" * 256])
def test_the_signer_signs_only_what_is_below_its_modulus(blinded: bytes) -> None:
    with pytest.raises(BlindedMessageRefused):
        KEY.sign(blinded)


def test_a_wrong_half_of_the_computation_never_leaves() -> None:
    """The fault attack on the Chinese remainder theorem: one half is wrong, and n would be factored from the answer."""
    broken = SigningKey(KEY.public, KEY.n, KEY.e, KEY.p, KEY.q, KEY.d_p ^ 4, KEY.d_q, KEY.q_inverse)
    with pytest.raises(SigningFailed):
        broken.sign((12345).to_bytes(256))


def test_a_key_is_stored_and_says_nothing_of_itself() -> None:
    key, stored = generate()
    assert SigningKey.load(stored) == key
    assert not any(str(secret) in repr(key) for secret in (key.p, key.q, key.d_p, key.d_q, key.q_inverse))
    assert blindrsa.read_key(key.public).public_numbers().n == key.n
    other = ed25519.Ed25519PrivateKey.generate()
    with pytest.raises(ValueError, match="no RSA key"):
        SigningKey.load(other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def test_keys_that_are_no_key_of_a_poll() -> None:
    small = rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505 - it is to be refused
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    exponent = rsa.RSAPublicNumbers(3, KEY.n).public_key()
    encoded = [key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in (small, other, exponent)]
    for spki in (*encoded, b"", KEY.public + b"\0", KEY.public[:-1]):
        with pytest.raises(Malformed):
            blindrsa.read_key(spki)


def test_what_cannot_be_blinded() -> None:
    salt = SALTS[blindrsa.PSS_RANDOMIZED.name]
    for factor in (0, KEY.n, KEY.p):
        with pytest.raises(ValueError, match="cannot be blinded"):
            blindrsa.blind(PUBLIC, bytes(32), salt, factor)
    with pytest.raises(ValueError, match="salt"):
        blindrsa.blind(PUBLIC, bytes(32), salt[1:], 5)
    with pytest.raises(ValueError, match="prefix"):
        blindrsa.prepare(b"", b"short")


def test_blinding_hides_the_message() -> None:
    """Every blinded message can have come of every message: there is a factor for each pair, so who signs, even with
    the private key in hand, learns nothing of which it was."""
    prepared = [bytes([number]) * 33 for number in range(1, 4)]
    plain = [blindrsa.blind(PUBLIC, each, bytes(48), 1).message for each in prepared]
    blinded = [blindrsa.blind(PUBLIC, each, bytes(48), 99**number).message for number, each in enumerate(prepared, 3)]
    private = pow(KEY.e, -1, (KEY.p - 1) * (KEY.q - 1))
    for message in map(int.from_bytes, plain):
        for other in map(int.from_bytes, blinded):
            factor = pow(other * pow(message, -1, KEY.n), private, KEY.n)
            assert message * pow(factor, KEY.e, KEY.n) % KEY.n == other
