"""Campaigns, suggestions and projects."""

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chassis import clock
from quanyutong.ballots.v1 import campaigns_pb2 as campaigns
from quanyutong.ballots.v1 import projects_pb2 as projects
from quanyutong.ballots.v1 import questions_pb2
from quanyutong.ballots.v1 import suggestions_pb2 as suggestions
from quanyutong.meetings.v1 import meeting_pb2
from tests.ballots.polling import Polling, polling_of
from tests.ballots.season import COST, FIRST, STATION, YEAR, Season, key
from tests.contract.office import NOBODY, Office, on
from tests.contract.refusals import refused_with

TOMORROW = on(clock.today() + timedelta(1))
TASK = projects.ProjectTask(title="勘察设计", due_date=on(clock.today()))
MILESTONE = projects.Milestone(title="开工", due_date=on(clock.today()))


@refused_with("ASSEMBLY_NOT_FOUND")
async def campaign_of_nobody(office: Office) -> None:
    drafted = Season(office.tenant).drafted(f"assemblies/{NOBODY}")
    await office.vote("CreateCampaign", campaigns.CreateCampaignRequest(campaign=drafted))


@refused_with("CAMPAIGN_NOT_FOUND")
async def campaign_that_is_not_there(office: Office) -> None:
    await Season(office.tenant).run("PublishNotice", f"campaigns/{NOBODY}")


@refused_with("CAMPAIGN_EXISTS")
async def campaign_twice(office: Office) -> None:
    season = Season(office.tenant)
    body = await season.assembly()
    for _ in range(2):
        await season.campaign(body)


@refused_with("CAMPAIGN_STATE_REFUSED")
async def notice_twice(office: Office) -> None:
    season = Season(office.tenant)
    await season.run("PublishNotice", await season.collecting())


@refused_with("LEVEL_REFUSED")
async def campaign_of_another_level(office: Office) -> None:
    await Season(office.tenant).campaign(level=campaigns.PROJECT_LEVEL_TOWN)


@refused_with("COLLECTION_WINDOW_REFUSED")
async def collection_in_september(office: Office) -> None:
    await Season(office.tenant).campaign(start_date=on(FIRST - timedelta(1)))


@refused_with("COLLECTION_NOT_OVER")
async def screening_before_the_last_day_is_over(office: Office) -> None:
    season = Season(office.tenant)
    await season.run("CloseCollection", await season.collecting(end_date=TOMORROW))


@refused_with("CANDIDATES_TOO_FEW")
async def as_many_candidates_as_places(office: Office) -> None:
    await Season(office.tenant).listed(2, places=2)


@refused_with("PROJECTS_UNDER_WAY")
async def closing_what_is_under_way(office: Office) -> None:
    season = Season(office.tenant)
    await season.run("CloseCampaign", (await season.shown(await season.adopted())).campaign)


@refused_with("SUGGESTION_NOT_FOUND")
async def suggestion_that_is_not_there(office: Office) -> None:
    await Season(office.tenant).deal("Reject", f"suggestions/{NOBODY}", reason="重复")


@refused_with("SUGGESTION_STATE_REFUSED")
async def rejected_twice(office: Office) -> None:
    season = Season(office.tenant)
    made = await season.suggest(await season.collecting())
    for _ in range(2):
        await season.deal("Reject", made.name, reason="重复")


@refused_with("SUGGESTIONS_APART")
async def merged_into_itself(office: Office) -> None:
    season = Season(office.tenant)
    made = await season.suggest(await season.collecting())
    await season.deal("Merge", made.name, into=made.name)


@refused_with("SUGGESTION_OUTSIDE_WINDOW")
async def suggested_before_the_first_day(office: Office) -> None:
    season = Season(office.tenant)
    await season.suggest(await season.collecting(), receive_date=on(FIRST - timedelta(1)))


