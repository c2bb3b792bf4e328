"""Evaluations of agenda items: judged by the rules of the meeting's day, and kept with the item.

Of how many the grades are counted is not for the clerk to type: `votes.grade_base` says which figure of the roll that
was frozen when the meeting was convened. Another number is taken only where the caller gives one, since a department is
sometimes graded by others than the meeting's own members; the item shows it.
"""

from typing import Any

from chassis.database import ReadTx, Row
from chassis.rules import ChoiceRule, ShareRule, WholeNumberRule
from chassis.wire import number, word
from quanyutong.meetings.v1 import agenda_pb2 as pb
from services.meetings.evaluation import average_hundredths, graded
from services.meetings.meetings import day_of
from services.meetings.roll import FROZEN
from services.meetings.rules import rule_on

# What the rule of the base may say, and the figure of the frozen roll that it means.
BASES = {"all_members": "expected"}


async def evaluate(tx: ReadTx, meeting: Row, given: pb.Evaluation) -> dict[str, Any]:
    """The columns of an item of a meeting that is convened. Raises Refused EVALUATION_REFUSED."""
    judge = _by_grades if given.method == pb.EVALUATION_METHOD_GRADES else _by_score
    return {"evaluation_method": word(pb.EvaluationMethod, given.method)} | await judge(tx, meeting, given)


async def _by_grades(tx: ReadTx, meeting: Row, given: pb.Evaluation) -> dict[str, Any]:
    day = day_of(meeting.start_at)
    base = await rule_on(tx, day, "votes.grade_base", ChoiceRule)
    enough = await rule_on(tx, day, "votes.satisfied", ShareRule)
    basically = await rule_on(tx, day, "votes.basically_satisfied", ShareRule)
    members = given.members or getattr(await tx.one(FROZEN, meeting=meeting.id), BASES[base.value])
    counts = (members, given.satisfied, given.basically_satisfied, given.dissatisfied)
    result = graded(*counts, enough.value.met, basically.value.met)
    names = ("members", "satisfied", "basically_satisfied", "dissatisfied")
    return {
        **dict(zip(names, counts, strict=True)),
        "evaluation_result": result,
        "evaluation_rules": [enough.version, basically.version, base.version],
    }


async def _by_score(tx: ReadTx, meeting: Row, given: pb.Evaluation) -> dict[str, Any]:
    day = day_of(meeting.start_at)
    way = await rule_on(tx, day, "votes.score_average", ChoiceRule)
    lowest = await rule_on(tx, day, "votes.score_lowest", WholeNumberRule)
    highest = await rule_on(tx, day, "votes.score_highest", WholeNumberRule)
    trimmed = await rule_on(tx, day, "votes.scores_trimmed", WholeNumberRule)
    ends = trimmed.value if way.value == "trimmed_mean" else 0
    return {
        "score_count": len(given.scores),
        "average_hundredths": average_hundredths(given.scores, lowest.value, highest.value, ends),
        "evaluation_rules": [rule.version for rule in (way, lowest, highest, trimmed)],
    }


def evaluation_message(row: Row) -> pb.Evaluation | None:
    if not row.evaluation_method:
        return None
    return pb.Evaluation(
        method=number(pb.EvaluationMethod, row.evaluation_method),
        members=row.members,
        satisfied=row.satisfied,
        basically_satisfied=row.basically_satisfied,
        dissatisfied=row.dissatisfied,
        score_count=row.score_count,
        average_hundredths=row.average_hundredths,
        result=number(pb.Satisfaction, row.evaluation_result),
        rule_versions=row.evaluation_rules,
    )
