"""The directory of districts: who is called today, and whose register can be read."""

from datetime import date, timedelta

from chassis import clock
from chassis.directory import Directory, District

DAY = timedelta(days=1)


def entry(code: str, start: date = date.min, end: date = date.max) -> District:
    return District(code, f"试验区{code}", valid_from=start, valid_to=end)


def test_a_district_that_ended_is_read_and_not_called() -> None:
    today = clock.today()
    ended, last_day, to_come = (
        entry("900001", end=today),
        entry("900002", end=today + DAY),
        entry("900003", today + DAY),
    )
    directory = Directory([ended, last_day, to_come])
    assert set(directory.entries) == {"900002"}
    assert [directory.begun(code) for code in ("900001", "900002", "900003", "900004")] == [ended, last_day, None, None]
