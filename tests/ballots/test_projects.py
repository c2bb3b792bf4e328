"""Projects, from candidate to acceptance, and what may happen on the way."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from chassis import clock
from quanyutong.ballots.v1 import campaigns_pb2 as campaigns
from quanyutong.ballots.v1 import events_pb2
from quanyutong.ballots.v1 import projects_pb2 as pb
from tests.ballots.season import COST, ROADS, SCHOOLS, YEAR, Season, key
from tests.contract.heard import heard
from tests.contract.office import mask, on
from tests.harness import refused

PREFIX = "ERROR_REASON_"
TODAY = clock.today()
ADJUST, POSTPONE, END = pb.DECISION_KIND_ADJUST, pb.DECISION_KIND_POSTPONE, pb.DECISION_KIND_END
ADDITION = pb.BudgetAddition(amount_fen=50_000_00, funds="区级财政", reason="材料涨价")


def states(*words: str) -> list[Any]:
    return [pb.ProjectState.Value(f"PROJECT_STATE_{word}") for word in words]


async def test_the_whole_life_of_a_project(season: Season) -> None:
    project = await season.started()
    await season.work("AddTask", project, task=pb.ProjectTask(title="勘察设计", due_date=on(TODAY)))
    reached = pb.Milestone(title="开工", due_date=on(TODAY))
    shown = await season.work("AddMilestone", project, milestone=reached)
    await season.vote("CompleteTask", pb.CompleteTaskRequest(name=shown.tasks[0].name))
    await season.vote("ReachMilestone", pb.ReachMilestoneRequest(name=shown.milestones[0].name))
    await season.report(project, 100, COST)
    await season.inspect(project)
    assert (await season.evaluate(project)).evaluation.result == pb.PROJECT_SATISFACTION_SATISFIED
    done = await season.work("AcceptProject", project, note="验收合格")
    assert (done.state, done.percent, done.spent_fen) == (pb.PROJECT_STATE_ACCEPTED, 100, COST)
    assert not done.late
    assert not done.tasks[0].late
    steps = await season.timeline(project)
    assert [step.verb for step in steps] == [
        *("make_candidate", "adopt", "assign", "start", "add_task", "add_milestone", "complete_task"),
        *("reach_milestone", "report", "pass_inspection", "evaluate", "accept"),
    ]
    assert {step.subject for step in steps if step.verb != "adopt"} == {"tester"}
    assert all(step.HasField("time") for step in steps)
    assert [step.state for step in steps[-3:]] == states("INSPECTED", "EVALUATED", "ACCEPTED")
    (accepted,) = await heard(season, events_pb2.ProjectAccepted, 1)
    assert (accepted.project, accepted.spent_fen) == (project, COST)


async def test_adoption_follows_from_the_poll(season: Season) -> None:
    campaign, (first, second, third) = await season.listed(3, places=2)
    poll = await season.voted([first, second], [third])
    shown = [await season.shown(name) for name in (first, second, third)]
    assert [project.state for project in shown] == states("ADOPTED", "ADOPTED", "NOT_ADOPTED")
    assert {project.poll for project in shown} == {poll}
    of = await season.vote("GetCampaign", campaigns.GetCampaignRequest(name=campaign))
    assert of.state == campaigns.CAMPAIGN_STATE_VOTED
    told = await heard(season, events_pb2.ProjectAdopted, 2)
    assert {(event.project, event.poll, event.campaign) for event in told} == {
        (first, poll, campaign),
        (second, poll, campaign),
    }
    assert {step.verb for step in await season.timeline(third)} == {"make_candidate", "turn_down"}


async def test_the_tied_wait_for_a_run_off(season: Season) -> None:
    campaign, (first, second, third) = await season.listed(3)
    body = (await season.shown(first)).body
    await season.announce("polls/1", body, **{key(first): "adopted", key(second): "tied", key(third): "tied"})
    read = campaigns.GetCampaignRequest(name=campaign)
    assert (await season.vote("GetCampaign", read)).state == campaigns.CAMPAIGN_STATE_LISTED
    assert (await season.shown(second)).state == pb.PROJECT_STATE_CANDIDATE
    await season.voted([second], [third])
    assert (await season.vote("GetCampaign", read)).state == campaigns.CAMPAIGN_STATE_VOTED


async def test_options_that_are_no_projects_of_the_body_are_left_alone(season: Season) -> None:
    _, (first, second) = await season.listed()
    body = (await season.shown(first)).body
    await season.announce("polls/2", body, **{"for": "adopted", str(uuid4()): "adopted"})
    await season.announce("polls/2", f"assemblies/{uuid4()}", **{key(first): "adopted"})
    assert {(await season.shown(name)).state for name in (first, second)} == {pb.PROJECT_STATE_CANDIDATE}


async def test_a_budget_grows_and_is_never_exceeded(season: Season) -> None:
    project = await season.started()
    over = COST + ADDITION.amount_fen
    assert await refused(season.report(project, 50, over)) == f"{PREFIX}BUDGET_EXCEEDED"
    for _ in range(2):
        shown = await season.work("AddBudget", project, addition=ADDITION)
    assert (shown.cost_fen, shown.budget_fen) == (COST, COST + 2 * ADDITION.amount_fen)
    assert [each.amount_fen for each in shown.budget_additions] == [ADDITION.amount_fen] * 2
    await season.report(project, 50, over)
    assert (await season.shown(project)).spent_fen == over


async def test_progress_falls_with_a_reason_alone(season: Season) -> None:
    project = await season.started()
    await season.report(project, 60, 100)
    assert await refused(season.report(project, 50, 100)) == f"{PREFIX}PROGRESS_FELL"
    assert await refused(season.report(project, 60, 99)) == f"{PREFIX}PROGRESS_FELL"
    await season.report(project, 50, 99, correction_reason="上月误报")
    request = pb.ListProgressReportsRequest(parent=project)
    reports = (await season.vote("ListProgressReports", request)).progress_reports
    assert [(each.percent, each.correction_reason) for each in reports] == [(60, ""), (50, "上月误报")]
    told = await heard(season, events_pb2.ProjectProgressed, 2)
    assert [event.percent for event in told] == [60, 50]


async def test_what_is_late(season: Season) -> None:
    project = await season.started()
    assert await season.listing(late=True) == []
    past = on(TODAY - timedelta(1))
    shown = await season.work("AddMilestone", project, milestone=pb.Milestone(title="完工", due_date=past))
    assert shown.late
    assert await season.listing(late=True) == [project]
    reached = pb.ReachMilestoneRequest(name=shown.milestones[0].name)
    shown = await season.vote("ReachMilestone", reached)
    assert (shown.late, shown.milestones[0].late) == (False, True)
    assert await season.listing(late=True) == []


async def test_a_milestone_reached_in_time_is_not_late(season: Season) -> None:
    project, past = await season.started(), on(TODAY - timedelta(1))
    shown = await season.work("AddMilestone", project, milestone=pb.Milestone(title="完工", due_date=past))
    reached = pb.ReachMilestoneRequest(name=shown.milestones[0].name, day=past)
    assert not (await season.vote("ReachMilestone", reached)).milestones[0].late


async def test_an_inspection_that_fails_sends_back_to_work(season: Season) -> None:
    project = await season.started()
    await season.inspect(project)
    assert (await season.shown(project)).state == pb.PROJECT_STATE_INSPECTED
    await season.inspect(project, passed=False)
    assert (await season.shown(project)).state == pb.PROJECT_STATE_IMPLEMENTING
    request = pb.ListInspectionsRequest(parent=project)
    found = (await season.vote("ListInspections", request)).inspections
    assert [each.passed for each in found] == [True, False]


async def test_satisfaction_at_its_thresholds(season: Season) -> None:
    """Of 50 members: half of them all, whoever came."""
    project = await season.evaluated()
    grades = [(25, 0, 0), (24, 1, 0), (24, 0, 20)]
    results = [(await season.evaluate(project, *counts)).evaluation for counts in grades]
    assert [found.result for found in results] == [
        pb.PROJECT_SATISFACTION_SATISFIED,
        pb.PROJECT_SATISFACTION_BASICALLY_SATISFIED,
        pb.PROJECT_SATISFACTION_DISSATISFIED,
    ]
    assert [version.partition("@")[0] for version in results[0].rule_versions] == [
        "votes.satisfied",
        "votes.basically_satisfied",
    ]


async def test_satisfaction_follows_from_a_poll(season: Season) -> None:
    project = await season.started()
    body = (await season.shown(project)).body
    await season.announce("polls/3", body, **{key(project): "basically_satisfied"})
    shown = await season.shown(project)
    assert shown.state == pb.PROJECT_STATE_IMPLEMENTING  # measured at mid-year
    assert (shown.evaluation.poll, shown.evaluation.result) == ("polls/3", pb.PROJECT_SATISFACTION_BASICALLY_SATISFIED)
    await season.inspect(project)
    await season.announce("polls/4", body, **{key(project): "satisfied"})
    assert (await season.shown(project)).state == pb.PROJECT_STATE_EVALUATED


async def test_only_what_is_complete_is_accepted(season: Season) -> None:
    project = await season.evaluated(percent=99)
    assert await refused(season.work("AcceptProject", project, note="合格")) == f"{PREFIX}PROJECT_INCOMPLETE"
    carried = await season.work("CarryOverProject", project, reason="尾工未完", due_date=on(date(YEAR + 1, 6, 30)))
    assert carried.state == pb.PROJECT_STATE_CARRIED_OVER
    again = await season.work("StartProject", project)
    assert (again.state, again.due_date) == (pb.PROJECT_STATE_IMPLEMENTING, on(date(YEAR + 1, 6, 30)))


async def test_an_adjustment_is_decided_noticed_and_reported(season: Season) -> None:
    project = await season.started()
    made = await season.decide(project, ADJUST, project_title="社区步道和绿道")
    assert (made.notice_owed, made.report_owed, len(made.rule_versions)) == (True, True, 5)
    shown = await season.shown(project)
    assert (shown.title, shown.state) == ("社区步道和绿道", pb.PROJECT_STATE_IMPLEMENTING)
    owed = pb.ListDecisionsRequest(owed=True)
    await season.follow("GiveDecisionNotice", made.name)
    assert [each.name for each in (await season.vote("ListDecisions", owed)).decisions] == [made.name]
    await season.follow("ReportDecision", made.name, meeting=f"meetings/{uuid4()}")
    assert not (await season.vote("ListDecisions", owed)).decisions
    steps = [(step.verb, step.resource) for step in await season.timeline(project)]
    assert steps[-3:] == [(verb, made.name) for verb in ("adjust", "give_notice", "report_decision")]
    (decided,) = await heard(season, events_pb2.ProjectDecided, 1)
    assert (decided.project, decided.kind) == (project, ADJUST)


async def test_what_is_postponed_goes_on_and_what_is_ended_does_not(season: Season) -> None:
    project, later = await season.started(), on(date(YEAR + 1, 12, 31))
    await season.decide(project, POSTPONE, due_date=later)
    assert (await season.shown(project)).state == pb.PROJECT_STATE_POSTPONED
    assert await refused(season.report(project, 10)) == f"{PREFIX}PROJECT_STATE_REFUSED"
    assert (await season.work("StartProject", project)).due_date == later
    await season.decide(project, END)
    ended = await season.shown(project)
    assert (ended.state, ended.closing_note) == (pb.PROJECT_STATE_ENDED, "征地尚未完成")
    assert await refused(season.work("StartProject", project)) == f"{PREFIX}PROJECT_STATE_REFUSED"


async def test_a_campaign_is_closed_when_nothing_of_it_is_under_way(season: Season) -> None:
    project = await season.undertaken()
    campaign = (await season.shown(project)).campaign
    assert await refused(season.run("CloseCampaign", campaign)) == f"{PREFIX}PROJECTS_UNDER_WAY"
    await season.decide(project, END)
    assert (await season.run("CloseCampaign", campaign)).state == campaigns.CAMPAIGN_STATE_DONE


async def test_a_candidate_can_be_changed_until_the_list_is_fixed(season: Season) -> None:
    campaign, (first, second) = await season.screening(2)
    made = await season.candidate(first)
    await season.candidate(second)
    request = pb.UpdateProjectRequest(
        project=season.screened(name=made.name, cost_fen=7, title="改题"), update_mask=mask("title", "cost_fen")
    )
    changed = await season.vote("UpdateProject", request)
    assert (changed.title, changed.cost_fen, changed.budget_fen, changed.content) == ("改题", 7, 7, made.content)
    await season.run("FixCandidates", campaign)
    assert await refused(season.vote("UpdateProject", request)) == f"{PREFIX}CAMPAIGN_STATE_REFUSED"


async def test_tasks_are_the_undertakers(season: Season) -> None:
    project = await season.undertaken()
    task = pb.ProjectTask(title="征地", due_date=on(TODAY))
    assert (await season.work("AddTask", project, task=task)).tasks[0].undertaker == ROADS
    task.undertaker = "区水利局"
    assert await refused(season.work("AddTask", project, task=task)) == f"{PREFIX}UNDERTAKERS_REFUSED"


async def test_filters_and_pages(season: Season) -> None:
    campaign, names = await season.listed(3)
    await season.voted(names[:2], names[2:])
    undertakers = [pb.ProjectUndertaker(display_name=SCHOOLS, lead=True)]
    await season.work("AssignUndertakers", names[1], undertakers=undertakers)
    shown = await season.shown(names[0])
    assert await season.listing() == names
    assert await season.listing(undertaker=SCHOOLS) == [names[1]]
    assert await season.listing(state=pb.PROJECT_STATE_NOT_ADOPTED) == [names[2]]
    for filters in ({"campaign": campaign}, {"body": shown.body}, {"unit": shown.unit}, {"year": YEAR}):
        assert await season.listing(**filters) == names
    assert await season.listing(level=campaigns.PROJECT_LEVEL_TOWN) == []
    first = await season.vote("ListProjects", pb.ListProjectsRequest(page_size=2))
    rest = pb.ListProjectsRequest(page_size=2, page_token=first.next_page_token)
    assert [each.name for each in (await season.vote("ListProjects", rest)).projects] == names[2:]


@pytest.mark.parametrize("table", ["project_step", "budget_addition", "progress_report", "inspection"])
async def test_what_was_done_is_never_changed(season: Season, table: str) -> None:
    """The runtime role cannot, whatever the code would do."""
    connection = await asyncpg.connect(season.tenant.platform.postgres.url)
    try:
        granted = "SELECT has_table_privilege('qyt_ballots', 'ballots.' || $1, $2)"
        rights = {right: await connection.fetchval(granted, table, right) for right in ("INSERT", "UPDATE", "DELETE")}
    finally:
        await connection.close()
    assert rights == {"INSERT": True, "UPDATE": False, "DELETE": False}
