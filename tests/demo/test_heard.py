"""The demo's year of opinions and proposals: the published figures come out of what the services give back."""

from collections import Counter
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chassis.working_days import is_working_day
from quanyutong.feedback.v1 import opinions_pb2 as pb
from quanyutong.feedback.v1 import proposals_pb2
from quanyutong.registry.v1.performance_pb2 import Performance
from tests.contract.office import STATION, SUBDISTRICT, on
from tests.demo import published, said, table
from tests.demo.city import City
from tests.demo.cut import Cut
from tests.demo.desk import Desk
from tests.demo.heard import Heard, evaluated, seen_by_the_asker
from tests.demo.hearing import Hearing, next_step
from tests.demo.matters import MATTERS
from tests.demo.proposing import Proposing
from tests.demo.registering import District, register
from tests.demo.voices import Voices
from tests.demo.year import BaitaosYear, Year
from tests.meetings.secretariat import Secretariat

BAITAO = said.Place(
    "units/500102013",
    [f"stations/{number}" for number in range(19)],
    [f"mandates/{number}" for number in range(71)],
    [(f"meetings/{number}", date(2023, 6, number + 1)) for number in range(3)],
)
NOTHING = Year.of(Performance())
# Of the year, as many as have each channel and each end.
OPINIONS, PROPOSALS = 30, 6


def test_as_many_are_received_as_published_on_reception_days_and_everybody_receives_twice() -> None:
    held = said.receptions(BAITAO)
    assert sum(each.people for each in held) == 7_682
    assert all(each.people > 0 and is_working_day(each.day) for each in held)
    assert [(day.month, day.day) for day in said.RECEPTION_DAYS] == [
        (2, 20),
        (4, 20),
        (6, 20),
        (8, 21),
        (10, 20),
        (12, 20),
    ]
    assert len({(each.station, each.day) for each in held}) == len(held) == 19 * 6
    turns = Counter(delegate for each in held for delegate in each.delegates)
    assert (len(turns), min(turns.values())) == (71, 3)


def test_as_much_is_said_as_published_by_every_channel_and_of_every_category() -> None:
    year = said.said()
    assert year == said.said()
    assert len({each.content for each in year}) == len(year) == published.BAITAO_OPINIONS == 157
    ends = Counter(each.end for each in year)
    assert (ends[pb.OPINION_STATE_CLOSED], ends[pb.OPINION_STATE_IN_PROGRESS]) == (139, 7)
    assert ends[pb.OPINION_STATE_DEFERRED] == 11
    assert {each.channel for each in year} == set(pb.OpinionChannel.values()[1:])
    assert {each.matter.category for each in year} == set(pb.OpinionCategory.values()[1:])
    assert all(bool(each.grades) == (each.end == pb.OPINION_STATE_CLOSED) for each in year)
    assert all(each.grades[-1] != pb.JUDGEMENT_DISSATISFIED for each in year if each.grades)
    assert any(len(each.grades) == 2 for each in year)


def test_as_much_is_proposed_as_published_at_the_meetings_and_between_them() -> None:
    year = said.proposed(BAITAO)
    assert len({each.title for each in year}) == len(year) == published.BAITAO_PROPOSALS == 118
    days = dict(BAITAO.meetings)
    assert {each.meeting for each in year} == {*days, ""}
    assert all(days.get(each.meeting, each.day) == each.day and each.day.year == 2023 for each in year)
    assert {len(each.signatories) for each in year} == {1, 2, 3}
    assert {each.outcome for each in year} == set(proposals_pb2.OutcomeClass.values()[1:])


def test_every_category_has_one_route_and_one_office_that_leads() -> None:
    assert [matter.category for matter in MATTERS] == pb.OpinionCategory.values()[1:]
    assert all([each.lead for each in matter.undertakers].index(True) == 0 for matter in MATTERS)


def test_what_was_not_heard_is_said_to_differ() -> None:
    nothing_heard = Heard([], [], [], NOTHING)
    assert not any(figure.equal for figure in table.of_what_was_heard(nothing_heard))
    assert nothing_heard.told
    one = Heard([pb.Opinion(mandate="mandates/1")], [], [], NOTHING)
    assert not one.told
    assert [figure.equal for figure in table.of_acts_told(one)] == [True, True, False, True]


def test_done_counts_only_what_satisfied_and_deferred_only_what_has_a_day() -> None:
    dissatisfied = pb.OpinionAnswer(judgement=pb.JUDGEMENT_DISSATISFIED)
    satisfied = pb.OpinionAnswer(judgement=pb.JUDGEMENT_SATISFIED)
    closed = [pb.Opinion(state=pb.OPINION_STATE_CLOSED, answers=each) for each in ([], [dissatisfied], [satisfied])]
    deferred = pb.Opinion(state=pb.OPINION_STATE_DEFERRED, reason="预算")
    heard = Heard([*closed, deferred], [], [], NOTHING)
    assert (heard.done, heard.deferred) == (1, 0)


