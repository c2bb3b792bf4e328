"""The rules that a question is counted and judged by, as the poll's terms state them.

A rule's members have the names and values of the platform's rules of the institutions. Every vote is a mark: a number
from 1 to the kind's `highest_mark` for each option; 0 is no mark. So all kinds are stored and counted in one way.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Final

from quanyutong_client.encoding import Malformed
from quanyutong_client.reading import Members

UNMARKED: Final = 0
BASES: Final = ("all_members", "present", "valid")
# What holds for every ballot: one with too many marks does not count, one with fewer does, and an empty one abstains.
OVER_FULL_BALLOT, SHORT_BALLOT, BLANK_BALLOT = "invalid", "valid", "abstention"


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, exact: `counts` is at_least, or more_than the fraction."""

    fraction: Fraction
    counts: str

    def needed(self, whole: int) -> int:
        """The fewest votes that reach the share of a whole; never 0, so of nobody nothing is reached."""
        exact = self.fraction * whole
        fewest = exact.__floor__() + 1 if self.counts == "more_than" else exact.__ceil__()
        return max(fewest, 1)

    def json(self) -> dict[str, Any]:
        return {"fraction": f"{self.fraction.numerator}/{self.fraction.denominator}", "counts": self.counts}

    @classmethod
    def read(cls, members: Members) -> "Share":
        share = cls(_fraction(members), members.one_of("counts", ("at_least", "more_than")))
        members.done()
        return share


@dataclass(frozen=True, slots=True)
class Select:
    """Choose up to `places` of the options; the most votes win, where a base is set only with the majority of it."""

    kind: ClassVar = "select"
    highest_mark: ClassVar = 1
    words: ClassVar = ("chosen",)

    places: int
    majority_base: str
    majority: Share
    tie_at_last_place: str

    def json(self) -> dict[str, Any]:
        return {
            "places": self.places,
            "majority_base": self.majority_base,
            "majority": self.majority.json(),
            "tie_at_last_place": self.tie_at_last_place,
            "over_full_ballot": OVER_FULL_BALLOT,
            "short_ballot": SHORT_BALLOT,
            "blank_ballot": BLANK_BALLOT,
        }

    @classmethod
    def read(cls, members: Members) -> "Select":
        members.one_of("over_full_ballot", (OVER_FULL_BALLOT,))
        members.one_of("short_ballot", (SHORT_BALLOT,))
        members.one_of("blank_ballot", (BLANK_BALLOT,))
        return cls(
            members.whole_number("places", 1),
            members.one_of("majority_base", ("none", *BASES)),
            Share.read(members.members("majority")),
            members.one_of("tie_at_last_place", ("include_all", "run_off", "presidium")),
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """Give points to each option; mark 1 is the lowest score. A trimmed mean leaves some out at each end."""

    kind: ClassVar = "scores"
    words: ClassVar = ()

    score_lowest: int
    score_highest: int
    score_average: str
    scores_trimmed: int

    @property
    def highest_mark(self) -> int:
        return self.score_highest - self.score_lowest + 1

    def json(self) -> dict[str, Any]:
        return {
            "score_lowest": self.score_lowest,
            "score_highest": self.score_highest,
            "score_average": self.score_average,
            "scores_trimmed": self.scores_trimmed,
            "blank_ballot": BLANK_BALLOT,
        }

    @classmethod
    def read(cls, members: Members) -> "Scores":
        members.one_of("blank_ballot", (BLANK_BALLOT,))
        lowest = members.whole_number("score_lowest")
        return cls(
            lowest,
            members.whole_number("score_highest", lowest + 1, lowest + 254),
            members.one_of("score_average", ("mean", "trimmed_mean")),
            members.whole_number("scores_trimmed"),
        )


@dataclass(frozen=True, slots=True)
class Grades:
    """Grade each option. What reaches neither threshold is dissatisfied."""

    kind: ClassVar = "grades"
    highest_mark: ClassVar = 3
    words: ClassVar = ("satisfied", "basically_satisfied", "dissatisfied")

    grade_base: str
    satisfied: Share
    basically_satisfied: Share

    def json(self) -> dict[str, Any]:
        return {
            "grade_base": self.grade_base,
            "satisfied": self.satisfied.json(),
            "basically_satisfied": self.basically_satisfied.json(),
            "blank_ballot": BLANK_BALLOT,
        }

    @classmethod
    def read(cls, members: Members) -> "Grades":
        members.one_of("blank_ballot", (BLANK_BALLOT,))
        return cls(
            members.one_of("grade_base", BASES),
            Share.read(members.members("satisfied")),
            Share.read(members.members("basically_satisfied")),
        )


@dataclass(frozen=True, slots=True)
class Motion:
    """Vote on each option by itself: for, against or abstain. Without a base, more for than against passes it."""

    kind: ClassVar = "motion"
    highest_mark: ClassVar = 3
    words: ClassVar = ("for", "against", "abstain")

    majority_base: str
    majority: Share

    def json(self) -> dict[str, Any]:
        return {
            "majority_base": self.majority_base,
            "majority": self.majority.json(),
            "blank_ballot": BLANK_BALLOT,
        }

    @classmethod
    def read(cls, members: Members) -> "Motion":
        members.one_of("blank_ballot", (BLANK_BALLOT,))
        return cls(
            members.one_of("majority_base", ("none", *BASES)),
            Share.read(members.members("majority")),
        )


Rule = Select | Scores | Grades | Motion
KINDS: Final[dict[str, type[Rule]]] = {rule.kind: rule for rule in (Select, Scores, Grades, Motion)}


def _fraction(members: Members) -> Fraction:
    """In lowest terms and from 0 to 1, so that one share is written in one way."""
    text, place = members.text("fraction"), members.place
    above, _, below = text.partition("/")
    if not (above + below).isascii() or not above.isdigit() or not below.isdigit() or int(below) == 0:
        raise Malformed(f"{place}.fraction is not a fraction such as 1/2")
    fraction = Fraction(int(above), int(below))
    if fraction > 1 or f"{fraction.numerator}/{fraction.denominator}" != text:
        raise Malformed(f"{place}.fraction is not in lowest terms, or is more than 1/1")
    return fraction
