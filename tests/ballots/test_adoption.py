"""Projects that are voted on in a poll: what follows from its announcement follows by itself."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from quanyutong.ballots.v1 import campaigns_pb2 as campaigns
from quanyutong.ballots.v1 import polls_pb2, questions_pb2, results_pb2
from quanyutong.ballots.v1 import projects_pb2 as pb
from quanyutong.ballots.v1 import suggestions_pb2 as suggestions
from quanyutong.meetings.v1 import meeting_pb2
from tests.ballots.polling import Polling, Vote
from tests.ballots.season import Season, key
from tests.harness import refused


@pytest.fixture
def polling(season: Season, tmp_path: Path) -> Polling:
    """In the district of the season."""
    return Polling(season.tenant, tmp_path)


def question(names: list[str], **rule: Any) -> questions_pb2.Question:
    options = [questions_pb2.Option(id=key(name), title=f"项目{place}") for place, name in enumerate(names)]
    return questions_pb2.Question(
        id="projects", title="票决民生实事项目", options=options, select=questions_pb2.SelectRule(**rule)
    )


async def sitting(polling: Polling, seats: int) -> tuple[Vote, str]:
    """A meeting in session, without a poll yet; and the assembly that meets."""
    meeting, mandates, persons = await polling.convened(seats)
    found = await polling.meet("GetMeeting", meeting_pb2.GetMeetingRequest(name=meeting))
    return Vote("", meeting, mandates, persons), found.body


async def open_on(polling: Polling, vote: Vote, names: list[str], **rule: Any) -> None:
    poll = await polling.draft(vote.meeting, question(names, **rule))
    vote.poll = (await polling.open(poll.name, present=len(vote.persons))).name


async def voted(polling: Polling, vote: Vote, *choices: list[str]) -> None:
    await polling.voted(vote, [{"projects": [key(name) for name in chosen]} for chosen in choices])
    await polling.certified(vote.poll)


async def test_the_announcement_adopts_and_nothing_before(season: Season, polling: Polling) -> None:
    vote, body = await sitting(polling, 3)
    campaign, (first, second, third) = await season.listed(3, body=body, places=1)
    await open_on(polling, vote, [first, second, third], places=1)
    await voted(polling, vote, [second], [second], [third])
    assert {(await season.shown(name)).state for name in (first, second, third)} == {pb.PROJECT_STATE_CANDIDATE}
    await polling.announce(vote.poll)
    shown = {name: await season.shown(name) for name in (first, second, third)}
    assert [name for name in shown if shown[name].state == pb.PROJECT_STATE_ADOPTED] == [second]
    assert {project.poll for project in shown.values()} == {vote.poll}
    found = await season.vote("GetCampaign", campaigns.GetCampaignRequest(name=campaign))
    assert found.state == campaigns.CAMPAIGN_STATE_VOTED
    adopted = [step for step in await season.timeline(second) if step.verb == "adopt"]
    assert [(step.resource, step.subject) for step in adopted] == [(vote.poll, "tester")]


async def test_all_that_tie_at_the_last_place_are_adopted(season: Season, polling: Polling) -> None:
    vote, body = await sitting(polling, 2)
    _, (first, second, third) = await season.listed(3, body=body, places=1)
    await open_on(polling, vote, [first, second, third], places=1)
    await voted(polling, vote, [first], [second])
    await polling.announce(vote.poll)
    assert await season.listing(state=pb.PROJECT_STATE_ADOPTED) == [first, second]


async def test_the_tied_are_adopted_by_a_run_off(season: Season, polling: Polling) -> None:
    vote, body = await sitting(polling, 2)
    campaign, (first, second) = await season.listed(body=body, places=1)
    await open_on(polling, vote, [first, second], places=1, tie_at_last_place=questions_pb2.TIE_RUN_OFF)
    await voted(polling, vote, [first], [second])
    await polling.announce(vote.poll)
    read = campaigns.GetCampaignRequest(name=campaign)
    assert (await season.vote("GetCampaign", read)).state == campaigns.CAMPAIGN_STATE_LISTED
    again = await polling.vote("CreateRunOff", results_pb2.CreateRunOffRequest(parent=vote.poll, title="再次投票"))
    await polling.open(again.name, present=2)
    second_vote = Vote(again.name, vote.meeting, vote.mandates, vote.persons)
    await voted(polling, second_vote, [second], [second])
    await polling.announce(again.name)
    assert await season.listing(state=pb.PROJECT_STATE_ADOPTED) == [second]
    assert (await season.shown(second)).poll == again.name
    assert [step.verb for step in await season.timeline(first)] == ["make_candidate", "tie", "turn_down"]
    assert (await season.vote("GetCampaign", read)).state == campaigns.CAMPAIGN_STATE_VOTED


async def test_the_tied_are_adopted_by_the_presidium(season: Season, polling: Polling) -> None:
    vote, body = await sitting(polling, 2)
    _, (first, second) = await season.listed(body=body, places=1)
    await open_on(polling, vote, [first, second], places=1, tie_at_last_place=questions_pb2.TIE_PRESIDIUM)
    await voted(polling, vote, [first], [second])
    decided: dict[str, Any] = {"question": "projects", "options": [key(second)], "decision": "主席团决定"}
    await polling.vote("ResolveTie", results_pb2.ResolveTieRequest(name=vote.poll, **decided))
    await polling.announce(vote.poll)
    assert await season.listing(state=pb.PROJECT_STATE_ADOPTED) == [second]
    assert await season.listing(state=pb.PROJECT_STATE_NOT_ADOPTED) == [first]


async def test_satisfaction_is_measured_by_a_poll(season: Season, polling: Polling) -> None:
    vote, body = await sitting(polling, 2)
    project = await season.started(body=body)
    await season.inspect(project)
    option = questions_pb2.Option(id=key(project), title="社区步道")
    asked = questions_pb2.Question(id="q", title="满意度测评", options=[option], grades=questions_pb2.GradesRule())
    poll = await polling.draft(vote.meeting, asked)
    vote.poll = (await polling.open(poll.name, present=2)).name
    await polling.voted(vote, [{"q": {key(project): "satisfied"}}, {"q": {key(project): "dissatisfied"}}])
    await polling.certified(vote.poll)
    await polling.announce(vote.poll)
    shown = await season.shown(project)
    assert (shown.state, shown.evaluation.poll) == (pb.PROJECT_STATE_EVALUATED, vote.poll)
    assert shown.evaluation.result == pb.PROJECT_SATISFACTION_SATISFIED


async def test_what_is_no_fixed_candidate_is_not_voted_on(season: Season, polling: Polling) -> None:
    vote, body = await sitting(polling, 1)
    _, collected = await season.screening(2, body=body)
    names = [(await season.candidate(each)).name for each in collected]
    poll = await polling.draft(vote.meeting, question(names, places=1))
    request = polls_pb2.OpenPollRequest(name=poll.name, reason="试验")
    assert await refused(polling.vote("OpenPoll", request)) == "ERROR_REASON_OPTION_NOT_CANDIDATE"


async def test_a_candidate_is_up_in_one_poll_at_a_time(season: Season, polling: Polling) -> None:
    vote, body = await sitting(polling, 1)
    _, names = await season.listed(body=body)
    drafts = [(await polling.draft(vote.meeting, question(names, places=1))).name for _ in range(3)]
    first, *others = drafts
    await polling.open(first, present=1)
    for other in others:
        request = polls_pb2.OpenPollRequest(name=other)
        assert await refused(polling.vote("OpenPoll", request)) == "ERROR_REASON_OPTION_IN_ANOTHER_POLL"
    await polling.do_poll("Void", first, reason="设备故障")
    answers = await asyncio.gather(*(polling.do_poll("Open", each) for each in others), return_exceptions=True)
    assert len([each for each in answers if isinstance(each, polls_pb2.Poll)]) == 1


async def test_who_suggested_a_candidate_does_not_certify(season: Season, polling: Polling) -> None:
    """Nor who suggested what was merged into it, though no draft of a poll names them."""
    vote, body = await sitting(polling, 3)
    campaign = await season.collecting(body=body)
    delegates: dict[str, Any] = {
        "source": suggestions.SUGGESTION_SOURCE_DELEGATE,
        "channel": campaigns.COLLECTION_CHANNEL_DELEGATE,
    }
    made = [(await season.suggest(campaign, origin=mandate, **delegates)).name for mandate in vote.mandates[:2]]
    made.append((await season.suggest(campaign)).name)
    await season.run("CloseCollection", campaign)
    await season.deal("Merge", made[1], into=made[0])
    names = [(await season.candidate(each)).name for each in (made[0], made[2])]
    await season.run("FixCandidates", campaign)
    await open_on(polling, vote, names, places=1)
    await polling.voted(vote, [])
    for mover in vote.persons[:2]:
        assert await refused(polling.certify(vote.poll, mover)) == "ERROR_REASON_SCRUTINEER_IS_MOVER"
    await polling.certify(vote.poll, vote.persons[2])


async def test_projects_of_another_assembly_are_left_alone(season: Season, polling: Polling) -> None:
    vote, _ = await sitting(polling, 1)
    _, names = await season.listed(body=await season.assembly(await season.unit(9)))
    await open_on(polling, vote, [*names, f"projects/{uuid4()}"], places=1)
    await voted(polling, vote, names[:1])
    await polling.announce(vote.poll)
    assert {(await season.shown(name)).state for name in names} == {pb.PROJECT_STATE_CANDIDATE}
