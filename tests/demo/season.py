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


@dataclass(frozen=True)
class There:
    """What an earlier run has left: campaigns by their body, polls by their meeting."""

    campaigns: Mapping[str, campaigns.Campaign]
    polls: Mapping[str, polls_pb2.Poll]

    def has_voted(self, body: str) -> bool:
        return body in self.campaigns and self.campaigns[body].state in VOTED


class Season:
    """The seasons of one district, by a token of its clerk and examiner."""

    def __init__(self, stub: BallotsServiceStub, metadata: Metadata, polling: Polling) -> None:
        self._stub = stub
        self._metadata = metadata
        self._polling = polling

    async def there(self) -> There:
        wanted = campaigns.ListCampaignsRequest(year=YEAR, page_size=MOST)
        found, polls = await asyncio.gather(
            self._call("ListCampaigns", wanted), self._call("ListPolls", polls_pb2.ListPollsRequest(page_size=MOST))
        )
        return There({each.body: each for each in found.campaigns}, {each.meeting: each for each in polls.polls})

    async def listed(self, vote: Vote, there: There, meeting: Meeting) -> Sequence[projects_pb2.Project]:
        """The candidates of the campaign, brought to its fixed list; none where the poll on them is there already."""
        if meeting.name in there.polls:
            return ()
        campaign, candidates = await self._listed(vote, there.campaigns.get(vote.body))
        return candidates or await self._candidates(campaign)

    async def hold(
        self, vote: Vote, there: There, meeting: Meeting, candidates: Sequence[projects_pb2.Project]
    ) -> None:
        """The poll on them, to its announcement, from which adoption follows. Raises a refusal, or RosterLate."""
        poll = there.polls.get(meeting.name) or await self._drafted_poll(vote, meeting, candidates)
        await self._polling.hold(poll, vote.places, meeting)

    async def _listed(
        self, vote: Vote, there: campaigns.Campaign | None
    ) -> tuple[campaigns.Campaign, Sequence[projects_pb2.Project]]:
        """Brings the campaign to its fixed list. With the candidates, where this run has made all of them."""
        campaign = there or await self._drafted(vote)
        collected, made = list[suggestions.Suggestion](), list[projects_pb2.Project]()
        if campaign.state == campaigns.CAMPAIGN_STATE_DRAFTED:
            campaign = await self._step("PublishNotice", campaign)
        if campaign.state == campaigns.CAMPAIGN_STATE_COLLECTING:
            collected = list(await self._left(campaign)) if there else []
            collected = collected or await self._collected(campaign, vote.candidates)
            campaign = await self._step("CloseCollection", campaign)
        if campaign.state == campaigns.CAMPAIGN_STATE_SCREENING:
            left = collected or await self._left(campaign)
            made = await self._screened(campaign, left, vote.candidates) if left else made
            campaign = await self._step("FixCandidates", campaign)
        return campaign, made

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
        for wait in patience():
            try:
                return await self._call(rpc, request)
            except grpc.aio.AioRpcError as error:
                if reason(error) != unheard:
                    raise
            await asyncio.sleep(wait)
        raise RosterLate("the ballots service has not heard of a body or a meeting")

    async def _collected(
        self, campaign: campaigns.Campaign, candidates: Sequence[Candidate]
    ) -> list[suggestions.Suggestion]:
        """All of them or none are entered: where one is, an earlier run has entered them all."""
        entries = [
            suggestions.Suggestion(
                campaign=campaign.name,
                source=suggestions.SUGGESTION_SOURCE_RESIDENT,
                channel=campaigns.COLLECTION_CHANNEL_ONLINE,
                content=candidate.content,
                receive_date=date_message(FIRST),
            )
            for candidate in candidates
        ]
        request = suggestions.BatchCollectSuggestionsRequest(suggestions=entries)
        return list((await self._call("BatchCollectSuggestions", identified(request))).suggestions)

    async def _left(self, campaign: campaigns.Campaign) -> Sequence[suggestions.Suggestion]:
        """Suggestions that are not dealt with yet."""
        request = suggestions.ListSuggestionsRequest(
            campaign=campaign.name, state=suggestions.SUGGESTION_STATE_COLLECTED, page_size=MOST
        )
        return list((await self._call("ListSuggestions", request)).suggestions)

    async def _screened(
        self,
        campaign: campaigns.Campaign,
        left: Sequence[suggestions.Suggestion],
        candidates: Sequence[Candidate],
    ) -> list[projects_pb2.Project]:
        """All of them or none become candidates."""
        projects = {candidate.content: project_of(candidate) for candidate in candidates}
        settled = [suggestions.ScreenedSuggestion(name=each.name, project=projects[each.content]) for each in left]
        request = suggestions.BatchMakeCandidatesRequest(campaign=campaign.name, suggestions=settled)
        return list((await self._call("BatchMakeCandidates", identified(request))).projects)

    async def _candidates(self, campaign: campaigns.Campaign) -> Sequence[projects_pb2.Project]:
        listed = projects_pb2.ListProjectsRequest(campaign=campaign.name, page_size=MOST)
        return list((await self._call("ListProjects", listed)).projects)

    async def _drafted_poll(
        self, vote: Vote, meeting: Meeting, candidates: Sequence[projects_pb2.Project]
    ) -> polls_pb2.Poll:
        """A selection whose options are the candidates, each by its own id."""
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


def project_of(candidate: Candidate) -> projects_pb2.Project:
    """What screening says of a suggestion."""
    return projects_pb2.Project(
        title=candidate.title,
        content=candidate.content,
        cost_fen=candidate.cost_fen,
        feasibility=FEASIBLE,
        department=candidate.department,
        beneficiaries=candidate.beneficiaries,
    )
