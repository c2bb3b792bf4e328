"""Time as the institutions count it: instants in UTC, days in Asia/Shanghai."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def today() -> date:
    """The day that it is in Chongqing."""
    return datetime.now(UTC).astimezone(SHANGHAI).date()


def beginning(day: date) -> datetime:
    """The instant at which the day begins in Chongqing."""
    return datetime.combine(day, time.min, SHANGHAI)
