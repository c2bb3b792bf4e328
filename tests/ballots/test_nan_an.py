"""Nan'an's vote through the API: 15 candidates for 10 places, by three delegates, in every variant of its end."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from quanyutong.ballots.v1 import questions_pb2
from quanyutong.ballots.v1 import results_pb2 as pb
from tests.ballots.polling import Polling, Vote, candidates, outcomes, projects, scores

NAMES = [option.id for option in candidates(15)]
SURE = NAMES[:9]
NO_TIE = [NAMES[:10], NAMES[:10], SURE]
# Nine have three votes each, and three tie for the tenth place with one.
TIE_AT_TENTH = [[*SURE, NAMES[9]], [*SURE, NAMES[10]], [*SURE, NAMES[11]]]
ALL_EQUAL = [NAMES[:5], NAMES[5:10], NAMES[10:]]
RUN_OFF, PRESIDIUM = questions_pb2.TIE_RUN_OFF, questions_pb2.TIE_PRESIDIUM

pytestmark = pytest.mark.parametrize("polling", ["all-direct"], indirect=True)


async def certified(polling: Polling, votes: Sequence[Sequence[str]], **rule: Any) -> Vote:
    vote = await polling.opened(3, projects(15, 10, **rule), scores())
    await polling.voted(vote, [{"projects": [*chosen], "reports": {"r01": 90}} for chosen in votes])
    await polling.certified(vote.poll)
    return vote


def having(found: Mapping[str, str], outcome: str) -> list[str]:
    return [name for name in NAMES if found.get(name) == outcome]


@pytest.mark.parametrize(
    ("votes", "adopted"), [(NO_TIE, 10), (TIE_AT_TENTH, 12), (ALL_EQUAL, 15)], ids=["no tie", "tie", "all equal"]
)
async def test_all_that_tie_with_the_tenth(polling: Polling, votes: list[list[str]], adopted: int) -> None:
    result = await polling.announce((await certified(polling, votes)).poll)
    assert having(outcomes(result), "adopted") == NAMES[:adopted]
    assert having(outcomes(result), "not_adopted") == NAMES[adopted:]
    assert result.questions[0].places_left == 0
    assert result.questions[0].question.rule_versions
    assert outcomes(result, 1) == {"r01": "scored"}


@pytest.mark.parametrize(
    ("votes", "tied", "places"), [(TIE_AT_TENTH, NAMES[9:12], 1), (ALL_EQUAL, NAMES, 10)], ids=["tie", "all equal"]
)
async def test_a_run_off(polling: Polling, votes: list[list[str]], tied: list[str], places: int) -> None:
    """Among the tied alone, for the places that are left: however many more candidates the first vote had to have."""
    vote = await certified(polling, votes, tie_at_last_place=RUN_OFF, surplus_min=5)
    first = outcomes(await polling.announce(vote.poll))
    assert having(first, "tied") == tied
    again = await polling.vote("CreateRunOff", pb.CreateRunOffRequest(parent=vote.poll, title="再次投票"))
    (question,) = again.questions
    assert ([option.id for option in question.options], question.select.places) == (tied, places)
    await polling.open(again.name, present=3)
    second = Vote(again.name, vote.meeting, vote.mandates, vote.persons)
    await polling.voted(second, [{"projects": tied[-places:]}] * 3)
    await polling.certified(again.name)
    assert having(outcomes(await polling.announce(again.name)), "adopted") == tied[-places:]
    assert len(having(first, "adopted")) + places == 10


async def test_the_presidium(polling: Polling) -> None:
    vote = await certified(polling, TIE_AT_TENTH, tie_at_last_place=PRESIDIUM)
    request = pb.ResolveTieRequest(name=vote.poll, question="projects", options=[NAMES[11]], decision="主席团决定")
    await polling.vote("ResolveTie", request)
    result = await polling.announce(vote.poll)
    assert having(outcomes(result), "adopted") == [*SURE, NAMES[11]]
    assert (having(outcomes(result), "tied"), result.questions[0].places_left) == ([], 0)


async def test_the_presidium_where_all_are_equal(polling: Polling) -> None:
    """It has ten places to fill, and may fill fewer; more it may not."""
    vote = await certified(polling, ALL_EQUAL, tie_at_last_place=PRESIDIUM)
    for chosen, reason in ((NAMES[:11], "TIE_REFUSED"), (NAMES[:8], "")):
        request = pb.ResolveTieRequest(name=vote.poll, question="projects", options=chosen, decision="主席团决定")
        if reason:
            assert await polling.refused("ResolveTie", request) == reason
        else:
            await polling.vote("ResolveTie", request)
    result = await polling.announce(vote.poll)
    assert having(outcomes(result), "adopted") == NAMES[:8]
    assert result.questions[0].places_left == 2


async def test_a_majority_leaves_places_empty(polling: Polling) -> None:
    """More than half of three members: two votes. Nine have them."""
    vote = await certified(polling, TIE_AT_TENTH, majority_base=questions_pb2.BASE_ALL_MEMBERS)
    result = await polling.announce(vote.poll)
    assert having(outcomes(result), "adopted") == SURE
    assert result.questions[0].places_left == 1
