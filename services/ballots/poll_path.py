"""The path of a poll (表决): its states, and what has to be true for each step. Without any input or output."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from services.ballots.domain import Refused

# The path: verb -> states that it leads from, state that it leads to.
PATH: dict[str, tuple[tuple[str, ...], str]] = {
    "open": (("drafted",), "open"),
    "start_voting": (("open",), "voting"),
    "close": (("voting",), "closed"),
    "certify": (("closed",), "certified"),
    "announce": (("certified",), "announced"),
    "void": (("drafted", "open", "voting", "closed", "certified"), "void"),
}
# Which step is due by which of the poll's times.
SCHEDULE = (("drafted", "opens_at", "open"), ("open", "votes_at", "start_voting"), ("voting", "closes_at", "close"))
COUNTED = ("closed", "certified", "announced")


def next_state(verb: str, state: str) -> str:
    """Where the verb leads from this state."""
    allowed, result = PATH[verb]
    check_state(state, allowed)
    return result


def check_state(state: str, allowed: Collection[str]) -> None:
    if state not in allowed:
        raise Refused("POLL_STATE_REFUSED", state=state.upper(), needed=", ".join(sorted(allowed)).upper())


def check_method(method: str, needed: str) -> None:
    if method != needed:
        raise Refused("METHOD_REFUSED", method=method.upper())


def check_times(*given: datetime | None) -> None:
    """Opening, start of voting and close, as far as they are set, come one after the other."""
    times = [time for time in given if time is not None]
    if times != sorted(set(times)):
        raise Refused("TIMES_REFUSED")


def check_delegations(delegations: Iterable[tuple[str, Iterable[object]]]) -> None:
    """Each has a name of its own, and each delegate votes in one."""
    found = [(name, list(mandates)) for name, mandates in delegations]
    names = Counter(name for name, _ in found)
    held = Counter(mandate for _, mandates in found for mandate in mandates)
    for twice, times in (*names.items(), *held.items()):
        if times > 1:
            raise Refused("DELEGATIONS_REFUSED", twice=twice)


def check_surplus(candidates: int, places: int, surplus: int, version: str) -> None:
    """More candidates than places (差额), by so many at least."""
    if candidates < places + surplus:
        raise Refused("SURPLUS_MISSING", candidates=candidates, places=places, surplus=surplus, version=version)


def check_meeting(meeting: str, phase: str, *, convened: bool, reason: str) -> None:
    """There is a roll once the meeting was convened; when its session is over, a reason is needed."""
    if not convened:
        raise Refused("MEETING_NOT_CONVENED", meeting=meeting)
    if phase != "convened" and not reason:
        raise Refused("SESSION_OVER", meeting=meeting)


def check_quorum(present: int, needed: int, version: str, reason: str) -> None:
    if present < needed and not reason:
        raise Refused("QUORUM_MISSING", present=present, needed=needed, version=version)


def in_steps(counted: int, whole: int, step: int) -> int:
    """How a count is shown while it grows: nobody sees one come, but that the last of all has."""
    return counted if counted >= whole else counted - counted % step


def step_due(state: str, times: dict[str, datetime | None], now: datetime) -> str | None:
    """The verb of the step that the poll's times ask for by now."""
    for before, time, verb in SCHEDULE:
        moment = times[time]
        if state == before and moment is not None and moment <= now:
            return verb
    return None
