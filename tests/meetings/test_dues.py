"""What the rules as they are shipped, or as a district holds them, come to in a year."""

from collections.abc import Iterator
from datetime import date

from chassis.rules import Override
from services.meetings.dues import dues_of
from services.meetings.obligations import Due


def of(kind: str, year: int = 2026, *overrides: Override) -> list[Due]:
    return [due for due in dues_of(year, overrides) if due.kind == kind]


def days(dues: list[Due]) -> Iterator[tuple[str, str]]:
    return ((f"{due.first:%m-%d}", f"{due.last:%m-%d}") for due in dues)


def test_the_platforms_rules_of_a_year() -> None:
    found = {
        kind: list(days(of(kind)))
        for kind in (
            *("annual_session", "midyear_meeting", "township_session", "special_meeting", "assembly_meeting"),
            *("reception_day", "feedback_meeting", "symposium"),
        )
    }
    quarters = [("01-01", "03-31"), ("04-01", "06-30"), ("07-01", "09-30"), ("10-01", "12-31")]
    assert found == {
        "annual_session": [quarters[0]],
        "midyear_meeting": [("07-01", "08-31")],
        "township_session": quarters[0::2],
        "special_meeting": quarters[1::2],
        "assembly_meeting": [("06-01", "08-31"), ("11-01", "12-31")],
        # In February the week of the spring festival, in June and December a weekend.
        "reception_day": [(day, day) for day in ("02-24", "04-20", "06-22", "08-20", "10-20", "12-21")],
        "feedback_meeting": [("01-01", "06-30"), ("07-01", "12-31")],
        "symposium": quarters,
    }
    assert len(dues_of(2026, [])) == sum(map(len, found.values()))


def test_what_is_due_says_its_length_its_notice_and_its_rules() -> None:
    (session,) = of("annual_session")
    assert (session.half_days, session.notice) == (6, 15)
    assert session.versions == (
        "congress.district_sessions_a_year@2005-01-01",
        "congress.district_session_window@2005-01-01",
        "congress.district_session_length@2005-01-01",
        "congress.session_notice@2005-01-01",
    )
    reception = of("reception_day")[0]
    assert (reception.half_days, reception.notice, reception.ordinal) == (1, 3, 2)
    assert len(reception.versions) == 4


def test_a_district_has_its_own_numbers() -> None:
    begin = date(2026, 1, 1)
    none = Override("midyear_meeting.meetings_a_year", "0", begin, 1)
    moved = Override("stations_and_voice.reception_day", "5", begin, 1)
    monthly = Override("stations_and_voice.station_symposium_every", "1 months", begin, 1)
    assert of("midyear_meeting", 2026, none) == []
    assert [due.first.day for due in of("reception_day", 2026, moved)] == [5, 7, 5, 5, 8, 7]
    assert of("reception_day", 2026, moved)[0].versions[1] == "stations_and_voice.reception_day@2015-01-01+r1"
    assert len(of("symposium", 2026, monthly)) == 12


def test_a_decision_within_the_year_holds_for_what_opens_after_it() -> None:
    decided = Override("stations_and_voice.reception_day", "5", date(2026, 7, 1), 1)
    assert [due.last.day for due in of("reception_day", 2026, decided)] == [24, 20, 22, 5, 8, 7]
    none = Override("midyear_meeting.meetings_a_year", "0", date(2026, 7, 2), 1)
    assert len(of("midyear_meeting", 2026, none)) == 1
    assert of("midyear_meeting", 2027, none) == []


def test_before_an_institution_nothing_is_owed() -> None:
    assert {due.kind for due in dues_of(2006, [])} == {"annual_session", "midyear_meeting", "township_session"}
    assert dues_of(2004, []) == []
