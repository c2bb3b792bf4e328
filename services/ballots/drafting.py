"""From a drafted question to the one that is voted on: what the draft leaves out is taken from the institution's rules.

A drafted question is kept as JSON: `question` as it will stand in the terms (docs/voting-protocol.md), the
`surplus_min` of a selection with its version, and the `movers` of its options, which are not on the paper.
"""

import json
from collections.abc import Iterable
from typing import Any

from chassis.rules import OverrideRefused, Rulebook, Share, check_override
from chassis.wire import number, word
from quanyutong.ballots.v1 import questions_pb2 as pb
from quanyutong_client.encoding import Malformed
from quanyutong_client.reading import Members
from quanyutong_client.terms import Question
from services.ballots import poll_path
from services.ballots.domain import Refused

Json = dict[str, Any]
MARKS = ("over_full_ballot", "short_ballot", "blank_ballot")


def drafted(questions: Iterable[pb.Question], rules: Rulebook) -> str:
    """The JSON of the questions. Raises Refused QUESTION_REFUSED, RULE_FIXED, SURPLUS_MISSING."""
    found = [_drafted(question, rules) for question in questions]
    ids = [each["question"]["id"] for each in found]
    if len(set(ids)) < len(ids):
        raise Refused("QUESTION_REFUSED", fault="an id twice")
    return json.dumps(found, ensure_ascii=False)


def _drafted(given: pb.Question, rules: Rulebook) -> Json:
    chosen = _Chosen(rules)
    kind = given.WhichOneof("rule") or ""
    rule, more = getattr(chosen, kind)(getattr(given, kind))
    question = {
        "id": given.id,
        "title": given.title,
        "kind": kind,
        "options": [{"id": option.id, "title": option.title} for option in given.options],
        "rule": rule,
        "rule_versions": chosen.versions,
    }
    read = read_question(question)
    if kind == "select":
        poll_path.check_surplus(len(read.options), rule["places"], **more)
        more = {"surplus_min": more["surplus"]}
    movers = {option.id: option.mover for option in given.options if option.mover}
    found: Json = {"question": question, "movers": movers} | more
    return found


def read_question(question: Json) -> Question:
    """Raises Refused QUESTION_REFUSED."""
    try:
        members = Members(question, question["id"])
        read = Question.read(members)
        members.done()
    except Malformed as fault:
        raise Refused("QUESTION_REFUSED", fault=fault) from None
    return read


class _Chosen:
    """The values of one question's rule: the draft's where it has one, else the institution's with its version."""

    def __init__(self, rules: Rulebook) -> None:
        self._rules = rules
        self.versions: list[str] = []

    def select(self, given: pb.SelectRule) -> tuple[Json, Json]:
        project = "livelihood_projects"
        surplus = self._value(f"{project}.surplus_min", given.surplus_min if given.HasField("surplus_min") else None)
        rule = {
            "places": given.places,
            "majority_base": self._value(f"{project}.majority_base", word(pb.Base, given.majority_base)),
            "majority": _share(self._value(f"{project}.majority", given.majority)),
            "tie_at_last_place": self._value(f"{project}.tie_at_last_place", word(pb.Tie, given.tie_at_last_place)),
        }
        marks = {name: self._value(f"votes.{name}") for name in MARKS}
        version = self._rules.rule(f"{project}.surplus_min").version
        return rule | marks, {"surplus": surplus, "version": version}

    def scores(self, given: pb.ScoresRule) -> tuple[Json, Json]:
        rule = {
            "score_lowest": self._value("votes.score_lowest", given.lowest if given.HasField("lowest") else None),
            "score_highest": self._value("votes.score_highest", given.highest if given.HasField("highest") else None),
            "score_average": self._value("votes.score_average", word(pb.Average, given.average)),
            "scores_trimmed": self._value("votes.scores_trimmed", given.trimmed if given.HasField("trimmed") else None),
        }
        return rule | {"blank_ballot": self._value("votes.blank_ballot")}, {}

    def grades(self, given: pb.GradesRule) -> tuple[Json, Json]:
        rule = {
            "grade_base": self._value("votes.grade_base", word(pb.Base, given.base)),
            "satisfied": _share(self._value("votes.satisfied", given.satisfied)),
            "basically_satisfied": _share(self._value("votes.basically_satisfied", given.basically_satisfied)),
        }
        return rule | {"blank_ballot": self._value("votes.blank_ballot")}, {}

    def motion(self, given: pb.MotionRule) -> tuple[Json, Json]:
        rule = {
            "majority_base": self._value("votes.motion_base", word(pb.Base, given.majority_base)),
            "majority": _share(self._value("votes.motion_majority", given.majority)),
        }
        return rule | {"blank_ballot": self._value("votes.blank_ballot")}, {}

    def _value(self, key: str, given: object = None) -> Any:
        rule = self._rules.rule(key)
        if given in (None, "") or str(given) == str(rule.value):
            self.versions.append(rule.version)
            return rule.value
        try:
            return check_override(rule, given)
        except OverrideRefused as refused:
            if refused.reason == "RULE_FIXED":
                raise Refused("RULE_FIXED", rule=f"rules/{key}") from None
            raise Refused("QUESTION_REFUSED", fault=f"{key}: {refused.detail}") from None


def _share(share: Share) -> Json:
    return {"fraction": f"{share.fraction.numerator}/{share.fraction.denominator}", "counts": share.counts}


def selectable(questions: str) -> list[str]:
    """The ids of the options that are selected from."""
    asked = [each["question"] for each in json.loads(questions)]
    return [option["id"] for question in asked if question["kind"] == "select" for option in question["options"]]


def question_messages(questions: str, *, movers: bool = True) -> list[pb.Question]:
    return [question_message(each, movers=movers) for each in json.loads(questions)]


def question_message(kept: Json, *, movers: bool = True) -> pb.Question:
    question, moved = kept["question"], kept["movers"] if movers else {}
    options = [
        pb.Option(id=option["id"], title=option["title"], mover=moved.get(option["id"], ""))
        for option in question["options"]
    ]
    kind: str = question["kind"]
    rule = _RULES[kind](question["rule"] | {"surplus_min": kept.get("surplus_min")})
    versions = question["rule_versions"]
    return pb.Question(
        id=question["id"], title=question["title"], options=options, rule_versions=versions, **{kind: rule}
    )


def _text(share: Json) -> str:
    return str(Share.model_validate(share))


_RULES: dict[str, Any] = {
    "select": lambda rule: pb.SelectRule(
        places=rule["places"],
        surplus_min=rule["surplus_min"],
        majority_base=number(pb.Base, rule["majority_base"]),
        majority=_text(rule["majority"]),
        tie_at_last_place=number(pb.Tie, rule["tie_at_last_place"]),
    ),
    "scores": lambda rule: pb.ScoresRule(
        lowest=rule["score_lowest"],
        highest=rule["score_highest"],
        average=number(pb.Average, rule["score_average"]),
        trimmed=rule["scores_trimmed"],
    ),
    "grades": lambda rule: pb.GradesRule(
        base=number(pb.Base, rule["grade_base"]),
        satisfied=_text(rule["satisfied"]),
        basically_satisfied=_text(rule["basically_satisfied"]),
    ),
    "motion": lambda rule: pb.MotionRule(
        majority_base=number(pb.Base, rule["majority_base"]), majority=_text(rule["majority"])
    ),
}
