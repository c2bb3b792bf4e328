"""When a series recurs: its rule of RFC 5545, bounded, and told in the time of day of Chongqing.

A pure decision; python-dateutil does the counting.
"""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from dateutil.rrule import rrulestr

from services.meetings.domain import Refused

MOST_OCCURRENCES = 200
LONGEST = timedelta(days=2 * 366)
WEEKDAY = "(MO|TU|WE|TH|FR|SA|SU)"
DAY_OF_MONTH = "-?([1-9]|[12][0-9]|3[01])"
MONTH = "([1-9]|1[0-2])"
# The parts of a rule, as meetings need them: nothing smaller than a day, and no step that stands still.
PARTS = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": "[1-9][0-9]{0,2}",
    "COUNT": "[1-9][0-9]{0,2}",
    "UNTIL": "[0-9]{8}T[0-9]{6}Z",
    "BYDAY": f"([+-]?[1-5])?{WEEKDAY}(,([+-]?[1-5])?{WEEKDAY})*",
    "BYMONTHDAY": f"{DAY_OF_MONTH}(,{DAY_OF_MONTH})*",
    "BYMONTH": f"{MONTH}(,{MONTH})*",
    "BYSETPOS": "-?[1-9][0-9]?",
    "WKST": WEEKDAY,
}


def occurrences(recurrence: str, start: datetime, exceptions: Collection[date] = ()) -> list[datetime]:
    """The beginnings of a series, the first of which is `start`. Raises Refused RECURRENCE_REFUSED.

    `start` is aware, in the zone whose clock the series follows.
    """
    parts = _parts(recurrence)
    found = _expanded(parts, start)
    if not found or found[0] != start:
        raise _refused("its first occurrence is not at the start")
    if missing := set(exceptions) - {moment.date() for moment in found}:
        raise _refused(f"no occurrence on {min(missing)}")
    kept = [moment for moment in found if moment.date() not in exceptions]
    if not kept:
        raise _refused("nothing but exceptions")
    return kept


def _parts(recurrence: str) -> dict[str, str]:
    pairs = [pair.partition("=")[::2] for pair in recurrence.split(";")]
    parts = dict(pairs)
    for name, value in pairs:
        if name not in PARTS or not re.fullmatch(PARTS[name], value):
            raise _refused(f"{name or 'an empty part'} is not understood")
    if len(parts) != len(pairs) or "FREQ" not in parts:
        raise _refused("a part stands twice, or FREQ is missing")
    if ("COUNT" in parts) == ("UNTIL" in parts):
        raise _refused("it has either COUNT or UNTIL")
    if parts["FREQ"] in ("DAILY", "WEEKLY") and re.search("[0-9]", parts.get("BYDAY", "")):
        raise _refused("BYDAY counts weeks of a month or a year only")
    return parts


def _expanded(parts: dict[str, str], start: datetime) -> list[datetime]:
    """All occurrences. The search itself ends after two years, since a rule may also give no day at all."""
    last = start + LONGEST
    rule = {**parts, "UNTIL": f"{last.astimezone(UTC):%Y%m%dT%H%M%SZ}"}
    count = int(rule.pop("COUNT", 0))
    try:
        until = datetime.strptime(parts.get("UNTIL", rule["UNTIL"]), "%Y%m%dT%H%M%S%z")
        every = rrulestr(";".join(map("=".join, rule.items())), dtstart=start)
        found = list(islice(every, count or MOST_OCCURRENCES + 1))
    except (ValueError, OverflowError):
        raise _refused("it names no day of the calendar") from None
    if until > last or len(found) < count:
        raise _refused("it goes on for more than two years")
    found = [moment for moment in found if moment <= until]
    if len(found) > MOST_OCCURRENCES:
        raise _refused(f"more than {MOST_OCCURRENCES} occurrences")
    return found


def _refused(fault: str) -> Refused:
    return Refused("RECURRENCE_REFUSED", fault=fault)
