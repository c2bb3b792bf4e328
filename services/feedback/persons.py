"""Who calls in person: a delegate, by one of the own mandates."""

from collections.abc import Collection
from uuid import UUID

from chassis import auth
from chassis.database import ReadTx
from services.feedback import policy
from services.feedback.domain import Refused
from services.feedback.roster import check_mandates, mandates_of


async def acting_by(tx: ReadTx, mandate: str) -> UUID | None:
    """The mandate that a caller may act by; a clerk enters for any, or for none.

    Raises Refused MANDATE_NOT_FOUND, MANDATE_NOT_YOURS.
    """
    key = (await check_mandates(tx, [mandate]))[0] if mandate else None
    if not policy.keeps_the_register(auth.caller.get()) and key not in await own_mandates(tx):
        raise Refused("MANDATE_NOT_YOURS")
    return key


async def check_among(tx: ReadTx, mandates: Collection[UUID]) -> None:
    """A delegate enters what the own mandate had a part in. Raises Refused MANDATE_NOT_YOURS."""
    if not policy.keeps_the_register(auth.caller.get()) and not await own_mandates(tx) & set(mandates):
        raise Refused("MANDATE_NOT_YOURS")


async def own_mandates(tx: ReadTx) -> set[UUID]:
    """Those of the person who calls; a token that names no person has none."""
    collection, _, key = auth.caller.get().subject.partition("/")
    try:
        return await mandates_of(tx, UUID(key)) if collection == "persons" else set()
    except ValueError:
        return set()
