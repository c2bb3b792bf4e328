"""The path of an opinion (办理): its states, and what has to be true for each step. Without any input or output."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from services.feedback.domain import Refused

STAYS = ""
WITH_UNDERTAKERS = frozenset({"routed", "in_progress", "deferred", "reopened"})
# What somebody must do something with by a day.
AWAITED = WITH_UNDERTAKERS | {"acknowledged", "returned"}
UNANSWERED = AWAITED | {"received"}
OPEN = UNANSWERED | {"answered"}
ENDS = frozenset({"closed", "dismissed"})
# verb -> states that it leads from, state that it leads to.
PATH: dict[str, tuple[frozenset[str], str]] = {
    "acknowledge": (frozenset({"received"}), "acknowledged"),
    "dismiss": (frozenset({"received", "acknowledged"}), "dismissed"),
    "route": (frozenset({"acknowledged", "returned", "reopened"}), "routed"),
    "return": (frozenset({"routed"}), "returned"),
    "start": (WITH_UNDERTAKERS - {"in_progress"}, "in_progress"),
    "defer": (WITH_UNDERTAKERS - {"deferred"}, "deferred"),
    "answer": (WITH_UNDERTAKERS, "answered"),
    "judge": (frozenset({"answered"}), STAYS),
    "accept": (frozenset({"answered"}), "closed"),
    "reject": (frozenset({"answered"}), "reopened"),
    "close": (frozenset({"answered"}), "closed"),
    "pause": (WITH_UNDERTAKERS - {"deferred"}, STAYS),
    "resume": (WITH_UNDERTAKERS, STAYS),
    "warn": (AWAITED, STAYS),
    "escalate": (AWAITED, STAYS),
    # Of the one that stands for others, and of those: unmerged, they are where they were.
    "gather": (OPEN, STAYS),
    "merge": (UNANSWERED, "merged"),
    "unmerge": (frozenset({"merged"}), STAYS),
}


def next_state(verb: str, state: str, *, paused: bool = False) -> str:
    """Where the verb leads from this state. Nothing is done while the handling is paused, but to resume it."""
    allowed, result = PATH[verb]
    if state not in allowed:
        raise Refused("OPINION_STATE_REFUSED", state=state.upper(), needed=", ".join(sorted(allowed)).upper())
    if paused != (verb == "resume"):
        raise Refused("OPINION_PAUSED" if paused else "OPINION_NOT_PAUSED")
    return result or state


def judged(judgements: Mapping[UUID, str], askers: Collection[UUID]) -> str:
    """What the judgements come to: one asker who is dissatisfied is enough to have it handled again, and all are needed
    to close it.
    """
    if "dissatisfied" in judgements.values():
        return "reject"
    return "accept" if set(askers) <= set(judgements) else "judge"


def check_apart(key: UUID, others: Collection[UUID]) -> None:
    if key in others:
        raise Refused("MERGE_REFUSED")


def check_channel(channel: str, *, placed: bool, raised: bool) -> None:
    """What comes at a reception says where, and what comes by a delegate by whom."""
    fits = {"reception": placed, "delegate": raised, "online": True, "intake": False}
    if not fits[channel]:
        raise Refused("CHANNEL_REFUSED", channel=channel.upper())


def check_day(day: date, today: date) -> None:
    """What is recorded has happened."""
    if day > today:
        raise Refused("DAY_REFUSED", day=day)


def check_unit(unit: str, district: str) -> None:
    if unit and not unit.startswith(district):
        raise Refused("UNIT_REFUSED", unit=f"units/{unit}")


def check_undertakers(undertakers: Sequence[tuple[str, bool]]) -> None:
    """One leads, and nobody is named twice."""
    names = {name for name, _ in undertakers}
    if len(names) != len(undertakers) or sum(lead for _, lead in undertakers) != 1:
        raise Refused("UNDERTAKERS_REFUSED")


def check_answerer(given: str, undertakers: Sequence[str]) -> str:
    """Who answers: one of the undertakers; the first one leads, and answers where nobody is named."""
    if not undertakers or (given and given not in undertakers):
        raise Refused("UNDERTAKERS_REFUSED")
    return given or undertakers[0]


def check_later(day: date, today: date) -> None:
    """A review lies ahead."""
    if day <= today:
        raise Refused("REVIEW_DATE_REFUSED", day=day)


def check_in_time(verb: str, last: date, today: date, version: str) -> None:
    """What can be done until a day only; and a pause mends no delay."""
    if today > last:
        raise Refused("TIME_IS_OVER", step=verb.upper(), day=last, version=version)


def check_silent(due: date | None, today: date) -> None:
    """An answer that nobody judged is closed once the time to judge it is over."""
    if due is not None and today <= due:
        raise Refused("JUDGEMENT_AWAITED", day=due)
