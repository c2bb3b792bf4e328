"""What a seal is: a batch of a district's audit records under a key, chained to the batch before it.

Exactly, so that anybody who has the key can check it by hand:

- A record's text is what PostgreSQL gives for TEXT below, in UTF-8: a JSON array.
- The key is the subkey `audit` of the district (`chassis.vault`), of the master key `key_id`.
- A record's mark is its id (16 bytes) and HMAC-SHA256(key, text): 48 bytes. `marks` holds those of all records of the
  seal, by `txid` and then by `id`.
- The seal's head is a JSON array of texts, without spaces: service, district, number, first_id, last_id, last_txid,
  records, key_id, sealed_at (UTC, `2026-01-31T08:00:00.000000+00:00`).
- `hash` is HMAC-SHA256(key, previous + length of the head as 8 bytes, the highest first + head + marks). `previous` is
  the hash of the seal before, and 32 zero bytes for number 1.

The marks are what names a record that was changed, and the hash what protects the marks.
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

# NULL is null in it, and the id of the transaction a text, since JSON's readers lose digits of large numbers.
TEXT: Final = (
    "jsonb_build_array(district, id, txid::text, subject, to_jsonb(roles), rpc, request_id, action, resource, key, "
    "before, after)::text"
)
BEFORE_THE_FIRST: Final = bytes(32)
ID_BYTES: Final = 16
MARK_BYTES: Final = 48


@dataclass(frozen=True, slots=True)
class Head:
    """What a seal says of itself, beside its hashes."""

    service: str
    district: str
    number: int
    first_id: UUID
    last_id: UUID
    last_txid: int
    records: int
    key_id: str
    sealed_at: datetime

    def text(self) -> bytes:
        sealed_at = self.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
        last = (self.first_id, self.last_id, self.last_txid, self.records, self.key_id, sealed_at)
        facts = (self.service, self.district, self.number, *last)
        return json.dumps([str(fact) for fact in facts], ensure_ascii=False, separators=(",", ":")).encode()


def mark(key: bytes, record: UUID, text: str) -> bytes:
    return record.bytes + hmac.digest(key, text.encode(), sha256)


def marks_in(marks: bytes) -> list[bytes]:
    return [marks[start : start + MARK_BYTES] for start in range(0, len(marks), MARK_BYTES)]


def hash_of(key: bytes, previous: bytes, head: Head, marks: bytes) -> bytes:
    text = head.text()
    return hmac.digest(key, previous + len(text).to_bytes(8) + text + marks, sha256)


@dataclass(frozen=True, slots=True)
class Misfit:
    """The first record of a batch that does not fit its mark, and how."""

    record: UUID
    kind: str


def misfit(sealed: Sequence[bytes], found: Sequence[bytes]) -> Misfit | None:
    """What differs first between the marks that were sealed and those of the records that are there."""
    there = {mark[:ID_BYTES] for mark in found}
    known = {mark[:ID_BYTES] for mark in sealed}
    for was, now in zip(sealed, found, strict=False):
        if was != now:
            return _difference(was, now, there, known)
    for rest, kind in ((sealed[len(found) :], "missing"), (found[len(sealed) :], "added")):
        if rest:
            return Misfit(_record(rest[0]), kind)
    return None


def _difference(was: bytes, now: bytes, there: set[bytes], known: set[bytes]) -> Misfit:
    if was[:ID_BYTES] not in there:
        return Misfit(_record(was), "missing")
    if now[:ID_BYTES] not in known:
        return Misfit(_record(now), "added")
    return Misfit(_record(was), "changed")


def _record(mark: bytes) -> UUID:
    return UUID(bytes=mark[:ID_BYTES])
