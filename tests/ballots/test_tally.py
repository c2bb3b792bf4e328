"""Nan'an's vote, 15 candidates for 10 places, in every variant: judged as the service judges, without a server."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from chassis import clock
from chassis.rules import Rulebook
from quanyutong.ballots.v1 import questions_pb2 as pb
from quanyutong_client import Terms
from quanyutong_client.marking import marks_of
from services.ballots.counting import counted, summed
from services.ballots.domain import Refused
from services.ballots.drafting import drafted, question_messages
from tests.ballots.polling import candidates, grades, projects, scores
from tests.client.hall import terms_of

NO_TIE = [20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6]
TIE_AT_TENTH = [20, 19, 18, 17, 16, 15, 14, 13, 12, 10, 10, 10, 8, 7, 6]
ALL_EQUAL = [9] * 15


def asked(question: pb.Question) -> str:
    return drafted([question], Rulebook.on(clock.today()))


def ballots_for(votes: Sequence[int]) -> list[list[str]]:
    """Ballots of at most ten marks that give each candidate so many votes."""
    ballots: list[list[str]] = [[] for _ in range(40)]
    for place, number in enumerate(votes, 1):
        for ballot in sorted(ballots, key=len)[:number]:
            ballot.append(f"p{place:02}")
    assert max(map(len, ballots)) <= 10
    return ballots


def judged(votes: Sequence[int], present: int = 40, **rule: Any) -> dict[str, Any]:
    return judged_by(asked(projects(15, 10, **rule)), [{"projects": each} for each in ballots_for(votes)], present)


def judged_by(questions: str, choices: Sequence[Any], present: int = 40, electorate: int = 40) -> dict[str, Any]:
    terms: Terms = terms_of(*(each["question"] for each in json.loads(questions)), electorate=electorate)
    count = counted(terms, present, len(choices), [marks_of(terms, each) for each in choices])
    result: dict[str, Any] = summed(questions, [count])["questions"][0]
    return result


def having(result: dict[str, Any], outcome: str) -> list[int]:
    return [int(option["id"][1:]) for option in result["options"] if option["outcome"] == outcome]


@pytest.mark.parametrize("tie", [pb.TIE_UNSPECIFIED, pb.TIE_INCLUDE_ALL, pb.TIE_RUN_OFF, pb.TIE_PRESIDIUM])
def test_without_a_tie(tie: pb.Tie) -> None:
    result = judged(NO_TIE, tie_at_last_place=tie)
    assert having(result, "adopted") == list(range(1, 11))
    assert (having(result, "tied"), result["places_left"]) == ([], 0)


def test_every_candidate_that_ties_with_the_tenth_is_adopted() -> None:
    assert having(judged(TIE_AT_TENTH), "adopted") == list(range(1, 13))
    assert having(judged(ALL_EQUAL), "adopted") == list(range(1, 16))


@pytest.mark.parametrize("tie", [pb.TIE_RUN_OFF, pb.TIE_PRESIDIUM])
def test_a_tie_that_is_decided_elsewhere(tie: pb.Tie) -> None:
    result = judged(TIE_AT_TENTH, tie_at_last_place=tie)
    assert (having(result, "adopted"), having(result, "tied")) == (list(range(1, 10)), [10, 11, 12])
    assert result["places_left"] == 1
    result = judged(ALL_EQUAL, tie_at_last_place=tie)
    assert (having(result, "adopted"), having(result, "tied")) == ([], list(range(1, 16)))
    assert result["places_left"] == 10


@pytest.mark.parametrize(
    ("base", "present", "adopted"),
    # More than half of 40 members, of 30 present, of 40 valid ballots: 21, 16, 21 votes.
    [(pb.BASE_ALL_MEMBERS, 30, 0), (pb.BASE_PRESENT, 30, 5), (pb.BASE_VALID, 30, 0), (pb.BASE_PRESENT, 20, 10)],
)
def test_a_majority_leaves_places_empty(base: pb.Base, present: int, adopted: int) -> None:
    result = judged(NO_TIE, present, majority_base=base)
    assert having(result, "adopted") == list(range(1, adopted + 1))
    assert result["places_left"] == 10 - adopted


@pytest.mark.parametrize(
    ("satisfied", "basically", "outcome"),
    [(20, 0, "satisfied"), (19, 21, "basically_satisfied"), (19, 1, "basically_satisfied"), (19, 0, "dissatisfied")],
)
def test_grades_at_their_thresholds(satisfied: int, basically: int, outcome: str) -> None:
    """Half of 40 members, the half included."""
    words = ["satisfied"] * satisfied + ["basically_satisfied"] * basically
    choices = [{"offices": {"o01": word}} for word in words] + [{}] * (40 - len(words))
    (option,) = judged_by(asked(grades()), choices)["options"]
    assert option["outcome"] == outcome


def test_scores_and_their_average() -> None:
    given = [0, 100, 100, 90, 80]
    choices = [{"reports": {"r01": score}} for score in given]
    assert judged_by(asked(scores()), choices)["options"][0]["average"] == "74/1"
    trimmed = asked(scores(average=pb.AVERAGE_TRIMMED_MEAN, trimmed=1))
    assert judged_by(trimmed, choices)["options"][0]["average"] == "90/1"


def test_delegations_are_summed_before_they_are_judged() -> None:
    """Neither of two delegations gives the second candidate a majority of all; both together do."""
    questions = asked(projects(3, 2, majority_base=pb.BASE_ALL_MEMBERS))
    (question,) = (each["question"] for each in json.loads(questions))
    counts = []
    for electorate, chosen in ((4, [["p01"], ["p01", "p02"], ["p02"]]), (5, [["p01", "p02"], ["p01", "p02"], ["p02"]])):
        terms = terms_of(question, electorate=electorate)
        marks = [marks_of(terms, {"projects": each}) for each in chosen]
        counts.append(counted(terms, electorate, electorate, marks))
    result = summed(questions, counts)
    assert result["turnout"] == {"electorate": 9, "present": 9, "papers": 9, "ballots": 6, "void": False}
    assert having(result["questions"][0], "adopted") == [2]


def test_a_draft_cites_the_rules_that_it_takes_and_not_those_that_it_sets() -> None:
    (asked_for,) = question_messages(asked(projects(15, 10, tie_at_last_place=pb.TIE_PRESIDIUM)))
    assert asked_for.select.surplus_min == 1
    assert (asked_for.select.majority_base, asked_for.select.majority) == (pb.BASE_NONE, ">1/2")
    assert asked_for.select.tie_at_last_place == pb.TIE_PRESIDIUM
    assert "livelihood_projects.majority_base@2015-01-01" in asked_for.rule_versions
    assert not [version for version in asked_for.rule_versions if "tie_at_last_place" in version]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (projects(10, 10), "SURPLUS_MISSING"),
        (projects(3, 4), "QUESTION_REFUSED"),
        (projects(15, 10, majority=">=1/3"), "QUESTION_REFUSED"),
        (scores(highest=10), "RULE_FIXED"),
        (grades(base=pb.BASE_PRESENT), "RULE_FIXED"),
        (pb.Question(id="a", title="b", options=candidates(1) * 2, motion=pb.MotionRule()), "QUESTION_REFUSED"),
    ],
)
def test_refused_drafts(question: pb.Question, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        asked(question)
    assert refusal.value.reason == reason
