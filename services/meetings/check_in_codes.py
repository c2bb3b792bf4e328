"""Check-in codes: what a hall's screen shows for a minute, so that who sends it back is there.

A code is a meeting's id, when it expires, and a signature that also covers the
district. Nothing of it is stored, and nobody's name is in it.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from services.meetings.domain import Refused

ID_BYTES, TIME_BYTES, SIGNATURE_BYTES = 16, 8, 16
SIZE = ID_BYTES + TIME_BYTES + SIGNATURE_BYTES


def signed(key: bytes, district: str, meeting: UUID, expires: datetime) -> str:
    content = meeting.bytes + int(expires.timestamp()).to_bytes(TIME_BYTES)
    return base64.urlsafe_b64encode(content + _signature(key, district, content)).rstrip(b"=").decode()


def check_code(keys: Sequence[bytes], district: str, meeting: UUID, code: str, now: datetime) -> None:
    """Whether one of the keys signed it for the meeting, and it is not out of date.

    Raises Refused CODE_INVALID, CODE_EXPIRED.
    """
    given = _decoded(code)
    content, signature = given[:-SIGNATURE_BYTES], given[-SIGNATURE_BYTES:]
    genuine = [hmac.compare_digest(_signature(key, district, content), signature) for key in keys]
    if len(given) != SIZE or not any(genuine) or content[:ID_BYTES] != meeting.bytes:
        raise Refused("CODE_INVALID")
    expires = datetime.fromtimestamp(int.from_bytes(content[ID_BYTES:]), UTC)
    if expires <= now:
        raise Refused("CODE_EXPIRED", expired=expires.isoformat())


def _signature(key: bytes, district: str, content: bytes) -> bytes:
    return hmac.digest(key, district.encode() + content, "sha256")[:SIGNATURE_BYTES]


def _decoded(code: str) -> bytes:
    try:
        return base64.b64decode(code.encode() + b"=" * (-len(code) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Refused("CODE_INVALID") from None
