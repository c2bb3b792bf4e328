"""The demo's meetings: the published figures come out of what the services give back, and of nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

import pytest

from chassis import clock
from chassis.wire import timestamp
from chassis.working_days import is_working_day
from quanyutong.meetings.v1 import agenda_pb2 as agenda
from quanyutong.meetings.v1.attendance_pb2 import Quorum
from quanyutong.meetings.v1.meeting_pb2 import (
    MEETING_FORM_CONGRESS_SESSION,
    MEETING_FORM_ENLARGED_COMMITTEE,
    MEETING_FORM_SPECIAL_REPORT,
    MEETING_KIND_ASSEMBLY,
    MEETING_KIND_MID_YEAR,
    MEETING_KIND_QUARTERLY,
    PHASE_CANCELLED,
    PHASE_CLOSED,
    PHASE_CONVENED,
    PHASE_PREPARATION,
    PHASE_SUMMARY,
    Meeting,
    MeetingKind,
)
from quanyutong.registry.v1.assemblies_pb2 import ASSEMBLY_KIND_DISTRICT_CONGRESS, ListAssembliesRequest
from quanyutong.registry.v1.units_pb2 import Unit
from tests.contract.office import SUBDISTRICT, TOWN
from tests.demo import plan, published, table
from tests.demo.agendas import AGENDAS, BAITAO, NAN_AN, WUJIA, Agenda, Item
from tests.demo.city import City, planned
from tests.demo.cut import Cut
from tests.demo.held import CityYear, Held, midyear
from tests.demo.holding import Holding
from tests.demo.meetings import Meetings
from tests.demo.papers import evaluation
from tests.demo.programme import BEGIN, programme
from tests.demo.registering import CONGRESS, District, register
from tests.meetings.secretariat import Secretariat


@pytest.fixture(scope="module")
def districts(units: Mapping[str, Sequence[Unit]]) -> list[District]:
    """The 38 districts as the demo plans them."""
    return planned({code: f"{code}区" for code in units}, units)


def test_as_many_meetings_are_planned_as_were_held(districts: Sequence[District]) -> None:
    assert len(districts) == 38
    found = [(district.code, sitting) for district in districts for sitting in programme(district)]
    kinds = Counter(sitting.kind for _, sitting in found)
    assert (kinds[MEETING_KIND_ASSEMBLY], kinds[MEETING_KIND_MID_YEAR]) == (97, 14)
    quarterly = {(code, sitting.unit) for code, sitting in found if sitting.kind == MEETING_KIND_QUARTERLY}
    assert (len(quarterly), len({code for code, _ in quarterly})) == (156, 36)
    per_body = Counter((code, sitting.unit) for code, sitting in found)
    assert per_body["500102", published.BAITAO] == per_body["500153", published.WUJIA] == 3
    assert per_body["500108", CONGRESS] == 1


def test_each_meeting_has_a_working_day_and_enough_who_come(districts: Sequence[District]) -> None:
    found = [sitting for district in districts for sitting in programme(district)]
    assert all(is_working_day(sitting.agenda.day) and sitting.agenda.day.year == 2023 for sitting in found)
    assert all(sitting.seats >= sitting.present > sitting.seats / 2 > 0 for sitting in found)
    midyears = [sitting for sitting in found if sitting.kind == MEETING_KIND_MID_YEAR]
    assert {sitting.agenda.day.month for sitting in midyears} <= {7, 8}
    every_form = {MEETING_FORM_CONGRESS_SESSION, MEETING_FORM_ENLARGED_COMMITTEE, MEETING_FORM_SPECIAL_REPORT}
    assert {sitting.form for sitting in midyears} == every_form


def test_no_body_meets_twice_on_a_day_nor_deals_with_one_title_twice() -> None:
    for agendas in AGENDAS.values():
        assert len({one.day for one in agendas}) == len(agendas)
        for one in agendas:
            assert len({item.title for item in one.items}) == len(one.items)


def test_too_few_towns_are_refused() -> None:
    with pytest.raises(plan.PlanImpossible):
        plan.with_quarterly_meetings({"500153": [published.WUJIA], "500102": []})


def a_meeting(kind: "MeetingKind.ValueType", phase: Any = PHASE_CLOSED, body: str = "assemblies/1") -> Meeting:
    return Meeting(kind=kind, phase=phase, body=body)


def test_a_meeting_that_was_not_adjourned_was_not_held() -> None:
    unheld = [a_meeting(MEETING_KIND_ASSEMBLY, phase) for phase in (PHASE_PREPARATION, PHASE_CONVENED, PHASE_CANCELLED)]
    year = CityYear.of({"1": [*unheld, a_meeting(MEETING_KIND_ASSEMBLY, PHASE_SUMMARY)], "2": []})
    assert year == CityYear(1, 0, 0, 0)


def test_a_town_and_a_district_count_once() -> None:
    twice = [a_meeting(MEETING_KIND_QUARTERLY)] * 2
    own = [*twice, a_meeting(MEETING_KIND_QUARTERLY, body="assemblies/2"), a_meeting(MEETING_KIND_MID_YEAR)]
    assert CityYear.of({"1": own, "2": [a_meeting(MEETING_KIND_MID_YEAR)] * 2}) == CityYear(0, 2, 2, 1)


def test_what_was_not_held_is_said_to_differ() -> None:
    figures = [*table.of_meetings(CityYear.of({})), *table.of_baitaos_meetings([]), *table.of_wujia([])]
    assert len(figures) == 19
    assert not any(figure.equal for figure in figures)


def test_one_report_more_or_less_is_said_to_differ() -> None:
    whole = [_as_held(one) for one in WUJIA]
    reports = [f.name for f in table.of_wujia([*whole[:2], _as_held(WUJIA[2], without=1)]) if not f.equal]
    assert "Wujia in 2023: special reports heard" in reports
    assert "Wujia in 2023: offices evaluated" not in reports


def _as_held(one: Agenda, without: int = 0) -> Held:
    """As the services would give it back, but for some of its first items, and without opinions and quorum."""
    items = [
        agenda.AgendaItem(
            item_class=item.item_class,
            title=item.title,
            reporter=item.reporter,
            state=agenda.ITEM_STATE_CONCLUDED,
            outcome=item.outcome,
        )
        for item in one.items[without:]
    ]
    meeting = a_meeting(MEETING_KIND_QUARTERLY)
    meeting.convene_time.CopyFrom(timestamp(datetime.combine(one.day, BEGIN, clock.SHANGHAI)))
    return Held(meeting, items, [], Quorum())


def test_papers_are_those_of_who_was_present_and_the_same_in_every_run() -> None:
    graded = next(item for item in WUJIA[0].items if item.method)
    counted = evaluation(graded, 56, 38)
    assert counted is not None
    assert counted.members == 56
    assert counted.satisfied + counted.basically_satisfied + counted.dissatisfied == 38
    scored = next(item for item in NAN_AN[0].items if item.method)
    assert evaluation(scored, 198, 132) == evaluation(scored, 198, 132)
    assert len((evaluation(scored, 198, 132) or agenda.Evaluation()).scores) == 132
    assert evaluation(Item(agenda.ITEM_CLASS_REPORT, "报告", ""), 56, 38) is None


def nothing() -> None:
    """No progress is shown."""


class Season:
    """The demo's own path, for a fresh district that has the body of an agenda."""

    def __init__(self, secretariat: Secretariat) -> None:
        self._secretariat = secretariat
        tenant = secretariat.tenant
        self.city = City(tenant.registry, tenant.platform.settings)
        self.meetings = Meetings(self.city, tenant.registry, tenant.meetings)

    async def district(self, unit: str, kind: Any, seats: int, meetings: int) -> District:
        """Registered, with one body beside the congress, which has as many deputies and meets once."""
        made = await self._secretariat.unit(1, kind)
        code = made.removeprefix("units/")
        town = kind == TOWN
        district = District(
            code=self._secretariat.district,
            name="试验区",
            units={code: unit},
            sizes={} if town else {code: seats},
            towns={code: seats} if town else {},
            deputies=seats,
            meetings={code: meetings, CONGRESS: 1},
        )
        await register([district], self._secretariat.tenant.registry, self.city.staff, nothing)
        return district


