"""The path of a proposal (代表建议办理): its states, and what each step needs. Without any input or output."""

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from services.feedback.domain import Refused

STAYS = ""
AWAITED = frozenset({"assigned", "reopened"})
ENDS = frozenset({"closed", "declined", "withdrawn"})
# verb -> states that it leads from, state that it leads to.
PATH: dict[str, tuple[frozenset[str], str]] = {
    "withdraw": (frozenset({"submitted", "registered"}), "withdrawn"),
    "register": (frozenset({"submitted"}), "registered"),
    "file": (frozenset({"registered"}), "filed"),
    "decline": (frozenset({"registered"}), "declined"),
    "assign": (frozenset({"filed", "returned"}), "assigned"),
    "return": (frozenset({"assigned"}), "returned"),
    "extend": (frozenset({"assigned"}), STAYS),
    "supervise": (frozenset({"registered", "filed", "assigned", "returned", "answered", "reopened"}), STAYS),
    "co_answer": (AWAITED, STAYS),
    "answer": (AWAITED, "answered"),
    "judge": (frozenset({"answered"}), STAYS),
    "accept": (frozenset({"answered"}), "closed"),
    "reject": (frozenset({"answered"}), "reopened"),
    "warn": (AWAITED, STAYS),
    "escalate": (AWAITED, STAYS),
}
DISSATISFIED = "dissatisfied"


def next_state(verb: str, state: str) -> str:
    """Where the verb leads from this state."""
    allowed, result = PATH[verb]
    if state not in allowed:
        raise Refused("PROPOSAL_STATE_REFUSED", state=state.upper(), needed=", ".join(sorted(allowed)).upper())
    return result or state


def check_extension(due: date, *, extended: bool) -> None:
    """The time is extended once."""
    if extended:
        raise Refused("PROPOSAL_EXTENDED", day=due)


def check_signatory(mandate: UUID, signed: Collection[UUID], judged: Collection[UUID]) -> None:
    """A signatory judges an answer, once."""
    if mandate not in signed:
        raise Refused("SIGNATORY_REFUSED", mandate=f"mandates/{mandate}")
    if mandate in judged:
        raise Refused("JUDGED_ALREADY", mandate=f"mandates/{mandate}")


def step_of(judgements: Mapping[UUID, str], signed: Collection[UUID]) -> str:
    """What the judgements come to: one that is dissatisfied is enough to have it answered again, and all are needed to
    close it.
    """
    if DISSATISFIED in judgements.values():
        return "reject"
    return "accept" if set(signed) <= set(judgements) else "judge"


def shows(disclosure: str, *, inside: bool) -> tuple[bool, bool]:
    """Whether a reader sees the text, and the answers: the office and the signatories do, others as it is allowed."""
    return inside or disclosure != "title", inside or disclosure == "text_and_answer"
