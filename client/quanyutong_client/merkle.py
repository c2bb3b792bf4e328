"""The Merkle tree over the ballots (RFC 6962, section 2.1): one hash that stands for all of them, in their order."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

LEAF, NODE = b"\x00", b"\x01"
HASH_BYTES: Final = 32


def leaf_hash(entry: bytes) -> bytes:
    return sha256(LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(NODE + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash of the tree over these leaf hashes; of no leaves, the hash of nothing."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = _left_size(len(leaves))
    return node_hash(root(leaves[:middle]), root(leaves[middle:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes beside the way from a leaf to the root, from below (RFC 6962, section 2.1.1)."""
    if not 0 <= index < len(leaves):
        raise IndexError("no such leaf")
    if len(leaves) == 1:
        return []
    middle = _left_size(len(leaves))
    if index < middle:
        return [*inclusion_proof(leaves[:middle], index), root(leaves[middle:])]
    return [*inclusion_proof(leaves[middle:], index - middle), root(leaves[:middle])]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether the leaf stands at the index in the tree of this size and root (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            return False
        if position % 2 or position == last:
            found = node_hash(beside, found)
            while position % 2 == 0 and position:
                position, last = position // 2, last // 2
        else:
            found = node_hash(found, beside)
        position, last = position // 2, last // 2
    return last == 0 and found == expected_root


def _left_size(size: int) -> int:
    """The largest power of two below the size: the left side is always full."""
    return 1 << (size - 1).bit_length() - 1
