"""Counts marks and judges counts by the rules in the poll's terms: exact, and the same in any order of the ballots.

Counting and judging are apart, so that a vote counted by hand on paper is judged by the same rules.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from quanyutong_client.encoding import canonical
from quanyutong_client.marking import is_over_full
from quanyutong_client.rules import UNMARKED, Grades, Motion, Scores, Select, Share
from quanyutong_client.terms import Option, Question, Terms


@dataclass(frozen=True, slots=True)
class Turnout:
    """`present`: who attended, or where nobody notes that, the papers. `papers`: handed out. `ballots`: returned."""

    electorate: int
    present: int
    papers: int
    ballots: int

    @property
    def is_void(self) -> bool:
        """More ballots than papers: the whole vote is void."""
        return self.ballots > self.papers

    def json(self) -> dict[str, Any]:
        return {
            "electorate": self.electorate,
            "present": self.present,
            "papers": self.papers,
            "ballots": self.ballots,
            "void": self.is_void,
        }


@dataclass(frozen=True, slots=True)
class Count:
    """What the ballots say on one question. `blank` ones are valid: they abstain. `marks`: for each option, how many
    valid ballots bear each mark."""

    received: int
    invalid: int
    blank: int
    marks: tuple[Mapping[int, int], ...]

    @property
    def valid(self) -> int:
        return self.received - self.invalid


@dataclass(frozen=True, slots=True)
class OptionResult:
    """`votes` by the rule's words; `outcome` is empty where a vote is void; `average` is of scores alone."""

    id: str
    votes: Mapping[str, int]
    outcome: str = ""
    average: Fraction | None = None

    def json(self) -> dict[str, Any]:
        average = {} if self.average is None else {"average": f"{self.average.numerator}/{self.average.denominator}"}
        outcome = {"outcome": self.outcome} if self.outcome else {}
        return {"id": self.id, "votes": dict(self.votes)} | outcome | average


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """`places_left`: those of a selection that nobody has yet, to be decided among the tied or left empty."""

    id: str
    kind: str
    count: Count
    options: tuple[OptionResult, ...]
    places_left: int | None = None

    def json(self) -> dict[str, Any]:
        count = self.count
        places = {} if self.places_left is None else {"places_left": self.places_left}
        return {
            "id": self.id,
            "kind": self.kind,
            "received": count.received,
            "valid": count.valid,
            "invalid": count.invalid,
            "blank": count.blank,
            "options": [option.json() for option in self.options],
        } | places


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a poll. Its canonical form is the canonical JSON of `json()`."""

    turnout: Turnout
    questions: tuple[QuestionResult, ...]

    def json(self) -> dict[str, Any]:
        return {"turnout": self.turnout.json(), "questions": [question.json() for question in self.questions]}

    def canonical(self) -> bytes:
        return canonical(self.json())


def tally(terms: Terms, present: int, papers: int, ballots: Sequence[Sequence[bytes]]) -> Result:
    """The result of ballots whose marks fit the terms: for each ballot, the marks of each question."""
    turnout = Turnout(terms.electorate, present, papers, len(ballots))
    counts = [count(question, [ballot[index] for ballot in ballots]) for index, question in enumerate(terms.questions)]
    pairs = zip(terms.questions, counts, strict=True)
    return Result(turnout, tuple(judge(question, counted, turnout) for question, counted in pairs))


def count(question: Question, ballots: Sequence[bytes]) -> Count:
    """An over-full ballot is invalid, a short one valid, an empty one valid and an abstention."""
    valid = [marks for marks in ballots if not is_over_full(question, marks)]
    blank = sum(not any(marks) for marks in valid)
    columns = tuple(
        {mark: times for mark, times in Counter(marks[index] for marks in valid).items() if mark != UNMARKED}
        for index in range(len(question.options))
    )
    return Count(len(ballots), len(ballots) - len(valid), blank, columns)


def judge(question: Question, counted: Count, turnout: Turnout) -> QuestionResult:
    """The outcome of each option by the question's rule; of a void vote only the votes."""
    options = [
        _votes(question, option, marks, counted.valid)
        for option, marks in zip(question.options, counted.marks, strict=True)
    ]
    if turnout.is_void:
        return QuestionResult(question.id, question.rule.kind, counted, tuple(options))
    match question.rule:
        case Select() as rule:
            return _selected(question, rule, counted, turnout, options)
        case Scores() as rule:
            judged = [_averaged(rule, option, marks) for option, marks in zip(options, counted.marks, strict=True)]
        case Grades() as rule:
            judged = [_graded(rule, option, counted, turnout) for option in options]
        case Motion() as rule:
            judged = [_moved(rule, option, counted, turnout) for option in options]
    return QuestionResult(question.id, question.rule.kind, counted, tuple(judged))


