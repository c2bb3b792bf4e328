"""Time as the institutions count it: instants in UTC, days in Asia/Shanghai."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def today() -> date:
    """The day that it is in Chongqing."""
    return datetime.now(UTC).astimezone(SHANGHAI).date()
