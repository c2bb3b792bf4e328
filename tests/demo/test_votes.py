"""The demo's votes on livelihood projects: the published figures come out of what the services give back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from quanyutong.ballots.v1 import campaigns_pb2 as campaigns
from quanyutong.ballots.v1.polls_pb2 import POLL_METHOD_ELECTRONIC, POLL_METHOD_PAPER, Poll
from quanyutong.ballots.v1.projects_pb2 import (
    PROJECT_STATE_ADOPTED,
    PROJECT_STATE_CANDIDATE,
    PROJECT_STATE_NOT_ADOPTED,
    Project,
)
from quanyutong.registry.v1.units_pb2 import UNIT_KIND_TOWN, UNIT_KIND_TOWNSHIP, Unit
from quanyutong_client.verification import verify
from tests.contract.office import TOWN
from tests.demo import plan, published, table
from tests.demo.candidates import candidates, marked, votes
from tests.demo.city import City, planned
from tests.demo.cut import Cut
from tests.demo.meetings import Meetings
from tests.demo.programme import session
from tests.demo.registering import CONGRESS, District, register
from tests.demo.season import VOTED
from tests.demo.seasons import Seasons, first_of, level_of, votes_of
from tests.demo.standing import hall_at
from tests.demo.voted import Voted
from tests.meetings.secretariat import Secretariat


@pytest.fixture(scope="module")
def towns(units: Mapping[str, Sequence[Unit]]) -> dict[str, list[str]]:
    kinds = (UNIT_KIND_TOWN, UNIT_KIND_TOWNSHIP)
    return {
        code: [unit.name.removeprefix("units/") for unit in own if unit.kind in kinds] for code, own in units.items()
    }


@pytest.fixture(scope="module")
def districts(units: Mapping[str, Sequence[Unit]]) -> list[District]:
    return planned({code: f"{code}区" for code in units}, units)


def test_the_published_number_of_towns_votes_on_the_published_number_of_projects(towns: dict[str, list[str]]) -> None:
    projects = plan.town_projects(towns)
    assert (len(projects), sum(projects.values()), projects[published.WUJIA]) == (666, 3_347, 17)
    assert set(Counter(projects.values())) == {5, 6, 17}
    assert set(plan.with_quarterly_meetings(towns)) <= set(projects)
    assert sum(map(len, towns.values())) == 786


def test_the_published_number_of_districts_votes_on_the_published_number_of_projects(
    towns: dict[str, list[str]],
) -> None:
    projects = plan.district_projects(towns)
    assert (len(projects), sum(projects.values()), projects[published.NAN_AN]) == (18, 128, 10)
    assert plan.candidates(published.NAN_AN, 10) == 15
    assert plan.candidates("500101", 7) == 8


def test_the_choice_does_not_hang_on_the_order_in_which_it_is_told(towns: dict[str, list[str]]) -> None:
    turned = {code: own[::-1] for code, own in reversed(towns.items())}
    assert plan.town_projects(turned) == plan.town_projects(towns)
    assert plan.district_projects(turned) == plan.district_projects(towns)


def test_every_congress_of_a_district_votes_without_paper_and_some_towns_do(districts: Sequence[District]) -> None:
    found = [
        (one, vote)
        for one in districts
        for vote in votes_of(one, {unit: f"assemblies/{unit}" for unit in one.projects})
    ]
    assert len(found) == 18 + 666 + 1
    assert all(vote.electronic for _, vote in found if vote.unit == CONGRESS)
    electronic = [vote.unit for _, vote in found if vote.electronic and vote.unit]
    assert published.WUJIA in electronic
    assert 10 < len(electronic) < 20
    assert all(len(vote.candidates) > vote.places for _, vote in found)
    assert all(len({each.content for each in vote.candidates}) == len(vote.candidates) for _, vote in found)
    (baitao,) = [vote for _, vote in found if vote.level == campaigns.PROJECT_LEVEL_SUBDISTRICT]
    assert (baitao.unit, baitao.places) == (published.BAITAO, 16)


def test_enough_come_to_a_session_of_a_congress(districts: Sequence[District]) -> None:
    sessions = [session(one, unit) for one in districts for unit in one.projects if unit != published.BAITAO]
    assert all(3 * one.present >= 2 * one.seats > 0 for one in sessions)


def test_a_township_is_told_from_a_town(districts: Sequence[District]) -> None:
    levels = Counter(level_of(one, unit) for one in districts for unit in one.projects)
    assert levels[campaigns.PROJECT_LEVEL_DISTRICT] == 18
    assert levels[campaigns.PROJECT_LEVEL_TOWN] + levels[campaigns.PROJECT_LEVEL_TOWNSHIP] == 666
    assert levels[campaigns.PROJECT_LEVEL_TOWNSHIP] > 0


@pytest.mark.parametrize(("places", "up"), [(5, 6), (10, 15), (16, 17)])
@pytest.mark.parametrize("papers", [2, 4, 5, 38, 64, 132, 450])
def test_no_candidate_ties_with_the_last_place(places: int, up: int, papers: int) -> None:
    options = [f"p{number:02}" for number in range(up)]
    counted = votes(options, places, papers)
    assert counted.total() == places * papers
    assert min(counted[option] for option in options[:places]) > max(counted[option] for option in options[places:])
    assert all(len(set(marked(options, places, turn))) == places for turn in range(papers))


def test_candidates_are_the_same_in_every_run() -> None:
    assert list(candidates("500102", 15)) == list(candidates("500102", 15))
    assert list(candidates("500102", 15)) != list(candidates("500103", 15))


def a_project(poll: str, state: Any = PROJECT_STATE_ADOPTED, **fields: Any) -> Project:
    return Project(poll=poll, state=state, **{"level": campaigns.PROJECT_LEVEL_TOWN, "body": "assemblies/1", **fields})


def test_only_what_an_announced_poll_adopted_counts() -> None:
    polls = [Poll(name="polls/1", method=POLL_METHOD_PAPER)]
    own = [
        a_project("polls/1"),
        a_project("polls/1", unit="units/500153103"),
        a_project("polls/1", PROJECT_STATE_NOT_ADOPTED),
        a_project("", PROJECT_STATE_CANDIDATE),
        a_project("polls/2"),
    ]
    voted = Voted({"500153": (polls, own)})
    assert (voted.towns, voted.town_projects, voted.districts) == (1, 2, 0)
    assert voted.in_unit(published.WUJIA) == 1


def test_a_congress_that_voted_on_paper_did_not_vote_without() -> None:
    polls = [
        Poll(name="polls/1", method=POLL_METHOD_PAPER),
        Poll(name="polls/2", method=POLL_METHOD_ELECTRONIC),
    ]
    level = campaigns.PROJECT_LEVEL_DISTRICT
    own = [a_project(f"polls/{n}", level=level, body=f"assemblies/{n}") for n in (1, 2)]
    voted = Voted({"500102": (polls, own)})
    assert (voted.districts, voted.secret_in_districts, voted.district_projects) == (2, 1, 2)


def test_what_was_not_voted_on_is_said_to_differ() -> None:
    figures = table.of_projects(Voted({}), 0)
    assert len(figures) == 9
    assert not any(figure.equal for figure in figures)


def test_the_first_refusal_is_found_in_groups_within_groups() -> None:
    refusal = ValueError("refused")
    assert first_of(ExceptionGroup("", [ExceptionGroup("", [refusal]), KeyError()])) is refusal


def nothing() -> None:
    """No progress is shown."""


class Year:
    """The demo's own path for a fresh district, whose congress and whose town vote."""

    def __init__(self, secretariat: Secretariat, folder: Path) -> None:
        self._secretariat = secretariat
        self._folder = folder
        tenant = secretariat.tenant
        self.city = City(tenant.registry, tenant.platform.settings)

    async def district(self) -> District:
        made = await self._secretariat.unit(1, TOWN)
        code = made.removeprefix("units/")
        district = District(
            code=self._secretariat.district,
            name="试验区",
            units={code: "试验镇"},
            sizes={},
            towns={code: 5},
            deputies=6,
            meetings={},
            projects={code: 3, CONGRESS: 2},
        )
        await register([district], self._secretariat.tenant.registry, self.city.staff, nothing)
        return district

    def seasons(self, calls: int | None = None) -> Seasons:
        tenant = self._secretariat.tenant
        ballots: Any = tenant.ballots if calls is None else Cut(tenant.ballots, calls)
        meetings = Meetings(self.city, tenant.registry, tenant.meetings)
        address = tenant.platform.address(tenant.door, "ballots")
        return Seasons(self.city, meetings, tenant.meetings, ballots, hall_at(f"http://{address}"), self._folder)


