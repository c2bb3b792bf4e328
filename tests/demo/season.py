"""One body's season of livelihood projects (民生实事项目): collected, screened, voted on, adopted.

Whatever of it an earlier run has done is found, and the next step is made from there.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import grpc

from chassis.wire import date_message
from quanyutong.ballots.v1 import campaigns_pb2 as campaigns
from quanyutong.ballots.v1 import polls_pb2, projects_pb2, questions_pb2
from quanyutong.ballots.v1 import suggestions_pb2 as suggestions
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceStub
from quanyutong.meetings.v1.meeting_pb2 import Meeting
from tests.demo.candidates import Candidate
from tests.demo.holding import RosterLate, patience
from tests.demo.identified import identified
from tests.demo.polling import Polling
from tests.demo.registering import Metadata
from tests.harness import reason

YEAR = 2023
FIRST, LAST = date(YEAR - 1, 10, 10), date(YEAR - 1, 11, 10)
MOST = 500
POLL = 0.2
FEASIBLE = "选址和资金已论证（演示数据）"
QUESTION = "projects"
VOTED = (campaigns.CAMPAIGN_STATE_VOTED, campaigns.CAMPAIGN_STATE_DONE)


@dataclass(frozen=True)
class Vote:
    """Which body votes on what, and how."""

    unit: str
    body: str
    level: "campaigns.ProjectLevel.ValueType"
    places: int
    candidates: Sequence[Candidate]
    electronic: bool
    title: str

    @property
    def method(self) -> "polls_pb2.PollMethod.ValueType":
        return polls_pb2.POLL_METHOD_ELECTRONIC if self.electronic else polls_pb2.POLL_METHOD_PAPER


class Season:
    """The seasons of one district, by a token of its clerk and examiner."""

    def __init__(self, stub: BallotsServiceStub, metadata: Metadata, polling: Polling) -> None:
        self._stub = stub
        self._metadata = metadata
        self._polling = polling

    async def there(self) -> Mapping[str, campaigns.Campaign]:
        """The district's campaigns of the year, by their body."""
        request = campaigns.ListCampaignsRequest(year=YEAR, page_size=MOST)
        return {each.body: each for each in (await self._call("ListCampaigns", request)).campaigns}

    async def list_candidates(self, vote: Vote, there: campaigns.Campaign | None) -> campaigns.Campaign:
        """Brings the campaign to its fixed list of candidates. Raises the first refusal, or RosterLate."""
        campaign = there or await self._drafted(vote)
        if campaign.state == campaigns.CAMPAIGN_STATE_DRAFTED:
            campaign = await self._step("PublishNotice", campaign)
        if campaign.state == campaigns.CAMPAIGN_STATE_COLLECTING:
            await self._collect(vote, campaign)
            campaign = await self._step("CloseCollection", campaign)
        if campaign.state == campaigns.CAMPAIGN_STATE_SCREENING:
            await self._screen(vote, campaign)
            campaign = await self._step("FixCandidates", campaign)
        return campaign

    async def vote(self, vote: Vote, campaign: campaigns.Campaign, meeting: Meeting) -> None:
        """Holds the poll on the list to its announcement, from which adoption follows."""
        await self._polling.hold(await self._poll(vote, campaign, meeting), vote.places, meeting)

    async def _call(self, rpc: str, request: Any) -> Any:
        return await getattr(self._stub, rpc)(request, metadata=self._metadata)

    async def _step(self, verb: str, campaign: campaigns.Campaign) -> campaigns.Campaign:
        request = getattr(campaigns, f"{verb}Request")(name=campaign.name)
        done: campaigns.Campaign = await self._call(verb, identified(request))
        return done

    async def _drafted(self, vote: Vote) -> campaigns.Campaign:
        drafted = campaigns.Campaign(
            body=vote.body,
            level=vote.level,
            year=YEAR,
            title=f"{YEAR}年民生实事项目征集",
            places=vote.places,
            start_date=date_message(FIRST),
            end_date=date_message(LAST),
            notice="面向全体居民征集民生实事项目（演示数据）",
        )
        request = identified(campaigns.CreateCampaignRequest(campaign=drafted))
        made: campaigns.Campaign = await self._heard("CreateCampaign", request, "ERROR_REASON_ASSEMBLY_NOT_FOUND")
        return made

    async def _heard(self, rpc: str, request: Any, unheard: str) -> Any:
        """The answer, as soon as the ballots service has heard of what the request is about."""
        for _ in patience():
            try:
                return await self._call(rpc, request)
            except grpc.aio.AioRpcError as error:
                if reason(error) != unheard:
                    raise
            await asyncio.sleep(POLL)
        raise RosterLate("the ballots service has not heard of a body or a meeting")

    async def _collect(self, vote: Vote, campaign: campaigns.Campaign) -> None:
        """Collecting is repeatable: the same suggestion of the demo is entered once, by its request_id."""
        for candidate in vote.candidates:
            suggestion = suggestions.Suggestion(
                campaign=campaign.name,
                source=suggestions.SUGGESTION_SOURCE_RESIDENT,
                channel=campaigns.COLLECTION_CHANNEL_ONLINE,
                content=candidate.content,
                receive_date=date_message(FIRST),
            )
            request = suggestions.CollectSuggestionRequest(suggestion=suggestion)
            await self._call("CollectSuggestion", identified(request))

    async def _screen(self, vote: Vote, campaign: campaigns.Campaign) -> None:
        """Each suggestion that is not dealt with becomes a candidate."""
        wanted = {candidate.content: candidate for candidate in vote.candidates}
        request = suggestions.ListSuggestionsRequest(
            campaign=campaign.name, state=suggestions.SUGGESTION_STATE_COLLECTED, page_size=MOST
        )
        for each in (await self._call("ListSuggestions", request)).suggestions:
            candidate = wanted[each.content]
            project = projects_pb2.Project(
                title=candidate.title,
                content=candidate.content,
                cost_fen=candidate.cost_fen,
                feasibility=FEASIBLE,
                department=candidate.department,
                beneficiaries=candidate.beneficiaries,
            )
            made = suggestions.MakeCandidateRequest(name=each.name, project=project)
            await self._call("MakeCandidate", identified(made))

    async def _poll(self, vote: Vote, campaign: campaigns.Campaign, meeting: Meeting) -> polls_pb2.Poll:
        """The poll of the meeting, drafted where it is missing; its options are the candidates."""
        there = await self._call("ListPolls", polls_pb2.ListPollsRequest(meeting=meeting.name, page_size=MOST))
        if there.polls:
            found: polls_pb2.Poll = await self._call("GetPoll", polls_pb2.GetPollRequest(name=there.polls[0].name))
            return found
        listed = projects_pb2.ListProjectsRequest(campaign=campaign.name, page_size=MOST)
        candidates = (await self._call("ListProjects", listed)).projects
        question = questions_pb2.Question(
            id=QUESTION,
            title="票决民生实事项目",
            options=[
                questions_pb2.Option(id=each.name.removeprefix("projects/"), title=each.title)
                for each in sorted(candidates, key=lambda each: (each.title, each.name))
            ],
            select=questions_pb2.SelectRule(places=vote.places),
        )
        poll = polls_pb2.Poll(meeting=meeting.name, title=vote.title, questions=[question], method=vote.method)
        request = identified(polls_pb2.CreatePollRequest(poll=poll))
        made: polls_pb2.Poll = await self._heard("CreatePoll", request, "ERROR_REASON_MEETING_NOT_FOUND")
        return made