@refused_with("CHANNEL_NOT_OPEN")
async def suggested_by_a_channel_that_is_not_open(office: Office) -> None:
    season = Season(office.tenant)
    await season.suggest(await season.collecting(channels=[STATION]))


@refused_with("ORIGIN_REFUSED")
async def a_resident_who_is_named(office: Office) -> None:
    season = Season(office.tenant)
    await season.suggest(await season.collecting(), origin=f"persons/{NOBODY}")


@refused_with("ORIGIN_REFUSED")
async def nominated_without_its_own_call(office: Office) -> None:
    season = Season(office.tenant)
    nominated: dict[str, Any] = {"source": suggestions.SUGGESTION_SOURCE_NOMINATED, "origin": f"opinions/{NOBODY}"}
    await season.suggest(await season.collecting(), **nominated)


@refused_with("CONTACT_REFUSED")
async def suggested_with_a_telephone_number(office: Office) -> None:
    season = Season(office.tenant)
    await season.suggest(await season.collecting(), "请联系13800138000")


@refused_with("UNIT_REFUSED")
async def suggested_for_another_unit(office: Office) -> None:
    season = Season(office.tenant)
    await season.suggest(await season.collecting(), unit=f"units/{office.district}777")


@refused_with("PROJECT_NOT_FOUND")
async def project_that_is_not_there(office: Office) -> None:
    await Season(office.tenant).shown(f"projects/{NOBODY}")


@refused_with("PROJECT_STATE_REFUSED")
async def accepted_before_it_is_begun(office: Office) -> None:
    season = Season(office.tenant)
    await season.work("AcceptProject", await season.adopted(), note="合格")


@refused_with("UNDERTAKERS_REFUSED")
async def nobody_leads(office: Office) -> None:
    nobody = [projects.ProjectUndertaker(display_name="区教委")]
    await Season(office.tenant).work("AssignUndertakers", f"projects/{NOBODY}", undertakers=nobody)


@refused_with("UNDERTAKER_MISSING")
async def begun_by_nobody(office: Office) -> None:
    season = Season(office.tenant)
    await season.work("StartProject", await season.adopted())


@refused_with("TASK_NOT_FOUND")
async def task_that_is_not_there(office: Office) -> None:
    await office.vote("CompleteTask", projects.CompleteTaskRequest(name=f"tasks/{NOBODY}"))


@refused_with("TASK_DONE")
async def task_done_twice(office: Office) -> None:
    season = Season(office.tenant)
    shown = await season.work("AddTask", await season.undertaken(), task=TASK)
    for _ in range(2):
        await office.vote("CompleteTask", projects.CompleteTaskRequest(name=shown.tasks[0].name))


@refused_with("MILESTONE_NOT_FOUND")
async def milestone_that_is_not_there(office: Office) -> None:
    await office.vote("ReachMilestone", projects.ReachMilestoneRequest(name=f"milestones/{NOBODY}"))


@refused_with("MILESTONE_REACHED")
async def milestone_reached_twice(office: Office) -> None:
    season = Season(office.tenant)
    shown = await season.work("AddMilestone", await season.adopted(), milestone=MILESTONE)
    for _ in range(2):
        await office.vote("ReachMilestone", projects.ReachMilestoneRequest(name=shown.milestones[0].name))


@refused_with("PROGRESS_FELL")
async def less_than_before(office: Office) -> None:
    season = Season(office.tenant)
    project = await season.started()
    for percent in (50, 49):
        await season.report(project, percent)


@refused_with("BUDGET_EXCEEDED")
async def more_spent_than_granted(office: Office) -> None:
    season = Season(office.tenant)
    await season.report(await season.started(), 50, COST + 1)


@refused_with("PROJECT_INCOMPLETE")
async def accepted_before_it_is_complete(office: Office) -> None:
    season = Season(office.tenant)
    await season.work("AcceptProject", await season.evaluated(percent=99), note="合格")


