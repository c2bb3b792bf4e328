"""The path of a deliberation opinion (审议意见), without any input or output."""

from datetime import date
from uuid import UUID

from services.meetings.domain import Refused

# verb -> states that it leads from, state that it leads to.
PATH: dict[str, tuple[frozenset[str], str]] = {
    "merge": (frozenset({"collected"}), "merged"),
    "hand": (frozenset({"collected"}), "handed"),
    "answer": (frozenset({"handed", "reopened"}), "answered"),
    "accept": (frozenset({"answered"}), "judged"),
    "reopen": (frozenset({"answered"}), "reopened"),
    "close": (frozenset({"judged"}), "closed"),
}
# States in which the undertaker owes an answer.
OWED = frozenset({"handed", "reopened"})


def next_state(verb: str, state: str) -> str:
    allowed, result = PATH[verb]
    if state not in allowed:
        raise Refused("OPINION_STATE_REFUSED", state=state.upper(), needed=", ".join(sorted(allowed)).upper())
    return result


def verb_of(judgement: str) -> str:
    """An answer that does not satisfy is given again."""
    return "reopen" if judgement == "dissatisfied" else "accept"


def check_together(one: UUID, other: UUID, meeting: UUID, other_meeting: UUID) -> None:
    """Only two different opinions of one meeting are merged."""
    if one == other or meeting != other_meeting:
        raise Refused("OPINIONS_APART")


def is_overdue(state: str, due: date | None, today: date) -> bool:
    return state in OWED and due is not None and due < today
