"""The phases of a meeting: whatever is tried in whatever order, only what the path allows happens."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from quanyutong.meetings.v1 import meeting_pb2 as pb
from services.meetings.domain import PATH, Refused, next_phase
from tests.harness import refused
from tests.meetings.secretariat import Secretariat

ENDS = ("closed", "cancelled")


class Phases(RuleBasedStateMachine):
    """A meeting, and what is known of it without the path."""

    def __init__(self) -> None:
        super().__init__()
        self.phase = ""
        self.convened = False
        self.was = ""

    @initialize()
    def entered(self) -> None:
        self.phase = self.was = "preparation"

    @rule(verb=st.sampled_from(sorted(PATH)))
    def tried(self, verb: str) -> None:
        before = self.phase
        if before not in PATH[verb][0]:
            with pytest.raises(Refused) as refusal:
                next_phase(verb, before)
            assert (refusal.value.reason, refusal.value.facts["phase"]) == ("PHASE_REFUSED", before.upper())
            return
        assert before not in ENDS
        self.phase = next_phase(verb, before)
        self.convened |= verb == "convene"
        self.was = before

    @invariant()
    def only_a_convened_meeting_is_summed_up(self) -> None:
        assert self.convened == (self.phase in ("convened", "summary", "closed"))

    @invariant()
    def what_was_convened_never_goes_back(self) -> None:
        order = {"preparation": 0, "postponed": 0, "cancelled": 0, "convened": 1, "summary": 2, "closed": 3}
        assert order.get(self.was, 0) <= order.get(self.phase, 0)


TestPhases = Phases.TestCase
TestPhases.settings = settings(max_examples=200, stateful_step_count=12, deadline=None)


async def test_the_service_refuses_what_the_path_does_not_allow(secretariat: Secretariat) -> None:
    """In each phase every verb but those that lead out of it."""
    meeting, _ = await secretariat.ready(1, 1)
    verbs = {"Convene": {}, "Adjourn": {}, "Close": {}, "Postpone": {"reason": "防汛"}, "Cancel": {"reason": "防汛"}}
    for phase, step in (("preparation", "Convene"), ("convened", "Adjourn"), ("summary", "Close"), ("closed", "")):
        for verb, fields in verbs.items():
            if phase not in PATH[verb.lower()][0]:
                call = secretariat.do(verb, meeting, **fields)
                assert await refused(call) == "ERROR_REASON_PHASE_REFUSED", (phase, verb)
        if step:
            await secretariat.do(step, meeting)
    assert (await secretariat.meet("GetMeeting", pb.GetMeetingRequest(name=meeting))).phase == pb.PHASE_CLOSED
