"""Who acts in this task: a caller through an RPC, an event of another service, or the platform itself.

The audit records it. Only what has an RPC beside it was done by a caller, whatever
the subject of a token says.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from chassis.auth import ROLES, Caller


@dataclass(frozen=True, slots=True)
class Actor:
    """Whose act it is: the subject of the token, its roles, and the RPC by which it acts."""

    subject: str
    roles: tuple[str, ...] = ()
    rpc: str = ""


# Migrations and reference data.
SYSTEM = Actor("system")
_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


def calling(caller: Caller, path: str) -> None:
    """This task's call is this caller's, of this RPC."""
    roles = tuple(word for word, role in ROLES.items() if role in caller.roles)
    _actor.set(Actor(caller.subject, roles, path))


@contextmanager
def applying(event: str) -> Iterator[None]:
    """Everything inside is done because of an event of this type."""
    token = _actor.set(Actor(f"event:{event}"))
    try:
        yield
    finally:
        _actor.reset(token)


def subject() -> str:
    """Who acts: the subject of a token, `event:<type>`, or `system`."""
    return _actor.get().subject


def encoded(request_id: str) -> str:
    """The actor as a setting of the transaction: JSON in base64, none of whose letters needs quoting in SQL."""
    actor = _actor.get()
    facts = {"subject": actor.subject, "roles": actor.roles, "rpc": actor.rpc, "request_id": request_id}
    return base64.b64encode(json.dumps(facts).encode()).decode()
