"""Something that is handled, and what a clerk expects of it: a model that knows the states and days by itself."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from chassis import clock
from chassis.working_days import add_working_days
from tests.feedback.desk import Desk
from tests.harness import refused

Leads = Mapping[str, Mapping[Any, Any]]
Run = Callable[[Awaitable[Any]], Any]
# Days to come: the platform beside the desk goes its own rounds, and by its clock nothing is due.
BEGINNING = date(clock.today().year + 1, 2, 6)


class Handled(RuleBasedStateMachine):
    """`leads` says of each verb from which state it leads where; `ending` are those that end it for good."""

    leads: ClassVar[Leads]
    awaited: frozenset[Any]
    ending: frozenset[str]
    nowhere: Any = None
    warned_before: int
    escalated_after: int
    state_refused: str

    def __init__(self, desk: Desk, run: Run) -> None:
        super().__init__()
        self.desk, self.run = desk, run
        self.name, self.state = "", self.nowhere
        self.due: date | None = None
        self.timeline: list[str] = []
        self.warned = self.escalated = False
        desk.day = BEGINNING

    def attempt(self, verb: str) -> None:
        """Tries the verb, whether or not it fits."""
        raise NotImplementedError

    def tried(self, call: Awaitable[Any], expected: str) -> bool:
        """Whether it was done; by the model it is exactly where no reason is expected."""
        if expected:
            assert self.run(refused(call)) == f"ERROR_REASON_{expected}"
        else:
            self.run(call)
        return not expected

    def move(self, verb: str, call: Awaitable[Any], step: str, also: str = "") -> bool:
        """`also` is why it is refused even where it leads somewhere."""
        leads = self.leads[verb]
        done = self.tried(call, also if self.state in leads else self.state_refused)
        if done:
            self.state = leads[self.state]
            self.timeline.append(step)
        return done

    def begins(self, last: date | None) -> None:
        """There is another last day, or none."""
        self.due, self.warned = last, False

    @rule(choice=st.integers(0, 100))
    def whatever(self, choice: int) -> None:
        self.attempt(sorted(self.leads)[choice % len(self.leads)])

    @rule(choice=st.integers(0, 100))
    def what_fits(self, choice: int) -> None:
        """Without an end, so that few steps lead far."""
        fits = sorted(verb for verb, leads in self.leads.items() if self.state in leads and verb not in self.ending)
        if fits:
            self.attempt(fits[choice % len(fits)])

    @rule(days=st.sampled_from([1, 5, 20, 100]))
    def time_passes(self, days: int) -> None:
        self.desk.day += timedelta(days)
        self.run(self.desk.look())
        self.look()

    def look(self) -> None:
        """What the round brings about."""
        if self.due is None or self.state not in self.awaited:
            return
        if not self.warned and self.due <= add_working_days(self.desk.day, self.warned_before):
            self.warned = True
            self.timeline.append("warn")
        if not self.escalated and add_working_days(self.due, self.escalated_after) < self.desk.day:
            self.escalated = True
            self.timeline.append("escalate")

    @property
    def overdue(self) -> bool:
        return self.due is not None and self.due < self.desk.day