def test_an_evaluation_is_told_with_its_parts_and_a_lost_receipt_as_lost() -> None:
    share = proposals_pb2.Share(part=3, whole=4)
    found = proposals_pb2.UndertakerEvaluation(undertaker="农业服务中心", assigned=4, on_time=share, class_a=share)
    (line,) = evaluated([found])
    assert "4 proposals, answered in time 3/4, judged satisfactory 0/0, class A 3/4" in line
    assert "gone" in seen_by_the_asker(None)


@pytest.mark.parametrize("state", [pb.OPINION_STATE_CLOSED, pb.OPINION_STATE_DISMISSED])
def test_nothing_is_done_with_what_is_over(state: Any) -> None:
    assert next_step(pb.Opinion(state=state), said.said()[0]) is None


def nothing() -> None:
    """No progress is shown."""


class Subdistrict:
    """The demo's own path, for a fresh district with an assembly and two stations."""

    def __init__(self, secretariat: Secretariat, folder: Path) -> None:
        self._secretariat = secretariat
        self._folder = folder
        self._tenant = secretariat.tenant
        self._city = City(self._tenant.registry, self._tenant.platform.settings)
        self.place = said.Place("", [], [])

    async def found(self) -> None:
        unit = await self._secretariat.unit(1, SUBDISTRICT)
        code, opened = unit.removeprefix("units/"), {"start_date": on(date(2022, 1, 1))}
        district = District(self._secretariat.district, "试验区", {code: "白涛街道"}, {code: 6}, {}, 6, {})
        await register([district], self._tenant.registry, self._city.staff, nothing)
        stations = [await self._secretariat.station(unit, STATION, **opened) for _ in range(2)]
        self.place = said.Place(unit, stations, await self.year().delegates())

    def year(self) -> BaitaosYear:
        metadata = self._city.staff(self._secretariat.district)
        return BaitaosYear(self._tenant.registry, metadata, self.place.unit or f"units/{self._secretariat.district}001")

    def desk(self, calls: int | None = None) -> Desk:
        stub: Any = self._tenant.feedback if calls is None else Cut(self._tenant.feedback, calls)
        return Desk(stub, self._city.staff(self._secretariat.district))

    async def play(self, calls: int | None = None) -> int:
        desk, year = self.desk(calls), said.said()[:OPINIONS]
        heard = await Hearing(desk, self.place, self._folder).play(year, nothing)
        return heard + await Proposing(desk, self.place).play(said.proposed(self.place)[:PROPOSALS], nothing)

    async def read(self) -> Heard:
        return await Voices(self.desk(), self.place, self.year(), self._folder).read()


@pytest.fixture
async def subdistrict(secretariat: Secretariat, tmp_path: Path) -> Subdistrict:
    place = Subdistrict(secretariat, tmp_path)
    await place.found()
    return place


def counted(heard: Heard) -> tuple[int, ...]:
    return len(heard.opinions), heard.done, heard.in_progress, heard.deferred, len(heard.proposals)


async def test_a_year_comes_out_and_a_second_run_finds_it(subdistrict: Subdistrict) -> None:
    assert await subdistrict.play() == OPINIONS + PROPOSALS
    heard = await subdistrict.read()
    ends = Counter(each.end for each in said.said()[:OPINIONS])
    done, going, put_off = [ends[end] for end in said.ENDS]
    assert counted(heard) == (OPINIONS, done, going, put_off, PROPOSALS)
    assert min(going, put_off) > 0
    assert (len(heard.receptions), heard.people_received, heard.counted.people_received) == (12, 7_682, 7_682)
    assert all(figure.equal for figure in table.of_acts_told(heard))
    assert all(each.state == proposals_pb2.PROPOSAL_STATE_CLOSED for each in heard.proposals)
    assert sum(each.assigned for each in heard.evaluations) == PROPOSALS
    assert heard.followed is not None
    assert (heard.followed.state, len(heard.followed.answers)) == (pb.OPINION_STATE_CLOSED, 1)
    assert await subdistrict.play() == 0
    assert counted(await subdistrict.read()) == counted(heard)


async def test_a_run_that_was_cut_off_goes_on(subdistrict: Subdistrict) -> None:
    for cuts in count():
        try:
            await subdistrict.play(calls=25 + 40 * cuts)
            break
        except ConnectionError:
            continue
    assert cuts > 2
    heard = await subdistrict.read()
    assert (len(heard.opinions), len(heard.proposals), len(heard.receptions)) == (OPINIONS, PROPOSALS, 12)
    assert heard.told
