"""What was said in Baitao (白涛) in 2023: receptions, opinions and proposals as the demo plays them. Calls nobody.

How many there were, how many people were received, and what became of the opinions is published. The rest is made up by
rules, the same in every run: each station receives on each reception day, two delegates at a time by turns; of ten
opinions six are said at a reception, two by a delegate, one online and one at a QR address (whose day is that of the
run); a fifth of those asked is basically satisfied, and a twentieth was dissatisfied with the first answer. Three of
four proposals are handed in at a meeting; every one is answered, and judged by all who signed it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from random import Random

from chassis.working_days import next_working_day
from quanyutong.feedback.v1 import opinions_pb2 as opinions
from quanyutong.feedback.v1 import proposals_pb2 as proposals
from tests.demo import published
from tests.demo.matters import MATTERS, Matter

SEED = 2023
FIRST_DAY, DAY_AFTER = date(2023, 1, 1), date(2024, 1, 1)
# The 20th of every even month, or the next working day.
RECEPTION_DAYS = [next_working_day(date(2023, month, 20)) for month in range(2, 13, 2)]
RECEIVING = 2
CHANNELS = [
    opinions.OPINION_CHANNEL_RECEPTION,
    opinions.OPINION_CHANNEL_DELEGATE,
    opinions.OPINION_CHANNEL_RECEPTION,
    opinions.OPINION_CHANNEL_ONLINE,
    opinions.OPINION_CHANNEL_RECEPTION,
    opinions.OPINION_CHANNEL_RECEPTION,
    opinions.OPINION_CHANNEL_DELEGATE,
    opinions.OPINION_CHANNEL_RECEPTION,
    opinions.OPINION_CHANNEL_INTAKE,
    opinions.OPINION_CHANNEL_RECEPTION,
]
ENDS = {
    opinions.OPINION_STATE_CLOSED: published.BAITAO_OPINIONS_DONE,
    opinions.OPINION_STATE_IN_PROGRESS: published.BAITAO_OPINIONS_IN_PROGRESS,
    opinions.OPINION_STATE_DEFERRED: published.BAITAO_OPINIONS_DEFERRED,
}
SATISFIED, BASICALLY = opinions.JUDGEMENT_SATISFIED, opinions.JUDGEMENT_BASICALLY_SATISFIED
DISSATISFIED = opinions.JUDGEMENT_DISSATISFIED
GRADES = (SATISFIED, SATISFIED, BASICALLY, SATISFIED, SATISFIED)
DISSATISFIED_ONCE = 20
# By turns; classes A to D as they are spread in a usual year.
SIGNATORIES = (1, 2, 1, 3, 1)
OUTCOMES = (
    proposals.OUTCOME_CLASS_A,
    proposals.OUTCOME_CLASS_B,
    proposals.OUTCOME_CLASS_A,
    proposals.OUTCOME_CLASS_C,
    proposals.OUTCOME_CLASS_A,
    proposals.OUTCOME_CLASS_B,
    proposals.OUTCOME_CLASS_D,
)
DISCLOSURES = proposals.Disclosure.values()[1:]
AT_A_MEETING = 3


@dataclass(frozen=True)
class Place:
    """Where it is said and by whom, by the names of the register; and the meetings of the year with their days."""

    unit: str
    stations: Sequence[str]
    delegates: Sequence[str]
    meetings: Sequence[tuple[str, date]] = ()


@dataclass(frozen=True)
class Reception:
    """Who received how many people, where and when."""

    station: str
    day: date
    delegates: Sequence[str]
    people: int


@dataclass(frozen=True)
class Opinion:
    """What somebody said, and what becomes of it."""

    channel: "opinions.OpinionChannel.ValueType"
    matter: Matter
    content: str
    day: date
    # Of the receptions, and of the delegates; it has that of its channel.
    turn: int
    end: "opinions.OpinionState.ValueType"
    # Of the first answer, and of the second where the first was not enough.
    grades: Sequence["opinions.Judgement.ValueType"]


@dataclass(frozen=True)
class Proposal:
    """What delegates propose, and how they judge each answer."""

    matter: Matter
    title: str
    day: date
    meeting: str
    signatories: Sequence[str]
    disclosure: "proposals.Disclosure.ValueType"
    outcome: "proposals.OutcomeClass.ValueType"
    grades: Sequence["opinions.Judgement.ValueType"]


def receptions(place: Place) -> list[Reception]:
    """Each station on each reception day, none without anybody who came."""
    held = [(day, station) for day in RECEPTION_DAYS for station in place.stations]
    return [
        Reception(station, day, _in_turn(place.delegates, RECEIVING * turn, RECEIVING), people)
        for turn, ((day, station), people) in enumerate(zip(held, _people(len(held)), strict=True))
    ]


def said() -> list[Opinion]:
    """The year's opinions."""
    random = Random(SEED)
    ends = [end for end, count in ENDS.items() for _ in range(count)]
    random.shuffle(ends)
    return [
        Opinion(
            channel=CHANNELS[turn % len(CHANNELS)],
            matter=MATTERS[turn % len(MATTERS)],
            content=f"{MATTERS[turn % len(MATTERS)].asked}（演示数据，意见第{turn + 1:03}件）",
            day=_any_day(random),
            turn=random.randrange(1000),
            end=end,
            grades=_grades(turn) if end == opinions.OPINION_STATE_CLOSED else (),
        )
        for turn, end in enumerate(ends)
    ]


def proposed(place: Place) -> list[Proposal]:
    """The year's proposals to the assembly."""
    random = Random(SEED)
    return [_proposal(place, turn, _any_day(random)) for turn in range(published.BAITAO_PROPOSALS)]


def _proposal(place: Place, turn: int, between: date) -> Proposal:
    matter = MATTERS[turn % len(MATTERS)]
    meeting, day = "", between
    if place.meetings and turn % (AT_A_MEETING + 1):
        meeting, day = place.meetings[turn % len(place.meetings)]
    return Proposal(
        matter=matter,
        title=f"关于{matter.asked.removeprefix('希望')}的建议（演示数据，第{turn + 1:03}号）",
        day=day,
        meeting=meeting,
        signatories=_in_turn(place.delegates, turn, SIGNATORIES[turn % len(SIGNATORIES)]),
        disclosure=DISCLOSURES[turn % len(DISCLOSURES)],
        outcome=OUTCOMES[turn % len(OUTCOMES)],
        grades=_grades(turn),
    )


def _grades(turn: int) -> Sequence["opinions.Judgement.ValueType"]:
    last = GRADES[turn % len(GRADES)]
    return (DISSATISFIED, last) if turn % DISSATISFIED_ONCE == 0 else (last,)


def _people(count: int) -> Iterator[int]:
    """How many came to each of so many receptions: with the published sum."""
    cuts = sorted(Random(SEED).sample(range(1, published.BAITAO_PEOPLE_RECEIVED), count - 1))
    ends = [0, *cuts, published.BAITAO_PEOPLE_RECEIVED]
    return (after - before for before, after in pairwise(ends))


def _in_turn(delegates: Sequence[str], first: int, count: int) -> list[str]:
    return [delegates[(first + place) % len(delegates)] for place in range(count)]


def _any_day(random: Random) -> date:
    return FIRST_DAY + timedelta(days=random.randrange((DAY_AFTER - FIRST_DAY).days))
