"""The tree: as RFC 6962 says, and no proof for what is not in it."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyutong_client.merkle import inclusion_proof, is_included, leaf_hash, root

# The leaves of the tests of Certificate Transparency's reference code, and the roots of their first 1 to 8.
LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)


@pytest.mark.parametrize("size", range(1, 9))
def test_known_roots(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_root_of_nothing() -> None:
    assert root([]) == sha256(b"").digest()


@given(HASHES, st.data())
def test_what_is_in_the_tree_can_be_shown(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, top = inclusion_proof(leaves, index), root(leaves)
    assert is_included(leaves[index], index, len(leaves), proof, top)
    assert not is_included(sha256(leaves[index]).digest(), index, len(leaves), proof, top)
    assert not is_included(leaves[index], index, len(leaves), [*proof, bytes(32)], top)
    assert not is_included(leaves[index], len(leaves), len(leaves), proof, top)
    assert not proof or not is_included(leaves[index], index, len(leaves), proof[:-1], top)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=40, unique=True), st.data())
def test_another_place_needs_another_proof(leaves: list[bytes], data: st.DataObject) -> None:
    index, other = data.draw(st.permutations(range(len(leaves))).map(lambda places: places[:2]))
    assert not is_included(leaves[index], other, len(leaves), inclusion_proof(leaves, index), root(leaves))
    swapped = [*leaves]
    swapped[index], swapped[other] = swapped[other], swapped[index]
    assert root(swapped) != root(leaves)


def test_proof_of_no_leaf() -> None:
    with pytest.raises(IndexError):
        inclusion_proof(LEAVES, 8)
