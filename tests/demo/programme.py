"""Which body meets on which day of 2023. Nothing in this module calls anybody.

Days that the city does not publish are made up here, the same in every run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from chassis import clock
from chassis.working_days import next_working_day
from quanyutong.meetings.v1.meeting_pb2 import (
    MEETING_FORM_CONGRESS_SESSION,
    MEETING_FORM_ENLARGED_COMMITTEE,
    MEETING_FORM_SPECIAL_REPORT,
    MEETING_FORM_UNSPECIFIED,
    MEETING_KIND_ASSEMBLY,
    MEETING_KIND_CONGRESS_SESSION,
    MEETING_KIND_MID_YEAR,
    MEETING_KIND_QUARTERLY,
    MeetingForm,
    MeetingKind,
)
from tests.demo.agendas import AGENDAS, Agenda
from tests.demo.registering import CONGRESS, District

# Delegates come before it begins. The meeting takes the whole day, as the rules ask of an assembly's.
COMING, BEGIN, END = time(8, 40), time(9), time(17)
# Meetings of which no day is published: the first is on this day or soon after.
FIRST = {
    MEETING_KIND_ASSEMBLY: date(2023, 6, 5),
    MEETING_KIND_QUARTERLY: date(2023, 4, 6),
    MEETING_KIND_MID_YEAR: date(2023, 7, 3),
}
TITLES = {
    MEETING_KIND_ASSEMBLY: "议事代表会议第{number}次会议",
    MEETING_KIND_QUARTERLY: "人大第{number}次专项工作报告会",
    MEETING_KIND_MID_YEAR: "人大年中会议",
}
# Congress sessions that vote on livelihood projects: the day is made up.
SESSIONS = date(2023, 1, 9)
# Each form occurs; which district chose which is not published.
FORMS = (MEETING_FORM_CONGRESS_SESSION, MEETING_FORM_ENLARGED_COMMITTEE, MEETING_FORM_SPECIAL_REPORT)


@dataclass(frozen=True)
class Sitting:
    """One meeting of the body in a unit, or of the district's congress."""

    unit: str
    kind: "MeetingKind.ValueType"
    form: "MeetingForm.ValueType"
    number: int
    display_name: str
    seats: int
    agenda: Agenda

    @property
    def present(self) -> int:
        """Nine of ten where the agenda is known; else as few as each quorum allows, so that nobody waits long."""
        if self.kind == MEETING_KIND_CONGRESS_SESSION:
            return self.seats - self.seats // 3
        return self.seats - self.seats // 10 if self.agenda.items else self.seats // 2 + 1

    def at(self, moment: time) -> datetime:
        return datetime.combine(self.agenda.day, moment, clock.SHANGHAI)


def programme(district: District) -> Iterator[Sitting]:
    """Every meeting of the district's bodies in the year."""
    for turn, (unit, count) in enumerate(sorted(district.meetings.items())):
        kind = _kind(district, unit)
        made_up = Agenda(_day(kind, turn + int(district.code[-2:])), ())
        agendas: Sequence[Agenda] = AGENDAS.get(unit or district.code, (made_up,))
        title = (district.units[unit] if unit else district.name) + TITLES[kind]
        for number, agenda in enumerate(agendas[:count], start=1):
            yield Sitting(
                unit,
                kind,
                _form(kind, district.code),
                number,
                title.format(number=number),
                district.seats(unit),
                agenda,
            )


def session(district: District, unit: str) -> Sitting:
    """The congress session of the year in which livelihood projects are voted on. Only that is on its agenda."""
    title = (district.units[unit] if unit else district.name) + "人大会议（民生实事项目票决）"
    agenda = Agenda(next_working_day(SESSIONS), ())
    kind = MEETING_KIND_CONGRESS_SESSION
    return Sitting(unit, kind, MEETING_FORM_UNSPECIFIED, 1, title, district.seats(unit), agenda)


def _kind(district: District, unit: str) -> "MeetingKind.ValueType":
    if unit == CONGRESS:
        return MEETING_KIND_MID_YEAR
    return MEETING_KIND_QUARTERLY if unit in district.towns else MEETING_KIND_ASSEMBLY


def _form(kind: int, district: str) -> "MeetingForm.ValueType":
    return FORMS[int(district) % len(FORMS)] if kind == MEETING_KIND_MID_YEAR else MEETING_FORM_UNSPECIFIED


def _day(kind: "MeetingKind.ValueType", turn: int) -> date:
    return next_working_day(FIRST[kind] + timedelta(days=turn))
