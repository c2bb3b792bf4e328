"""The path of a project: whatever is tried in whatever order, nothing that was adopted vanishes silently."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.ballots import project_path as path
from services.ballots.domain import Refused

TODAY = date(2027, 6, 30)
DAYS = st.dates(TODAY - timedelta(400), TODAY + timedelta(400))
STATES = sorted({"candidate"} | {state for _, state in path.PATH.values() if state})


class Life(RuleBasedStateMachine):
    """A project, its money and its progress, and what is known of them without the path."""

    def __init__(self) -> None:
        super().__init__()
        self.state = "candidate"
        self.taken: list[str] = []
        self.budget, self.spent, self.percent = 100, 0, 0

    @rule(verb=st.sampled_from(sorted(set(path.PATH) - {"report", "add_budget"})))
    def tried(self, verb: str) -> None:
        before = self.state
        try:
            self.state = path.next_state(verb, before)
        except Refused:
            assert before not in path.PATH[verb][0]
        else:
            self.taken.append(verb)

    @rule(percent=st.integers(0, 100), spent=st.integers(0, 150), correction=st.sampled_from(["", "误报"]))
    def reported(self, percent: int, spent: int, correction: str) -> None:
        before = (self.percent, self.spent)
        try:
            path.next_state("report", self.state)
            path.check_progress(percent, spent, before, self.budget, correction)
        except Refused:
            return
        assert correction or (percent, spent) >= before
        self.percent, self.spent = percent, spent

    @rule(amount=st.integers(1, 40))
    def granted(self, amount: int) -> None:
        try:
            path.next_state("add_budget", self.state)
        except Refused:
            return
        self.budget += amount

    @invariant()
    def nothing_is_spent_that_was_not_granted(self) -> None:
        assert self.spent <= self.budget

    @invariant()
    def what_was_adopted_never_vanishes(self) -> None:
        """It is still open, was accepted, or was ended by a decision."""
        if "adopt" in self.taken:
            last = [verb for verb in self.taken if path.PATH[verb][1]][-1]
            assert self.state in path.OPEN or (self.state, last) in (("accepted", "accept"), ("ended", "end"))

    @invariant()
    def only_the_vote_adopts(self) -> None:
        assert (self.state in path.OPEN | {"accepted", "ended"}) == ("adopt" in self.taken)

    @invariant()
    def what_is_accepted_was_evaluated_after_an_inspection(self) -> None:
        if self.state == "accepted":
            moves = [verb for verb in self.taken if path.PATH[verb][1]]
            before = moves[: moves.index("accept")]
            assert before[-1] == "evaluate"
            assert "pass_inspection" in before


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)


def test_every_state_can_be_reached_and_every_end_is_one() -> None:
    reached, steps = {"candidate"}, True
    while steps:
        found = {result for allowed, result in path.PATH.values() if result and allowed & reached}
        steps, reached = not found <= reached, reached | found
    assert sorted(reached) == STATES
    moves = [(allowed, result) for allowed, result in path.PATH.values() if result]
    ends = {state for state in STATES if not any(state in allowed for allowed, _ in moves)}
    assert ends == {"withdrawn", "not_adopted", "accepted", "ended"}


@given(due=DAYS, done=st.none() | DAYS)
def test_late_is_after_the_last_day(due: date, done: date | None) -> None:
    assert path.is_late(due, done, TODAY) == ((done or TODAY) > due)
    assert not path.is_late(None, done, TODAY)


@given(old=DAYS, new=DAYS, decided=DAYS)
def test_what_is_put_off_gets_a_later_day(old: date, new: date, decided: date) -> None:
    if new > old and new > decided:
        path.check_new_due_date("postpone", old, new, decided)
    else:
        with pytest.raises(Refused, match="DUE_DATE_REFUSED"):
            path.check_new_due_date("postpone", old, new, decided)


@pytest.mark.parametrize(
    ("level", "decider"),
    [
        ("district", "standing_committee"),
        ("town", "township_congress"),
        ("township", "township_congress"),
        ("subdistrict", "standing_committee"),
    ],
)
def test_who_decides(level: str, decider: str) -> None:
    allowed = "standing_committee_or_township_congress"
    path.check_decider(decider, level, allowed, "rule@2015-01-01")
    (other,) = {"standing_committee", "township_congress"} - {decider}
    with pytest.raises(Refused, match="DECIDER_REFUSED"):
        path.check_decider(other, level, allowed, "rule@2015-01-01")


@pytest.mark.parametrize("given", [[("甲", False)], [("甲", True), ("乙", True)], [("甲", True), ("甲", False)]])
def test_one_undertaker_leads_and_none_is_named_twice(given: list[tuple[str, bool]]) -> None:
    with pytest.raises(Refused, match="UNDERTAKERS_REFUSED"):
        path.check_undertakers(given)


@given(satisfied=st.integers(0, 60), basically=st.integers(0, 60), against=st.integers(0, 60))
def test_counts_are_of_the_members(satisfied: int, basically: int, against: int) -> None:
    if 0 < satisfied + basically + against <= 50:
        path.check_counts(50, satisfied, basically, against)
    else:
        with pytest.raises(Refused, match="PROJECT_EVALUATION_REFUSED"):
            path.check_counts(50, satisfied, basically, against)


def test_the_first_start_sets_the_last_day_within_the_year() -> None:
    assert path.first_due_date(2027, None, None) == date(2027, 12, 31)
    assert path.first_due_date(2027, None, date(2027, 6, 30)) == date(2027, 6, 30)
    assert path.first_due_date(2027, date(2028, 3, 1), None) == date(2028, 3, 1)
    for old, given_ in ((None, date(2028, 1, 1)), (date(2027, 6, 30), date(2027, 12, 31))):
        with pytest.raises(Refused, match="DUE_DATE_REFUSED"):
            path.first_due_date(2027, old, given_)
