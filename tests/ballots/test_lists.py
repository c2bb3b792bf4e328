"""Lists of the ballots service: pages that are whole together, tokens that fit one list alone, filters, nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from quanyutong.ballots.v1 import campaigns_pb2, polls_pb2, projects_pb2, questions_pb2, suggestions_pb2
from quanyutong.common.v1 import audit_pb2
from services.__main__ import TARGETS
from tests.ballots.polling import ELECTRONIC, PAPER, Polling, grades, motion, projects, scores
from tests.ballots.season import Season
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import TOWN, TOWNSHIP_CONGRESS
from tests.harness import refused

INVALID = "ERROR_REASON_PAGE_TOKEN_INVALID"
ENTRIES = 4
Filled = tuple[Any, Any]


# What fills a list returns the request for it, and one for the same list under another filter.


async def polls(season: Season) -> Filled:
    polling = Polling(season.tenant, Path())
    meeting, _, _ = await polling.convened(1)
    for _ in range(ENTRIES):
        await polling.draft(meeting)
    return polls_pb2.ListPollsRequest(), polls_pb2.ListPollsRequest(meeting=meeting)


async def campaigns(season: Season) -> Filled:
    for number in range(ENTRIES):
        body = await season.assembly(await season.unit(101 + number, TOWN), TOWNSHIP_CONGRESS)
        await season.campaign(body, level=campaigns_pb2.PROJECT_LEVEL_TOWN)
    request = campaigns_pb2.ListCampaignsRequest
    return request(), request(level=campaigns_pb2.PROJECT_LEVEL_TOWN)


async def suggestions(season: Season) -> Filled:
    campaign, _ = await season.screening(ENTRIES)
    request = suggestions_pb2.ListSuggestionsRequest
    return request(), request(campaign=campaign)


async def candidates(season: Season) -> Filled:
    campaign, _ = await season.listed(ENTRIES)
    return projects_pb2.ListProjectsRequest(), projects_pb2.ListProjectsRequest(campaign=campaign)


async def progress_reports(season: Season) -> Filled:
    project, other = await season.started(), await season.listing()
    for percent in range(ENTRIES):
        await season.report(project, percent)
    return _of(projects_pb2.ListProgressReportsRequest, project, other)


async def inspections(season: Season) -> Filled:
    project, other = await season.started(), await season.listing()
    for _ in range(ENTRIES):
        await season.inspect(project)
    return _of(projects_pb2.ListInspectionsRequest, project, other)


async def timeline(season: Season) -> Filled:
    return _of(projects_pb2.ListTimelineRequest, await season.started(), await season.listing())


async def decisions(season: Season) -> Filled:
    project = await season.started()
    for _ in range(ENTRIES):
        await season.decide(project, projects_pb2.DECISION_KIND_ADJUST)
    return projects_pb2.ListDecisionsRequest(), projects_pb2.ListDecisionsRequest(project=project)


async def audit(season: Season) -> Filled:
    await season.screening(ENTRIES)
    request = audit_pb2.ListAuditRequest
    return request(resource="suggestion"), request(resource="suggestion", subject="tester")


def _of(request: Any, project: str, projects: list[str]) -> Filled:
    """What one project has, and what another one has."""
    return request(parent=project), request(parent=next(name for name in projects if name != project))


LISTS: Mapping[str, Callable[[Season], Awaitable[Filled]]] = {
    "ListPolls": polls,
    "ListCampaigns": campaigns,
    "ListSuggestions": suggestions,
    "ListProjects": candidates,
    "ListProgressReports": progress_reports,
    "ListInspections": inspections,
    "ListTimeline": timeline,
    "ListDecisions": decisions,
    "ListAudit": audit,
}


async def page(season: Season, rpc: str, request: Any, size: int, token: str = "") -> tuple[list[Any], str]:
    """The entries of one page, and the token of the next."""
    request.page_size, request.page_token = size, token
    answer = await season.vote(rpc, request)
    (field,) = (name for name in answer.DESCRIPTOR.fields_by_name if name != "next_page_token")
    return list(getattr(answer, field)), answer.next_page_token


@asynccontextmanager
async def season_of(platforms: Platforms) -> AsyncIterator[Season]:
    async with fresh_tenant(platforms, "all-direct") as tenant:
        yield Season(tenant)


def test_every_list_is_tested() -> None:
    names = {method.name for method in TARGETS["ballots"].service.methods if method.name.startswith("List")}
    assert names == LISTS.keys()


@pytest.mark.parametrize("rpc", LISTS)
async def test_pages_together_are_the_list(platforms: Platforms, rpc: str) -> None:
    async with season_of(platforms) as season:
        request, filtered = await LISTS[rpc](season)
        whole, end = await page(season, rpc, request, 500)
        assert (len(whole) >= ENTRIES - 1, end) == (True, "")
        for size in (1, len(whole) - 1, len(whole)):
            found, token = await page(season, rpc, request, size)
            while token:
                assert len(found) % size == 0
                more, token = await page(season, rpc, request, size, token)
                found += more
            assert found == whole
        _, token = await page(season, rpc, request, 1)
        assert await refused(page(season, rpc, filtered, 1, token)) == INVALID
        assert await refused(page(season, rpc, request, 1, token[:-4])) == INVALID


EMPTY = (
    polls_pb2.ListPollsRequest(),
    campaigns_pb2.ListCampaignsRequest(),
    suggestions_pb2.ListSuggestionsRequest(),
    projects_pb2.ListProjectsRequest(),
    projects_pb2.ListDecisionsRequest(),
)


async def test_a_district_that_has_nothing(platforms: Platforms) -> None:
    async with season_of(platforms) as season:
        for request in EMPTY:
            rpc = request.DESCRIPTOR.name.removesuffix("Request")
            assert await page(season, rpc, request, 50) == ([], "")


async def test_polls_by_what_they_are(platforms: Platforms, tmp_path: Path) -> None:
    async with fresh_tenant(platforms, "all-direct") as tenant:
        polling, kinds = Polling(tenant, tmp_path), questions_pb2.QuestionKind
        meeting, _, _ = await polling.convened(1)
        whole = (await polling.draft(meeting, projects(), motion())).name
        paper = (await polling.draft(meeting, grades(), method=PAPER)).name
        points = (await polling.draft(meeting, scores())).name
        await polling.do_poll("Void", points, reason="不再测评")
        void = polls_pb2.POLL_STATE_VOID
        filtered: list[tuple[dict[str, Any], list[str]]] = [
            ({}, [whole, paper, points]),
            ({"kind": kinds.QUESTION_KIND_SELECT}, [whole]),
            ({"kind": kinds.QUESTION_KIND_MOTION}, [whole]),
            ({"kind": kinds.QUESTION_KIND_GRADES}, [paper]),
            ({"kind": kinds.QUESTION_KIND_SCORES, "state": void}, [points]),
            ({"kind": kinds.QUESTION_KIND_SCORES, "method": PAPER}, []),
            ({"method": ELECTRONIC}, [whole, points]),
            ({"state": void, "meeting": meeting}, [points]),
        ]
        for filters, expected in filtered:
            found = await polling.vote("ListPolls", polls_pb2.ListPollsRequest(**filters))
            assert [each.name for each in found.polls] == expected, filters
