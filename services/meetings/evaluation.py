"""What a satisfaction evaluation (满意度测评) comes to, without any input or output.

The thresholds are rules of the institutions, and are handed in.
"""

from collections.abc import Callable, Sequence

from services.meetings.domain import Refused

# Whether so many of so many members are enough.
Threshold = Callable[[int, int], bool]


def check_evaluated(outcome: str, evaluated: bool) -> None:
    """An item ends as evaluated when something was counted, and only then."""
    if (outcome == "evaluated") != evaluated:
        raise Refused("EVALUATION_REFUSED")


def graded(
    members: int, satisfied: int, basically: int, dissatisfied: int, enough: Threshold, basically_enough: Threshold
) -> str:
    """The grade, counted of all members: who stays silent satisfies nobody. Raises Refused EVALUATION_REFUSED."""
    given = satisfied + basically + dissatisfied
    if min(satisfied, basically, dissatisfied) < 0 or not 0 < given <= members:
        raise Refused("EVALUATION_REFUSED")
    if enough(satisfied, members):
        return "satisfied"
    return "basically_satisfied" if basically_enough(satisfied + basically, members) else "dissatisfied"


def average_hundredths(scores: Sequence[int], lowest: int, highest: int, trimmed: int) -> int:
    """The average, without so many scores at each end, rounded half up. Raises Refused EVALUATION_REFUSED."""
    kept = sorted(scores)[trimmed : len(scores) - trimmed]
    if not kept or len(scores) <= 2 * trimmed or not lowest <= min(scores) <= max(scores) <= highest:
        raise Refused("EVALUATION_REFUSED")
    return (sum(kept) * 200 + len(kept)) // (2 * len(kept))