async def test_both_ways_come_out_and_a_second_run_finds_them(secretariat: Secretariat, tmp_path: Path) -> None:
    year = Year(secretariat, tmp_path)
    district = await year.district()
    assert await year.seasons().hold([district], nothing) == 2
    voted = await year.seasons().read([district.code])
    assert (voted.districts, voted.secret_in_districts, voted.district_projects) == (1, 1, 2)
    assert (voted.towns, voted.town_projects) == (1, 3)
    report = verify(await year.seasons().board(district.code))
    assert report.is_sound
    assert report.board is not None
    assert len(report.board.ballots) == session(district, CONGRESS).present == 4
    assert await year.seasons().hold([district], nothing) == 0


async def test_a_run_that_was_cut_off_goes_on(secretariat: Secretariat, tmp_path: Path) -> None:
    year = Year(secretariat, tmp_path)
    district = await year.district()
    for cuts in count():
        try:
            await year.seasons(calls=6 + 6 * cuts).hold([district], nothing)
            break
        except ConnectionError:
            continue
    assert cuts > 1
    voted = await year.seasons().read([district.code])
    assert (voted.district_projects, voted.town_projects) == (2, 3)
    wanted = campaigns.ListCampaignsRequest()
    found = await secretariat.tenant.ballots.ListCampaigns(wanted, metadata=year.city.staff(district.code))
    assert [each.state in VOTED for each in found.campaigns] == [True, True]
