"""Counts of paper ballots (纸质计票), as scrutineers enter them."""

from collections.abc import Mapping
from typing import Any

from quanyutong_client.encoding import read_json
from quanyutong_client.rules import Select
from quanyutong_client.tally import Count, Turnout
from quanyutong_client.terms import Question
from services.ballots import scrutiny
from services.ballots.counting import BoxCount
from services.ballots.domain import Refused
from services.ballots.drafting import read_question

Json = Mapping[str, Any]


def checked(questions: str, given: Json) -> Any:
    """The numbers of an entry, in one form however they were sent. Raises Refused COUNT_REFUSED."""
    asked = _asked(questions)
    if [each["question"] for each in given["questions"]] != [each.id for each in asked]:
        raise Refused("COUNT_REFUSED", place="questions")
    pairs = zip(asked, given["questions"], strict=True)
    counts = [_checked(question, each, given["returned"]) for question, each in pairs]
    return {"issued": given["issued"], "returned": given["returned"], "questions": counts}


def _checked(question: Question, given: Json, returned: int) -> Json:
    entered = {each["option"]: each for each in given["options"]}
    ids = [option.id for option in question.options]
    if len(entered) < len(given["options"]) or not entered.keys() <= set(ids):
        raise Refused("COUNT_REFUSED", place=question.id)
    marks = {
        name: {mark["mark"]: mark["ballots"] for mark in entered[name]["marks"]} if name in entered else {}
        for name in ids
    }
    marked = returned - given["invalid"] - given["blank"]
    most = question.rule.places if isinstance(question.rule, Select) else len(ids)
    scrutiny.check_count(question.id, marks.items(), most, marked, question.rule.highest_mark)
    # JSON has texts for names.
    kept = [{str(mark): times for mark, times in marks[name].items()} for name in ids]
    return {"invalid": given["invalid"], "blank": given["blank"], "marks": kept}


def read_back(questions: str, electorate: int, present: int, entry: Json) -> BoxCount:
    """What `checked` gave, as a count. Where nobody noted who attended, those who took papers did."""
    returned = entry["returned"]
    counts = tuple(
        Count(
            returned,
            each["invalid"],
            each["blank"],
            tuple({int(mark): times for mark, times in option.items()} for option in each["marks"]),
        )
        for each in entry["questions"]
    )
    return BoxCount(Turnout(electorate, present or entry["issued"], entry["issued"], returned), counts)


def _asked(questions: str) -> list[Question]:
    return [read_question(each["question"]) for each in read_json(questions.encode())]