async def test_wujias_year_comes_out_and_a_second_run_finds_it(
    secretariat: Secretariat, monkeypatch: pytest.MonkeyPatch
) -> None:
    season = Season(secretariat)
    district = await season.district("吴家镇", TOWN, plan.WUJIA_DEPUTIES, len(WUJIA))
    (town,) = district.towns
    monkeypatch.setitem(AGENDAS, town, WUJIA)
    assert await season.meetings.hold([district], nothing) == len(WUJIA) + 1
    held = await season.meetings.read(town)
    assert [str(figure) for figure in table.of_wujia(held) if not figure.equal] == []
    assert [(each.quorum.expected, each.quorum.needed) for each in held] == [(56, 28)] * 3
    assert await season.meetings.hold([district], nothing) == 0
    year = CityYear.of(await season.meetings.listed([district.code]))
    assert year == CityYear(0, 1, 1, 1)


async def test_baitaos_meetings_and_nan_ans_come_out(secretariat: Secretariat, monkeypatch: pytest.MonkeyPatch) -> None:
    season = Season(secretariat)
    district = await season.district("白涛街道", SUBDISTRICT, 30, len(BAITAO))
    (subdistrict,) = district.sizes
    monkeypatch.setitem(AGENDAS, subdistrict, BAITAO)
    monkeypatch.setitem(AGENDAS, district.code, NAN_AN)
    await season.meetings.hold([district], nothing)
    figures = table.of_baitaos_meetings(await season.meetings.read(subdistrict))
    assert [str(figure) for figure in figures if not figure.equal] == []
    (line,) = midyear(await season.meetings.read(district.code))
    assert "27 of 30 deputies (15 needed), 6 items, 2 evaluated by 54 papers" in line
    assert line.endswith("5 of 5 deliberation opinions closed")


async def test_a_run_that_was_cut_off_goes_on(secretariat: Secretariat, monkeypatch: pytest.MonkeyPatch) -> None:
    season = Season(secretariat)
    district = await season.district("白涛街道", SUBDISTRICT, 30, 1)
    monkeypatch.setitem(AGENDAS, district.code, NAN_AN)
    wanted = ListAssembliesRequest(kind=ASSEMBLY_KIND_DISTRICT_CONGRESS)
    (congress,) = (await secretariat.call("ListAssemblies", wanted)).assemblies
    sitting = next(one for one in programme(district) if one.unit == CONGRESS)
    for cuts in count():
        there = next(iter((await season.meetings.listed([district.code]))[district.code]), None)
        stub: Any = Cut(secretariat.tenant.meetings, 4 + 9 * cuts)
        try:
            await Holding(stub, season.city.staff(district.code)).hold(sitting, congress.name, there)
            break
        except ConnectionError:
            continue
    assert cuts > 3
    (line,) = midyear(await season.meetings.read(district.code))
    assert "6 items, 2 evaluated by 54 papers" in line
    assert line.endswith("5 of 5 deliberation opinions closed")
