"""Who signs minutes (签署), without any input or output.

Two persons sign, chair and secretary: who has a seat in person, for anybody else a clerk, and never one account twice.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from services.meetings.domain import Refused

ROLES = ("chair", "secretary")
STATES = ("draft", "signing", "signed")


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who is to sign. Without a seat there is no person, off the roll no attendee either."""

    name: str
    attendee: UUID | None = None
    person: UUID | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls: the token's subject, the person where the subject is one, and whether it is a clerk."""

    subject: str
    person: UUID | None
    clerk: bool


def check_signers(chair: Signer, secretary: Signer) -> None:
    """Two different persons, each with a name. Namesakes are two persons only where both are on the roll."""
    both_on_roll = bool(chair.attendee and secretary.attendee)
    same = chair.attendee == secretary.attendee if both_on_roll else chair.name == secretary.name
    if same or not chair.name or not secretary.name or (chair.person and chair.person == secretary.person):
        raise Refused("SIGNERS_REFUSED")


def check_may_sign(role: str, caller: Caller, seat: UUID | None) -> None:
    """Who has a seat signs in person, and nobody for them."""
    if not (caller.person == seat if seat else caller.clerk):
        raise Refused("SIGNER_REFUSED", role=role.upper())


def check_unsigned(role: str, own: str, other: str, subject: str) -> None:
    """Neither twice in one role nor by one account in both: `own` and `other` are the subjects that signed."""
    if own:
        raise Refused("SIGNED_ALREADY", role=role.upper())
    if other == subject:
        raise Refused("ONE_SIGNER")


def check_may_return(caller: Caller, signed: str, role: str) -> None:
    """A clerk, or the one who signed."""
    if not caller.clerk and caller.subject != signed:
        raise Refused("SIGNER_REFUSED", role=role.upper())


def check_state(state: str, *needed: str) -> None:
    if state not in needed:
        raise Refused("MINUTES_STATE_REFUSED", state=state.upper(), needed=", ".join(needed).upper())


def check_edits(edited: Collection[str], replace: bool) -> None:
    """What somebody wrote is not lost by mistake."""
    if edited and not replace:
        raise Refused("MINUTES_EDITED", sections=", ".join(edited))
