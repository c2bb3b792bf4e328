"""How an asker can be reached: kept under a master key, and read by those who answer, each time on record."""

from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import bindparam, func, select, update

from chassis.database import Database, Row
from chassis.idempotency import Replayed
from chassis.manifest import Round
from chassis.sql import Sql
from chassis.vault import ID_DIGITS, Vault
from quanyutong.feedback.v1 import opinions_pb2 as pb
from services.feedback.handling_steps import load_opinion
from services.feedback.tables import opinion

Context = grpc.aio.ServicerContext[Any, Any]


# Seconds between two looks for what is under an earlier master key.
EVERY = 600.0
BATCH = 500
# A sealed text begins with the id of its master key.
EARLIER = Sql(
    select(opinion)
    .where(opinion.c.contact.is_not(None), func.substr(opinion.c.contact, 1, ID_DIGITS) != bindparam("current"))
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
SAVE = Sql(update(opinion).where(opinion.c.id == bindparam("key")).values(contact=bindparam("contact")))


class Contacts:
    _database: Database
    _vault: Vault

    async def RevealContact(self, request: pb.RevealContactRequest, _: Context) -> pb.RevealContactResponse:
        try:
            async with self._database.write() as tx:
                row = await load_opinion(tx, request.name)
                tx.note(f"reveal: {request.purpose}", request.name)
                # Kept as the answer without what is sealed: the answers of a day must not be a list of it.
                tx.reply(pb.RevealContactResponse(name=request.name))
                return _shown(self._vault, tx.district, row)
        except Replayed:  # recorded before: the same act, whose answer was lost
            async with self._database.read() as again:
                return _shown(self._vault, again.district, await load_opinion(again, request.name))


def seal(vault: Vault, district: str, opinion: UUID, contact: pb.Contact) -> bytes | None:
    """None where nothing was given. It is bound to the opinion: in another's row it opens nothing."""
    plain = contact.SerializeToString()
    return vault.wrap(_purpose(opinion), district, plain) if plain else None


async def reseal(database: Database, vault: Vault) -> None:
    """Puts what an earlier master key sealed under the current one, some at a time, so that the earlier can go."""
    async with database.write() as tx:
        for row in await tx.all(EARLIER, current=vault.current.encode()):
            plain = vault.unwrap(_purpose(row.id), tx.district, row.contact)
            await tx.execute(SAVE, key=row.id, contact=vault.wrap(_purpose(row.id), tx.district, plain))


ROUND = Round("contacts under the current key", EVERY, reseal)


def _shown(vault: Vault, district: str, row: Row) -> pb.RevealContactResponse:
    name = f"opinions/{row.id}"
    if row.contact is None:
        return pb.RevealContactResponse(name=name)
    contact = pb.Contact.FromString(vault.unwrap(_purpose(row.id), district, row.contact))
    return pb.RevealContactResponse(name=name, contact=contact)


def _purpose(opinion: UUID) -> str:
    return f"feedback contact {opinion}"
