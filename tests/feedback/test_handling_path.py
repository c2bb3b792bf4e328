"""The path of an opinion: whatever is tried in whatever order, nobody who said something is left without an answer."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.feedback import handling_path as path
from services.feedback.deadlines import resumed, working_days_left
from services.feedback.domain import Refused

STATES = sorted({"received"} | {state for _, state in path.PATH.values() if state})
VERBS = sorted(path.PATH)
DAYS = st.dates(date(2024, 1, 1), date(2026, 12, 31))


class Life(RuleBasedStateMachine):
    """An opinion, and what is known of it without the path."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.paused = "received", False
        self.taken: list[str] = []
        self.stood = ""

    @rule(verb=st.sampled_from(VERBS))
    def tried(self, verb: str) -> None:
        before = self.state
        try:
            self.state = path.next_state(verb, before, paused=self.paused)
        except Refused:
            assert before not in path.PATH[verb][0] or self.paused != (verb == "resume")
            return
        self.taken.append(verb)
        if verb == "merge":
            self.stood = before
        elif verb == "unmerge":
            self.state = self.stood
        self.paused = verb == "pause" or (self.paused and verb != "resume")

    @invariant()
    def what_is_closed_was_answered(self) -> None:
        if self.state == "closed":
            moves = [verb for verb in self.taken if path.PATH[verb][1]]
            assert moves[-2] == "answer"
            assert moves[-1] in ("accept", "close")

    @invariant()
    def only_what_nobody_undertook_is_dismissed(self) -> None:
        if self.state == "dismissed":
            assert "route" not in self.taken

    @invariant()
    def what_is_paused_is_with_undertakers_and_does_not_move(self) -> None:
        if self.paused:
            assert self.state in path.WITH_UNDERTAKERS
            assert self.taken[-1] == "pause"

    @invariant()
    def it_is_open_or_ended_or_another_stands_for_it(self) -> None:
        assert [self.state in path.OPEN, self.state in path.ENDS, self.state == "merged"].count(True) == 1

    @invariant()
    def an_answer_that_was_rejected_is_followed_by_another(self) -> None:
        if "reject" in self.taken and self.state == "closed":
            last = len(self.taken) - 1 - self.taken[::-1].index("reject")
            assert "answer" in self.taken[last:]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_every_state_can_be_reached_and_every_end_is_one() -> None:
    reached, steps = {"received"}, True
    while steps:
        found = {result for allowed, result in path.PATH.values() if result and allowed & reached}
        steps, reached = not found <= reached, reached | found
    assert sorted(reached) == STATES
    for state in STATES:
        leads_on = any(state in allowed and result for allowed, result in path.PATH.values())
        assert leads_on == (state not in path.ENDS | {"merged"}), state


@given(today=DAYS, ahead=st.integers(0, 60), away=st.integers(0, 60))
def test_a_pause_keeps_the_working_days_that_are_left(today: date, ahead: int, away: int) -> None:
    left = working_days_left(today, today + timedelta(ahead))
    later = today + timedelta(away)
    assert working_days_left(later, resumed(later, left)) == left


# The seven days of the spring festival of 2025 (28 January to 4 February) with the make-up days on 26 January and 8
# February, and the National Day of 2025 with those on 28 September and 11 October.
@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (date(2025, 1, 24), 1, date(2025, 1, 26)),
        (date(2025, 1, 24), 7, date(2025, 2, 9 + 1)),
        (date(2025, 9, 26), 2, date(2025, 9, 29)),
        (date(2025, 9, 30), 3, date(2025, 10, 11)),
    ],
)
def test_holidays_do_not_count_and_make_up_days_do(start: date, days: int, end: date) -> None:
    assert resumed(start, days) == end
    assert working_days_left(start, end) == days


@pytest.mark.parametrize(
    "undertakers", [[], [("甲", False)], [("甲", True), ("乙", True)], [("甲", True), ("甲", False)]]
)
def test_exactly_one_undertaker_leads_and_none_is_named_twice(undertakers: list[tuple[str, bool]]) -> None:
    with pytest.raises(Refused) as refused:
        path.check_undertakers(undertakers)
    assert refused.value.reason == "UNDERTAKERS_REFUSED"
