"""Cursors of a district's events: how far it is in each stream, sealed so that nobody makes one up."""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping

from chassis.vault import Vault
from services.registry.domain import Refused

PURPOSE = "event cursor"
SEAL_BYTES = 16


def written(vault: Vault, district: str, positions: Mapping[str, int]) -> str:
    content = json.dumps(positions, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(vault.derive(PURPOSE, district), content) + content).decode()


def read(vault: Vault, district: str, cursor: str) -> dict[str, int]:
    """Raises Refused EVENT_CURSOR_INVALID, also for a cursor of another district."""
    try:
        given = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Refused("EVENT_CURSOR_INVALID") from None
    seal, content = given[:SEAL_BYTES], given[SEAL_BYTES:]
    if not any(hmac.compare_digest(seal, _seal(key, content)) for key in vault.derive_all(PURPOSE, district)):
        raise Refused("EVENT_CURSOR_INVALID")
    found: dict[str, int] = json.loads(content)
    return found


def _seal(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, "sha256")[:SEAL_BYTES]
