"""Campaigns and what is suggested in them, until the candidates are fixed."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis import clock
from quanyutong.ballots.v1 import campaigns_pb2 as campaigns
from quanyutong.ballots.v1 import projects_pb2 as projects
from quanyutong.ballots.v1 import suggestions_pb2 as suggestions
from services.ballots.campaign_path import unit_of
from services.ballots.domain import Refused
from services.ballots.impersonal import check_impersonal
from tests.ballots.season import FIRST, LAST, ONLINE, STATION, YEAR, Season
from tests.contract.office import TOWN, TOWNSHIP_CONGRESS, mask, on
from tests.harness import reason, refused, until

PREFIX = "ERROR_REASON_"


async def nominate(season: Season, campaign: str, nominated: str) -> suggestions.Suggestion:
    request = suggestions.NominateSuggestionRequest(campaign=campaign, nominated=nominated, content="加装电梯")
    made: suggestions.Suggestion = await season.vote("NominateSuggestion", request)
    return made


async def suggested(season: Season, **filters: Any) -> list[str]:
    request = suggestions.ListSuggestionsRequest(**filters)
    return [each.name for each in (await season.vote("ListSuggestions", request)).suggestions]


async def test_from_the_draft_to_the_list(season: Season) -> None:
    made = await season.campaign(places=2)
    assert (made.state, made.candidates) == (campaigns.CAMPAIGN_STATE_DRAFTED, 0)
    collecting = await season.run("PublishNotice", made.name)
    assert collecting.state == campaigns.CAMPAIGN_STATE_COLLECTING
    assert collecting.HasField("notice_time")
    collected = [(await season.suggest(made.name)).name for _ in range(3)]
    assert (await season.run("CloseCollection", made.name)).state == campaigns.CAMPAIGN_STATE_SCREENING
    for suggestion in collected:
        await season.candidate(suggestion)
    listed = await season.run("FixCandidates", made.name)
    assert (listed.state, listed.candidates) == (campaigns.CAMPAIGN_STATE_LISTED, 3)
    assert listed.listed_late  # the December of the year before is over
    assert [version.partition("@")[0] for version in listed.rule_versions] == [
        "livelihood_projects.collection_opens",
        "livelihood_projects.surplus_min",
        "livelihood_projects.screening",
    ]
    assert await season.vote("GetCampaign", campaigns.GetCampaignRequest(name=made.name)) == listed


async def test_a_draft_can_be_changed_and_nothing_later(season: Season) -> None:
    made = await season.campaign()
    made.title, made.places = "改题", 7
    request = campaigns.UpdateCampaignRequest(campaign=made, update_mask=mask("title"))
    changed = await season.vote("UpdateCampaign", request)
    assert (changed.title, changed.places) == ("改题", 1)
    await season.run("PublishNotice", made.name)
    request.campaign.etag = ""
    assert await refused(season.vote("UpdateCampaign", request)) == f"{PREFIX}CAMPAIGN_STATE_REFUSED"


async def test_one_campaign_a_year(season: Season) -> None:
    body = await season.assembly()
    await season.campaign(body)
    again = campaigns.CreateCampaignRequest(campaign=season.drafted(body))
    assert await refused(season.vote("CreateCampaign", again)) == f"{PREFIX}CAMPAIGN_EXISTS"
    await season.campaign(body, year=YEAR + 1, start_date=on(date(YEAR, 10, 1)), end_date=on(date(YEAR, 11, 30)))


async def test_collection_opens_in_october_unless_the_district_says_otherwise(season: Season) -> None:
    september = {"start_date": on(date(YEAR - 1, 9, 1))}
    early = season.campaign(await season.assembly(), **september)
    assert await refused(early) == f"{PREFIX}COLLECTION_WINDOW_REFUSED"
    await season.override("9", rule="rules/livelihood_projects.collection_opens")
    body = await season.assembly(await season.unit(2))

    async def heard() -> campaigns.Campaign | None:
        """Once the ballots service knows of the override."""
        try:
            return await season.campaign(body, **september)
        except grpc.aio.AioRpcError as error:
            if reason(error) != f"{PREFIX}COLLECTION_WINDOW_REFUSED":
                raise
            return None

    made = await until(heard)
    assert made is not None
    assert made.rule_versions[0].endswith("+r1")


async def test_the_level_fits_the_body(season: Season) -> None:
    town = await season.assembly(await season.unit(101, TOWN), TOWNSHIP_CONGRESS)
    made = await season.campaign(town, level=campaigns.PROJECT_LEVEL_TOWN)
    assert made.unit == f"units/{season.district}101"
    congress = await season.campaign(await season.congress(), level=campaigns.PROJECT_LEVEL_DISTRICT)
    assert congress.unit == ""


async def test_there_are_more_candidates_than_places(season: Season) -> None:
    campaign, collected = await season.screening(4, places=2)
    made = [(await season.candidate(each)).name for each in collected[:3]]
    await season.work("WithdrawCandidate", made[0], reason="用地未落实")
    assert await refused(season.run("FixCandidates", campaign)) == f"{PREFIX}CANDIDATES_TOO_FEW"
    await season.candidate(collected[3])
    assert (await season.run("FixCandidates", campaign)).candidates == 3
    late = season.work("WithdrawCandidate", made[1], reason="重复")
    assert await refused(late) == f"{PREFIX}CAMPAIGN_STATE_REFUSED"


async def test_what_is_alike_is_merged(season: Season) -> None:
    campaign, (first, second, third) = await season.screening(3)
    assert (await season.deal("Merge", second, into=first)).merged_into == first
    await season.deal("Merge", third, into=first)
    assert await refused(season.deal("Merge", first, into=second)) == f"{PREFIX}SUGGESTION_STATE_REFUSED"
    kept = await season.vote("GetSuggestion", suggestions.GetSuggestionRequest(name=first))
    assert kept.voices == 3
    made = await season.candidate(first)
    kept = await season.vote("GetSuggestion", suggestions.GetSuggestionRequest(name=first))
    assert (kept.state, kept.project) == (suggestions.SUGGESTION_STATE_CANDIDATE, made.name)
    assert (made.campaign, made.state) == (campaign, projects.PROJECT_STATE_CANDIDATE)


async def test_two_that_are_merged_into_each_other_at_once(season: Season) -> None:
    _, (one, other) = await season.screening(2)
    calls = (season.deal("Merge", one, into=other), season.deal("Merge", other, into=one))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1


async def test_what_is_nominated_is_entered_once(season: Season) -> None:
    campaign = await season.collecting(end_date=on(clock.today() + timedelta(30)))
    nominated = f"opinions/{uuid4()}"
    made = await asyncio.gather(*(nominate(season, campaign, nominated) for _ in range(4)))
    assert len({each.name for each in made}) == 1
    assert made[0].origin == nominated
    other = await nominate(season, campaign, f"delegateProposals/{uuid4()}")
    assert await suggested(season, campaign=campaign) == [made[0].name, other.name]


async def test_suggestions_come_in_as_the_campaign_says(season: Season) -> None:
    campaign = await season.collecting(channels=[ONLINE])
    assert (await season.suggest(campaign)).unit  # the campaign's own
    assert await refused(season.suggest(campaign, channel=STATION)) == f"{PREFIX}CHANNEL_NOT_OPEN"
    after = season.suggest(campaign, receive_date=on(LAST + timedelta(1)))
    assert await refused(after) == f"{PREFIX}SUGGESTION_OUTSIDE_WINDOW"


async def test_nothing_comes_in_once_the_collection_is_closed(season: Season) -> None:
    campaign = await season.collecting()
    calls = [season.suggest(campaign, f"建议{number}") for number in range(8)]
    closing = asyncio.create_task(season.run("CloseCollection", campaign))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert (await closing).state == campaigns.CAMPAIGN_STATE_SCREENING
    entered = [outcome.name for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert sorted(await suggested(season, campaign=campaign)) == sorted(entered)
    assert await refused(season.suggest(campaign)) == f"{PREFIX}CAMPAIGN_STATE_REFUSED"


async def test_lists(season: Season) -> None:
    campaign = await season.collecting()
    station: dict[str, Any] = {
        "source": suggestions.SUGGESTION_SOURCE_STATION,
        "channel": STATION,
        "origin": f"stations/{uuid4()}",
    }
    one, two = await season.suggest(campaign), await season.suggest(campaign, **station)
    await season.deal("Reject", one.name, reason="不属于民生实事")
    assert await suggested(season) == [one.name, two.name]
    assert await suggested(season, channel=STATION) == [two.name]
    assert await suggested(season, source=suggestions.SUGGESTION_SOURCE_STATION) == [two.name]
    assert await suggested(season, state=suggestions.SUGGESTION_STATE_REJECTED) == [one.name]
    assert await suggested(season, unit=f"units/{season.district}999") == []
    for filters, found in (
        ({"year": YEAR}, 1),
        ({"year": YEAR - 1}, 0),
        ({"state": campaigns.CAMPAIGN_STATE_COLLECTING}, 1),
    ):
        request = campaigns.ListCampaignsRequest(**filters)
        assert len((await season.vote("ListCampaigns", request)).campaigns) == found


@pytest.mark.parametrize(
    "content", ["联系13800138000", "电话 138-0013-8000", "身份证11010519491231002X。", "電話１３８００１３８０００"]
)
def test_no_contact_is_kept(content: str) -> None:
    with pytest.raises(Refused, match="CONTACT_REFUSED"):
        check_impersonal(content)


@pytest.mark.parametrize("content", ["投入1380万元", "服务 12800 人", "2027年10月1日前", "编号20270001380013800012345"])
def test_numbers_that_are_no_contact(content: str) -> None:
    check_impersonal(content)


@pytest.mark.parametrize(
    ("given", "of_campaign", "unit"),
    [
        ("", "", ""),
        ("500102013", "", "500102013"),
        ("", "500102013", "500102013"),
        ("500102013", "500102013", "500102013"),
        ("", "500153103", "500153103"),  # of a district that has become part of this one
    ],
)
def test_the_unit_is_the_campaigns_or_one_of_the_district(given: str, of_campaign: str, unit: str) -> None:
    assert unit_of(given, of_campaign, "500102") == unit


@pytest.mark.parametrize(("given", "of_campaign"), [("500153103", ""), ("500102014", "500102013")])
def test_another_unit_is_refused(given: str, of_campaign: str) -> None:
    with pytest.raises(Refused, match="UNIT_REFUSED"):
        unit_of(given, of_campaign, "500102")


def resident(campaign: str, content: str, **fields: Any) -> suggestions.Suggestion:
    source = suggestions.SUGGESTION_SOURCE_RESIDENT
    given = {"channel": ONLINE, "receive_date": on(FIRST), **fields}
    return suggestions.Suggestion(campaign=campaign, source=source, content=content, **given)


async def batch(season: Season, *given: suggestions.Suggestion) -> list[suggestions.Suggestion]:
    request = suggestions.BatchCollectSuggestionsRequest(suggestions=given)
    return list((await season.vote("BatchCollectSuggestions", request)).suggestions)


async def test_many_suggestions_are_entered_in_their_order(season: Season) -> None:
    one, other = await season.collecting(), await season.collecting(body=await season.assembly(await season.unit(2)))
    made = await batch(season, resident(one, "甲"), resident(other, "乙"), resident(one, "丙"))
    assert [(each.campaign, each.content) for each in made] == [(one, "甲"), (other, "乙"), (one, "丙")]
    assert await suggested(season, campaign=one) == [made[0].name, made[2].name]


async def test_of_many_suggestions_all_are_entered_or_none(season: Season) -> None:
    campaign = await season.collecting()
    late = resident(campaign, "乙", receive_date=on(LAST + timedelta(1)))
    assert await refused(batch(season, resident(campaign, "甲"), late)) == f"{PREFIX}SUGGESTION_OUTSIDE_WINDOW"
    assert await suggested(season, campaign=campaign) == []


def many(season: Season, campaign: str, *names: str) -> Any:
    found = [
        suggestions.ScreenedSuggestion(name=name, project=season.screened(title=f"项目{place}"))
        for place, name in enumerate(names)
    ]
    request = suggestions.BatchMakeCandidatesRequest(campaign=campaign, suggestions=found)
    return season.vote("BatchMakeCandidates", request)


async def test_many_candidates_are_made_in_their_order(season: Season) -> None:
    campaign, collected = await season.screening(3)
    collected.reverse()
    made = (await many(season, campaign, *collected)).projects
    assert [(each.title, each.campaign) for each in made] == [(f"项目{place}", campaign) for place in range(3)]
    kept = [await season.vote("GetSuggestion", suggestions.GetSuggestionRequest(name=name)) for name in collected]
    assert [each.project for each in kept] == [each.name for each in made]
    assert (await season.run("FixCandidates", campaign)).candidates == 3


async def test_of_many_candidates_all_are_made_or_none(season: Season) -> None:
    campaign, (first, second) = await season.screening(2)
    _, (foreign,) = await season.screening(1, body=await season.assembly(await season.unit(2)))
    assert await refused(many(season, campaign, first, foreign)) == f"{PREFIX}SUGGESTIONS_APART"
    assert await refused(many(season, campaign, first, first)) == f"{PREFIX}SUGGESTION_STATE_REFUSED"
    await season.deal("Reject", second, reason="重复")
    assert await refused(many(season, campaign, first, second)) == f"{PREFIX}SUGGESTION_STATE_REFUSED"
    assert (await season.vote("GetCampaign", campaigns.GetCampaignRequest(name=campaign))).candidates == 0


async def test_many_candidates_made_twice_at_once_are_made_once(season: Season) -> None:
    campaign, collected = await season.screening(4)
    calls = (many(season, campaign, *collected), many(season, campaign, *reversed(collected)))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert (await season.vote("GetCampaign", campaigns.GetCampaignRequest(name=campaign))).candidates == 4
