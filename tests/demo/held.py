"""What the meetings of 2023 come to, counted from what the services gave back. Nothing in this module calls anybody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chassis import clock
from quanyutong.meetings.v1.agenda_pb2 import (
    ITEM_CLASS_BUDGET,
    ITEM_CLASS_PROJECT_PROGRESS,
    ITEM_CLASS_PROPOSAL_HANDLING,
    ITEM_CLASS_REPORT,
    ITEM_CLASS_SPECIAL_REPORT,
    ITEM_OUTCOME_APPROVED,
    ITEM_OUTCOME_EVALUATED,
    ITEM_STATE_CONCLUDED,
    AgendaItem,
)
from quanyutong.meetings.v1.attendance_pb2 import Quorum
from quanyutong.meetings.v1.deliberation_pb2 import OPINION_STATE_CLOSED, DeliberationOpinion
from quanyutong.meetings.v1.meeting_pb2 import (
    MEETING_KIND_ASSEMBLY,
    MEETING_KIND_MID_YEAR,
    MEETING_KIND_QUARTERLY,
    PHASE_CLOSED,
    PHASE_SUMMARY,
    Meeting,
)
from tests.demo.agendas import TOWN

OVER = (PHASE_SUMMARY, PHASE_CLOSED)
MAY, AUGUST, NOVEMBER = 5, 8, 11
# Items in which a report is heard.
REPORTS = frozenset(
    {
        ITEM_CLASS_REPORT,
        ITEM_CLASS_SPECIAL_REPORT,
        ITEM_CLASS_BUDGET,
        ITEM_CLASS_PROJECT_PROGRESS,
        ITEM_CLASS_PROPOSAL_HANDLING,
    }
)


@dataclass(frozen=True)
class CityYear:
    """The city's meetings in counts."""

    assembly_meetings: int
    midyear_districts: int
    quarterly_towns: int
    quarterly_districts: int

    @classmethod
    def of(cls, meetings: Mapping[str, Sequence[Meeting]]) -> "CityYear":
        """`meetings` are those of each district; one that was not adjourned was not held."""
        held = [(district, each) for district, own in meetings.items() for each in own if each.phase in OVER]
        quarterly = [(district, each) for district, each in held if each.kind == MEETING_KIND_QUARTERLY]
        return cls(
            sum(each.kind == MEETING_KIND_ASSEMBLY for _, each in held),
            len({district for district, each in held if each.kind == MEETING_KIND_MID_YEAR}),
            len({each.body for _, each in quarterly}),
            len({district for district, _ in quarterly}),
        )


@dataclass(frozen=True)
class Held:
    """One meeting, with what is kept beside it."""

    meeting: Meeting
    items: Sequence[AgendaItem]
    opinions: Sequence[DeliberationOpinion]
    quorum: Quorum

    @property
    def over(self) -> bool:
        return self.meeting.phase in OVER

    @property
    def with_quorum(self) -> bool:
        """Whether it was convened by a rule that asks for somebody, and had enough to its end."""
        return self.over and self.quorum.frozen and self.quorum.needed > 0 and self.quorum.met

    @property
    def month(self) -> int:
        return int(self.meeting.convene_time.ToDatetime(clock.SHANGHAI).month)

    @property
    def day(self) -> date:
        return self.meeting.convene_time.ToDatetime(clock.SHANGHAI).date()

    @property
    def concluded(self) -> list[AgendaItem]:
        return [item for item in self.items if item.state == ITEM_STATE_CONCLUDED]

    @property
    def evaluated(self) -> list[AgendaItem]:
        return [item for item in self.concluded if item.outcome == ITEM_OUTCOME_EVALUATED]


class Reports:
    """What the quarterly meetings of a town came to.

    Eight special reports are published for Wujia's year, and the eight that are named are these. The meetings are
    special work-report meetings (专项工作报告会): whatever is reported in one is reported specially, the work of the
    half-year, the final accounts and the progress of projects too. One in May, two in August, five in November.
    """

    def __init__(self, held: Iterable[Held]) -> None:
        self.held = [each for each in held if each.over and each.meeting.kind == MEETING_KIND_QUARTERLY]

    def heard(self, month: int | None = None, item_class: int | None = None) -> int:
        return sum(item.item_class in REPORTS and item_class in (None, item.item_class) for item in self._items(month))

    def approved(self, month: int, item_class: int) -> int:
        items = self._items(month)
        return sum(item.item_class == item_class and item.outcome == ITEM_OUTCOME_APPROVED for item in items)

    def evaluated(self, month: int | None = None) -> int:
        return len(self._evaluated(month))

    def works_evaluated(self) -> int:
        """Works on which the town's government reports."""
        return sum(item.reporter == TOWN for item in self._evaluated(None))

    def offices_evaluated(self) -> int:
        """Offices that report on themselves."""
        return sum(item.reporter != TOWN for item in self._evaluated(None))

    def opinions(self, month: int) -> int:
        return sum(len(each.opinions) for each in self.held if each.month == month)

    def _items(self, month: int | None) -> list[AgendaItem]:
        return [item for each in self.held if month in (None, each.month) for item in each.concluded]

    def _evaluated(self, month: int | None) -> list[AgendaItem]:
        return [item for each in self.held if month in (None, each.month) for item in each.evaluated]


def midyear(held: Iterable[Held]) -> Iterator[str]:
    """What a district's mid-year meetings came to, in words: of no year is that published."""
    for each in held:
        if each.over and each.meeting.kind == MEETING_KIND_MID_YEAR:
            scores = [item.evaluation.average_hundredths / 100 for item in each.evaluated]
            papers = sum(item.evaluation.score_count for item in each.evaluated)
            closed = sum(opinion.state == OPINION_STATE_CLOSED for opinion in each.opinions)
            yield (
                f"{each.meeting.display_name}: {each.quorum.present} of {each.quorum.expected} deputies "
                f"({each.quorum.needed} needed), {len(each.concluded)} items, {len(scores)} evaluated by {papers} "
                f"papers ({', '.join(f'{score:.2f}' for score in scores)}), "
                f"{closed} of {len(each.opinions)} deliberation opinions closed"
            )
