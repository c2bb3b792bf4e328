"""What is kept sealed of persons: the identity number as a keyed hash, the telephone number encrypted."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import ARRAY, LargeBinary, any_, bindparam, select, text

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
IDENTITY_COLUMNS = ("identity_hash", "identity_last_four", "identity_key")
PHONE_COLUMNS = ("phone_sealed", "phone_last_four", "phone_key")
COLUMNS = (*IDENTITY_COLUMNS, *PHONE_COLUMNS)
NEW_IDS = Sql(text("SELECT uuidv7() AS id FROM generate_series(1, :count)"))
BY_ID = Sql(select(person).where(person.c.id == bindparam("key")))
BY_MARKS = Sql(select(person).where(person.c.identity_hash == any_(bindparam("marks", type_=ARRAY(LargeBinary)))))


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
    """The columns of each, empty where nothing was given. Raises Refused IDENTITY_TAKEN."""
    identity_keys: Mapping[int, bytes] = {}
    phone_key = None
    if any(given.identity for _, given in people):
        identity_keys = await keys.identity_keys_to_use(tx, vault)
        await _check_free(tx, identity_keys, people)
    if any(given.phone for _, given in people):
        phone_key = await keys.sealer(tx, vault)
    return [identity_columns(identity_keys, given) | phone_columns(phone_key, who, given) for who, given in people]


async def _check_free(tx: ReadTx, identity_keys: Mapping[int, bytes], people: Sequence[tuple[UUID, Given]]) -> None:
    """Nobody else has a number under a further key; under the first one the database itself sees to it."""
    _, *further = identity_keys.values()
    if further:
        held = await _by_number(tx, further, [given for _, given in people])
        for who, given in people:
            holder = held.get(given.identity.number) if given.identity else None
            if holder and holder.id != who:
                raise domain.Refused("IDENTITY_TAKEN", person=f"persons/{holder.id}")


def identity_columns(identity_keys: Mapping[int, bytes], given: Given) -> dict[str, Any]:
    if not identity_keys or given.identity is None:
        return dict.fromkeys(IDENTITY_COLUMNS)
    version, key = next(iter(identity_keys.items()))
    number = given.identity.number
    return {"identity_hash": mark(key, number), "identity_last_four": number[-4:], "identity_key": version}


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
    return (await holders(tx, vault, [Given(identity, "")])).get(identity.number)


async def holders(tx: ReadTx, vault: Vault, people: Iterable[Given]) -> dict[str, Row]:
    """Who has the identity numbers already, by number, under whichever key of the district."""
    return await _by_number(tx, (await keys.identity_keys(tx, vault)).values(), people)


async def _by_number(tx: ReadTx, identity_keys: Iterable[bytes], people: Iterable[Given]) -> dict[str, Row]:
    numbers = {given.identity.number for given in people if given.identity}
    number_of = {mark(key, number): number for key in identity_keys for number in numbers}
    if not number_of:
        return {}
    found = {row.identity_hash: row for row in await tx.all(BY_MARKS, marks=list(number_of))}
    # Of two entries of one number, the one under the earlier key: it is the later one here.
    return {number_of[each]: found[each] for each in reversed(number_of) if each in found}


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
