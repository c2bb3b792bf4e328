"""The path of a campaign and of what is suggested in it, without any input or output. Raises Refused."""

from collections.abc import Collection, Iterable
from datetime import date
from uuid import UUID

from services.ballots.domain import Refused

# verb -> state that it leads from, state that it leads to.
CAMPAIGN: dict[str, tuple[str, str]] = {
    "publish": ("drafted", "collecting"),
    "close_collection": ("collecting", "screening"),
    "fix": ("screening", "listed"),
    "vote": ("listed", "voted"),
    "close": ("voted", "done"),
}
# Whose projects which kind of body votes on.
BODIES = {
    "district": "district_congress",
    "town": "township_congress",
    "township": "township_congress",
    "subdistrict": "subdistrict_assembly",
}
# How the name of what a suggestion comes from begins; a resident is never named.
ORIGINS = {"resident": "", "station": "stations/", "delegate": "mandates/"}


def next_campaign_state(verb: str, state: str) -> str:
    needed, result = CAMPAIGN[verb]
    check_campaign(state, (needed,))
    return result


def check_campaign(state: str, needed: Collection[str]) -> None:
    if state not in needed:
        raise Refused("CAMPAIGN_STATE_REFUSED", state=state.upper(), needed=", ".join(sorted(needed)).upper())


def check_level(level: str, body_kind: str) -> None:
    if BODIES[level] != body_kind:
        raise Refused("LEVEL_REFUSED", level=level.upper())


def check_window(year: int, start: date, end: date, months: Iterable[int], version: str) -> None:
    """Collection opens in the year before the projects, not before the first of the rule's months."""
    earliest = date(year - 1, min(months), 1)
    if not earliest <= start <= end:
        raise Refused("COLLECTION_WINDOW_REFUSED", earliest=earliest, version=version)


def check_window_over(last: date, today: date) -> None:
    if today <= last:
        raise Refused("COLLECTION_NOT_OVER", last=last)


def check_candidates(candidates: int, places: int, surplus: int, version: str) -> None:
    """More candidates than places: a vote is a choice."""
    if candidates < places + surplus:
        raise Refused("CANDIDATES_TOO_FEW", candidates=candidates, needed=places + surplus, version=version)


def check_nothing_under_way(projects: int) -> None:
    if projects:
        raise Refused("PROJECTS_UNDER_WAY", count=projects)


def check_open(state: str) -> None:
    """Whether a suggestion is still to be dealt with."""
    if state != "collected":
        raise Refused("SUGGESTION_STATE_REFUSED", state=state.upper(), needed="COLLECTED")


def check_alike(one: UUID, other: UUID, campaign: UUID, other_campaign: UUID) -> None:
    """Only two different suggestions of one campaign are merged."""
    if one == other or campaign != other_campaign:
        raise Refused("SUGGESTIONS_APART")


def check_campaign_of(campaign: UUID, other: UUID) -> None:
    """What is settled in one meeting is of one campaign."""
    if campaign != other:
        raise Refused("SUGGESTIONS_APART")


def check_received(day: date, first: date, last: date) -> None:
    if not first <= day <= last:
        raise Refused("SUGGESTION_OUTSIDE_WINDOW", first=first, last=last)


def is_time(year: int, campaign: tuple[str, date] | None, today: date) -> bool:
    """Whether a nomination is to be entered or refused by now; until its campaign collects, it waits.

    `campaign` is its state and first day. A nomination for a year that ended without one waits no longer.
    """
    if campaign is None:
        return today.year > year
    state, first = campaign
    return state != "drafted" and today >= first


def check_channel(channel: str, channels: Collection[str]) -> None:
    if channels and channel not in channels:
        raise Refused("CHANNEL_NOT_OPEN", channel=channel.upper())


def check_origin(source: str, origin: str) -> None:
    begins = ORIGINS.get(source)
    if begins is None or bool(origin) != bool(begins) or not origin.startswith(begins):
        raise Refused("ORIGIN_REFUSED", source=source.upper())


def unit_of(given: str, of_campaign: str, district: str) -> str:
    """The code of the unit: of a unit's own campaign that unit, else one of the district, or none."""
    foreign = given != of_campaign if of_campaign else not given.startswith(district)
    if given and foreign:
        raise Refused("UNIT_REFUSED", unit=given)
    return given or of_campaign
