"""The keys of a district: one that encrypts, in versions, and one that makes identity numbers findable.

Both are random, wrapped by a master key, and made at their first use. A new
version of the data key takes over when an operator rotates it, or an administrator
of the district. The identity key has one version for ever: what it made cannot be made anew, since the numbers
themselves are not kept, and under another key nobody would be found again nor a
second entry of the same number be noticed. Rotation wraps it anew, no more.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chassis import tenancy
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.vault import KEY_BYTES, NONCE_BYTES, Vault
from quanyutong.registry.v1 import secrets_pb2 as pb
from services.registry import districts
from services.registry.tables import district_key, person

Context = grpc.aio.ServicerContext[Any, Any]
BATCH = 500
DATA, IDENTITY = "data", "identity"
OF_PURPOSE = select(district_key).where(district_key.c.purpose == bindparam("use"))
LATEST = Sql(OF_PURPOSE.order_by(district_key.c.version.desc()).limit(1))
OF_VERSION = Sql(OF_PURPOSE.where(district_key.c.version == bindparam("count")))
ALL = Sql(select(district_key))
MAKE = Sql(insert(district_key).on_conflict_do_nothing(), columns=("purpose", "version", "wrapped"))
WRAP_ANEW = Sql(
    update(district_key)
    .where(district_key.c.purpose == bindparam("use"), district_key.c.version == bindparam("count"))
    .values(wrapped=bindparam("sealed"))
)
# Whoever encrypts holds the lock with others, a rotation alone: behind it nobody encrypts under an earlier version.
USING = Sql(text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))"))
ROTATING = Sql(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"))
LEFT = person.c.phone_key < bindparam("count")
SOME_LEFT = Sql(select(person).where(LEFT).order_by(person.c.id).limit(BATCH).with_for_update())
COUNT_LEFT = Sql(select(func.count().label("persons")).where(LEFT))
ENCRYPT_ANEW = Sql(
    update(person)
    .where(person.c.id == bindparam("key"))
    .values(phone_sealed=bindparam("sealed"), phone_key=bindparam("count"))
    .returning(person.c.id)
)


class DistrictKeys:
    _database: Database
    _vault: Vault

    async def RotateDistrictKeys(
        self, request: pb.RotateDistrictKeysRequest, _: Context
    ) -> pb.RotateDistrictKeysResponse:
        code = request.name.removeprefix("districts/")
        with tenancy.acting_for(code):
            async with self._database.write() as tx:
                await districts.load_district(tx, code)
                return tx.reply(pb.RotateDistrictKeysResponse(**await _rotate(tx, self._vault, request.resume)))

    async def RotateKeys(self, request: pb.RotateKeysRequest, _: Context) -> pb.RotateKeysResponse:
        async with self._database.write() as tx:
            return tx.reply(pb.RotateKeysResponse(**await _rotate(tx, self._vault, request.resume)))


async def identity_key(tx: ReadTx, vault: Vault) -> bytes | None:
    """The key of identity numbers; None before the first number was given."""
    row = await tx.first(LATEST, use=IDENTITY)
    return _unwrapped(vault, tx, row) if row else None


async def identity_key_to_use(tx: WriteTx, vault: Vault) -> bytes:
    """The same, made where there is none."""
    if (found := await identity_key(tx, vault)) is not None:
        return found
    await _make(tx, vault, IDENTITY, 1)
    return _unwrapped(vault, tx, await tx.one(LATEST, use=IDENTITY))


@dataclass(frozen=True, slots=True)
class Sealer:
    """The district's latest data key, for as long as the transaction that it was loaded in."""

    key: bytes
    version: int

    def seal(self, field: str, secret: str) -> bytes:
        """`field` names row and column, so that what is sealed cannot be moved to another."""
        return _sealed(self.key, field, secret)


async def sealer(tx: WriteTx, vault: Vault) -> Sealer:
    """The latest data key, made where there is none."""
    await tx.execute(USING, name=_lock(tx))
    row = await tx.first(LATEST, use=DATA)
    if row is None:
        await _make(tx, vault, DATA, 1)
        row = await tx.one(LATEST, use=DATA)
    return Sealer(_unwrapped(vault, tx, row), row.version)


async def unseal(tx: ReadTx, vault: Vault, field: str, sealed: bytes, version: int) -> str:
    """The reverse of `Sealer.seal`. Raises ValueError when it was changed or moved."""
    row = await tx.one(OF_VERSION, use=DATA, count=version)
    return _unsealed(_unwrapped(vault, tx, row), field, sealed)


async def opener(tx: ReadTx, vault: Vault) -> Callable[[str, bytes, int], str]:
    """The same as `unseal` for many at once."""
    held = {row.version: _unwrapped(vault, tx, row) for row in await tx.all(ALL) if row.purpose == DATA}
    return lambda field, sealed, version: _unsealed(held[version], field, sealed)


def field_of(key: object) -> str:
    """The associated data of a person's telephone number."""
    return f"persons/{key} phone"


async def _rotate(tx: WriteTx, vault: Vault, resume: bool) -> dict[str, int]:
    """How far it is after this batch, in the words of the answer."""
    await tx.execute(ROTATING, name=_lock(tx))
    version = await _renew(tx, vault, fresh=not resume)
    encrypted = await _encrypt_anew(tx, vault, version)
    left = (await tx.one(COUNT_LEFT, count=version)).persons
    return {"version": version, "encrypted": encrypted, "remaining": left}


async def _renew(tx: WriteTx, vault: Vault, fresh: bool) -> int:
    """Wraps every key by the current master key, and makes a new data key if asked to; the latest version."""
    rows = await tx.all(ALL)
    for row in rows:
        if not vault.wrapped_by_current(row.wrapped):
            anew = vault.wrap(row.purpose, tx.district, _unwrapped(vault, tx, row))
            await tx.execute(WRAP_ANEW, use=row.purpose, count=row.version, sealed=anew)
    version: int = max((row.version for row in rows if row.purpose == DATA), default=0)
    if fresh or not version:
        version += 1
        await _make(tx, vault, DATA, version)
    return version


async def _encrypt_anew(tx: WriteTx, vault: Vault, version: int) -> int:
    """A batch of what is still under an earlier version."""
    keys = {row.version: _unwrapped(vault, tx, row) for row in await tx.all(ALL) if row.purpose == DATA}
    rows = await tx.all(SOME_LEFT, count=version)
    anew = []
    for row in rows:
        field = field_of(row.id)
        phone = _unsealed(keys[row.phone_key], field, row.phone_sealed)
        anew.append({"key": row.id, "sealed": _sealed(keys[version], field, phone), "count": version})
    if anew:
        await tx.each(ENCRYPT_ANEW, anew)
    return len(anew)


def _unwrapped(vault: Vault, tx: ReadTx, row: Row) -> bytes:
    return vault.unwrap(row.purpose, tx.district, row.wrapped)


async def _make(tx: WriteTx, vault: Vault, purpose: str, version: int) -> None:
    """Makes a key; does nothing when somebody else did at the same moment."""
    wrapped = vault.wrap(purpose, tx.district, os.urandom(KEY_BYTES))
    await tx.execute(MAKE, purpose=purpose, version=version, wrapped=wrapped)


def _sealed(key: bytes, field: str, secret: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret.encode(), field.encode())


def _unsealed(key: bytes, field: str, sealed: bytes) -> str:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], field.encode()).decode()
    except InvalidTag:
        raise ValueError("what was sealed was changed, or stands in another place") from None


def _lock(tx: ReadTx) -> str:
    return f"{tx.district}/district_key"
