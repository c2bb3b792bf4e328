"""Any vote by any rule, counted once more by a few lines that were written from docs/voting-protocol.md alone.

They work on what delegates chose, not on marks, and weigh a majority by multiplying out. The whole result is compared.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quanyutong_client.encoding import canonical
from quanyutong_client.marking import marks_of
from quanyutong_client.tally import tally
from quanyutong_client.terms import Terms
from services.ballots.counting import counted, summed
from tests.client.hall import grades, motion, scores, select, terms_of

Json = dict[str, Any]
GRADES = ("satisfied", "basically_satisfied", "dissatisfied")
MOTION = ("for", "against", "abstain")


# --- the count


def count_again(asked: Sequence[Json], turnout: Json, votes: Sequence[Json]) -> Json:
    void = turnout["ballots"] > turnout["papers"]
    questions = [QUESTIONS[each["kind"]](each, turnout, [vote[each["id"]] for vote in votes]) for each in asked]
    if void:
        for question in questions:
            question.pop("places_left", None)
            for option in question["options"]:
                option.pop("outcome")
                option.pop("average", None)
    return {"turnout": turnout | {"void": void}, "questions": questions}


def reached(votes: int, share: Json, whole: int) -> bool:
    above, below = map(int, share["fraction"].split("/"))
    enough = votes * below > above * whole if share["counts"] == "more_than" else votes * below >= above * whole
    return enough and votes > 0


def whole_of(base: str, turnout: Json, valid: int) -> int:
    wholes: dict[str, int] = {"all_members": turnout["electorate"], "present": turnout["present"], "valid": valid}
    return wholes[base]


def head(question: Json, votes: Sequence[Any], valid: Sequence[Any]) -> Json:
    blank = sum(not vote for vote in valid)
    numbers = {"received": len(votes), "valid": len(valid), "invalid": len(votes) - len(valid), "blank": blank}
    return {"id": question["id"], "kind": question["kind"], **numbers}


def select_again(question: Json, turnout: Json, votes: Sequence[list[str]]) -> Json:
    rule, names = question["rule"], [option["id"] for option in question["options"]]
    valid = [vote for vote in votes if len(vote) <= rule["places"]]
    chosen = {name: sum(name in vote for vote in valid) for name in names}
    base = rule["majority_base"]
    able = [
        number
        for number in chosen.values()
        if (number if base == "none" else reached(number, rule["majority"], whole_of(base, turnout, len(valid))))
    ]
    outcomes = {}
    for name, number in chosen.items():
        above, level = sum(other > number for other in able), able.count(number)
        if not level or above >= rule["places"]:
            outcomes[name] = "not_adopted"
        elif above + level <= rule["places"] or rule["tie_at_last_place"] == "include_all":
            outcomes[name] = "adopted"
        else:
            outcomes[name] = "tied"
    options = [{"id": name, "votes": {"chosen": chosen[name]}, "outcome": outcomes[name]} for name in names]
    left = max(rule["places"] - [*outcomes.values()].count("adopted"), 0)
    return head(question, votes, valid) | {"options": options, "places_left": left}


def scores_again(question: Json, turnout: Json, votes: Sequence[Json]) -> Json:
    options = []
    for option in question["options"]:
        points = sorted(vote[option["id"]] for vote in votes if option["id"] in vote)
        told = {"scored": len(points), "points": sum(points), "abstain": len(votes) - len(points)}
        if question["rule"]["score_average"] == "trimmed_mean":
            trimmed = question["rule"]["scores_trimmed"]
            points = points[trimmed : max(len(points) - trimmed, 0)]
        mean = Fraction(sum(points), len(points)) if points else None
        average = {} if mean is None else {"average": f"{mean.numerator}/{mean.denominator}"}
        outcome = "not_scored" if mean is None else "scored"
        options.append({"id": option["id"], "votes": told, "outcome": outcome, **average})
    return head(question, votes, votes) | {"options": options}


def grades_again(question: Json, turnout: Json, votes: Sequence[Json]) -> Json:
    rule, options = question["rule"], []
    whole = whole_of(rule["grade_base"], turnout, len(votes))
    for option in question["options"]:
        said = [vote.get(option["id"], "abstain") for vote in votes]
        told = {word: said.count(word) for word in (*GRADES, "abstain")}
        good, fair = told["satisfied"], told["satisfied"] + told["basically_satisfied"]
        outcome = "basically_satisfied" if reached(fair, rule["basically_satisfied"], whole) else "dissatisfied"
        outcome = "satisfied" if reached(good, rule["satisfied"], whole) else outcome
        options.append({"id": option["id"], "votes": told, "outcome": outcome})
    return head(question, votes, votes) | {"options": options}


def motion_again(question: Json, turnout: Json, votes: Sequence[Json]) -> Json:
    rule, options = question["rule"], []
    for option in question["options"]:
        said = [vote.get(option["id"], "abstain") for vote in votes]
        told = {word: said.count(word) for word in MOTION}
        if rule["majority_base"] == "none":
            passed = told["for"] > told["against"]
        else:
            passed = reached(told["for"], rule["majority"], whole_of(rule["majority_base"], turnout, len(votes)))
        options.append({"id": option["id"], "votes": told, "outcome": "passed" if passed else "rejected"})
    return head(question, votes, votes) | {"options": options}


QUESTIONS: dict[str, Callable[[Json, Json, Sequence[Any]], Json]] = {
    "select": select_again,
    "scores": scores_again,
    "grades": grades_again,
    "motion": motion_again,
}


# --- any vote

SHARES = st.builds(
    lambda fraction, counts: {"fraction": fraction, "counts": counts},
    st.sampled_from(["0/1", "1/3", "1/2", "2/3", "3/4", "1/1"]),
    st.sampled_from(["more_than", "at_least"]),
)
BASES = st.sampled_from(["all_members", "present", "valid"])
BASES_OR_NONE = st.sampled_from(["none", "all_members", "present", "valid"])
TIES = st.sampled_from(["include_all", "run_off", "presidium"])


@st.composite
def asked(draw: st.DrawFn) -> list[Json]:
    """A question of each kind, by rules at their edges too."""
    number, lowest = draw(st.integers(1, 6)), draw(st.integers(0, 60))
    base, share, tie = draw(BASES_OR_NONE), draw(SHARES), draw(TIES)
    places = draw(st.integers(1, number))
    means = {
        "score_average": draw(st.sampled_from(["mean", "trimmed_mean"])),
        "scores_trimmed": draw(st.integers(0, 3)),
    }
    span = {"score_lowest": lowest, "score_highest": lowest + draw(st.integers(1, 40))}
    return [
        select(number, places, majority_base=base, majority=share, tie_at_last_place=tie),
        scores(draw(st.integers(1, 3)), **means, **span),
        grades(2, grade_base=draw(BASES), satisfied=draw(SHARES), basically_satisfied=draw(SHARES)),
        motion(2, majority_base=draw(BASES_OR_NONE), majority=draw(SHARES)),
    ]


def ballots_of(questions: Sequence[Json]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({each["id"]: _answers(each) for each in questions})


def _answers(question: Json) -> st.SearchStrategy[Any]:
    names, rule = st.sampled_from([option["id"] for option in question["options"]]), question["rule"]
    match question["kind"]:
        case "select":
            return st.lists(names, unique=True)
        case "scores":
            return st.dictionaries(names, st.integers(rule["score_lowest"], rule["score_highest"]))
        case "grades":
            return st.dictionaries(names, st.sampled_from(GRADES))
        case _:
            return st.dictionaries(names, st.sampled_from(MOTION))


@settings(max_examples=200)
@given(st.data())
def test_any_vote_by_any_rule(draw: st.DataObject) -> None:
    """However the ballots are shuffled, and into however many boxes they are cast."""
    questions = draw.draw(asked())
    votes = draw.draw(st.lists(ballots_of(questions), max_size=12))
    electorate = draw.draw(st.integers(len(votes), 24))
    present = draw.draw(st.integers(0, electorate))
    papers = draw.draw(st.integers(max(len(votes) - 1, 0), electorate))
    turnout = {"electorate": electorate, "present": present, "papers": papers, "ballots": len(votes)}
    terms = terms_of(*questions, electorate=electorate)
    marks = draw.draw(st.permutations([marks_of(terms, vote) for vote in votes]))
    expected = count_again(questions, turnout, votes)
    assert tally(terms, present, papers, marks).json() == expected
    assert in_two_boxes(terms, questions, present, papers, marks, draw.draw(st.integers(0, len(votes)))) == expected


def in_two_boxes(
    terms: Terms, questions: Sequence[Json], present: int, papers: int, marks: Sequence[tuple[bytes, ...]], first: int
) -> Json:
    """As two delegations, of which the first has so many of the ballots, and all that are present and have papers."""
    kept = canonical([{"question": question, "movers": {}} for question in questions]).decode()
    whole = terms.json()
    one, other = (Terms.of(whole | {"electorate": number}) for number in (terms.electorate, 0))
    boxes = [counted(one, present, papers, marks[:first]), counted(other, 0, 0, marks[first:])]
    result: Json = summed(kept, boxes)
    return result
