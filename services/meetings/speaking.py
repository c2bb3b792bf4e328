"""The path of somebody on a speakers' list, and how long a speech may be, without any input or output."""

from collections.abc import Collection
from datetime import datetime, timedelta

from services.meetings.domain import Refused

# Verb -> the state that it leads from, and the one that it leads to.
PATH = {"call": ("waiting", "speaking"), "end": ("speaking", "spoken"), "withdraw": ("waiting", "withdrawn")}
# What may be changed, and until when: a limit until the speech is over, a summary still afterwards.
CHANGEABLE = {"minutes_allowed": ("waiting", "speaking"), "summary": ("waiting", "speaking", "spoken")}


def next_state(verb: str, state: str) -> str:
    """Raises Refused SPEAKER_STATE_REFUSED."""
    needed, result = PATH[verb]
    check_state(state, (needed,))
    return result


def check_changes(state: str, fields: Collection[str]) -> None:
    """Raises Refused SPEAKER_STATE_REFUSED."""
    for field in fields:
        check_state(state, CHANGEABLE[field])


def check_state(state: str, needed: Collection[str]) -> None:
    if state not in needed:
        raise Refused("SPEAKER_STATE_REFUSED", state=state.upper(), needed=", ".join(needed).upper())


def minutes_limit(own: int, of_item: int) -> int:
    """A speaker's own limit goes before that of the item; 0 is none."""
    return own or of_item


def length(began: datetime | None, until: datetime) -> timedelta:
    """Of a speech, in whole seconds; nothing where none has begun."""
    return timedelta(seconds=(until - began) // timedelta(seconds=1)) if began else timedelta()


def overtime(duration: timedelta, minutes: int) -> timedelta:
    """By how much a speech is beyond its limit. It is shown, never cut off: the chair decides."""
    return max(duration - timedelta(minutes=minutes), timedelta()) if minutes else timedelta()
