"""A ballot: the same bytes for the same vote, as long as every other, and nobody else's."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from quanyutong_client.ballot import Ballot, Paper, check_marks, fill_in
from quanyutong_client.derivation import derive
from quanyutong_client.encoding import Malformed, fields, split
from quanyutong_client.findings import Finding
from quanyutong_client.terms import Terms
from quanyutong_client.verification import faults_of
from tests.client.hall import paper_key, terms_of

TERMS = terms_of()
SECRET = bytes(range(32))
DERIVED = derive(SECRET, TERMS)
PAPER = DERIVED.paper(TERMS, paper_key().sign(DERIVED.blinded(TERMS).message))
MARKS = (b"\1\0\1", b"\x65\0", b"\1\3", b"\2")
BALLOT = fill_in(TERMS, PAPER, MARKS, DERIVED.key)
ANY_MARKS = st.tuples(
    *(
        st.lists(st.integers(0, question.rule.highest_mark), min_size=size, max_size=size).map(bytes)
        for question in TERMS.questions
        for size in [len(question.options)]
    )
)


@given(ANY_MARKS)
def test_a_ballot_comes_back_and_is_as_long_as_every_other(marks: tuple[bytes, ...]) -> None:
    ballot = fill_in(TERMS, PAPER, marks, DERIVED.key)
    assert Ballot.decode(ballot.encoded()) == ballot
    assert list(faults_of(TERMS, ballot)) == []
    assert len(ballot.encoded()) == len(BALLOT.encoded())
    assert (ballot.leaf() == BALLOT.leaf()) == (marks == MARKS)


@given(st.integers(0, 8 * len(BALLOT.encoded()) - 1))
def test_a_flipped_bit_anywhere_is_noticed(at: int) -> None:
    changed = bytearray(BALLOT.encoded())
    changed[at // 8] ^= 1 << at % 8
    try:
        ballot = Ballot.decode(bytes(changed))
    except Malformed:
        return
    assert list(faults_of(TERMS, ballot)) != []


@given(st.binary(max_size=700))
def test_bytes_that_are_no_ballot(encoded: bytes) -> None:
    with pytest.raises(Malformed):
        Ballot.decode(encoded)


def test_fields_of_another_length() -> None:
    parts = split(BALLOT.encoded())
    for at in (0, 1, 3, 4, 5, 8):
        with pytest.raises(Malformed):
            Ballot.decode(fields(*parts[:at], parts[at] + bytes(65), *parts[at + 1 :]))
    for other in (parts[:-1], [*parts, b""]):
        with pytest.raises(Malformed):
            Ballot.decode(fields(*other))


def test_a_ballot_of_another_poll_or_other_terms() -> None:
    for other in (terms_of(poll="other"), terms_of(district="500109"), terms_of(electorate=41)):
        found = list(faults_of(other, BALLOT))
        assert Finding.BALLOT_OF_OTHER_POLL in found
        assert Finding.PAPER_NOT_SIGNED in found


def test_a_paper_of_another_delegate_cannot_be_used() -> None:
    """Whoever sees a ballot sees its paper, and can do nothing with it."""
    thief = Ed25519PrivateKey.generate()
    assert list(faults_of(TERMS, fill_in(TERMS, PAPER, MARKS, thief))) == [Finding.BALLOT_NOT_SIGNED]
    own = Paper(thief.public_key().public_bytes_raw(), PAPER.prefix, PAPER.signature)
    assert list(faults_of(TERMS, fill_in(TERMS, own, MARKS, thief))) == [Finding.PAPER_NOT_SIGNED]
    moved = replace(BALLOT, marks=(b"\0\1\1", *MARKS[1:]))
    assert list(faults_of(TERMS, moved)) == [Finding.BALLOT_NOT_SIGNED]


@pytest.mark.parametrize(
    "marks",
    [MARKS[:3], (*MARKS, b""), (b"\1\0", *MARKS[1:]), (b"\2\0\0", *MARKS[1:]), (*MARKS[:3], b"\4"), (*MARKS[:3], b"")],
    ids=str,
)
def test_marks_that_the_poll_does_not_have(marks: tuple[bytes, ...]) -> None:
    with pytest.raises(Malformed):
        check_marks(TERMS, marks)


# --- what is derived from the secret


def test_the_same_secret_gives_the_same_bytes() -> None:
    again = derive(SECRET, TERMS)
    assert again.blinded(TERMS) == DERIVED.blinded(TERMS)
    assert fill_in(TERMS, PAPER, MARKS, again.key).encoded() == BALLOT.encoded()


@pytest.mark.parametrize(
    "terms", [terms_of(poll="other"), terms_of(district="500109"), terms_of(key=paper_key(1)), terms_of(electorate=41)]
)
def test_other_terms_give_other_values(terms: Terms) -> None:
    other = derive(SECRET, terms)
    assert other.public_key != DERIVED.public_key
    assert (other.prefix, other.salt, other.factor) != (DERIVED.prefix, DERIVED.salt, DERIVED.factor)
    assert not {other.prefix, other.salt} & {DERIVED.prefix, DERIVED.salt}
    assert other.factor != DERIVED.factor


@given(st.binary(min_size=32, max_size=32))
def test_a_secret_stays_one(secret: bytes) -> None:
    derived = derive(secret, TERMS)
    assert 1 <= derived.factor < paper_key().n
    assert str(derived.factor) not in repr(derived)
    assert len({derived.public_key, derived.prefix, derived.salt[:32], secret}) == 4


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_secret_of_another_length(length: int) -> None:
    with pytest.raises(ValueError, match="length"):
        derive(bytes(length), TERMS)
