"""From what is owed and who is engaged to what the planner is asked, without input or output."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.meetings.obligations import STATIONS, Obligation
from services.meetings.planning import Engagement, Wish

NOON = time(12)
# Under which daily limit a meeting falls. A reception day falls under none: it is on one day at all stations.
OF_ASSEMBLIES, OF_STATIONS, UNLIMITED = "assemblies", "stations", ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the planner asks about bodies: by body its venue and its delegates, by obligation the days turned down."""

    venues: Mapping[str, str]
    delegates: Mapping[str, frozenset[str]]
    rejected: Mapping[str, frozenset[date]]


@dataclass(frozen=True, slots=True)
class Settled:
    """A meeting or a booking that is there already, from a time to a time in Chongqing."""

    start: datetime
    end: datetime
    body: str = ""
    venue: str = ""
    limited: str = UNLIMITED


def limit_of(obligation: Obligation) -> str:
    if obligation.due.kind == "reception_day":
        return UNLIMITED
    return OF_STATIONS if obligation.body.kind in STATIONS else OF_ASSEMBLIES


def wishes(owed: Iterable[Obligation], known: Known, today: date) -> list[Wish]:
    """Not before notice can be given of it, were it given today."""
    shared = in_several(known.delegates)
    return [
        Wish(
            key=each.key,
            first=max(each.due.first, today + timedelta(days=each.due.notice)),
            last=each.due.last,
            half_days=each.due.half_days,
            body=each.body.id,
            venue=known.venues.get(each.body.id, ""),
            delegates=_delegates(each, known, shared),
            limited=limit_of(each),
            avoided=known.rejected.get(each.key, frozenset()),
        )
        for each in owed
    ]


def receptions(owed: Iterable[Obligation], known: Known) -> Iterator[Engagement]:
    """On the morning of a reception day the delegates of its rota are for no other meeting.

    Among stations they stand in nobody's way: who of a rota comes is settled at the station, and on the one day all
    stations receive.
    """
    shared = in_several(known.delegates)
    for each in owed:
        if limit_of(each) == UNLIMITED and (members := known.delegates.get(each.body.id, frozenset()) & shared):
            yield Engagement(each.due.first, (0,), tuple(sorted(members)))


def _delegates(owed: Obligation, known: Known, shared: frozenset[str]) -> tuple[str, ...]:
    if limit_of(owed) == UNLIMITED:
        return ()
    return tuple(sorted(known.delegates.get(owed.body.id, frozenset()) & shared))


def in_several(delegates: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Who could have to be in two places: nobody else needs to be looked at."""
    bodies = Counter(person for members in delegates.values() for person in members)
    return frozenset(person for person, count in bodies.items() if count > 1)


def engagements(settled: Iterable[Settled], known: Known) -> Iterator[Engagement]:
    """Of the body, its venue, and those of its delegates who sit elsewhere too."""
    shared = in_several(known.delegates)
    for each in settled:
        members = known.delegates.get(each.body, frozenset()) & shared
        holders = tuple(filter(None, (each.body, each.venue, *sorted(members))))
        for day, halves in half_days(each.start, each.end):
            yield Engagement(day, halves, holders, each.limited)


def half_days(start: datetime, end: datetime) -> Iterator[tuple[date, tuple[int, ...]]]:
    """Each day that it touches, with the halves: before noon, after noon."""
    for number in range((end.date() - start.date()).days + 1):
        day = start.date() + timedelta(days=number)
        noon = datetime.combine(day, NOON, start.tzinfo)
        midnight, next_midnight = noon - timedelta(hours=12), noon + timedelta(hours=12)
        touched = ((midnight, noon), (noon, next_midnight))
        if halves := tuple(half for half, (begin, over) in enumerate(touched) if start < over and begin < end):
            yield day, halves
