"""Counting (计票): marks of each box into counts, counts of all boxes into one result, judged by the poll's rules.

The counting itself is the client's, so that the platform and everybody who checks it count alike.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quanyutong_client.encoding import read_json
from quanyutong_client.tally import Count, Result, Turnout, count, judge
from quanyutong_client.terms import Terms
from services.ballots.drafting import read_question


@dataclass(frozen=True, slots=True)
class BoxCount:
    """What one box says: its turnout, and a count for each question."""

    turnout: Turnout
    counts: tuple[Count, ...]


def counted(terms: Terms, present: int, papers: int, ballots: Sequence[Sequence[bytes]]) -> BoxCount:
    turnout = Turnout(terms.electorate, present, papers, len(ballots))
    counts = (count(question, [each[index] for each in ballots]) for index, question in enumerate(terms.questions))
    return BoxCount(turnout, tuple(counts))


def summed(questions: str, boxes: Sequence[BoxCount]) -> Any:
    """The result of the whole poll as JSON: votes of all boxes together, judged by the whole electorate."""
    turnout = Turnout(
        *(sum(getattr(each.turnout, name) for each in boxes) for name in ("electorate", "present", "papers", "ballots"))
    )
    read = [read_question(each["question"]) for each in read_json(questions.encode())]
    results = (
        judge(question, _together([each.counts[index] for each in boxes]), turnout)
        for index, question in enumerate(read)
    )
    return Result(turnout, tuple(results)).json()


def _together(counts: Sequence[Count]) -> Count:
    marks = []
    for each in zip(*(one.marks for one in counts), strict=True):
        total: Counter[int] = Counter()
        for one in each:
            total.update(one)
        marks.append(dict(total))
    return Count(
        sum(one.received for one in counts),
        sum(one.invalid for one in counts),
        sum(one.blank for one in counts),
        tuple(marks),
    )
