"""A season of livelihood projects (民生实事项目), as tests hold it: from a campaign to projects in work."""

from datetime import date
from typing import Any
from uuid import uuid4

import grpc
from pydantic import SecretStr

from chassis import clock, tenancy
from chassis.database import Database
from chassis.migrations import runtime_url
from quanyutong.ballots.v1 import campaigns_pb2 as campaigns
from quanyutong.ballots.v1 import projects_pb2 as projects
from quanyutong.ballots.v1 import suggestions_pb2 as suggestions
from services.ballots.adoption import adopt
from tests.contract.office import on
from tests.harness import reason, until
from tests.meetings.secretariat import Secretariat

ONLINE, STATION = campaigns.COLLECTION_CHANNEL_ONLINE, campaigns.COLLECTION_CHANNEL_STATION
SUBDISTRICT = campaigns.PROJECT_LEVEL_SUBDISTRICT
YEAR = clock.today().year
# October of the year before: over, whenever the tests run.
FIRST, LAST = date(YEAR - 1, 10, 1), date(YEAR - 1, 10, 31)
ROADS, SCHOOLS = "区交通局", "区教委"
COST = 1_200_000_00


class Season(Secretariat):
    """The office for projects (民生实事办)."""

    def drafted(self, body: str, **fields: Any) -> campaigns.Campaign:
        given: dict[str, Any] = {
            "level": SUBDISTRICT,
            "year": YEAR,
            "title": "民生实事项目征集",
            "places": 1,
            "start_date": on(FIRST),
            "end_date": on(LAST),
            "notice": "面向全体居民征集民生实事项目",
        }
        return campaigns.Campaign(body=body, **(given | fields))

    async def campaign(self, body: str | None = None, **fields: Any) -> campaigns.Campaign:
        """Drafted as soon as the ballots service has heard of the assembly."""
        drafted = self.drafted(body or await self.assembly(), **fields)
        request = campaigns.CreateCampaignRequest(campaign=drafted)

        async def entered() -> campaigns.Campaign | None:
            try:
                found: campaigns.Campaign = await self.vote("CreateCampaign", request)
            except grpc.aio.AioRpcError as error:
                if reason(error) == "ERROR_REASON_ASSEMBLY_NOT_FOUND":
                    return None
                raise
            return found

        made = await until(entered)
        assert made is not None
        return made

    async def run(self, verb: str, campaign: str, **fields: Any) -> campaigns.Campaign:
        """`verb` is `PublishNotice`, `CloseCollection`, `FixCandidates` or `CloseCampaign`."""
        done: campaigns.Campaign = await self.vote(verb, getattr(campaigns, f"{verb}Request")(name=campaign, **fields))
        return done

    async def collecting(self, **fields: Any) -> str:
        return (await self.run("PublishNotice", (await self.campaign(**fields)).name)).name

    async def suggest(self, campaign: str, content: str = "修建社区步道", **fields: Any) -> suggestions.Suggestion:
        given: dict[str, Any] = {
            "source": suggestions.SUGGESTION_SOURCE_RESIDENT,
            "channel": ONLINE,
            "receive_date": on(FIRST),
        }
        suggestion = suggestions.Suggestion(campaign=campaign, content=content, **(given | fields))
        request = suggestions.CollectSuggestionRequest(suggestion=suggestion)
        collected: suggestions.Suggestion = await self.vote("CollectSuggestion", request)
        return collected

    async def deal(self, verb: str, suggestion: str, **fields: Any) -> Any:
        """`verb` is `Merge` or `Reject`."""
        request = getattr(suggestions, f"{verb}SuggestionRequest")(name=suggestion, **fields)
        return await self.vote(f"{verb}Suggestion", request)

    async def screening(self, count: int, **fields: Any) -> tuple[str, list[str]]:
        """A campaign that is being screened, and its suggestions."""
        campaign = await self.collecting(**fields)
        made = [(await self.suggest(campaign, f"建议{number}")).name for number in range(count)]
        await self.run("CloseCollection", campaign)
        return campaign, made

    def screened(self, **fields: Any) -> projects.Project:
        given: dict[str, Any] = {
            "title": "社区步道",
            "content": "修建步道两公里",
            "cost_fen": COST,
            "feasibility": "用地已落实",
        }
        return projects.Project(**(given | {"department": ROADS, "beneficiaries": 9000} | fields))

    async def candidate(self, suggestion: str, **fields: Any) -> projects.Project:
        request = suggestions.MakeCandidateRequest(name=suggestion, project=self.screened(**fields))
        made: projects.Project = await self.vote("MakeCandidate", request)
        return made

    async def listed(self, count: int = 2, **fields: Any) -> tuple[str, list[str]]:
        """A campaign whose candidates are fixed, and the candidates."""
        campaign, collected = await self.screening(count, **fields)
        made = [(await self.candidate(each, title=f"项目{number}")).name for number, each in enumerate(collected)]
        await self.run("FixCandidates", campaign)
        return campaign, made

    async def announce(self, poll: str, body: str, **outcomes: str) -> None:
        """What the announcement of a poll does, in its transaction: of option ids, what each ended in."""
        settings = self.tenant.platform.settings
        settings = settings.model_copy(update={"database_url": SecretStr(self.tenant.platform.postgres.url)})
        database = Database(runtime_url(settings, "ballots"), "ballots", 1, 30)
        try:
            with tenancy.acting_for(self.district):
                async with database.write() as tx:
                    await adopt(tx, poll, body, outcomes)
        finally:
            await database.close()

    async def voted(self, adopted: list[str], dropped: list[str]) -> str:
        """The poll that said so."""
        poll = f"polls/{uuid4()}"
        outcomes = dict.fromkeys(adopted, "adopted") | dict.fromkeys(dropped, "not_adopted")
        body = (await self.shown([*adopted, *dropped][0])).body
        await self.announce(poll, body, **{key(name): outcome for name, outcome in outcomes.items()})
        return poll

    async def adopted(self, **fields: Any) -> str:
        """A project that was adopted, over another one."""
        _, (chosen, other) = await self.listed(**fields)
        await self.voted([chosen], [other])
        return chosen

    async def work(self, verb: str, project: str, **fields: Any) -> projects.Project:
        """An RPC that takes the name of a project and answers with the project."""
        done: projects.Project = await self.vote(verb, getattr(projects, f"{verb}Request")(name=project, **fields))
        return done

    async def undertaken(self, **fields: Any) -> str:
        project = await self.adopted(**fields)
        await self.assign(project)
        return project

    async def assign(self, project: str) -> None:
        undertakers = [projects.ProjectUndertaker(display_name=ROADS, lead=True), _helping(SCHOOLS)]
        await self.work("AssignUndertakers", project, undertakers=undertakers)

    async def carry_out(self, project: str) -> None:
        """An adopted one, to its acceptance."""
        await self.assign(project)
        await self.work("StartProject", project)
        await self.report(project, 100)
        await self.inspect(project)
        await self.evaluate(project)
        await self.work("AcceptProject", project, note="验收合格")

    async def started(self, **fields: Any) -> str:
        project = await self.undertaken(**fields)
        await self.work("StartProject", project)
        return project

    async def shown(self, project: str) -> projects.Project:
        return await self.work("GetProject", project)

    async def report(self, project: str, percent: int, spent: int = 0, **fields: Any) -> projects.ProgressReport:
        given = {"content": "按计划推进"} | fields
        report = projects.ProgressReport(project=project, percent=percent, spent_fen=spent, **given)
        request = projects.ReportProgressRequest(progress_report=report)
        made: projects.ProgressReport = await self.vote("ReportProgress", request)
        return made

    async def inspect(self, project: str, passed: bool = True, **fields: Any) -> projects.Inspection:
        given = {"inspectors": "城乡建设和生态环境监督小组", "findings": "质量合格"} | fields
        inspection = projects.Inspection(project=project, passed=passed, **given)
        made: projects.Inspection = await self.vote(
            "InspectProject", projects.InspectProjectRequest(inspection=inspection)
        )
        return made

    async def evaluate(self, project: str, satisfied: int = 30, basically: int = 10, not_: int = 0) -> projects.Project:
        evaluation = projects.ProjectEvaluation(
            members=50, satisfied=satisfied, basically_satisfied=basically, dissatisfied=not_
        )
        return await self.work("EvaluateProject", project, evaluation=evaluation)

    async def evaluated(self, percent: int = 100, **fields: Any) -> str:
        project = await self.started(**fields)
        await self.report(project, percent)
        await self.inspect(project)
        await self.evaluate(project)
        return project

    async def furnished(self, body: str) -> dict[str, str]:
        """A campaign and a project of it that was adopted and adjusted, with all that a project has: names by kind."""
        project = await self.started(body=body)
        await self.report(project, 40)
        await self.inspect(project)
        last = on(date(YEAR, 12, 31))
        await self.work("AddTask", project, task=projects.ProjectTask(title="勘察设计", due_date=last))
        shown = await self.work("AddMilestone", project, milestone=projects.Milestone(title="开工", due_date=last))
        collected = suggestions.ListSuggestionsRequest(campaign=shown.campaign, page_size=1)
        return {
            "campaign": shown.campaign,
            "suggestion": (await self.vote("ListSuggestions", collected)).suggestions[0].name,
            "project": project,
            "task": shown.tasks[0].name,
            "milestone": shown.milestones[0].name,
            "decision": (await self.decide(project, projects.DECISION_KIND_ADJUST)).name,
        }

    async def decide(self, project: str, kind: Any, **fields: Any) -> projects.Decision:
        given: dict[str, Any] = {
            "decider": projects.DECIDER_STANDING_COMMITTEE,
            "reporter": ROADS,
            "reason": "征地尚未完成",
            "content": "同意调整",
        }
        decision = projects.Decision(project=project, kind=kind, **(given | fields))
        made: projects.Decision = await self.vote("DecideProject", projects.DecideProjectRequest(decision=decision))
        return made

    async def follow(self, verb: str, decision: str, **fields: Any) -> projects.Decision:
        """`verb` is `GiveDecisionNotice` or `ReportDecision`."""
        done: projects.Decision = await self.vote(verb, getattr(projects, f"{verb}Request")(name=decision, **fields))
        return done

    async def listing(self, **filters: Any) -> list[str]:
        request = projects.ListProjectsRequest(**filters)
        return [project.name for project in (await self.vote("ListProjects", request)).projects]

    async def timeline(self, project: str) -> list[projects.ProjectStep]:
        request = projects.ListTimelineRequest(parent=project, page_size=500)
        return list((await self.vote("ListTimeline", request)).steps)


def _helping(name: str) -> projects.ProjectUndertaker:
    return projects.ProjectUndertaker(display_name=name)


def key(name: str) -> str:
    """The id of an option that stands for a project."""
    return name.partition("/")[2]
