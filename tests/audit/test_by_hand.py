"""The chain, checked by hand: by the master key and what `chassis/seals.py` says, without the platform's code."""

import hashlib
import hmac
import json
from datetime import UTC

from chassis import tenancy
from chassis.development import master_key
from chassis.vault import Vault
from tests.audit.archive import Archive, opened
from tests.audit.test_sealing import add, sealed
from tests.contract.office import Office

RECORDS = """
SELECT id, jsonb_build_array(district, id, txid::text, subject, to_jsonb(roles), rpc, request_id, action, resource, key,
    before, after)::text AS text
FROM audit WHERE district = $1 ORDER BY txid, id
"""


def subkey(master: bytes, district: str) -> bytes:
    """HKDF of RFC 5869 with SHA-256, without a salt, for 32 bytes."""
    pseudorandom = hmac.digest(bytes(32), master, hashlib.sha256)
    return hmac.digest(pseudorandom, f"quanyutong audit {district}".encode() + b"\x01", hashlib.sha256)


async def test_by_hand(office: Office, archive: Archive) -> None:
    platform, district = office.tenant.platform, office.district
    database = opened(platform)
    with tenancy.acting_for(district):
        for number in range(3):
            await add(database, 2 + number)
            await sealed(database, Vault.of(platform.settings), district)
    await database.close()
    key = subkey(master_key(platform.settings), district)
    rows = await archive.connection.fetch(RECORDS, district)
    marks = [row["id"].bytes + hmac.digest(key, row["text"].encode(), hashlib.sha256) for row in rows]
    seals = await archive.connection.fetch("SELECT * FROM audit_seal WHERE district = $1 ORDER BY number", district)
    previous = bytes(32)
    for seal in seals:
        own, marks = b"".join(marks[: seal["records"]]), marks[seal["records"] :]
        sealed_at = seal["sealed_at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
        columns = ("number", "first_id", "last_id", "last_txid", "records", "key_id")
        head = json.dumps(
            ["registry", district, *(str(seal[column]) for column in columns), sealed_at], separators=(",", ":")
        ).encode()
        assert seal["marks"] == own
        assert seal["previous"] == previous
        previous = hmac.digest(key, previous + len(head).to_bytes(8, "big") + head + own, hashlib.sha256)
        assert seal["hash"] == previous
    assert marks == []
    assert len(seals) >= 3