@refused_with("PROJECT_EVALUATION_REFUSED")
async def more_papers_than_members(office: Office) -> None:
    season = Season(office.tenant)
    await season.evaluate(await season.evaluated(), satisfied=51)


@refused_with("DECIDER_REFUSED")
async def decided_by_somebody_else(office: Office) -> None:
    season = Season(office.tenant)
    congress = projects.DECIDER_TOWNSHIP_CONGRESS
    await season.decide(await season.undertaken(), projects.DECISION_KIND_END, decider=congress)


@refused_with("REPORTER_REFUSED")
async def reported_by_somebody_else(office: Office) -> None:
    season = Season(office.tenant)
    await season.decide(await season.undertaken(), projects.DECISION_KIND_END, reporter="区水利局")


@refused_with("DUE_DATE_REFUSED")
async def put_off_without_a_later_day(office: Office) -> None:
    season = Season(office.tenant)
    await season.decide(await season.undertaken(), projects.DECISION_KIND_POSTPONE)


@refused_with("DUE_DATE_REFUSED")
async def carried_over_within_the_year(office: Office) -> None:
    season = Season(office.tenant)
    within = on(date(YEAR, 12, 31))
    await season.work("CarryOverProject", await season.started(), reason="尾工未完", due_date=within)


@refused_with("DECISION_NOT_FOUND")
async def decision_that_is_not_there(office: Office) -> None:
    await Season(office.tenant).follow("GiveDecisionNotice", f"decisions/{NOBODY}")


@refused_with("DECISION_NOTICED")
async def decision_noticed_twice(office: Office) -> None:
    season = Season(office.tenant)
    made = await season.decide(await season.undertaken(), projects.DECISION_KIND_END)
    for _ in range(2):
        await season.follow("GiveDecisionNotice", made.name)


@refused_with("DECISION_REPORTED")
async def decision_reported_twice(office: Office) -> None:
    season = Season(office.tenant)
    made = await season.decide(await season.undertaken(), projects.DECISION_KIND_END)
    for _ in range(2):
        await season.follow("ReportDecision", made.name, meeting=f"meetings/{NOBODY}")


@refused_with("DAY_REFUSED")
async def reported_tomorrow(office: Office) -> None:
    await Season(office.tenant).report(f"projects/{NOBODY}", 50, day=TOMORROW)


@refused_with("OPTION_NOT_CANDIDATE")
async def a_vote_on_what_was_voted_on(office: Office) -> None:
    season = Season(office.tenant)
    meeting, _ = await season.ready(1, 1)
    await season.do("Convene", meeting)
    body = (await season.meet("GetMeeting", meeting_pb2.GetMeetingRequest(name=meeting))).body
    _, (chosen, other) = await season.listed(body=body)
    await season.voted([chosen], [other])
    with TemporaryDirectory() as folder:
        polling = Polling(office.tenant, Path(folder))
        options = [questions_pb2.Option(id=key(name), title="项目") for name in (chosen, other)]
        rule = questions_pb2.SelectRule(places=1)
        asked = questions_pb2.Question(id="projects", title="票决", options=options, select=rule)
        poll = await polling.draft(meeting, asked)
        await polling.open(poll.name, present=1)


@refused_with("OPTION_IN_ANOTHER_POLL")
async def a_vote_on_what_is_voted_on(office: Office) -> None:
    season = Season(office.tenant)
    meeting, _ = await season.ready(1, 1)
    await season.do("Convene", meeting)
    body = (await season.meet("GetMeeting", meeting_pb2.GetMeetingRequest(name=meeting))).body
    _, names = await season.listed(body=body)
    options = [questions_pb2.Option(id=key(name), title="项目") for name in names]
    asked = questions_pb2.Question(
        id="projects", title="票决", options=options, select=questions_pb2.SelectRule(places=1)
    )
    polling = polling_of(office)
    for _ in range(2):
        poll = await polling.draft(meeting, asked)
        await polling.open(poll.name, present=1)
