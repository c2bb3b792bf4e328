"""The demo's arithmetic and choices: the published sums come out, whatever the register holds beside."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from quanyutong.registry.v1.activities_pb2 import (
    ACTIVITY_KIND_INSPECTION,
    ACTIVITY_KIND_LAW_ENFORCEMENT_CHECK,
    ACTIVITY_KIND_POLICY_OUTREACH,
)
from quanyutong.registry.v1.assemblies_pb2 import ASSEMBLY_KIND_DISTRICT_CONGRESS, ASSEMBLY_KIND_SUBDISTRICT_ASSEMBLY
from quanyutong.registry.v1.attendance_pb2 import AttendanceGround, Attendee
from quanyutong.registry.v1.mandates_pb2 import (
    CAPACITY_CPPCC_MEMBER,
    CAPACITY_DEPUTY,
    CAPACITY_FRONT_LINE_WORKER,
    CAPACITY_PARTY_DELEGATE,
    CAPACITY_RESIDENT,
)
from quanyutong.registry.v1.oversight_pb2 import OversightGroup, OversightMember
from quanyutong.registry.v1.performance_pb2 import KindTotal, Performance
from quanyutong.registry.v1.persons_pb2 import GENDER_FEMALE, OCCUPATION_COMMUNITY_WORKER
from quanyutong.registry.v1.stations_pb2 import (
    STATION_KIND_HOUSE,
    STATION_KIND_LIAISON_POINT,
    STATION_KIND_STATION,
)
from quanyutong.registry.v1.summary_pb2 import AssemblyCount, CapacityCount, Summary
from quanyutong.registry.v1.units_pb2 import UNIT_KIND_SUBDISTRICT, Unit
from tests.demo import plan, published, table
from tests.demo.baitao import MEMBERS_A_GROUP, Found, planned_stations
from tests.demo.people import person
from tests.demo.year import Year, planned


@pytest.fixture(scope="module")
def subdistricts(units: Mapping[str, Sequence[Unit]]) -> dict[str, list[str]]:
    """The real ones, of each of the 38 districts."""
    return {
        district: [unit.name.removeprefix("units/") for unit in own if unit.kind == UNIT_KIND_SUBDISTRICT]
        for district, own in units.items()
    }


@pytest.fixture(scope="module")
def seats(subdistricts: dict[str, list[str]]) -> dict[str, int]:
    return plan.sizes(plan.chosen(subdistricts))


def test_the_published_number_of_districts_has_the_published_number_of_assemblies(seats: dict[str, int]) -> None:
    assert len(seats) == 171
    assert len({unit[:6] for unit in seats}) == 34
    assert published.BAITAO in seats


def test_the_seats_add_up_and_every_assembly_has_a_normal_size(seats: dict[str, int]) -> None:
    assert sum(seats.values()) == 9_291
    assert seats[published.BAITAO] == 71
    assert all(30 <= size <= 80 for size in seats.values())
    assert len(set(seats.values())) > 20


def test_the_choice_does_not_hang_on_the_order_in_which_it_is_told(subdistricts: dict[str, list[str]]) -> None:
    turned = {district: units[::-1] for district, units in reversed(subdistricts.items())}
    assert plan.chosen(turned) == plan.chosen(subdistricts)
    assert plan.sizes(plan.chosen(turned)) == plan.sizes(plan.chosen(subdistricts))


def test_too_few_subdistricts_are_refused(subdistricts: dict[str, list[str]]) -> None:
    with pytest.raises(plan.PlanImpossible):
        plan.chosen({district: units[:2] for district, units in subdistricts.items()})
    with pytest.raises(plan.PlanImpossible):
        plan.chosen({d: [unit for unit in units if unit != published.BAITAO] for d, units in subdistricts.items()})


def test_baitao_is_composed_as_published() -> None:
    seats = Counter(plan.composition(published.BAITAO, 71))
    assert (seats[CAPACITY_DEPUTY], seats[CAPACITY_PARTY_DELEGATE], seats[CAPACITY_CPPCC_MEMBER]) == (14, 4, 2)
    assert seats[CAPACITY_RESIDENT] + seats[CAPACITY_FRONT_LINE_WORKER] == 51
    assert seats.total() == 71


@pytest.mark.parametrize("size", range(30, 81))
def test_residents_are_the_main_body_of_every_assembly(size: int) -> None:
    seats = Counter(plan.composition("500101001", size))
    assert seats.total() == size
    assert 2 * seats[CAPACITY_RESIDENT] > size
    assert set(seats) == {*plan.SHARES, CAPACITY_RESIDENT} - {kind for kind in plan.SHARES if not seats[kind]}


def test_persons_are_the_same_in_every_run_and_plainly_synthetic() -> None:
    assert person("500102013", 7) == person("500102013", 7)
    assert person("500102013", 7) != person("500102013", 8)
    assert person("500102013", 7).display_name[1:] == "某500102013-07"


def test_persons_may_sit_and_their_shares_are_those_of_a_city(seats: dict[str, int]) -> None:
    people = [person(unit, number) for unit, size in seats.items() for number in range(1, size + 1)]
    assert len({one.display_name for one in people}) == 9_291
    assert all(one.birth_date.year <= 2004 and one.residence_since.year <= 2021 for one in people)
    assert 0.38 < sum(one.gender == GENDER_FEMALE for one in people) / len(people) < 0.42
    assert 0.10 < sum(one.occupation == OCCUPATION_COMMUNITY_WORKER for one in people) / len(people) < 0.18


def _summary(assemblies: int, delegates: int, women: int = 0, residents: int = 0) -> Summary:
    congress = AssemblyCount(kind=ASSEMBLY_KIND_DISTRICT_CONGRESS, assemblies=1, delegates=14, women=9)
    count = AssemblyCount(
        kind=ASSEMBLY_KIND_SUBDISTRICT_ASSEMBLY,
        assemblies=assemblies,
        delegates=delegates,
        women=women,
        capacities=[CapacityCount(capacity=CAPACITY_RESIDENT, delegates=residents)],
    )
    return Summary(assemblies=[congress, count] if assemblies else [congress])


def test_the_city_is_the_sum_of_its_districts_and_congresses_are_not_assemblies() -> None:
    total = table.counted([_summary(2, 100, women=40, residents=60), _summary(0, 0), _summary(1, 50, residents=30)])
    assert total == table.Counts(3, 3, 150, 40, 0, 90, 2)


def test_a_line_lines_up_with_chinese_names_and_shows_no_share_of_nothing() -> None:
    heading, some, none, _ = table.city({"1": "涪陵区", "2": "城口县"}, {"1": _summary(1, 50, 20), "2": _summary(0, 0)})
    assert some.split() == ["1", "涪陵区", "1", "1", "50", "40.0%", "0.0%", "0.0%"]
    assert none.split() == ["2", "城口县", "1", "0", "0", "-", "-", "-"]
    assert len(some) + len("涪陵区") == len(heading)


def test_a_figure_that_differs_is_said_to() -> None:
    figures = table.compared({"500102": _summary(1, 71)}, plan.composition(published.BAITAO, 71)[:-1], 14)
    unequal = {figure.name for figure in figures if not figure.equal}
    assert "representatives" in unequal
    assert "Baitao: residents and workers" in unequal
    assert "Baitao: party delegates" not in unequal
    assert all(("NOT EQUAL" in str(figure)) == (not figure.equal) for figure in figures)


def test_baitaos_stations_are_as_many_as_published_and_follow_what_they_belong_to() -> None:
    seen: dict[str, int] = {}
    above_of = {STATION_KIND_HOUSE: 0, STATION_KIND_STATION: STATION_KIND_HOUSE}
    above_of[STATION_KIND_LIAISON_POINT] = STATION_KIND_STATION
    for station, above in planned_stations():
        assert seen.get(above, 0) == above_of[station.kind]
        seen[station.display_name] = station.kind
    kinds = Counter(seen.values())
    assert (kinds[STATION_KIND_HOUSE], kinds[STATION_KIND_STATION], kinds[STATION_KIND_LIAISON_POINT]) == (1, 6, 12)


def test_a_group_counts_as_led_with_all_members_and_one_leader() -> None:
    leaders = [[True, *[False] * (MEMBERS_A_GROUP - 1)], [False] * MEMBERS_A_GROUP, [True], []]
    groups = [OversightGroup(members=[OversightMember(leader=leads) for leads in one]) for one in leaders]
    both, own = AttendanceGround(by_right=True), AttendanceGround()
    found = Found(Counter(), groups, [Attendee(grounds=[own, both]), Attendee(grounds=[own])])
    assert (found.led, found.by_right) == (1, 1)
    assert not all(figure.equal for figure in table.of_baitao(found))


def test_baitaos_year_has_the_published_sums_and_is_the_same_in_every_run() -> None:
    delegates = [f"mandates/{number}" for number in range(71)]
    acts = planned(delegates)
    assert acts == planned(delegates)
    times: Counter[int] = Counter()
    for act in acts:
        times[act.kind] += len(set(act.mandates))
    assert times[ACTIVITY_KIND_INSPECTION] + times[ACTIVITY_KIND_LAW_ENFORCEMENT_CHECK] == 92
    assert times[ACTIVITY_KIND_POLICY_OUTREACH] == 126
    assert {act.day.year for act in acts} == {2023}
    assert len(acts) <= 1000


def test_a_year_that_was_not_recorded_is_said_to_differ() -> None:
    assert not any(figure.equal for figure in table.of_the_year(Year.of(Performance())))
    kinds = [KindTotal(kind=ACTIVITY_KIND_INSPECTION, person_times=62)]
    kinds += [KindTotal(kind=ACTIVITY_KIND_LAW_ENFORCEMENT_CHECK, person_times=30)]
    kinds += [KindTotal(kind=ACTIVITY_KIND_POLICY_OUTREACH, person_times=126)]
    whole = Performance(kinds=kinds, people_received=7_682)
    assert all(figure.equal for figure in table.of_the_year(Year.of(whole)))