def _votes(question: Question, option: Option, marks: Mapping[int, int], valid: int) -> OptionResult:
    """Votes in the rule's words. An option that is left unmarked is an abstention on it."""
    rule = question.rule
    if isinstance(rule, Scores):
        points = sum((mark - 1 + rule.score_lowest) * times for mark, times in marks.items())
        votes = {"scored": sum(marks.values()), "points": points}
    else:
        votes = {word: marks.get(mark, 0) for mark, word in enumerate(rule.words, 1)}
    if not isinstance(rule, Select):
        votes["abstain"] = votes.get("abstain", 0) + valid - sum(marks.values())
    return OptionResult(option.id, votes)


def _selected(
    question: Question, rule: Select, counted: Count, turnout: Turnout, options: Sequence[OptionResult]
) -> QuestionResult:
    """Most votes first. An option without a vote is never adopted, so no tie at nothing fills the places."""
    needed = _needed(rule.majority, rule.majority_base, counted, turnout)
    votes = {option.id: option.votes["chosen"] for option in options if option.votes["chosen"] >= needed}
    adopted, tied = _places(votes, rule.places)
    if rule.tie_at_last_place == "include_all":
        adopted, tied = adopted | tied, frozenset()
    outcomes = dict.fromkeys(adopted, "adopted") | dict.fromkeys(tied, "tied")
    judged = tuple(OptionResult(each.id, each.votes, outcomes.get(each.id, "not_adopted")) for each in options)
    return QuestionResult(question.id, rule.kind, counted, judged, max(rule.places - len(adopted), 0))


def _places(votes: Mapping[str, int], places: int) -> tuple[frozenset[str], frozenset[str]]:
    """Who surely has a place, and who ties for the last ones where more tie than there are."""
    if len(votes) <= places:
        return frozenset(votes), frozenset()
    last = sorted(votes.values(), reverse=True)[places - 1]
    above = frozenset(option for option, number in votes.items() if number > last)
    level = frozenset(option for option, number in votes.items() if number == last)
    return (above | level, frozenset()) if len(above) + len(level) == places else (above, level)


def _averaged(rule: Scores, option: OptionResult, marks: Mapping[int, int]) -> OptionResult:
    """The mean of the scores given; none where a trimmed mean leaves no score, or nobody gave one."""
    scores = sorted(_repeated(marks))
    trimmed = rule.scores_trimmed if rule.score_average == "trimmed_mean" else 0
    kept = scores[trimmed : len(scores) - trimmed]
    average = Fraction(sum(kept), len(kept)) - 1 + rule.score_lowest if kept else None
    return OptionResult(option.id, option.votes, "scored" if kept else "not_scored", average)


def _repeated(marks: Mapping[int, int]) -> Iterable[int]:
    return (mark for mark, times in marks.items() for _ in range(times))


def _graded(rule: Grades, option: OptionResult, counted: Count, turnout: Turnout) -> OptionResult:
    satisfied = option.votes["satisfied"]
    content = satisfied + option.votes["basically_satisfied"]
    if satisfied >= _needed(rule.satisfied, rule.grade_base, counted, turnout):
        outcome = "satisfied"
    elif content >= _needed(rule.basically_satisfied, rule.grade_base, counted, turnout):
        outcome = "basically_satisfied"
    else:
        outcome = "dissatisfied"
    return OptionResult(option.id, option.votes, outcome)


def _moved(rule: Motion, option: OptionResult, counted: Count, turnout: Turnout) -> OptionResult:
    fewest = _needed(rule.majority, rule.majority_base, counted, turnout)
    if rule.majority_base == "none":
        fewest = option.votes["against"] + 1
    return OptionResult(option.id, option.votes, "passed" if option.votes["for"] >= fewest else "rejected")


def _needed(share: Share, base: str, counted: Count, turnout: Turnout) -> int:
    """The fewest votes that reach the share of the base; without a base, one."""
    wholes = {"all_members": turnout.electorate, "present": turnout.present, "valid": counted.valid}
    return share.needed(wholes[base]) if base in wholes else 1
