"""Who calls in person: a delegate for a paper, a scrutineer for a count."""

from uuid import UUID

from chassis import auth
from chassis.database import ReadTx
from chassis.merges import kept_person
from chassis.wire import identifier
from services.ballots.domain import Refused


async def caller_in_person(tx: ReadTx) -> UUID:
    """The person of the token; where two entries were merged, the one that was kept. Raises Refused NOT_IN_PERSON."""
    return await kept_person(tx, caller_as_entered())


def caller_as_entered() -> UUID:
    """The person of the token, perhaps an entry that was merged into another. Raises Refused NOT_IN_PERSON."""
    subject = auth.caller.get().subject
    try:
        if not subject.startswith("persons/"):
            raise ValueError(subject)
        return identifier(subject)
    except ValueError:
        raise Refused("NOT_IN_PERSON") from None
