"""Where delegates do their duty between meetings: what belongs to what, and who may be there when.

Pure like `domain`. Raises Refused; the reason is the name of a value in errors.proto.
"""

from collections.abc import Collection
from datetime import date, timedelta

from services.registry.domain import Bound, Refused

# What a station of each kind may belong to.
ABOVE: dict[str, str | None] = {"house": None, "station": "house", "liaison_point": "station"}


def check_above(kind: str, above: str | None) -> None:
    """`above` is the kind of the station that it belongs to, None without one: a station may stand alone."""
    if above is not None and ABOVE[kind] != above:
        raise Refused("STATION_PARENT_REFUSED", kind=kind.upper(), above=above.upper())


def check_open(station: str, closed: date | None) -> None:
    """What is closed, or announced to be, stays as it is."""
    if closed is not None:
        raise Refused("STATION_CLOSED", station=station, day=closed)


def check_unused(station: str, below: int) -> None:
    """A station is not closed under others that belong to it."""
    if below:
        raise Refused("STATION_IN_USE", station=station, count=below)


def check_active(mandate: str, state: str, held: str, needed: str) -> None:
    """Duties are for delegates; `held` is the term of the mandate, `needed` the one that the duty is of."""
    if state != "active" or held != needed:
        raise Refused("MANDATE_NOT_ACTIVE", mandate=mandate, state=state.upper(), term=needed)


def check_period(start: date, end: date | None, earliest: date, latest: date) -> None:
    """From the first day to the first day after it, all of it between the same of what it depends on."""
    check_day(start, earliest, latest - timedelta(days=1))
    if end is not None:
        check_day(end, start, latest)


def check_end(end: date, start: date, ends: date | None) -> None:
    """A duty ends once: on a day before the end that it has, if it has one."""
    check_day(end, start, date.max if ends is None else ends - timedelta(days=1))


def check_day(day: date, earliest: date, latest: date) -> None:
    """Both ends are allowed."""
    if not earliest <= day <= latest:
        raise Refused("DUTY_DATE_REFUSED", date=day, earliest=earliest, latest=latest)


def check_subdistrict_assembly(assembly: str, kind: str) -> None:
    if kind != "subdistrict_assembly":
        raise Refused("SUBDISTRICT_ASSEMBLY_NEEDED", assembly=assembly)


def check_group(topic: str, formed: Collection[str], limit: Bound) -> None:
    """A term forms a group for a topic once, and as many as the rule says."""
    if topic in formed:
        raise Refused("DUTY_EXISTS")
    if len(formed) >= limit.value:
        raise Refused("OVERSIGHT_GROUPS_COMPLETE", limit=limit.value, version=limit.version)


def check_member(group: str, found: object | None) -> None:
    if found is None:
        raise Refused("DUTY_NOT_FOUND", duty=group)
