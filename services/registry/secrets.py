"""What is kept sealed of persons: the identity number as a keyed hash, the telephone number encrypted."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import bindparam, select, text

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.idempotency import Replayed
from chassis.sql import Sql
from chassis.vault import Vault
from quanyutong.registry.v1 import persons_pb2
from quanyutong.registry.v1 import secrets_pb2 as pb
from services.registry import domain, keys
from services.registry.identity import Identity, read_identity, read_phone
from services.registry.tables import person

Context = grpc.aio.ServicerContext[Any, Any]
IDENTITY_COLUMNS = ("identity_hash", "identity_last_four")
PHONE_COLUMNS = ("phone_sealed", "phone_last_four", "phone_key")
COLUMNS = (*IDENTITY_COLUMNS, *PHONE_COLUMNS)
NEW_IDS = Sql(text("SELECT uuidv7() AS id FROM generate_series(1, :count)"))
BY_ID = Sql(select(person).where(person.c.id == bindparam("key")))
BY_IDENTITY = Sql(select(person).where(person.c.identity_hash == bindparam("mark")))
OF_MANY = Sql(text("SELECT id, identity_hash FROM person WHERE identity_hash = ANY (CAST(:marks AS bytea[]))"))


@dataclass(frozen=True, slots=True)
class Given:
    """What a caller gave of a person to be kept sealed. No representation of it tells."""

    identity: Identity | None
    phone: str

    def __repr__(self) -> str:
        return "Given(…)"


NOTHING = Given(None, "")


class Secrets:
    _database: Database
    _vault: Vault

    async def RevealPerson(self, request: pb.RevealPersonRequest, _: Context) -> pb.RevealPersonResponse:
        try:
            async with self._database.write() as tx:
                row = await _load(tx, request.name)
                tx.note(f"reveal: {request.purpose}", request.name)
                # Kept as the answer without the number: the answers of a day must not be a list of what is sealed.
                tx.reply(_shown(row))
                return _shown(row, await phone_of(tx, self._vault, row))
        except Replayed:  # recorded before: the same act, whose answer was lost
            async with self._database.read() as again:
                row = await _load(again, request.name)
                return _shown(row, await phone_of(again, self._vault, row))


def given_of(entry: persons_pb2.Person) -> Given:
    """Raises Refused IDENTITY_NUMBER_INVALID or PHONE_INVALID."""
    number = entry.identity_number
    identity = read_identity(number, clock.today()) if number else None
    return Given(identity, read_phone(entry.phone) if entry.phone else "")


async def sealed(tx: WriteTx, vault: Vault, people: Sequence[tuple[UUID, Given]]) -> list[dict[str, Any]]:
    """The columns of each, empty where nothing was given."""
    identity_key = phone_key = None
    if any(given.identity for _, given in people):
        identity_key = await keys.identity_key_to_use(tx, vault)
    if any(given.phone for _, given in people):
        phone_key = await keys.sealer(tx, vault)
    return [identity_columns(identity_key, given) | phone_columns(phone_key, who, given) for who, given in people]


def identity_columns(key: bytes | None, given: Given) -> dict[str, Any]:
    if key is None or given.identity is None:
        return dict.fromkeys(IDENTITY_COLUMNS)
    number = given.identity.number
    return {"identity_hash": mark(key, number), "identity_last_four": number[-4:]}


def phone_columns(key: keys.Sealer | None, who: UUID, given: Given) -> dict[str, Any]:
    if key is None or not given.phone:
        return dict.fromkeys(PHONE_COLUMNS)
    hidden = key.seal(keys.field_of(who), given.phone)
    return {"phone_sealed": hidden, "phone_last_four": given.phone[-4:], "phone_key": key.version}


async def new_ids(tx: ReadTx, count: int) -> list[UUID]:
    """Ids for entries whose sealed columns have to name them before they are there."""
    return [row.id for row in await tx.all(NEW_IDS, count=count)]


async def find(tx: ReadTx, vault: Vault, identity: Identity) -> Row | None:
    """The person who has this identity number."""
    key = await keys.identity_key(tx, vault)
    return await tx.first(BY_IDENTITY, mark=mark(key, identity.number)) if key else None


async def holders(tx: ReadTx, marks: Sequence[bytes]) -> dict[bytes, UUID]:
    """Who has these hashes of identity numbers already."""
    return {row.identity_hash: row.id for row in await tx.all(OF_MANY, marks=marks)}


async def _load(tx: ReadTx, name: str) -> Row:
    row = await tx.first(BY_ID, key=UUID(name.removeprefix("persons/")))
    if row is None:
        raise domain.Refused("PERSON_NOT_FOUND", person=name)
    check_current(row)
    return row


def check_current(row: Row) -> None:
    """Raises Refused PERSON_MERGED when the entry is a mere pointer."""
    if row.merged_into is not None:
        raise domain.Refused("PERSON_MERGED", person=f"persons/{row.id}", into=f"persons/{row.merged_into}")


async def phone_of(tx: ReadTx, vault: Vault, row: Row) -> str:
    """The telephone number; empty when none was given."""
    if row.phone_sealed is None:
        return ""
    return await keys.unseal(tx, vault, keys.field_of(row.id), row.phone_sealed, row.phone_key)


def mark(key: bytes, number: str) -> bytes:
    """The hash by which a number is found."""
    return hmac.digest(key, number.encode(), "sha256")


def _shown(row: Row, phone: str = "") -> pb.RevealPersonResponse:
    name = f"persons/{row.id}"
    return pb.RevealPersonResponse(name=name, phone=phone, identity_last_four=row.identity_last_four or "")
