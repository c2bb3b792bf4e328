"""Receipts (回执): the secret code by which an asker follows an opinion, without an account.

The code follows from the opinion's id under a subkey of the master key, and only its SHA-256 is kept: 80 bits that
nobody can guess at the rate at which the gateway lets addresses be tried.
"""

import base64
import hashlib
import hmac
from uuid import UUID

from chassis.database import Row
from chassis.vault import Vault

PURPOSE = "feedback receipt"
BYTES = 10


def code_of(vault: Vault, district: str, opinion: UUID) -> str:
    """Sixteen letters and digits that can be read out."""
    mark = hmac.digest(vault.derive(PURPOSE, district), opinion.bytes, "sha256")
    return base64.b32encode(mark[:BYTES]).decode()


def code_again(vault: Vault, district: str, opinion: Row) -> str:
    """The code once more; empty where it was made under a master key that was replaced since."""
    code = code_of(vault, district, opinion.id)
    return code if hash_of(code) == opinion.receipt_hash else ""


def hash_of(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
