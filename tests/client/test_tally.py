"""Counting: the rules of the institutions at their edges, and against an independent count of a few lines."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyutong_client.marking import ChoiceRefused, Choices, choices_in, marks_of
from quanyutong_client.tally import Count, QuestionResult, Result, Turnout, judge, tally
from quanyutong_client.terms import Terms
from tests.client.hall import grades, motion, scores, select, terms_of


def _result(question: dict[str, Any], choices: Sequence[Any], present: int = 40, papers: int = 40) -> QuestionResult:
    """The result of one question, each ballot given by its choice."""
    terms = terms_of(question)
    ballots = [marks_of(terms, {question["id"]: choice}) for choice in choices]
    return tally(terms, present, papers, ballots).questions[0]


def _outcomes(result: QuestionResult) -> dict[str, str]:
    return {option.id: option.outcome for option in result.options}


def _with(result: QuestionResult, outcome: str) -> list[str]:
    return [option for option, found in _outcomes(result).items() if found == outcome]


# --- selecting: Nan'an district chooses ten of fifteen


def _nanan(votes: Sequence[int], **rule: Any) -> QuestionResult:
    """Fifteen candidates for ten places; nobody in this room marks more than ten."""
    judged = judge(
        terms_of(select(15, 10, **rule)).questions[0],
        Count(200, 0, 0, tuple({1: number} if number else {} for number in votes)),
        Turnout(electorate=300, present=200, papers=200, ballots=200),
    )
    assert len(judged.options) == 15
    return judged


def test_ten_of_fifteen_without_a_tie() -> None:
    result = _nanan(range(15, 0, -1))
    assert _with(result, "adopted") == [f"p{number:02}" for number in range(1, 11)]
    assert result.places_left == 0


@pytest.mark.parametrize("level", range(2, 7))
def test_every_candidate_that_ties_with_the_tenth_is_adopted(level: int) -> None:
    votes = [*range(100, 91, -1), *[50] * level, *[1] * (6 - level)]
    assert len(_with(_nanan(votes), "adopted")) == 9 + level


@pytest.mark.parametrize("tie", ["run_off", "presidium"])
def test_a_tie_at_the_tenth_that_is_decided_elsewhere(tie: str) -> None:
    result = _nanan([*range(100, 92, -1), 50, 50, 50, *[1] * 4], tie_at_last_place=tie)
    assert len(_with(result, "adopted")) == 8
    assert _with(result, "tied") == ["p09", "p10", "p11"]
    assert result.places_left == 2


def test_a_tie_that_fits_is_no_tie() -> None:
    result = _nanan([*range(100, 92, -1), 50, 50, *[1] * 5], tie_at_last_place="run_off")
    assert len(_with(result, "adopted")) == 10
    assert _with(result, "tied") == []


def test_all_equal() -> None:
    assert len(_with(_nanan([7] * 15), "adopted")) == 15
    run_off = _nanan([7] * 15, tie_at_last_place="run_off")
    assert len(_with(run_off, "tied")) == 15
    assert run_off.places_left == 10


def test_nobody_is_adopted_without_a_vote() -> None:
    result = _nanan([3, 2, 1, *[0] * 12])
    assert _with(result, "adopted") == ["p01", "p02", "p03"]
    assert result.places_left == 7


@pytest.mark.parametrize(("base", "fewest"), [("all_members", 151), ("present", 101), ("valid", 91)])
def test_majority_of_a_base(base: str, fewest: int) -> None:
    question = terms_of(select(2, 1, majority_base=base)).questions[0]
    turnout = Turnout(electorate=300, present=200, papers=200, ballots=190)
    for votes, outcome in ((fewest, "adopted"), (fewest - 1, "not_adopted")):
        result = judge(question, Count(190, 10, 0, ({1: votes}, {1: 1})), turnout)
        assert _outcomes(result)["p01"] == outcome


def test_a_share_that_counts_the_half_itself() -> None:
    half = {"fraction": "1/2", "counts": "at_least"}
    question = select(2, 1, majority_base="present", majority=half)
    assert _outcomes(_result(question, [["p01"]] * 20, present=40))["p01"] == "adopted"
    assert _outcomes(_result(select(2, 1, majority_base="present"), [["p01"]] * 20))["p01"] == "not_adopted"


def test_over_full_short_and_blank_ballots() -> None:
    result = _result(select(3, 2), [["p01", "p02", "p03"], ["p01"], [], ["p01", "p02"]])
    count = result.count
    assert (count.received, count.valid, count.invalid, count.blank) == (4, 3, 1, 1)
    assert [option.votes["chosen"] for option in result.options] == [2, 1, 0]


# --- scores, grades, motions


def test_mean_is_exact() -> None:
    result = _result(scores(1), [{"r01": 100}, {"r01": 90}, {"r01": 0}, {}])
    assert result.options[0].average == Fraction(190, 3)
    assert result.options[0].votes == {"scored": 3, "points": 190, "abstain": 1}
    assert result.json()["options"][0]["average"] == "190/3"


def test_trimmed_mean_leaves_out_both_ends() -> None:
    given_scores = [{"r01": score} for score in (0, 100, 80, 81, 85)]
    trimmed = scores(1, score_average="trimmed_mean", scores_trimmed=1)
    assert _result(trimmed, given_scores).options[0].average == 82
    assert _result(trimmed, given_scores[:2]).options[0].outcome == "not_scored"
    untrimmed = scores(1, score_average="mean", scores_trimmed=1)
    assert _result(untrimmed, given_scores).options[0].average == Fraction(346, 5)


def test_scores_that_do_not_begin_at_zero() -> None:
    result = _result(scores(1, score_lowest=60, score_highest=90), [{"r01": 60}, {"r01": 90}])
    assert result.options[0].average == 75


@pytest.mark.parametrize(
    ("satisfied", "basically", "outcome"),
    [(20, 0, "satisfied"), (19, 1, "basically_satisfied"), (0, 20, "basically_satisfied"), (19, 0, "dissatisfied")],
)
def test_grades_of_forty_members(satisfied: int, basically: int, outcome: str) -> None:
    """A half of all members, whoever voted: twenty of forty."""
    given_grades = [{"o01": "satisfied"}] * satisfied + [{"o01": "basically_satisfied"}] * basically
    assert _outcomes(_result(grades(1), given_grades))["o01"] == outcome


def test_grades_of_other_bases_and_thresholds() -> None:
    choices = [{"o01": "satisfied"}, {"o01": "satisfied"}, {"o01": "dissatisfied"}, {}]
    two_thirds = {"fraction": "2/3", "counts": "at_least"}
    assert _outcomes(_result(grades(1, grade_base="valid"), choices))["o01"] == "satisfied"
    assert _outcomes(_result(grades(1, grade_base="valid", satisfied=two_thirds), choices))["o01"] == (
        "basically_satisfied"
    )
    assert _outcomes(_result(grades(1, grade_base="present"), choices, present=5))["o01"] == "dissatisfied"


def test_an_unmarked_motion_is_an_abstention() -> None:
    choices = [{"m01": "for"}] * 21 + [{"m01": "against", "m02": "abstain"}] * 2 + [{}]
    result = _result(motion(2), choices)
    assert result.options[0].votes == {"for": 21, "against": 2, "abstain": 1}
    assert result.options[1].votes == {"for": 0, "against": 0, "abstain": 24}
    assert _outcomes(result) == {"m01": "passed", "m02": "rejected"}
    assert _outcomes(_result(motion(1), choices[1:21]))["m01"] == "rejected"


def test_motion_without_a_base_needs_more_for_than_against() -> None:
    plain = motion(1, majority_base="none")
    assert _outcomes(_result(plain, [{"m01": "for"}]))["m01"] == "passed"
    assert _outcomes(_result(plain, [{"m01": "for"}, {"m01": "against"}]))["m01"] == "rejected"
    assert _outcomes(_result(plain, []))["m01"] == "rejected"


def test_of_nobody_nothing_is_reached() -> None:
    for question in (grades(1, grade_base="valid"), motion(1, majority_base="present"), select(2, 1)):
        result = _result(question, [], present=0, papers=0)
        assert set(_outcomes(result).values()) <= {"dissatisfied", "rejected", "not_adopted"}


def test_more_ballots_than_papers_is_void() -> None:
    terms = terms_of(select())
    ballots = [marks_of(terms, {"projects": ["p01"]})] * 3
    result = tally(terms, 3, 2, ballots)
    assert result.json()["turnout"]["void"] is True
    assert {option.outcome for option in result.questions[0].options} == {""}
    assert result.questions[0].options[0].votes == {"chosen": 3}


# --- any vote


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=12),
    st.integers(1, 12),
    st.sampled_from(["include_all", "run_off", "presidium"]),
    st.sampled_from([("none", 1), ("all_members", 4), ("present", 3)]),
)
def test_places_by_the_number_of_those_above(votes: list[int], places: int, tie: str, base: tuple[str, int]) -> None:
    """Each option by itself: how many have more votes, and how many as many."""
    places = min(places, len(votes))
    question = terms_of(select(len(votes), places, majority_base=base[0], tie_at_last_place=tie)).questions[0]
    counted = Count(9, 0, 0, tuple({1: number} for number in votes))
    result = judge(question, counted, Turnout(electorate=7, present=5, papers=9, ballots=9))
    expected = []
    for number in votes:
        above, level = sum(other > number for other in votes), votes.count(number)
        enters = number >= base[1] and above < places
        sure = enters and (above + level <= places or tie == "include_all")
        expected.append("adopted" if sure else "tied" if enters else "not_adopted")
    assert [option.outcome for option in result.options] == expected
    assert result.places_left == max(places - expected.count("adopted"), 0)


def _choices(terms: Terms) -> st.SearchStrategy[Choices]:
    return st.fixed_dictionaries({question.id: _choice(question.json()) for question in terms.questions})


def _choice(question: dict[str, Any]) -> st.SearchStrategy[Any]:
    ids = st.sampled_from([option["id"] for option in question["options"]])
    if question["kind"] == "select":
        return st.lists(ids, unique=True).map(sorted)
    words = {
        "scores": st.integers(0, 100),
        "grades": st.sampled_from(["satisfied", "basically_satisfied", "dissatisfied"]),
        "motion": st.sampled_from(["for", "against", "abstain"]),
    }
    return st.dictionaries(ids, words[question["kind"]])


ALL = terms_of(select(6, 3), scores(2, score_average="trimmed_mean", scores_trimmed=1), grades(2), motion(2))


@given(_choices(ALL))
def test_choices_come_back(choices: Choices) -> None:
    assert choices_in(ALL, marks_of(ALL, choices)) == choices


@given(st.lists(_choices(ALL), max_size=15), st.randoms())
def test_the_order_of_ballots_never_matters(votes: list[Choices], random: Any) -> None:
    ballots = [marks_of(ALL, choices) for choices in votes]
    shuffled = random.sample(ballots, len(ballots))
    assert _tallied(shuffled).canonical() == _tallied(ballots).canonical()


def _tallied(ballots: list[tuple[bytes, ...]]) -> Result:
    return tally(ALL, 30, 20, ballots)


@given(st.lists(_choices(ALL), max_size=15))
def test_an_independent_count_agrees(votes: list[Any]) -> None:
    projects, reports, offices, motions = _tallied([marks_of(ALL, choices) for choices in votes]).questions

    valid = [vote["projects"] for vote in votes if len(vote["projects"]) <= 3]
    chosen = {f"p{at:02}": sum(f"p{at:02}" in vote for vote in valid) for at in range(1, 7)}
    third = sorted(chosen.values())[-3]
    assert (projects.count.invalid, projects.count.blank) == (len(votes) - len(valid), valid.count([]))
    assert {option.id: option.votes["chosen"] for option in projects.options} == chosen
    assert _with(projects, "adopted") == [name for name, number in chosen.items() if number and number >= third]

    for option in reports.options:
        kept = sorted(vote["reports"][option.id] for vote in votes if option.id in vote["reports"])[1:-1]
        assert option.average == (Fraction(sum(kept), len(kept)) if kept else None)
    for option in (*offices.options, *motions.options):
        said = [(vote["offices"] | vote["motions"]).get(option.id, "abstain") for vote in votes]
        assert option.votes == {word: said.count(word) for word in option.votes}
        assert sum(option.votes.values()) == len(votes)
        if option.outcome in ("satisfied", "passed"):
            assert said.count("satisfied") >= 20 or said.count("for") > 20


@pytest.mark.parametrize(
    "choices",
    [
        {"nothing": []},
        {"projects": ["p99"]},
        {"projects": "p01"},
        {"reports": {"r01": 101}},
        {"reports": {"r01": -1}},
        {"reports": {"r01": True}},
        {"reports": ["r01"]},
        {"offices": {"o01": "good"}},
        {"motions": {"m01": 1}},
    ],
    ids=str,
)
def test_choices_that_do_not_fit(choices: Any) -> None:
    with pytest.raises(ChoiceRefused):
        marks_of(ALL, choices)
