"""From what a delegate chooses to the marks of a ballot, and back."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from quanyutong_client.rules import UNMARKED, Scores, Select
from quanyutong_client.terms import Question, Terms

# Of a selection: the ids of the chosen options. Of the others: by option's id, a score or a word of the rule.
Choice = Collection[str] | Mapping[str, int] | Mapping[str, str]
Choices = Mapping[str, Choice]
NOTHING: Final[Mapping[str, str]] = {}


class ChoiceRefused(ValueError):
    """The choice does not fit the question. The text says why."""


def marks_of(terms: Terms, choices: Choices) -> tuple[bytes, ...]:
    """The marks of every question; what is not named stays blank. Raises ChoiceRefused."""
    strangers = choices.keys() - {question.id for question in terms.questions}
    if strangers:
        raise ChoiceRefused(f"no question of this poll: {', '.join(sorted(strangers))}")
    return tuple(_marks(question, choices.get(question.id, NOTHING)) for question in terms.questions)


def choices_in(terms: Terms, marks: Collection[bytes]) -> dict[str, Any]:
    """What `marks_of` was given, blank questions included."""
    return {question.id: _choice(question, given) for question, given in zip(terms.questions, marks, strict=True)}


def is_over_full(question: Question, marks: bytes) -> bool:
    """More marks than places: the ballot does not count for this question."""
    return isinstance(question.rule, Select) and len(marks) - marks.count(UNMARKED) > question.rule.places


def over_full(terms: Terms, marks: Collection[bytes]) -> list[str]:
    """The questions for which the ballot would not count."""
    pairs = zip(terms.questions, marks, strict=True)
    return [question.id for question, given in pairs if is_over_full(question, given)]


def _marks(question: Question, choice: Choice) -> bytes:
    if isinstance(choice, str):
        raise ChoiceRefused(f"question {question.id}: a text is no choice")
    given = choice if isinstance(choice, Mapping) else dict.fromkeys(choice, "chosen")
    strangers = given.keys() - {option.id for option in question.options}
    if strangers:
        raise ChoiceRefused(f"no option of question {question.id}: {', '.join(sorted(strangers))}")
    return bytes(_mark(question, given[option.id]) if option.id in given else UNMARKED for option in question.options)


def _mark(question: Question, value: object) -> int:
    rule = question.rule
    match rule, value:
        case Scores(lowest, highest), int() if not isinstance(value, bool) and lowest <= value <= highest:
            return value - lowest + 1
        case _, str() if value in rule.words:
            return rule.words.index(value) + 1
    raise ChoiceRefused(f"question {question.id}: {value!r} is no {rule.kind}")


def _choice(question: Question, marks: bytes) -> Any:
    rule = question.rule
    marked = {option.id: mark for option, mark in zip(question.options, marks, strict=True) if mark != UNMARKED}
    if isinstance(rule, Select):
        return sorted(marked)
    if isinstance(rule, Scores):
        return {option: mark - 1 + rule.score_lowest for option, mark in marked.items()}
    return {option: rule.words[mark - 1] for option, mark in marked.items()}
